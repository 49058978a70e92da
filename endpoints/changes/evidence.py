"""What gates look at: minutes of the candidate, of the stable deployments at the same time, and before. Pure.

None is unknown, and a minute that is not there is unknown too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MinuteSample:
    """One deployment's minute. `minute`: the second since 1970 at which it begins; p95 in ms; use in percent."""

    minute: int
    requests: float | None = None
    errors: float | None = None
    throttled: float | None = None
    p95: float | None = None
    cpu_max: float | None = None
    memory_max: float | None = None
    gpu_max: float | None = None


@dataclass(frozen=True, slots=True)
class FigureSample:
    """A business figure's minute: `total` over `count` cases; of a rate, `total` of them are what is counted."""

    minute: int
    count: float | None
    total: float | None


@dataclass(frozen=True, slots=True)
class FigureEvidence:
    """One figure's minutes, as of `Evidence`. `unreadable`: why it can't be read now."""

    candidate: tuple[FigureSample, ...] = ()
    stable: tuple[FigureSample, ...] = ()
    before: tuple[FigureSample, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one step so far.

    `candidate` and `stable` since the step is in force; `before`: the stable's minutes before the change began.
    `expected_minutes`: how many minutes there should be by now. `budget_ms`: the endpoint's latency budget, None if
    it has none. `unreadable`: why the source can't be read now. `figures` by name.
    """

    candidate: tuple[MinuteSample, ...]
    stable: tuple[MinuteSample, ...]
    before: tuple[MinuteSample, ...]
    expected_minutes: int
    budget_ms: float | None = None
    unreadable: str = ""
    figures: Mapping[str, FigureEvidence] = field(default_factory=dict)


_COUNTS = ("requests", "errors", "throttled")
_HIGHEST = ("p95", "cpu_max", "memory_max", "gpu_max")


def combined(series: Iterable[Sequence[MinuteSample]]) -> tuple[MinuteSample, ...]:
    """Several stable deployments as one: counts add up, and the slowest and busiest stand for the rest.

    What is unknown of one of them is unknown of all, except a minute's p95 where that one had no request.
    """
    tables = [{sample.minute: sample for sample in one} for one in series]
    minutes = sorted({minute for table in tables for minute in table})
    return tuple(
        _together(minute, [table.get(minute, MinuteSample(minute)) for table in tables]) for minute in minutes
    )


def _together(minute: int, samples: Sequence[MinuteSample]) -> MinuteSample:
    found: dict[str, float | None] = {}
    for name in _COUNTS:
        known = _known(getattr(sample, name) for sample in samples)
        found[name] = None if known is None else sum(known)
    for name in _HIGHEST:
        asked = [sample for sample in samples if name != "p95" or sample.requests != 0]
        known = _known(getattr(sample, name) for sample in asked)
        found[name] = max(known) if known else None
    return MinuteSample(minute, **found)


def _known(values: Iterable[float | None]) -> list[float] | None:
    """All of them, or None if any is unknown."""
    found = []
    for value in values:
        if value is None:
            return None
        found.append(value)
    return found
