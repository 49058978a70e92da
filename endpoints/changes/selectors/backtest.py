"""What gates would have done with past changes: from the minutes that are kept, beside what really happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, QuerySet

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.backtesting import Backtest, backtest
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.lifecycle import IN_FORCE, Kind, State
from endpoints.changes.models import Change, ChangeRevision, Transition
from endpoints.changes.selectors.evidence import applies, evidence_between
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now

WATCH = 30
"""Minutes for which the last step is looked at: its split stays in force after the change is done."""
MOST_WATCH = 24 * 60
_SHOWS = frozenset({*IN_FORCE, State.SUCCEEDED})


@dataclass(frozen=True, slots=True)
class StepBacktest:
    """One step, of the minutes in which it was in force. `left_out`: gates that nothing could be compared with."""

    step: int
    since: datetime
    until: datetime
    result: Backtest
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backtested:
    """One past change: how it ended, `rolled_back` by whom or what, and what the gates would have done.

    `stopped_at`: step and minutes after which they would have stopped it; None: they would not. `outcome` and
    `reason` are all their words together: a change that they could not judge is no pass.
    """

    change_id: int
    endpoint_id: int
    state: State
    started_at: datetime
    ended_at: datetime | None
    rolled_back: str
    steps: tuple[StepBacktest, ...]
    stopped_at: tuple[int, int] | None
    by: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class BacktestPage:
    """Changes, newest first. `next_before` asks for the page after this one; None on the last one."""

    rows: tuple[Backtested, ...]
    next_before: int | None


def backtests(
    principal: Principal,
    gates: Sequence[GateSpec],
    *,
    endpoint_id: int | None = None,
    before: int | None = None,
    limit: int = 20,
    watch: int = WATCH,
) -> BacktestPage:
    """Past changes in what the principal may see, under these gates."""
    return backtest_in(
        visible_workspaces(principal), gates, endpoint_id=endpoint_id, before=before, limit=limit, watch=watch
    )


def backtest_in(
    workspaces: Collection[int] | None,
    gates: Sequence[GateSpec],
    *,
    endpoint_id: int | None = None,
    before: int | None = None,
    limit: int = 20,
    watch: int = WATCH,
) -> BacktestPage:
    """The same of these workspaces, or of all; rights are the caller's to ask for."""
    found = _past(workspaces)
    if endpoint_id is not None:
        found = found.filter(endpoint_id=endpoint_id)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: limit + 1])
    tested = tuple(_backtested(row, gates, min(watch, MOST_WATCH)) for row in rows[:limit])
    return BacktestPage(tested, tested[-1].change_id if len(rows) > limit else None)


def _past(workspaces: Collection[int] | None) -> QuerySet[Change]:
    """Changes that gave somebody traffic and are over."""
    ended = Change.objects.filter(ended_at__isnull=False, started_at__isnull=False)
    if workspaces is not None:
        ended = ended.filter(workspace__in=list(workspaces))
    return ended.exclude(kind__in=[Kind.ROLLBACK, Kind.CAPACITY])


def _backtested(change: Change, gates: Sequence[GateSpec], watch: int) -> Backtested:
    revision = ChangeRevision.objects.get(change=change, number=change.revision)
    assert change.started_at is not None
    steps = tuple(
        _step(change, revision, gates, number, since, until)
        for number, since, until in _stretches(change, len(revision.plan), watch)
    )
    stopped = next((one for one in steps if one.result.stopped_after is not None), None)
    worst = stopped or _worst(steps)
    return Backtested(
        change_id=change.pk,
        endpoint_id=change.endpoint_id,
        state=State(change.state),
        started_at=change.started_at,
        ended_at=change.ended_at,
        rolled_back=_rolled_back(change),
        steps=steps,
        stopped_at=(stopped.step, stopped.result.stopped_after or 0) if stopped else None,
        by=stopped.result.by if stopped else "",
        outcome=worst.result.end.outcome if worst else Outcome.INCONCLUSIVE,
        reason=worst.result.end.reason if worst else "No step of it was ever in force for a minute.",
    )


def _worst(steps: Sequence[StepBacktest]) -> StepBacktest | None:
    order = list(Outcome)
    return max(steps, key=lambda one: order.index(one.result.end.outcome), default=None)


def _rolled_back(change: Change) -> str:
    """What for, when it was rolled back; a drill's own rollback is its end, and no verdict on it."""
    cause = (
        Change.objects.filter(reverts=change, kind=Kind.ROLLBACK)
        .order_by("pk")
        .values_list("cause", flat=True)
    )
    return (cause.first() or "") if change.kind != Kind.DRILL else ""


def _stretches(change: Change, steps: int, watch: int) -> list[tuple[int, datetime, datetime]]:
    """Every step with the minutes in which it was in force, as the record has it."""
    found = []
    moves = list(
        Transition.objects.filter(change=change).order_by("version").values_list("after", "step", "at")
    )
    for number in range(steps):
        begin = next((at for after, step, at in moves if step == number and after in _SHOWS), None)
        if begin is None:
            continue
        last = number + 1 == steps
        end = next((at for after, _, at in moves if at > begin and after not in IN_FORCE), None)
        if last and change.state == State.SUCCEEDED:
            end = min(begin + timedelta(minutes=watch), _next_order(change) or db_now(), db_now())
            end = max(end, change.ended_at or end)
        found.append((number, begin, end or begin))
    return [(number, begin, end) for number, begin, end in found if end - begin >= timedelta(minutes=1)]


def _next_order(change: Change) -> datetime | None:
    """When another change began to move this endpoint's traffic."""
    later = Change.objects.filter(endpoint_id=change.endpoint_id, started_at__gt=change.ended_at)
    found: datetime | None = later.aggregate(first=Min("started_at"))["first"]
    return found


def _step(
    change: Change,
    revision: ChangeRevision,
    gates: Sequence[GateSpec],
    number: int,
    since: datetime,
    until: datetime,
) -> StepBacktest:
    seen = evidence_between(
        change, revision, Terms(gates=tuple(gates)), step=number, began=since, now=until, budget_then=since
    )
    asked = [spec for spec in gates if applies(spec, seen)]
    return StepBacktest(
        step=number,
        since=seen.since,
        until=seen.until,
        result=backtest(asked, seen.evidence),
        left_out=tuple(spec.name for spec in gates if not applies(spec, seen)),
    )
