"""Made-up minutes for gates: healthy and harmed candidates beside a stable deployment, with what real traffic has.

Each series holds what the stable did for two hours before, and an hour of both.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

from endpoints.changes.readings import Reading
from endpoints.changes.sequential import Count

BEFORE, LENGTH = 120, 60
_BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """`requests` a minute of the candidate, `times` as many of the stable; the rates are those of bad requests.

    `rhythm`: how far traffic and rate swing over the hours, of both alike. `outages`: the chance of a minute in which
    both fail with `outage_rate`. `clumped`: how much alike two requests of one minute and deployment fare. `hiccups`:
    the chance of a replica and minute in which three in ten of its requests fail; the candidate has one replica and
    the stable ten.
    """

    name: str
    candidate: float
    stable: float
    requests: float = 60.0
    times: float = 19.0
    rhythm: float = 0.0
    outages: float = 0.0
    outage_rate: float = 0.3
    clumped: float = 0.0
    hiccups: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Lognormal latencies of this `spread`; the candidate's are `slower` times the stable's."""

    name: str
    slower: float = 1.0
    requests: int = 25
    times: int = 19
    spread: float = 0.5


@dataclass(frozen=True, slots=True)
class Series:
    before: tuple[Count, ...]
    minutes: tuple[Reading, ...]


def series(traffic: Traffic, seed: int, length: int = LENGTH) -> Series:
    """The same for the same seed."""
    rng = random.Random(f"{traffic.name} {seed}")
    start = rng.uniform(0, 1440)
    before = tuple(_minute(traffic, rng, start - BEFORE + place)[1] for place in range(BEFORE))
    readings = []
    for place in range(length):
        candidate, stable = _minute(traffic, rng, start + place)
        moment = _BEGIN + timedelta(minutes=place)
        readings.append(Reading(moment, candidate.of, candidate, stable))
    return Series(before, tuple(readings))


def _minute(traffic: Traffic, rng: random.Random, at: float) -> tuple[Count, Count]:
    wave = math.sin(2 * math.pi * at / 1440)
    swing = 1 + traffic.rhythm * wave
    # The rate swings below the stated one only, so that a limit which that keeps is kept at any hour.
    factor = 1 - traffic.rhythm * (1 + wave) / 2
    fails = traffic.outage_rate if rng.random() < traffic.outages else 0.0
    arms = ((traffic.candidate, 1.0, 1), (traffic.stable, traffic.times, 10))
    candidate, stable = (
        _count(traffic, rng, traffic.requests * times * swing, max(fails, rate * factor), replicas)
        for rate, times, replicas in arms
    )
    return candidate, stable


def _count(traffic: Traffic, rng: random.Random, mean: float, rate: float, replicas: int) -> Count:
    of = max(0, round(rng.gauss(mean, math.sqrt(mean))))
    if traffic.clumped and 0 < rate < 1:
        rate = _beta(rng, rate, traffic.clumped)
    bad = binomial(rng, of, rate)
    for _ in range(replicas if traffic.hiccups else 0):
        if rng.random() < traffic.hiccups:
            bad += binomial(rng, round(of / replicas), 0.3)
    return Count(float(of), float(min(of, bad)))


def _beta(rng: random.Random, mean: float, alike: float) -> float:
    size = 1 / alike - 1
    return rng.betavariate(mean * size, (1 - mean) * size)


def binomial(rng: random.Random, of: int, rate: float) -> int:
    """How many of so many, each with such a chance: exact, by the gaps between them."""
    if of <= 0 or rate <= 0:
        return 0
    if rate > 0.5:
        return of - binomial(rng, of, 1 - rate)
    step, place, found = math.log1p(-rate), 0, 0
    while True:
        place += int(math.log(1.0 - rng.random()) / step) + 1
        if place > of:
            return found
        found += 1


def latencies(shape: Latency, allowed: float, seed: int, length: int = LENGTH) -> Series:
    """Minutes in which the candidate's p95 is over the stable's by more than is allowed, as gates count them."""
    rng, found = random.Random(f"{shape.name} {seed}"), []
    for place in range(length):
        candidate = p95(rng, shape.requests, shape.slower, shape.spread)
        is_bad = candidate > (1 + allowed) * p95(rng, shape.requests * shape.times, 1.0, shape.spread)
        moment = _BEGIN + timedelta(minutes=place)
        found.append(Reading(moment, float(shape.requests), Count(1.0, float(is_bad)), None))
    return Series((), tuple(found))


def p95(rng: random.Random, requests: int, median: float, spread: float) -> float:
    """The 95th percentile of so many lognormal latencies, drawn at once as the order statistic that it is."""
    rank = max(1, math.ceil(0.95 * requests))
    share = rng.betavariate(rank, requests - rank + 1)
    return median * math.exp(spread * _NORMAL.inv_cdf(min(max(share, 1e-12), 1 - 1e-12)))
