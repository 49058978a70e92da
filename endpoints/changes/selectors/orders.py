"""The changes of one endpoint that matter to what can be done to it now, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q

from endpoints.changes import undo
from endpoints.changes.lifecycle import OPEN, Kind, State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.changes.targets import Past

HISTORY = 20
# One that its own checks hold is no rival: else anybody could stop a review by asking for something.
_RIVALS = OPEN - {State.CHECK_FAILED}


@dataclass(frozen=True, slots=True)
class Orders:
    """`active` is at work, `completed` was completed last. `rivals` are open. `history` was started, newest first."""

    active: Change | None
    completed: Change | None
    rivals: tuple[int, ...]
    history: tuple[Past, ...]

    @property
    def subject(self) -> Change | None:
        """What a rollback would undo."""
        return self.active or self.completed


def orders_of(endpoint_id: int) -> Orders:
    """Open changes, the newest that were started, and the one that was completed last, however long ago."""
    own = Change.objects.filter(endpoint_id=endpoint_id)
    started = own.filter(started_at__isnull=False).order_by("-started_at", "-pk")[:HISTORY]
    completed = own.filter(state=State.SUCCEEDED).order_by("-ended_at")[:1]
    wanted = (
        Q(change__state__in=_RIVALS)
        | Q(change__in=started.values("pk"))
        | Q(change__in=completed.values("pk"))
    )
    found = ChangeRevision.objects.filter(
        wanted, change__endpoint_id=endpoint_id, number=F("change__revision")
    ).select_related("change")
    rows = list(found.order_by(F("change__started_at").desc(nulls_last=True), "-change_id"))
    changes = [row.change for row in rows]
    done = [change for change in changes if change.state == State.SUCCEEDED and change.ended_at]
    return Orders(
        active=next((change for change in changes if _is_active(change)), None),
        completed=max(done, key=lambda change: change.ended_at or change.created_at, default=None),
        rivals=tuple(sorted(change.pk for change in changes if change.state in _RIVALS)),
        history=tuple(_past(row) for row in rows if row.change.started_at is not None)[:HISTORY],
    )


def _is_active(change: Change) -> bool:
    return change.started_at is not None and change.ended_at is None


def _past(revision: ChangeRevision) -> Past:
    base, steps, change = base_from_json(revision.base), steps_from_json(revision.plan), revision.change
    rollback = change.kind == Kind.ROLLBACK
    split, mirror, restored = undo.goal(steps)
    return Past(
        number=change.pk,
        rollback=rollback,
        active=_is_active(change),
        succeeded=change.state == State.SUCCEEDED,
        base=(base.split, base.mirror),
        last=(split, mirror) if rollback else (steps[-1].split, steps[-1].mirror),
        beside=restored if rollback else undo.before(steps),
        touched=undo.touched(steps),
        deletes=frozenset(step.deployment for step in steps if step.verb == "delete_deployment"),
    )
