"""How often gates call a candidate harmful, and how soon, beside a z test that is looked at every minute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist, median

from endpoints.changes.detecting import chance
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.meters import Meter, limit_of
from endpoints.changes.sequential import NOTHING, Count
from tests.changes.gate_series import LENGTH, Latency, Traffic, latencies, series


@dataclass(frozen=True, slots=True)
class Alarms:
    """The minutes after which each series was called harmful; None where it never was."""

    gate: tuple[int | None, ...]
    naive: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Of many series. `most`: the rate of alarms that is not ruled out with 99 % (C. Clopper, E. Pearson, 1934)."""

    series: int
    alarms: int
    most: float
    soon: float | None
    """The median of the minutes, of those that were called harmful."""

    @property
    def rate(self) -> float:
        return self.alarms / self.series


def watched(spec: GateSpec, traffic: Traffic | Latency, seeds: Iterable[int], length: int = LENGTH) -> Alarms:
    """Each series looked at every minute, as the portal does, and as a z test of the same level would be."""
    pairs = [_one(spec, traffic, seed, length) for seed in seeds]
    return Alarms(tuple(ours for ours, _ in pairs), tuple(theirs for _, theirs in pairs))


def told(minutes: Iterable[int | None]) -> Told:
    found = list(minutes)
    alarms = [minute for minute in found if minute is not None]
    return Told(len(found), len(alarms), upper(len(alarms), len(found)), median(alarms) if alarms else None)


def upper(alarms: int, of: int, confidence: float = 0.99) -> float:
    """The exact binomial bound: the rate at which so few would be seen in 1 of 100 studies."""
    if alarms >= of:
        return 1.0
    low, high = alarms / of, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - chance(of, alarms + 1, middle) > 1 - confidence else (low, middle)
    return high


def _one(spec: GateSpec, traffic: Traffic | Latency, seed: int, length: int) -> tuple[int | None, int | None]:
    if isinstance(traffic, Latency):
        made = latencies(traffic, spec.limit, seed, length)
    else:
        made = series(traffic, seed, length)
    meter, bar = Meter(spec, made.before), math.log(1 / spec.alpha)
    level = NormalDist().inv_cdf(1 - spec.alpha)
    ours = theirs = None
    candidate = stable = NOTHING
    for passed, reading in enumerate(made.minutes, start=1):
        assert reading.candidate is not None
        if ours is None:
            meter.feed(reading)
            ours = passed if meter.tally().harm >= bar else None
        candidate, stable = _plus(candidate, reading.candidate), _plus(stable, reading.stable or NOTHING)
        enough = passed >= spec.min_minutes if spec.counts_minutes else candidate.of >= spec.min_requests
        if theirs is None and enough and _z(spec, candidate, stable) >= level:
            theirs = passed
        if ours is not None and theirs is not None:
            break
    return ours, theirs


def _plus(one: Count, other: Count) -> Count:
    return Count(one.of + other.of, one.bad + other.bad)


def _z(spec: GateSpec, candidate: Count, stable: Count) -> float:
    """Of the rate against its limit, or of the difference to the stable's."""
    rate = candidate.bad / candidate.of
    if spec.counts_minutes or not spec.against_stable:
        limit = limit_of(spec)
        return (rate - limit) / math.sqrt(limit * (1 - limit) / candidate.of)
    other = stable.bad / stable.of
    variance = rate * (1 - rate) / candidate.of + other * (1 - other) / stable.of
    return (rate - other - spec.limit) / math.sqrt(variance) if variance > 0 else 0.0
