"""ARM's front door: latency, who is calling, what they may do, how often; then the provider's handler."""

from __future__ import annotations

import asyncio
import json
import time

from aiohttp import web

from emulator import permissions
from emulator.arm import routes
from emulator.arm.call import Call, Reply
from emulator.arm.providers import PROVIDERS
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.listener import base_url
from emulator.requestlog import Entry
from emulator.tokens import ARM_AUDIENCES
from emulator.values import new_guid

_BODY_KEPT = 100_000


class Front:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: web.Request, entry: Entry, fate: Fate | None) -> web.Response:
        started = time.monotonic()
        raw = await request.read() if request.body_exists else b""
        entry.body = _recorded(raw)
        if self._cloud.settings.latency_ms:
            await asyncio.sleep(self._cloud.settings.latency_ms / 1000)
        reply = self._reply(request, entry, fate, raw)
        reply.headers = {**_always(started), **reply.headers}
        return web.Response(
            status=reply.status,
            body=reply.body,
            headers=reply.headers,
            content_type="application/json" if reply.body is not None else None,
        )

    def _reply(self, request: web.Request, entry: Entry, fate: Fate | None, raw: bytes) -> Reply:
        cloud = self._cloud
        cloud.control.advance()
        base = base_url(request)
        identity = cloud.tokens.caller(request.headers.get("Authorization"), audiences(base))
        entry.caller = identity.name
        match = routes.find(PROVIDERS, request.method, request.path)
        limits: dict[str, str] = {}
        if cloud.settings.arm_buckets and match.subscription:  # Resource Graph has a quota of its own
            limits = cloud.buckets.take(match.subscription, identity.object_id, request.method)
        if match.route.action is not None:
            permissions.check(identity, match.route.action, match.scope)
        reply = match.route.run(
            cloud,
            Call(
                method=request.method,
                subscription=match.subscription,
                group=match.group,
                named=match.named,
                scope=match.scope,
                query=entry.query,
                base=base,
                identity=identity,
                raw=raw,
                request_id=entry.client_request_id,
                fate=fate,
            ),
        )
        reply.headers.update(limits)
        return reply


def audiences(base: str) -> frozenset[str]:
    """What a token for ARM may be made out to: Azure's own names, and ours under each loopback name."""
    scheme, _, rest = base.partition("://")
    port = rest.rpartition(":")[2]
    local = {f"{scheme}://{host}:{port}" for host in ("127.0.0.1", "localhost")}
    return ARM_AUDIENCES | {base} | local


def _always(started: float) -> dict[str, str]:
    request_id = new_guid()
    return {
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
        "x-request-time": f"{time.monotonic() - started:.3f}",
        "Cache-Control": "no-cache",
    }


def _recorded(raw: bytes) -> object:
    """What the request log keeps of a body: the JSON, or how long it was."""
    if not raw:
        return None
    try:
        return json.loads(raw) if len(raw) <= _BODY_KEPT else {"bytes": len(raw)}
    except ValueError:
        return {"bytes": len(raw)}
