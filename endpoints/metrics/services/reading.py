"""Reads a stretch of minutes of some endpoints from Azure Monitor and folds it. Knows no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.records import (
    DEPLOYMENT_METRICS,
    ENDPOINT_METRICS,
    MetricQuery,
    MetricsReading,
    Unreadable,
)
from endpoints.metrics.fold import CAPACITY, LATENCIES, REQUESTS, USES, Minutes, Places
from endpoints.metrics.points import MINUTE, MinuteRow
from endpoints.metrics.services.asking import MOST_AT_ONCE, Asking
from endpoints.metrics.telemetry import State

__all__ = ["MOST_AT_ONCE", "Deployed", "Gathered", "Target", "gather"]

_SPLIT = ("deployment", "statusCode", "modelStatusCode")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment's lower-case name and ARM id, and the second at which it was made, if Azure says."""

    name: str
    arm_key: str
    born: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint to read, with its deployments by number.

    `read_at`: when it was read last. `trouble`: why it can't be, if that is something that seldom goes by itself.
    """

    endpoint_id: int
    arm_key: str
    deployments: Mapping[int, Deployed]
    read_at: datetime | None = None
    trouble: tuple[State, str] | None = None


@dataclass(slots=True)
class Gathered:
    """What some calls brought. `troubles` are endpoints of which something could not be read, with the reason.

    `refused`: why getBatch is not to be had; "" if it is, None if that was not tried.
    """

    rows: list[MinuteRow] = field(default_factory=list)
    troubles: dict[int, tuple[State, str]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    calls: int = 0
    points: int = 0
    azure_request_id: str = ""
    refused: str | None = None

    def heard(self, reading: MetricsReading) -> None:
        self.unreadable += reading.unreadable
        self.truncated += reading.truncated
        self.calls += reading.calls
        self.points += sum(len(series.minutes) for series in reading.series)
        self.azure_request_id = reading.azure_request_id


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

    Where getBatch is refused, each resource is read by itself; what can't be read spoils its own endpoint only, and
    of an endpoint that can't be read nothing more is asked.
    """
    found = Gathered()
    minutes = Minutes(_places(targets))
    deployments = {
        one.arm_key: (number, target) for target in targets for number, one in target.deployments.items()
    }
    owners = {target.arm_key: target.endpoint_id for target in targets}
    owners |= {arm: target.endpoint_id for arm, (_, target) in deployments.items()}
    asking = Asking(azure, region, by_batch=by_batch)

    async def take(ids: Iterable[str], query: MetricQuery, into: Callable[[MetricsReading], None]) -> None:
        wanted = [arm for arm in ids if owners[arm] not in found.troubles]
        for reading in await asking.ask(wanted, query):
            found.heard(reading)
            into(reading)
        found.troubles |= {owners[arm]: trouble for arm, trouble in asking.troubles.items()}

    def of_endpoints(names: Iterable[str], *dimensions: str) -> MetricQuery:
        return MetricQuery(ENDPOINT_METRICS, tuple(names), ("Average",), since, until, dimensions)

    def of_deployments(names: Iterable[str], aggregations: tuple[str, ...], *dimensions: str) -> MetricQuery:
        return MetricQuery(DEPLOYMENT_METRICS, tuple(names), aggregations, since, until, dimensions)

    endpoints = [target.arm_key for target in targets]
    await take(endpoints, of_endpoints([REQUESTS], *_SPLIT), minutes.requests)
    await take(endpoints, of_endpoints(LATENCIES, "deployment"), minutes.latencies)
    await take(deployments, of_deployments(USES, ("Average", "Maximum")), minutes.uses)
    await take(deployments, of_deployments([CAPACITY], ("Average",), "State"), minutes.capacity)
    # Later minutes have not come in yet, for anybody.
    told_until = minutes.told_until() or int(until.timestamp()) - MINUTE
    span = range(int(since.timestamp()), told_until + MINUTE, MINUTE)
    numbers = [number for number, _ in deployments.values()]
    quiet = set(minutes.quiet(numbers, span))
    silent = [arm for arm, (number, _) in deployments.items() if number in quiet]
    await take(silent, of_deployments([REQUESTS], ("Average",)), minutes.totals)
    found.rows, found.refused = minutes.found(), asking.refused
    return found


def _places(targets: Iterable[Target]) -> Places:
    every = [(target, number, one) for target in targets for number, one in target.deployments.items()]
    by_endpoint: dict[str, dict[str, int]] = {}
    for target, number, one in every:
        by_endpoint.setdefault(target.arm_key, {})[one.name] = number
    return Places(
        by_endpoint=by_endpoint,
        by_deployment={one.arm_key: number for _, number, one in every},
        born={number: one.born // MINUTE * MINUTE for _, number, one in every if one.born is not None},
    )
