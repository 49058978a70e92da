"""Evidence of a step, minute by minute, as short as a test can say it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.changes.evidence import Evidence, FigureSample, MinuteSample

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
CALM: dict[str, Any] = {
    "requests": 60,
    "errors": 0,
    "throttled": 0,
    "p95": 120.0,
    "cpu_max": 40.0,
    "memory_max": 50.0,
    "gpu_max": 20.0,
}


def moment(place: int) -> datetime:
    return BEGIN + timedelta(minutes=place)


def minutes(count: int, *, first: int = 0, **given: Any) -> tuple[MinuteSample, ...]:
    """Calm ones, but for what is given: a value for all, or a list with one for each."""
    return tuple(
        MinuteSample(
            moment(first + place), **{name: _of(given.get(name, calm), place) for name, calm in CALM.items()}
        )
        for place in range(count)
    )


def _of(given: Any, place: int) -> Any:
    return given[place] if isinstance(given, list) else given


def cases(count: int, *, of: float | None, total: float | None, first: int = 0) -> tuple[FigureSample, ...]:
    """A figure's minutes, all alike."""
    return tuple(FigureSample(moment(first + place), of, total) for place in range(count))


def evidence(
    candidate: Sequence[MinuteSample],
    stable: Sequence[MinuteSample] | None = None,
    before: Sequence[MinuteSample] = (),
    **more: Any,
) -> Evidence:
    """Beside a calm stable deployment with 1,000 requests a minute, unless another is given."""
    count = more.pop("expected_minutes", len(candidate))
    beside = minutes(count, requests=1000) if stable is None else stable
    given: dict[str, Any] = {"budget_ms": 250.0, **more}
    return Evidence(tuple(candidate), tuple(beside), tuple(before), count, **given)


def spoken(reason: str) -> str:
    return reason.replace("\u00a0", " ")
