"""The changes at work now: where each stands in its plan. The list is short, for an endpoint has one at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.lifecycle import Hold
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Base, Step, base_from_json, steps_from_json
from endpoints.changes.selectors.rollout import BakeView, bake_of
from endpoints.changes.selectors.rows import ChangeRow, row_of
from endpoints.changes.terms import terms_from_json
from endpoints.changes.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Running:
    """One change at work. `gates`: all of them together, None where there are none or none was measured."""

    row: ChangeRow
    base: Base
    steps: tuple[Step, ...]
    step: int
    bake: BakeView | None
    hold: Hold | None
    has_gates: bool
    gates: Outcome | None
    gates_reason: str
    measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunningPage:
    """Newest first; `older` is the number to ask for the next page with, None on the last one."""

    rows: tuple[Running, ...]
    older: int | None


def running(principal: Principal, *, before: int | None = None, limit: int = 50) -> RunningPage:
    """What is started and not ended, in the workspaces that the principal may see. One query."""
    found = ChangeRevision.objects.filter(
        number=F("change__revision"),
        change__started_at__isnull=False,
        change__ended_at__isnull=True,
        change__workspace__in=visible_workspaces(principal),
    ).select_related("change__endpoint", "change__workspace")
    if before is not None:
        found = found.filter(change__lt=before)
    rows = [_row(revision) for revision in found.order_by("-change")[: limit + 1]]
    return RunningPage(tuple(rows[:limit]), rows[limit - 1].row.id if len(rows) > limit else None)


def _row(revision: ChangeRevision) -> Running:
    change, terms = revision.change, terms_from_json(revision.terms)
    steps = steps_from_json(revision.plan)
    return Running(
        row=row_of(revision),
        base=base_from_json(revision.base),
        steps=steps,
        step=change.step,
        bake=bake_of(change, terms, steps),
        hold=Hold(change.hold) if change.hold else None,
        has_gates=bool(terms.gates),
        gates=Outcome(change.gate_outcome) if change.gate_outcome else None,
        gates_reason=change.gate_reason,
        measured_at=change.measured_at,
    )
