"""Metrics of a deployment: its instances and how busy they are, and its own requests and latencies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emulator.behaviour import Behaviour
from emulator.monitor import rhythm
from emulator.monitor.collection import collected
from emulator.monitor.history import Standing
from emulator.monitor.minutes import Minutes
from emulator.monitor.parts import Part, Values
from emulator.monitor.runs import between, runs
from emulator.values import guid

Split = frozenset[str]


@dataclass(frozen=True, slots=True)
class Deployment:
    id: str
    minutes: Minutes
    behaviour: Behaviour

    def instance(self, number: int) -> str:
        return guid("instance", self.id.lower(), number).replace("-", "")

    @property
    def has_gpu(self) -> bool:
        return str(self.minutes.body.get("instanceType", "")).lower().startswith("standard_n")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A share of an instance: what is used at rest, and what a full load adds."""

    rest: float
    full: float
    per_deployment: float = 0.0
    """How much more one deployment may use at rest than another."""
    limit: float = 100.0


_CPU, _CPU_OF_GPU = Gauge(3.0, 78.0, 4.0), Gauge(6.0, 30.0, 4.0)
_MEMORY, _DISK = Gauge(24.0, 14.0, 30.0), Gauge(18.0, 0.5, 40.0)
_GPU, _GPU_MEMORY = Gauge(0.5, 88.0), Gauge(38.0, 12.0, 25.0)
_JOULES = Gauge(1_700.0, 2_500.0, limit=math.inf)


def parts(deployment: Deployment, metric: str, split: Split) -> list[Part]:
    """What the metric holds, labelled by at least the dimensions in `split`."""
    return [part for part in _METRICS[metric](deployment, split) if any(v is not None for v in part.average)]


def _requests(deployment: Deployment, split: Split) -> Iterator[Part]:
    minutes = deployment.minutes
    idle = deployment.behaviour.idle_deployment_requests

    def shown(counts: Values) -> Values:
        return minutes.only_asked(counts) if idle == "nothing" else minutes.only(minutes.serving, counts)

    if not split:
        yield Part({}, shown(minutes.requests))
        return
    for (status, _), counts in minutes.outcomes.items():
        values = shown(counts) if status == 200 else [count or None for count in counts]
        yield Part({"envoy_response_code": str(status)}, values)


def _latency(which: str) -> Callable[[Deployment, Split], Iterator[Part]]:
    def found(deployment: Deployment, _split: Split) -> Iterator[Part]:
        yield Part({}, deployment.minutes.latency(which), weight=deployment.minutes.requests)

    return found


def _capacity(deployment: Deployment, split: Split) -> Iterator[Part]:
    minutes = deployment.minutes
    words = dict.fromkeys(word for item in minutes.standings for word in _numbers(deployment, item))
    for word in words:
        if "instanceId" not in split:
            counts = _counts(deployment, word, None)
            yield Part({"State": word}, counts, _rounded(counts, math.floor), _rounded(counts, math.ceil))
            continue
        for number in range(max(item.instances + item.coming for item in minutes.standings)):
            labels = {"State": word, "instanceId": deployment.instance(number)}
            yield Part(labels, _counts(deployment, word, number))


def _counts(deployment: Deployment, word: str, number: int | None) -> Values:
    """Instances in this state, or whether the one with this number is among them."""
    minutes = deployment.minutes
    changes = []
    for standing in minutes.standings:
        here = _numbers(deployment, standing).get(word, range(0))
        changes.append((standing.at, float(len(here) if number is None else number in here)))
    window = minutes.window
    found = runs(between(changes, 60.0 * (window.start + window.count)), window.start, window.count)
    values: list[float | None] = [None] * window.count
    for first, last, count in found:
        if count:
            values[first:last] = [round(count, 4)] * (last - first)
    return values


def _numbers(deployment: Deployment, standing: Standing) -> dict[str, range]:
    """The numbers of the instances in each state: those that stand, and those that are coming up."""
    behaviour, standing_now = deployment.behaviour, standing.instances
    word = behaviour.capacity_failed if standing.state == "Failed" else behaviour.capacity_pending
    found = (
        {behaviour.capacity_ready if standing.serves else word: range(standing_now)} if standing_now else {}
    )
    if standing.coming and behaviour.coming_instances == "pending":
        found[behaviour.capacity_pending] = range(standing_now, standing_now + standing.coming)
    return found


def _rounded(values: Values, how: Callable[[float], int]) -> Values:
    return [None if value is None else how(value) for value in values]


def _used(
    gauge: Callable[[Deployment], Gauge], *, gpu: bool = False, disk: bool = False
) -> Callable[[Deployment, Split], Iterator[Part]]:
    def found(deployment: Deployment, split: Split) -> Iterator[Part]:
        if gpu and not deployment.has_gpu:
            return
        more = {"disk": "root"} if disk else {}
        minutes, level = deployment.minutes, gauge(deployment)
        if "instanceId" not in split:
            values = _level(minutes, level, "all", 1.0)
            yield _spread(minutes, more, values, minutes.serving, level.limit)
            return
        for number in range(int(max((n for _, _, n in minutes.serving), default=0))):
            where = [run for run in minutes.serving if run[2] > number]
            factor = 0.94 + 0.12 * rhythm.place(minutes.place, number) / rhythm.PRIME
            values = _level(minutes, level, number, factor)
            labels = {"instanceId": deployment.instance(number), **more}
            yield _spread(minutes, labels, values, where, level.limit)

    return found


def _level(minutes: Minutes, gauge: Gauge, what: object, factor: float) -> list[float]:
    place = rhythm.place(minutes.place, what, gauge.full)
    rest = gauge.rest + gauge.per_deployment * minutes.place / rhythm.PRIME
    noise = rhythm.looped(
        rhythm.wobble(minutes.seed, 0.1), minutes.window.start + place, minutes.window.count
    )
    full, limit = gauge.full * factor, gauge.limit
    return [
        min((rest + full * busy) * wobble, limit) for busy, wobble in zip(minutes.load, noise, strict=True)
    ]


def _spread(
    minutes: Minutes,
    labels: dict[str, str],
    values: list[float],
    where: list[tuple[int, int, float]],
    limit: float,
) -> Part:
    """The average with a minimum and a maximum around it."""
    return Part(
        labels,
        minutes.only(where, values),
        minutes.only(where, [0.8 * value for value in values]),
        minutes.only(where, [min(1.2 * value, limit) for value in values]),
    )


def _collected(word: str) -> Callable[[Deployment, Split], Iterator[Part]]:
    def found(deployment: Deployment, split: Split) -> Iterator[Part]:
        minutes = deployment.minutes
        instances = int(max((n for _, _, n in minutes.serving), default=0)) if "instanceId" in split else 1
        for labels, counts in collected(minutes, word):
            for number in range(instances):
                own = [(count + number) // instances for count in counts]
                told = {**labels, "instanceId": deployment.instance(number)}
                yield Part(told, minutes.only(minutes.serving, own))

    return found


_METRICS: dict[str, Callable[[Deployment, Split], Iterator[Part]]] = {
    "RequestsPerMinute": _requests,
    "RequestLatency_P50": _latency("p50"),
    "RequestLatency_P90": _latency("p90"),
    "RequestLatency_P95": _latency("p95"),
    "RequestLatency_P99": _latency("p99"),
    "DeploymentCapacity": _capacity,
    "CpuUtilizationPercentage": _used(lambda d: _CPU_OF_GPU if d.has_gpu else _CPU),
    "CpuMemoryUtilizationPercentage": _used(lambda _: _MEMORY),
    "DiskUtilization": _used(lambda _: _DISK, disk=True),
    "GpuUtilizationPercentage": _used(lambda _: _GPU, gpu=True),
    "GpuMemoryUtilizationPercentage": _used(lambda _: _GPU_MEMORY, gpu=True),
    "GpuEnergyJoules": _used(lambda _: _JOULES, gpu=True),
    "DataCollectionEventsPerMinute": _collected("events"),
    "DataCollectionErrorsPerMinute": _collected("errors"),
}
