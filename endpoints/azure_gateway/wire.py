"""One call over HTTPS: its turn in the budget, its deadline, its ids, and what its answer means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from endpoints.azure_gateway import arm, failures
from endpoints.azure_gateway.errors import CallIds, Malformed
from endpoints.azure_gateway.limiter import (
    ACTIVITY,
    GRAPH,
    LOGS,
    METRICS,
    PROBES,
    READS,
    RETAIL,
    SECRETS,
    WRITES,
    Limiter,
)
from endpoints.azure_gateway.pools import Pools, Sender
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.core.ids import new_request_id

if TYPE_CHECKING:
    from endpoints.azure_gateway.credentials import CachedCredential

_REMAINING = {
    READS: "x-ms-ratelimit-remaining-subscription-reads",
    WRITES: "x-ms-ratelimit-remaining-subscription-writes",
    GRAPH: "x-ms-user-quota-remaining",
}

# Of what another host than Azure's own services answers, so much is read.
MOST_BYTES = 256 * 1024
# A page of the price list: a thousand rows of half a kilobyte, and room.
_MOST_OF_PRICES = 4 * 1024 * 1024
_PLAIN = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Outside this module always a 2xx, but for a probe's."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    ids: CallIds
    request_began: datetime
    response_ended: datetime

    def document(self, url: str, *, exact: bool = False) -> Any:
        """The JSON body; Malformed when it is none. `exact` makes a Decimal of every fraction."""
        try:
            return json.loads(self.content, parse_float=Decimal if exact else None)
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
        self._pools = Pools(settings, credential)
        self._headers = {"Accept": "application/json", "User-Agent": settings.user_agent}

    async def close(self) -> None:
        await self._pools.close()

    def url(
        self, path: str, version: str, options: Mapping[str, str] | None = None, *, base: str = ""
    ) -> str:
        """Where a call goes: at the resource manager, or at `base`."""
        query = urlencode({"api-version": version, **(options or {})}, quote_via=quote, safe="$,:/")
        return f"{base or self._settings.cloud.resource_manager}{path}?{query}"

    def check_home(self, url: str, *, base: str = "") -> str:
        """The URL, if it leads to the resource manager, or where `base` is: nothing of ours goes anywhere else."""
        try:
            leads_home = arm.origin(url) == (arm.origin(base) if base else self._home)
        except ValueError:
            leads_home = False
        if not leads_home:
            raise Malformed(
                url[:200], f"it does not lead to {base or 'the resource manager'}; nothing was sent there"
            )
        return url

    async def read(self, url: str, *, urgent: bool = False) -> Answer:
        """GET. Bulk reads share a fixed number of slots; urgent ones wait for Azure's limits only."""
        return await self._in_turn("GET", url, READS, arm.subscription_of(url), urgent=urgent)

    async def read_activity(self, url: str) -> Answer:
        """GET a page of the activity log, which has a budget of its own beside that of all reads."""
        return await self._in_turn("GET", url, ACTIVITY, arm.subscription_of(url))

    async def query_graph(self, url: str, body: Mapping[str, Any]) -> Answer:
        """POST a query to Resource Graph, whose budget is one for all subscriptions of an identity."""
        return await self._in_turn("POST", url, GRAPH, "", content=json.dumps(body).encode())

    async def query_metrics(
        self, base: str, url: str, body: Mapping[str, Any], *, budget: str, urgent: bool = False
    ) -> Answer:
        """POST a query to the data plane of metrics at `base`; `budget` is the subscription and region."""
        content, sender = json.dumps(body).encode(), self._pools.sender(base, write=False)
        return await self._in_turn(
            "POST", url, METRICS, budget, urgent=urgent, content=content, sender=sender
        )

    async def query_logs(self, base: str, url: str, body: Mapping[str, Any]) -> Answer:
        """POST a query of logs to the API at `base`, whose budget is one for all workspaces of an identity."""
        patience = max(1, int(self._settings.deadline) - 5)
        return await self._in_turn(
            "POST",
            url,
            LOGS,
            "",
            content=json.dumps(body).encode(),
            sender=self._pools.logs(base),
            headers={"Prefer": f"wait={patience}"},
        )

    async def read_prices(self, origin: str, url: str) -> Answer:
        """GET from the public price list at `origin`: without a token, for it wants none."""
        deadline = self._settings.deadline
        sender = self._pools.outside(origin, scope="", patience=deadline, most=_MOST_OF_PRICES)
        return await self._in_turn("GET", url, RETAIL, origin, sender=sender, headers=_PLAIN)

    async def read_secret(self, origin: str, url: str) -> Answer:
        """GET from the vault at `origin`."""
        deadline, scope = self._settings.deadline, self._scope(SECRETS)
        await self._have_token(scope, self._until(deadline))
        sender = self._pools.outside(origin, scope=scope, patience=deadline, most=MOST_BYTES)
        return await self._in_turn("GET", url, SECRETS, origin, sender=sender, headers=_PLAIN)

    async def probe(
        self, origin: str, url: str, body: bytes, *, headers: Mapping[str, str], key: str = ""
    ) -> Answer:
        """POST to a scoring URI with a key, or else a token; whatever status comes back is the answer.

        Whatever is to be had before is had before, so that the answer's times are the endpoint's alone.
        """
        deadline, scope = self._settings.probe_deadline, "" if key else self._scope(PROBES)
        if scope:
            await self._have_token(scope, self._until(deadline))
        return await self._in_turn(
            "POST",
            url,
            PROBES,
            origin,
            sender=self._pools.outside(origin, scope=scope, patience=deadline, most=MOST_BYTES),
            content=body,
            headers={**_PLAIN, **headers, **({"Authorization": f"Bearer {key}"} if key else {})},
            deadline=deadline,
        )

    async def write(
        self, method: str, url: str, body: Mapping[str, Any] | None, *, request_id: str = ""
    ) -> Answer:
        """PUT, PATCH or (without a body) DELETE, sent at most once.

        One deadline for all of it: after that nothing more is on its way.
        """
        content = None if body is None else json.dumps(body).encode()
        until = self._until(self._settings.deadline)
        await self._have_token(self._scope(WRITES), until)
        return await self._admitted(
            method,
            url,
            WRITES,
            arm.subscription_of(url),
            content=content,
            request_id=request_id,
            urgent=True,
            until=until,
        )

    def _until(self, deadline: float) -> float:
        return asyncio.get_running_loop().time() + deadline

    def _scope(self, kind: str) -> str:
        """What a token for one kind of call is asked for."""
        cloud = self._settings.cloud
        others = {
            METRICS: cloud.metrics_scope,
            LOGS: cloud.logs_scope,
            SECRETS: cloud.key_vault_scope,
            PROBES: cloud.scoring_scope,
        }
        return others.get(kind, cloud.scope)

    async def _in_turn(
        self, method: str, url: str, kind: str, budget: str, *, urgent: bool = False, **call: Any
    ) -> Answer:
        if urgent:
            return await self._admitted(method, url, kind, budget, urgent=True, **call)
        async with self._slots:
            return await self._admitted(method, url, kind, budget, **call)

    async def _admitted(
        self, method: str, url: str, kind: str, budget: str, *, urgent: bool = False, **call: Any
    ) -> Answer:
        write = kind == WRITES
        patience = self._settings.urgent_patience if urgent else self._settings.patience
        await self._limiter.enter(budget, kind, urgent=urgent, patience=patience)
        try:
            answer = await self._send(method, url, write=write, **call)
        except BaseException:
            self._limiter.lost(budget, kind)
            raise
        throttled, pause = _pause(answer, write=write)
        self._limiter.settle(
            budget,
            kind,
            remaining=_number(answer.headers.get(_REMAINING.get(kind, ""))),
            throttled=throttled,
            retry_after=pause,
        )
        return self._accepted(answer, kind)

    def _accepted(self, answer: Answer, kind: str) -> Answer:
        if answer.status == 401:
            # The next call asks for another token.
            self._credential.forget(self._scope(kind))
        if answer.status >= 300 and kind != PROBES:
            write = kind == WRITES
            raise failures.from_answer(answer.status, answer.headers, answer.content, answer.ids, write=write)
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        *,
        write: bool,
        content: bytes | None = None,
        request_id: str = "",
        until: float | None = None,
        deadline: float | None = None,
        sender: Sender | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        limit = deadline or self._settings.deadline
        ours = request_id or new_request_id()
        sent = {**self._headers, "x-ms-client-request-id": ours, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = HttpRequest(method, url, headers=sent, content=content)
        began, started = self._clock.now(), self._clock.monotonic()
        try:
            async with asyncio.timeout_at(until or self._until(limit)):
                response = await (sender or self._pools.sender("", write=write))(request)
        except (AzureError, TimeoutError, OSError) as error:
            raise failures.from_exception(error, CallIds(ours), write=write, deadline=limit) from error
        got: Mapping[str, str] = response.headers
        return Answer(
            status=response.status_code,
            headers=got,
            content=response.content,
            ids=CallIds(ours, got.get("x-ms-request-id", ""), got.get("x-ms-correlation-request-id", "")),
            request_began=began,
            response_ended=began + timedelta(seconds=max(0.0, self._clock.monotonic() - started)),
        )

    async def _have_token(self, scope: str, until: float) -> None:
        """Get the token before a write, so that a failure here is known to have sent nothing."""
        from azure.core.exceptions import AzureError

        deadline = self._settings.deadline
        try:
            async with asyncio.timeout_at(until):
                await self._credential.get_token_info(scope)
        except (AzureError, TimeoutError, OSError) as error:
            raise failures.from_exception(error, CallIds(), write=False, deadline=deadline) from error


def _pause(answer: Answer, *, write: bool) -> tuple[bool, float | None]:
    """Whether the budget is spent and, where Azure says it, for how many seconds.

    Resource Graph says so with the last answer of a window, before it would have to refuse.
    """
    spent = answer.headers.get(_REMAINING[GRAPH]) == "0" or failures.throttles(answer.status, write=write)
    return spent, failures.retry_after(answer.headers) if spent else None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
