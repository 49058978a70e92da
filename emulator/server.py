"""The three listeners: Azure (HTTPS), managed identity (plain HTTP), admin (plain HTTP, loopback only)."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulator import identity
from emulator.admin import Admin
from emulator.arm.front import Front
from emulator.cloud import Cloud
from emulator.compute import retail
from emulator.listener import Handler, serve
from emulator.logs.dataplane import Logs
from emulator.monitor.dataplane import Batch
from emulator.scoring import Scoring
from emulator.values import Json
from emulator.vault.dataplane import Secrets

LOOPBACK = "127.0.0.1"
_BODY_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen; port 0 takes any free one."""

    host: str = LOOPBACK
    port: int = 0
    identity_port: int = 0
    admin_port: int = 0
    cert: Path | None = None
    key: Path | None = None


class Server:
    def __init__(self, cloud: Cloud, listen: Listen) -> None:
        self._cloud = cloud
        self._listen = listen
        self._runners: list[web.AppRunner] = []

    async def start(self) -> Json:
        """Open all listeners; returns what a client needs to know."""
        listen = self._listen
        tls = _tls(listen)
        port = await self._open(azure(self._cloud), listen.host, listen.port, tls)
        identity_port = await self._open(managed_identity(self._cloud), listen.host, listen.identity_port)
        admin_port = await self._open(Admin(self._cloud).app(), LOOPBACK, listen.admin_port)
        scheme = "https" if tls else "http"
        return {
            "arm": f"{scheme}://{listen.host}:{port}",
            "metrics": f"{scheme}://{listen.host}:{port}/metrics/{{region}}",
            "logs": f"{scheme}://{listen.host}:{port}/logs",
            "vault": f"{scheme}://{listen.host}:{port}",
            "prices": f"{scheme}://{listen.host}:{port}{retail.BASE}",
            "identity_endpoint": f"http://{listen.host}:{identity_port}/msi/token",
            "identity_header": self._cloud.identity_header,
            "admin": f"http://{LOOPBACK}:{admin_port}",
            "ports": {"arm": port, "identity": identity_port, "admin": admin_port},
        }

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        self._cloud.control.log.close()

    async def _open(
        self, app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        return int(runner.addresses[0][1])


def azure(cloud: Cloud) -> web.Application:
    """ARM, metadata, managed identity, metrics, logs, secrets, retail prices and scoring behind one port."""
    scoring = Scoring(cloud)
    app = web.Application(client_max_size=_BODY_LIMIT)
    app.router.add_get("/metadata/endpoints", _metadata)
    app.router.add_post("/scoring/{region}/{endpoint}/score", _handler(cloud, "scoring", scoring.score))
    app.router.add_get(
        "/scoring/{region}/{endpoint}/swagger.json", _handler(cloud, "scoring", scoring.swagger)
    )
    app.router.add_post(
        "/metrics/{region}/subscriptions/{subscription}/metrics:getBatch",
        _handler(cloud, "metrics", Batch(cloud).answer),
    )
    logs = Logs(cloud)
    app.router.add_post("/logs/v1/workspaces/{workspace}/query", _handler(cloud, "logs", logs.of_workspace))
    app.router.add_post("/logs/v1/{resource:.+}/query", _handler(cloud, "logs", logs.of_resource))
    secret = _handler(cloud, "vault", Secrets(cloud).answer)
    app.router.add_get("/secrets/{name}", secret)
    app.router.add_get("/secrets/{name}/{version}", secret)
    app.router.add_get(retail.PATH, _handler(cloud, "retail", retail.Retail(cloud).answer))
    _add_identity(app, cloud)
    app.router.add_route("*", "/{path:.*}", _handler(cloud, "arm", Front(cloud).answer))
    return app


def managed_identity(cloud: Cloud) -> web.Application:
    app = web.Application()
    _add_identity(app, cloud)
    return app


def _add_identity(app: web.Application, cloud: Cloud) -> None:
    source = identity.ManagedIdentity(cloud)
    app.router.add_get("/msi/token", _handler(cloud, "identity", source.app_service))
    app.router.add_get("/metadata/identity/oauth2/token", _handler(cloud, "identity", source.virtual_machine))


def _handler(
    cloud: Cloud, plane: str, handler: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve(cloud, plane, request, handler)

    return handle


async def _metadata(request: web.Request) -> web.Response:
    return web.json_response(identity.cloud_metadata(request))


def _tls(listen: Listen) -> ssl.SSLContext | None:
    if listen.cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listen.cert, listen.key)
    return context
