"""Measured minutes of a made-up fleet: a sixth has GPUs, a third is idle, one value in ten comes late."""

from __future__ import annotations

import random
from collections.abc import Iterator

from endpoints.metrics.points import MinuteRow

# The columns of a minute in the order of the table, for deployment `d`; `random()` is the database's.
_LATENCY = "CASE WHEN mod(d, 3) <> 0 THEN {} * exp(0.4 * (random() + random() + random() - 1.5)) END"
_GPU = "CASE WHEN mod(d, 6) = 1 THEN 100 * random() END"
_REQUESTS = "CASE WHEN mod(d, 3) = 0 THEN 0 ELSE floor(900 * random()) END"
_COUNT = "CASE WHEN mod(d, 3) = 0 THEN 0 ELSE floor({} * random()) END"
VALUES = ", ".join(
    (
        _REQUESTS,
        _REQUESTS,
        _COUNT.format(5),
        _COUNT.format(1),
        _COUNT.format(2),
        _COUNT.format(1),
        *(_LATENCY.format(milliseconds) for milliseconds in (60, 90, 120, 250)),
        *["100 * random()"] * 4,
        *[_GPU] * 3,
        "33.5",
        "2",
    )
)


def rows(deployments: int, first: int, minutes: int) -> Iterator[MinuteRow]:
    """Rows as a collector hands them over: minute by minute, all deployments of each. `first` is in seconds."""
    chance = random.Random(7)
    for minute in range(first, first + minutes * 60, 60):
        for deployment in range(1, deployments + 1):
            yield MinuteRow(deployment, minute, _values(deployment, chance))


def _values(deployment: int, chance: random.Random) -> tuple[float | None, ...]:
    idle, gpu = deployment % 3 == 0, deployment % 6 == 1
    requests = 0.0 if idle else float(chance.randrange(900))
    latencies = [None] * 4 if idle else [60.0 * chance.lognormvariate(n, 0.4) for n in range(4)]
    use = [100 * chance.random() for _ in range(7 if gpu else 4)]
    return (requests, requests, 0.0, 0.0, 0.0, 0.0, *latencies, *use, *([] if gpu else [None] * 3), 33.5, 2.0)
