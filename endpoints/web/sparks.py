"""The last 24 hours of a list's row as a small line, and its newest figures beside the budget. Pure.

The line is for the eye alone; the numbers beside it say the same. Each has its own height, from 0: in a fleet some
endpoints serve a thousand times what others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.metrics.selectors import Brief
from endpoints.metrics.windows import HOUR, Grain, floored
from endpoints.web.charts import runs
from endpoints.web.latest import STATES, TOO_OLD_SECONDS
from endpoints.web.numbers import MISSING, ms, per_minute, share
from endpoints.web.wording import clock

WIDTH, HEIGHT, EDGE = 96, 22, 2
HOURS = 24


@dataclass(frozen=True, slots=True)
class Spark:
    """`path` is SVG's; `gaps` are (left, width) of what is unknown; `end` is where the newest value is."""

    path: str
    gaps: tuple[tuple[str, str], ...]
    end: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Measured:
    """`why`: from when the figures are, or why there are none. `is_known`: whether they say something of now.

    `note` is the budget that p95 is held against, or in a word or two why it is unknown.
    """

    requests: str
    p95: str
    budget: str
    note: str
    failed: str
    is_over: bool
    is_failing: bool
    is_known: bool
    why: str
    spark: Spark | None


def measured(brief: Brief, now: datetime) -> Measured:
    """What a list says of an endpoint; figures that are long gone are not shown as if they were of now."""
    spark = spark_of(recent(brief.spark, brief.spark_until, now))
    if brief.age_seconds is None or brief.age_seconds > TOO_OLD_SECONDS:
        since = f"Nothing is known since {clock(brief.minute, seconds=False)}. " if brief.minute else ""
        word = STATES.get(brief.state, str(brief.state))
        return Measured(
            MISSING, MISSING, "", word, MISSING, False, False, False, since + brief.reason, spark
        )  # fmt: skip
    budget = ms(brief.budget_p95) if brief.budget_p95 is not None else ""
    idle = brief.p95 is None and brief.requests == 0
    over, failing = (
        _is_over(brief.p95, brief.budget_p95),
        _is_over(brief.failure_share, brief.budget_failure_share),
    )
    return Measured(
        requests=per_minute(brief.requests),
        p95="idle" if idle else ms(brief.p95),
        budget=budget,
        note=f"budget {budget}" if budget else "",
        failed="idle" if idle and brief.failure_share is None else share(brief.failure_share),
        is_over=over,
        is_failing=failing,
        is_known=True,
        why=brief.reason or f"The minute from {clock(brief.minute, seconds=False)}.",
        spark=spark,
    )


def _is_over(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def recent(points: Sequence[float | None], until: datetime | None, now: datetime) -> list[float | None]:
    """The last 24 hours of points that ended at `until`: what came after is unknown."""
    if until is None:
        return []
    missed = max(0, (floored(now, Grain.HOUR) - floored(until, Grain.HOUR)) // HOUR)
    if missed >= HOURS:
        return []
    padded = [None] * (HOURS - len(points)) + list(points)[-HOURS:] + [None] * missed
    return padded[-HOURS:]


def spark_of(points: Sequence[float | None]) -> Spark | None:
    """None when nothing is known."""
    known = [value for value in points if value is not None]
    if not known:
        return None
    step, top = (WIDTH - 2 * EDGE) / max(1, len(points) - 1), max(known) or 1.0
    parts, pen = [], "M"
    last: tuple[str, str] | None = None
    for number, value in enumerate(points):
        if value is None:
            pen = "M"
            continue
        last = f"{EDGE + number * step:.0f}", f"{HEIGHT - EDGE - value / top * (HEIGHT - 2 * EDGE):.1f}"
        parts.append(f"{pen}{last[0]} {last[1]}")
        pen = "L"
    gaps = runs(value is None for value in points)
    bands = tuple((f"{EDGE + (a - 0.5) * step:.0f}", f"{(b - a) * step:.0f}") for a, b in gaps)
    return Spark("".join(parts), bands, last if points[-1] is not None else None)
