"""What gates look at: minutes of the candidate, of the stable deployments at the same time, and before. Pure.

None is unknown, and a minute that is not there is unknown too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MinuteSample:
    """One deployment's minute, named by when it begins. `p95` in ms, use in percent."""

    minute: datetime
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

    minute: datetime
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


def begins_at(evidence: Evidence) -> datetime | None:
    """The first minute of the step that anything is known of; None when there is none."""
    figures = evidence.figures.values()
    own = [sample.minute for sample in (*evidence.candidate, *evidence.stable)]
    business = [sample.minute for each in figures for sample in (*each.candidate, *each.stable)]
    return min([*own, *business], default=None)


def after_minutes(evidence: Evidence, passed: int) -> Evidence:
    """What was known of the step when so many of its minutes were all there was."""
    begin = begins_at(evidence)
    if begin is None:
        return replace(evidence, expected_minutes=passed)
    until = begin + passed * MINUTE
    return replace(
        evidence,
        candidate=tuple(sample for sample in evidence.candidate if sample.minute < until),
        stable=tuple(sample for sample in evidence.stable if sample.minute < until),
        expected_minutes=passed,
        figures={name: _figure_up_to(each, until) for name, each in evidence.figures.items()},
    )


def _figure_up_to(figure: FigureEvidence, until: datetime) -> FigureEvidence:
    return replace(
        figure,
        candidate=tuple(sample for sample in figure.candidate if sample.minute < until),
        stable=tuple(sample for sample in figure.stable if sample.minute < until),
    )


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


def _together(minute: datetime, samples: Sequence[MinuteSample]) -> MinuteSample:
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
