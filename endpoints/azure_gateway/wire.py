"""One call over HTTPS: azure-core's pipeline with nothing in it that repeats a request by itself.

Two pools. Reads keep their connections, and may ride aiohttp's one silent repeat of a request that met a
closed connection. Writes open a connection each and switch that repeat off: aiohttp would otherwise send a
PUT twice when the first was applied and its answer lost.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from endpoints.azure_gateway import arm, failures
from endpoints.azure_gateway.errors import CallIds, Malformed, Unreachable
from endpoints.azure_gateway.limiter import READS, WRITES, Limiter
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.core.ids import new_request_id

if TYPE_CHECKING:
    import aiohttp
    from azure.core.pipeline import AsyncPipeline

    from endpoints.azure_gateway.credentials import CachedCredential

_REMAINING = {
    READS: "x-ms-ratelimit-remaining-subscription-reads",
    WRITES: "x-ms-ratelimit-remaining-subscription-writes",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Outside this module always a 2xx."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    ids: CallIds
    request_began: datetime
    response_ended: datetime

    def document(self, url: str) -> Any:
        """The JSON body; Malformed when it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise Malformed(url, "the answer is not JSON", status=self.status, ids=self.ids) from None


class Wire:
    """Sends calls for one event loop. Made by `client.connect`."""

    def __init__(
        self, settings: GatewaySettings, credential: CachedCredential, limiter: Limiter, clock: Clock
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._limiter = limiter
        self._clock = clock
        self._home = arm.origin(settings.cloud.resource_manager)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._stack = AsyncExitStack()
        self._pipelines: dict[bool, AsyncPipeline[Any, Any]] = {}
        self._headers = {"Accept": "application/json", "User-Agent": settings.user_agent}

    async def close(self) -> None:
        await self._stack.aclose()

    def url(self, path: str, version: str) -> str:
        return f"{self._settings.cloud.resource_manager}{path}?api-version={version}"

    def check_home(self, url: str) -> str:
        """The URL, if it leads to the resource manager: no token of ours goes anywhere else."""
        try:
            leads_home = arm.origin(url) == self._home
        except ValueError:
            leads_home = False
        if not leads_home:
            raise Malformed(url[:200], "it does not lead to the resource manager; nothing was sent there")
        return url

    async def read(self, url: str, *, urgent: bool = False) -> Answer:
        """GET. Bulk reads share a fixed number of slots; urgent ones wait for Azure's limits only."""
        if urgent:
            return await self._admitted("GET", url, READS, urgent=True)
        async with self._slots:
            return await self._admitted("GET", url, READS)

    async def write(self, method: str, url: str, body: Mapping[str, Any], *, request_id: str = "") -> Answer:
        """PUT or PATCH, sent at most once. One deadline for all of it: after that nothing more is on its way."""
        content, until = json.dumps(body).encode(), self._until()
        await self._have_token(until)
        return await self._admitted(
            method, url, WRITES, content=content, request_id=request_id, urgent=True, until=until
        )

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.deadline

    async def _admitted(
        self, method: str, url: str, kind: str, *, urgent: bool = False, **call: Any
    ) -> Answer:
        subscription = arm.subscription_of(url)
        patience = self._settings.urgent_patience if urgent else self._settings.patience
        enter = self._limiter.writes if kind == WRITES else self._limiter.reads
        await enter(subscription, urgent=urgent, patience=patience)
        try:
            answer = await self._send(method, url, **call)
        except BaseException:
            self._limiter.lost(subscription, kind)
            raise
        throttled = answer.status == 429
        self._limiter.settle(
            subscription,
            kind,
            remaining=_number(answer.headers.get(_REMAINING[kind])),
            throttled=throttled,
            retry_after=failures.retry_after(answer.headers) if throttled else None,
        )
        return self._accepted(answer, write=kind == WRITES)

    def _accepted(self, answer: Answer, *, write: bool) -> Answer:
        if answer.status == 401:
            self._credential.forget(self._settings.cloud.scope)  # the next call asks for another token
        if answer.status >= 300:
            raise failures.from_answer(answer.status, answer.headers, answer.content, answer.ids, write=write)
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        request_id: str = "",
        until: float | None = None,
    ) -> Answer:
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        write, deadline = method != "GET", self._settings.deadline
        ours = request_id or new_request_id()
        headers = {**self._headers, "x-ms-client-request-id": ours}
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = HttpRequest(method, url, headers=headers, content=content)
        began, started = self._clock.now(), self._clock.monotonic()
        try:
            async with asyncio.timeout_at(until or self._until()):
                response = (await self._pipeline(write=write).run(request)).http_response
        except (AzureError, TimeoutError, OSError) as error:
            raise failures.from_exception(error, CallIds(ours), write=write, deadline=deadline) from error
        got: Mapping[str, str] = response.headers
        return Answer(
            status=response.status_code,
            headers=got,
            content=response.content,
            ids=CallIds(ours, got.get("x-ms-request-id", ""), got.get("x-ms-correlation-request-id", "")),
            request_began=began,
            response_ended=began + timedelta(seconds=max(0.0, self._clock.monotonic() - started)),
        )

    async def _have_token(self, until: float) -> None:
        """Get the token before a write, so that a failure here is known to have sent nothing."""
        from azure.core.exceptions import AzureError

        deadline = self._settings.deadline
        try:
            async with asyncio.timeout_at(until):
                await self._credential.get_token_info(self._settings.cloud.scope)
        except (AzureError, TimeoutError, OSError) as error:
            raise failures.from_exception(error, CallIds(), write=False, deadline=deadline) from error

    def _pipeline(self, *, write: bool) -> AsyncPipeline[Any, Any]:
        if write not in self._pipelines:
            session = _session(self._settings, write=write)
            self._stack.push_async_callback(session.close)
            self._pipelines[write] = self._over(session)
        return self._pipelines[write]

    def _over(self, session: aiohttp.ClientSession) -> AsyncPipeline[Any, Any]:
        from azure.core.pipeline import AsyncPipeline
        from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
        from azure.core.pipeline.transport import AioHttpTransport

        transport = AioHttpTransport(
            session=session,
            session_owner=False,
            connection_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout,
        )
        authorise = AsyncBearerTokenCredentialPolicy(self._credential, self._settings.cloud.scope)
        return AsyncPipeline(transport, [authorise])


def _session(settings: GatewaySettings, *, write: bool) -> aiohttp.ClientSession:
    import aiohttp

    connector = aiohttp.TCPConnector(
        ssl=_tls(settings.cloud.ca_bundle),
        limit=0,  # the slots limit bulk reads; whatever is urgent never waits for a connection
        force_close=write,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(settings.cloud.resource_manager),
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
    """The environment's proxy for the resource manager, looked up once instead of for each call."""
    if urllib.request.proxy_bypass(urlsplit(url).hostname or ""):
        return None
    return urllib.request.getproxies().get(urlsplit(url).scheme)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
