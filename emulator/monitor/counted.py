"""Scoring requests that were really answered, by deployment and minute. In memory: they go with a restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator import names

Outcome = tuple[int, int | None]
"""The front door's status, and the model's own where it was asked."""
_MINUTES_KEPT = 3 * 1440
_LATENCIES_KEPT = 1_000


@dataclass(slots=True)
class Tally:
    """One minute of one deployment."""

    outcomes: dict[Outcome, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(self.outcomes.values())

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@dataclass(slots=True)
class Counted:
    _minutes: dict[str, dict[int, Tally]] = field(default_factory=dict)

    def add(self, deployment: str, minute: int, outcome: Outcome, latency_ms: float | None) -> None:
        minutes = self._minutes.setdefault(names.key(deployment), {})
        tally = minutes.get(minute)
        if tally is None:
            tally = minutes[minute] = Tally()
            if len(minutes) > _MINUTES_KEPT:
                del minutes[next(iter(minutes))]
        tally.outcomes[outcome] = tally.outcomes.get(outcome, 0) + 1
        if latency_ms is not None and len(tally.latencies) < _LATENCIES_KEPT:
            tally.latencies.append(latency_ms)

    def within(self, deployment: str, start: int, count: int) -> Iterator[tuple[int, Tally]]:
        """Index in the window and what was counted there."""
        for minute, tally in self._minutes.get(names.key(deployment), {}).items():
            if 0 <= minute - start < count:
                yield minute - start, tally
