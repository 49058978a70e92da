"""Connections to Azure for one event loop: azure-core's pipelines with nothing in them that repeats a request.

Reads keep their connections, and may ride aiohttp's one silent repeat of a request that met a closed
connection. Writes open a connection each and switch that repeat off: aiohttp would otherwise send a PUT twice
when the first was applied and its answer lost. Metrics have a pool, and a client of the SDK, for each region; logs have
one. Vaults and scoring URIs have one for each host, and send no more than fits in memory for sure.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from endpoints.azure_gateway.errors import Unreachable
from endpoints.azure_gateway.settings import GatewaySettings

if TYPE_CHECKING:
    import aiohttp
    from azure.core.pipeline import AsyncPipeline
    from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.core.rest import HttpRequest
    from azure.monitor.query.aio import LogsQueryClient
    from azure.monitor.querymetrics.aio import MetricsClient

    from endpoints.azure_gateway.credentials import CachedCredential

Sender = Callable[["HttpRequest"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer whose body was read only as far as wanted."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class Pools:
    """Whatever sends a request: for reads, for writes, and for the metrics of a region. Opened on first use."""

    def __init__(self, settings: GatewaySettings, credential: CachedCredential) -> None:
        self._settings = settings
        self._credential = credential
        self._stack = AsyncExitStack()
        self._pipelines: dict[bool, AsyncPipeline[Any, Any]] = {}
        self._metrics: dict[str, MetricsClient] = {}
        self._logs: dict[str, LogsQueryClient] = {}
        self._outside: dict[tuple[str, str], AsyncPipeline[Any, Any]] = {}

    async def close(self) -> None:
        await self._stack.aclose()

    def sender(self, base: str, *, write: bool) -> Sender:
        """What sends a request to the resource manager or, where `base` names it, to a data plane."""
        return self._metrics_client(base).send_request if base else self._resource_manager(write=write)

    def logs(self, base: str) -> Sender:
        """What sends a query of logs: the SDK's client over our transport, with none of its policies but the token."""
        from azure.monitor.query.aio import LogsQueryClient

        if base not in self._logs:
            cloud = self._settings.cloud
            self._logs[base] = LogsQueryClient(
                self._credential,
                endpoint=base,
                audience=cloud.logs_audience,
                policies=[self._authorise(cloud.logs_scope)],
                transport=self._transport(base, write=False),
            )
        return self._logs[base].send_request

    def outside(self, origin: str, *, scope: str, patience: float, most: int) -> Sender:
        """What sends a request to another host, with a token of `scope` or, where that is "", with none.

        The answer is a Cut: of its body, whoever sends it, at most `most` bytes and one are read.
        """
        pipeline = self._outside_pipeline(origin, scope, patience)

        async def send(request: HttpRequest) -> Cut:
            response = (await pipeline.run(request, stream=True)).http_response
            try:
                return Cut(response.status_code, response.headers, await _beginning(response, most + 1))
            finally:
                await response.close()

        return send

    def _outside_pipeline(self, origin: str, scope: str, patience: float) -> AsyncPipeline[Any, Any]:
        from azure.core.pipeline import AsyncPipeline

        if (origin, scope) not in self._outside:
            # As it comes: unpacked, a few bytes can be more than fits in memory.
            transport = self._transport(origin, write=False, patience=patience, unpack=False)
            policies = [self._authorise(scope)] if scope else []
            self._outside[origin, scope] = AsyncPipeline(transport, policies)
        return self._outside[origin, scope]

    def _resource_manager(self, *, write: bool) -> Sender:
        pipeline = self._pipeline(write=write)

        async def send(request: HttpRequest) -> Any:
            return (await pipeline.run(request)).http_response

        return send

    def _pipeline(self, *, write: bool) -> AsyncPipeline[Any, Any]:
        from azure.core.pipeline import AsyncPipeline

        if write not in self._pipelines:
            cloud = self._settings.cloud
            transport = self._transport(cloud.resource_manager, write=write)
            self._pipelines[write] = AsyncPipeline(transport, [self._authorise(cloud.scope)])
        return self._pipelines[write]

    def _metrics_client(self, base: str) -> MetricsClient:
        """The SDK's client for one region, over our transport and with none of its policies but the token."""
        from azure.monitor.querymetrics.aio import MetricsClient

        if base not in self._metrics:
            cloud = self._settings.cloud
            self._metrics[base] = MetricsClient(
                base,
                self._credential,
                audience=cloud.metrics_audience,
                policies=[self._authorise(cloud.metrics_scope)],
                transport=self._transport(base, write=False),
            )
        return self._metrics[base]

    def _authorise(self, scope: str) -> AsyncBearerTokenCredentialPolicy[Any, Any]:
        from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy

        return AsyncBearerTokenCredentialPolicy(self._credential, scope)

    def _transport(
        self, base: str, *, write: bool, patience: float = 0.0, unpack: bool = True
    ) -> AioHttpTransport:
        from azure.core.pipeline.transport import AioHttpTransport

        session = _session(self._settings, base, write=write, unpack=unpack)
        self._stack.push_async_callback(session.close)
        return AioHttpTransport(
            session=session,
            session_owner=False,
            connection_timeout=self._settings.connect_timeout,
            read_timeout=max(patience, self._settings.read_timeout),
        )


async def _beginning(response: Any, most: int) -> bytes:
    """The first bytes of a body that may be of any length."""
    content = bytearray()
    async for chunk in response.iter_raw():
        content += chunk
        if len(content) >= most:
            break
    return bytes(content[:most])


def _session(settings: GatewaySettings, base: str, *, write: bool, unpack: bool) -> aiohttp.ClientSession:
    import aiohttp

    connector = aiohttp.TCPConnector(
        ssl=_tls(settings.cloud.ca_bundle),
        limit=0,  # the slots limit bulk reads; whatever is urgent never waits for a connection
        force_close=write,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(base),
        auto_decompress=unpack,
    )
    if write:
        # aiohttp has no public switch for its silent repeat. A test counts the PUTs that arrive.
        session._retry_connection = False
    return session


def _tls(ca_bundle: str) -> ssl.SSLContext:
    if not ca_bundle:
        return _context("", 0)
    try:
        return _context(ca_bundle, Path(ca_bundle).stat().st_mtime_ns)
    except (OSError, ssl.SSLError) as error:
        raise Unreachable(f"The CA bundle {ca_bundle} can't be used ({error}); nothing was sent.") from error


@lru_cache(maxsize=8)
def _context(ca_bundle: str, _changed: int) -> ssl.SSLContext:
    """One context per state of a bundle: making one costs as much as many calls."""
    return ssl.create_default_context(cafile=ca_bundle or None)


def _proxy(url: str) -> str | None:
    """The environment's proxy for an address, looked up once instead of for each call."""
    if urllib.request.proxy_bypass(urlsplit(url).hostname or ""):
        return None
    return urllib.request.getproxies().get(urlsplit(url).scheme)
