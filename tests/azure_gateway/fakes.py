"""A tiny Azure Resource Manager: a function per request, over HTTPS, that remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.credentials import TokenCache, token_key
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from tests.azure_gateway.certificates import Certificates

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Call:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeArm:
    """`answer` may be replaced at any time; `calls` is what arrived, in order."""

    answer: Handler
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.calls.append(
            Call(request.method, request.path, request.query_string, dict(request.headers), body)
        )
        return await self.answer(request)


class TickingClock:
    """A clock whose wall time a test may set back while its monotonic time goes on."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 1, tzinfo=UTC)
        self.ticks = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        self.ticks += seconds
        self.wall += timedelta(seconds=seconds)


@asynccontextmanager
async def serve(certificates: Certificates, answer: Handler) -> AsyncIterator[FakeArm]:
    fake = FakeArm(answer)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", fake.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificates.server)
    await site.start()
    port = runner.addresses[0][1]
    fake.url = f"https://localhost:{port}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def settings_for(url: str, certificates: Certificates, **changes: Any) -> GatewaySettings:
    cloud = CloudSettings(
        name="TestCloud",
        resource_manager=url,
        metrics=f"{url}/metrics/{{region}}",
        metrics_audience="https://metrics.test",
        logs=f"{url}/logs",
        logs_audience="https://logs.test",
        key_vault_suffix=url.removeprefix("https://"),
        key_vault_audience="https://vault.test",
        scoring_suffix=url.removeprefix("https://"),
        scoring_audience="https://scoring.test",
        ca_bundle=str(certificates.ca_bundle),
    )
    return GatewaySettings(cloud=cloud, **changes)


@asynccontextmanager
async def connected(
    settings: GatewaySettings, *, buckets: Buckets | None = None, **options: Any
) -> AsyncIterator[Azure]:
    """A connection that already has its tokens, one for each place it may go to, and buckets of its own."""
    tokens, cloud = TokenCache(), settings.cloud
    for scope, token in (
        (cloud.scope, "a-token"),
        (cloud.metrics_scope, "a-metrics-token"),
        (cloud.logs_scope, "a-logs-token"),
        (cloud.key_vault_scope, "a-vault-token"),
        (cloud.scoring_scope, "a-scoring-token"),
    ):
        tokens.put(token_key(settings, scope), token, 4102444800)
    async with connect(
        settings, tokens=tokens, buckets=buckets or Buckets(settings.rates), **options
    ) as azure:
        yield azure


@asynccontextmanager
async def gateway(
    certificates: Certificates, answer: Handler, **changes: Any
) -> AsyncIterator[tuple[FakeArm, Azure]]:
    """A server and a connection to it; `changes` are settings."""
    async with (
        serve(certificates, answer) as fake,
        connected(settings_for(fake.url, certificates, **changes)) as azure,
    ):
        yield fake, azure
