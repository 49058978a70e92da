"""The drills of an endpoint and what they measured: from click to confirmed to observed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from endpoints.changes.lifecycle import State
from endpoints.changes.models import ChangeRevision, Drill
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.changes.verdict import Outcome
from endpoints.core.traffic import Split


@dataclass(frozen=True, slots=True)
class DrillView:
    """One drill. `outcome` None: not over yet, or metrics have not told. Times are the rollback's; None: not known.

    `confirmed_at`: Azure showed the split from before; `observed_at`: the first minute in which requests followed it.
    """

    change_id: int
    endpoint_id: int
    state: State
    base: Split
    shifted: Split
    asked_at: datetime
    started_at: datetime | None
    rollback_id: int | None
    ordered_at: datetime | None
    confirmed_at: datetime | None
    observed_at: datetime | None
    outcome: Outcome | None
    reason: str

    @property
    def seconds(self) -> float | None:
        """From the order to the first reading that shows the split."""
        return _between(self.ordered_at, self.confirmed_at)

    @property
    def observed_seconds(self) -> float | None:
        """From the order to the minute in which requests followed."""
        return _between(self.ordered_at, self.observed_at)


@dataclass(frozen=True, slots=True)
class DrillPage:
    """Drills, newest first. `next_before` asks for the page after this one; None on the last one."""

    rows: tuple[DrillView, ...]
    next_before: int | None


def drill_report(endpoint_id: int, *, before: int | None = None, limit: int = 50) -> DrillPage:
    """The drills of an endpoint that the caller may see."""
    found = Drill.objects.filter(change__endpoint_id=endpoint_id)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("change", "rollback").order_by("-pk")[: limit + 1])
    revisions = _revisions([row.pk for row in rows[:limit]])
    views = tuple(_view(row, revisions[row.pk]) for row in rows[:limit])
    return DrillPage(views, views[-1].change_id if len(rows) > limit else None)


def drill_of(change_id: int) -> DrillView | None:
    """The drill that a change is; None for any other. Of a change that the caller may see."""
    row = Drill.objects.select_related("change", "rollback").filter(pk=change_id).first()
    return _view(row, _revisions([row.pk])[row.pk]) if row else None


def _revisions(change_ids: list[int]) -> dict[int, ChangeRevision]:
    found = ChangeRevision.objects.filter(change__in=change_ids, number=F("change__revision"))
    return {row.change_id: row for row in found}


def _view(row: Drill, revision: ChangeRevision) -> DrillView:
    change, rollback = row.change, row.rollback
    return DrillView(
        change_id=change.pk,
        endpoint_id=change.endpoint_id,
        state=State(change.state),
        base=base_from_json(revision.base).split,
        shifted=steps_from_json(revision.plan)[-1].split,
        asked_at=change.created_at,
        started_at=change.started_at,
        rollback_id=row.rollback_id,
        ordered_at=row.ordered_at,
        confirmed_at=row.confirmed_at or (rollback.confirmed_at if rollback else None),
        observed_at=row.observed_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
    )


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()
