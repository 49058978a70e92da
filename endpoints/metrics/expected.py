"""How much traffic to expect, out of the same hours of the last weeks and the last hour; and which latency. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """Requests a minute of a whole endpoint, None where there is nothing to go by. `weeks` of the past stand behind it.

    `low` to `high` is the range of what those weeks did, no interval with a promise.
    """

    low: float | None
    typical: float | None
    high: float | None
    weeks: int
    words: str


@dataclass(frozen=True, slots=True)
class LatencyRange:
    """Quantiles (10, 50, 90 %) of so many minutes' p95 in ms; never a mean of them. None: unknown."""

    low: float | None
    typical: float | None
    high: float | None
    minutes: int
    words: str
