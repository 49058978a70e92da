"""The freezes, stops and protections that stand against a change at a moment. A rollback is held by none."""

from __future__ import annotations

from datetime import datetime

from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Hold, in_force


def holds_against(
    change: Change, revision: ChangeRevision, *, at: datetime | None = None
) -> tuple[Hold, ...]:
    """All in force that nobody let this change past; a protection of one deployment only where its share changes."""
    if change.kind == Kind.ROLLBACK:
        return ()
    found = in_force(change.endpoint_id, at or db_now(), subject=ref("change", change.pk))
    touched = _touched(revision)
    return tuple(hold for hold in found if not hold.deployment or hold.deployment in touched)


def _touched(revision: ChangeRevision) -> frozenset[str]:
    """Deployments whose live or mirrored share some step changes, or which it brings to other instances."""
    base, steps = base_from_json(revision.base), steps_from_json(revision.plan)
    names = {name for step in steps for name in (*step.split, *step.mirror, step.deployment) if name}
    names |= {*base.split, *base.mirror}
    return frozenset(
        name
        for name in names
        if any(
            step.split.get(name, 0) != base.split.get(name, 0)
            or step.mirror.get(name, 0) != base.mirror.get(name, 0)
            or step.deployment == name
            for step in steps
        )
    )
