"""Reads a stretch of minutes of some endpoints from Azure Monitor and folds it. Knows no database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.errors import BatchRefused, Forbidden, GatewayError, Throttled
from endpoints.azure_gateway.records import (
    DEPLOYMENT_METRICS,
    ENDPOINT_METRICS,
    MetricQuery,
    MetricsReading,
    Unreadable,
)
from endpoints.metrics.fold import CAPACITY, LATENCIES, REQUESTS, USES, Minutes, Places
from endpoints.metrics.points import MINUTE, MinuteRow
from endpoints.metrics.telemetry import State

MOST_AT_ONCE = 50
# Calls under way at once: more wait in the gateway's own queue, and their answers in memory.
_SINGLE_CALLS = 8
_SPLIT = ("deployment", "statusCode", "modelStatusCode")


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint to read, with its deployments' ARM ids by number."""

    endpoint_id: int
    arm_key: str
    deployments: dict[int, tuple[str, str]]  # number -> (lower-case name, lower-case ARM id)


@dataclass(slots=True)
class Gathered:
    """What some calls brought. `troubles` are endpoints of which something could not be read, with the reason."""

    rows: list[MinuteRow] = field(default_factory=list)
    troubles: dict[int, tuple[State, str]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    calls: int = 0
    points: int = 0
    azure_request_id: str = ""
    refused: str | None = None

    def heard(self, reading: MetricsReading) -> MetricsReading:
        self.unreadable += reading.unreadable
        self.truncated += reading.truncated
        self.calls += reading.calls
        self.points += sum(len(series.minutes) for series in reading.series)
        self.azure_request_id = reading.azure_request_id
        return reading


async def gather(
    azure: Azure,
    targets: Sequence[Target],
    *,
    region: str,
    since: datetime,
    until: datetime,
    by_batch: bool,
) -> Gathered:
    """Minutes of up to 50 endpoints. Throttled ends it, for there is no use in asking on.

    Where getBatch is refused, each resource is read by itself; what can't be read spoils its own endpoint only.
    """
    found = Gathered()
    places = _places(targets)
    minutes = Minutes(places)
    owners = {arm: target.endpoint_id for target in targets for _, arm in target.deployments.values()}
    owners |= {target.arm_key: target.endpoint_id for target in targets}
    reader = _Reader(azure, region, found, owners, by_batch=by_batch)
    endpoints = [target.arm_key for target in targets]
    deployments = list(places.by_deployment)

    async def take(ids: Sequence[str], query: MetricQuery, into: Callable[[MetricsReading], None]) -> None:
        for reading in await reader.read(ids, query):
            into(reading)

    def of_endpoints(names: Iterable[str], *dimensions: str) -> MetricQuery:
        return MetricQuery(ENDPOINT_METRICS, tuple(names), ("Average",), since, until, dimensions)

    def of_deployments(names: Iterable[str], aggregations: tuple[str, ...], *dimensions: str) -> MetricQuery:
        return MetricQuery(DEPLOYMENT_METRICS, tuple(names), aggregations, since, until, dimensions)

    await take(endpoints, of_endpoints([REQUESTS], *_SPLIT), minutes.requests)
    await take(endpoints, of_endpoints(LATENCIES, "deployment"), minutes.latencies)
    await take(deployments, of_deployments(USES, ("Average", "Maximum")), minutes.uses)
    await take(deployments, of_deployments([CAPACITY], ("Average",), "State"), minutes.capacity)
    span = range(int(since.timestamp()), int(until.timestamp()), MINUTE)
    arms = {number: arm for target in targets for number, (_, arm) in target.deployments.items()}
    quiet = [arms[number] for number in minutes.quiet(arms, span)]
    await take(quiet, of_deployments([REQUESTS], ("Average",)), minutes.totals)
    found.rows = minutes.found()
    return found


def _places(targets: Iterable[Target]) -> Places:
    return Places(
        by_endpoint={
            target.arm_key: {name: number for number, (name, _) in target.deployments.items()}
            for target in targets
        },
        by_deployment={arm: number for target in targets for number, (_, arm) in target.deployments.items()},
    )


class _Reader:
    """One query of some resources: by batch while that is to be had, else one by one."""

    def __init__(
        self, azure: Azure, region: str, found: Gathered, owners: dict[str, int], *, by_batch: bool
    ) -> None:
        self._azure, self._region, self._found, self._owners = azure, region, found, owners
        self._by_batch = by_batch
        self._places = asyncio.Semaphore(_SINGLE_CALLS)

    async def read(self, ids: Sequence[str], query: MetricQuery) -> list[MetricsReading]:
        readings = []
        for first in range(0, len(ids), MOST_AT_ONCE):
            readings += await self._some(ids[first : first + MOST_AT_ONCE], query)
        return readings

    async def _some(self, ids: Sequence[str], query: MetricQuery) -> list[MetricsReading]:
        if self._by_batch:
            try:
                reading = await self._azure.query_metrics(ids, query, region=self._region)
            except BatchRefused as error:
                self._by_batch, self._found.refused = False, error.message
            except Throttled:
                raise
            except GatewayError as error:
                self._trouble(ids, error)
                return []
            else:
                self._found.refused = ""
                return [self._found.heard(reading)]
        answers = await asyncio.gather(*(self._one(arm, query) for arm in ids))
        return [answer for answer in answers if answer is not None]

    async def _one(self, arm: str, query: MetricQuery) -> MetricsReading | None:
        async with self._places:
            try:
                return self._found.heard(await self._azure.list_metrics(arm, query))
            except Throttled:
                raise
            except GatewayError as error:
                self._trouble([arm], error)
                return None

    def _trouble(self, ids: Iterable[str], error: GatewayError) -> None:
        state = State.FORBIDDEN if isinstance(error, Forbidden) else State.UNREACHABLE
        for arm in ids:
            self._found.troubles[self._owners[arm]] = (state, error.message)
