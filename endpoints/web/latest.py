"""A deployment's newest figures for lists: how old they are, and which are over the budget. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.metrics.selectors import BudgetRow, LatestRow
from endpoints.metrics.telemetry import State
from endpoints.web.numbers import MISSING, ms, per_minute, percentage
from endpoints.web.wording import clock

STATES = {
    State.NONE_YET: "no metrics yet",
    State.LATE: "metrics are late",
    State.THROTTLED: "Azure throttles",
    State.FORBIDDEN: "not permitted",
    State.UNREADABLE: "can't be understood",
    State.UNREACHABLE: "Azure not reached",
}
"""What is wrong, in two or three words; a state that is not here is well."""
TOO_OLD_SECONDS = 1200
"""Figures older than this say nothing about now, and are not shown as if they did."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`why`: from when they are, or why there are none."""

    requests: str = MISSING
    p95: str = MISSING
    cpu: str = MISSING
    memory: str = MISSING
    instances: str = MISSING
    is_over: bool = False
    why: str = "No metric of it is known yet."


def figures_of(row: LatestRow | None, budget: BudgetRow | None) -> Figures:
    """What is shown of the newest minute, and nothing when that is long gone."""
    if row is None:
        return Figures()
    if row.age_seconds > TOO_OLD_SECONDS:
        return Figures(why=f"Nothing is known since {clock(row.minute, seconds=False)}.")
    limit = budget.p95_ms if budget else None
    return Figures(
        requests=per_minute(row.requests),
        p95="no requests" if row.p95 is None and row.requests == 0 else ms(row.p95),
        cpu=percentage(row.cpu_max),
        memory=percentage(row.memory_max),
        instances=MISSING if row.instances is None else f"{row.instances:.0f}",
        is_over=row.p95 is not None and limit is not None and row.p95 > limit,
        why=f"The minute from {clock(row.minute, seconds=False)}.",
    )
