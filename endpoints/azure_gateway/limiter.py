"""Calls wait here for their bucket's token: urgent ones first, then in order of arrival.

Buckets belong to the process and outlive event loops (a Celery task has one of its own); queues belong to one
connection. Several processes share Azure's bucket without talking to each other: each believes Azure's count.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading

from endpoints.azure_gateway.errors import Throttled
from endpoints.azure_gateway.settings import RateSettings
from endpoints.azure_gateway.throttle import TokenBucket
from endpoints.core.clock import Clock, SystemClock

READS, WRITES = "reads", "writes"
METRICS, GRAPH = "metric queries", "Resource Graph queries"
ACTIVITY, SECRETS, PROBES = "activity log queries", "secret reads", "probes"
LOGS = "queries of logs"
RETAIL = "reads of retail prices"
# While our count is stale only so many calls are out at once, until one answer brings Azure's.
_PROBES = 4
# The longest time that one Retry-After may close a bucket, lest a wrong header ends all reading.
_LONGEST_CLOSURE = 600.0
_FOREVER = float("inf")


class Buckets:
    """All buckets of this process. Thread-safe."""

    def __init__(self, rates: RateSettings, clock: Clock | None = None) -> None:
        self.rates = rates
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def take(self, subscription: str, kind: str, *, urgent: bool) -> float:
        """0.0 when the call may go, else the seconds to wait."""
        reserve = self.rates.reserve if kind == READS and not urgent else 0
        with self._lock:
            return self._bucket(subscription, kind).take(self._clock.monotonic(), reserve=reserve)

    def wait(self, subscription: str, kind: str) -> float:
        """Seconds until a token is free, taking none."""
        with self._lock:
            return self._bucket(subscription, kind).wait(self._clock.monotonic())

    def trusted(self, subscription: str, kind: str) -> bool:
        with self._lock:
            return self._bucket(subscription, kind).trusted(self._clock.monotonic())

    def heard(self, subscription: str, kind: str, *, remaining: float | None) -> None:
        with self._lock:
            self._bucket(subscription, kind).heard(self._clock.monotonic(), remaining=remaining)

    def close(self, subscription: str, kind: str, seconds: float | None) -> None:
        capped = None if seconds is None else min(seconds, _LONGEST_CLOSURE)
        with self._lock:
            self._bucket(subscription, kind).close(self._clock.monotonic(), capped)

    def level(self, subscription: str, kind: str = READS) -> float:
        """What we believe is left, for showing how much room a sync has."""
        with self._lock:
            return self._bucket(subscription, kind).level

    def _bucket(self, subscription: str, kind: str) -> TokenBucket:
        key = (subscription, kind)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(*_rate(self.rates, kind))
        return self._buckets[key]


def _rate(rates: RateSettings, kind: str) -> tuple[float, float]:
    """Burst and refill of one kind of call."""
    return {
        READS: (rates.read_burst, rates.read_refill),
        WRITES: (rates.write_burst, rates.write_refill),
        METRICS: (rates.metrics_burst, rates.metrics_refill),
        GRAPH: (rates.graph_burst, rates.graph_refill),
        ACTIVITY: (rates.activity_burst, rates.activity_refill),
        SECRETS: (rates.secret_burst, rates.secret_refill),
        LOGS: (rates.logs_burst, rates.logs_refill),
        RETAIL: (rates.retail_burst, rates.retail_refill),
        PROBES: (rates.probe_burst, rates.probe_refill),
    }[kind]


class Limiter:
    """The queue before the buckets, for one event loop."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._lanes: dict[tuple[str, str], _Lane] = {}

    async def enter(self, key: str, kind: str, *, urgent: bool = False, patience: float = 60.0) -> None:
        """Return when one call of a kind may go; Throttled when that takes longer than `patience` seconds."""
        await self._lane(key, kind).enter(urgent=urgent, patience=patience)

    def settle(
        self,
        subscription: str,
        kind: str,
        *,
        remaining: float | None,
        throttled: bool,
        retry_after: float | None,
    ) -> None:
        """What an answer says about the bucket. Every call that was let through ends here or in `lost`."""
        self._buckets.heard(subscription, kind, remaining=remaining)
        if throttled:
            self._buckets.close(subscription, kind, retry_after)
        self._lane(subscription, kind).left()

    def lost(self, subscription: str, kind: str) -> None:
        """A call that was let through got no answer."""
        self._lane(subscription, kind).left()

    def _lane(self, subscription: str, kind: str) -> _Lane:
        key = (subscription, kind)
        if key not in self._lanes:
            self._lanes[key] = _Lane(self._buckets, subscription, kind)
        return self._lanes[key]


class _Lane:
    """Those who wait for one bucket, and how many calls of it are out."""

    def __init__(self, buckets: Buckets, subscription: str, kind: str) -> None:
        self._buckets, self._subscription, self._kind = buckets, subscription, kind
        # (0 for urgent or 1, order of arrival, the waiter): the order is unique, so futures are never
        # compared.
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._out = 0
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, *, urgent: bool, patience: float) -> None:
        if urgent or not self._waiting:
            wait = self._try(urgent=urgent)
            if wait == 0.0:
                return
            if _FOREVER > wait > patience:
                raise self._throttled()
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (0 if urgent else 1, next(self._order), ready))
        self._pump()
        await self._turn(ready, patience)

    def left(self) -> None:
        self._out -= 1
        self._pump()

    async def _turn(self, ready: asyncio.Future[None], patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                await ready
        except TimeoutError:
            if not ready.cancelled():
                return  # let through in the very turn in which patience ran out
            raise self._throttled() from None
        except asyncio.CancelledError:
            if not ready.cancelled():
                self.left()  # let through in the very turn in which the caller was cancelled
            raise

    def _try(self, *, urgent: bool) -> float:
        if not urgent and self._out >= _PROBES and not self._buckets.trusted(self._subscription, self._kind):
            return _FOREVER  # the next answer, not time, opens this
        wait = self._buckets.take(self._subscription, self._kind, urgent=urgent)
        if wait == 0.0:
            self._out += 1
        return wait

    def _pump(self) -> None:
        """Let through whom the bucket has tokens for, then sleep until it has another."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            rank, _, ready = self._waiting[0]
            if not ready.done():
                wait = self._try(urgent=rank == 0)
                if wait > 0.0:
                    self._sleep(wait)
                    return
                ready.set_result(None)
            heapq.heappop(self._waiting)

    def _sleep(self, wait: float) -> None:
        if wait < _FOREVER:
            self._timer = asyncio.get_running_loop().call_later(wait, self._pump)

    def _throttled(self) -> Throttled:
        named = "" if self._subscription.startswith("https:") else "subscription "
        whose = f" for {named}{self._subscription}" if self._subscription else ""
        return Throttled(
            f"The budget of {self._kind}{whose} is spent; nothing was sent.",
            retry_after=self._buckets.wait(self._subscription, self._kind),
        )
