"""The freezes, stops and protections that stand against a change at a moment. A rollback is held by none."""

from __future__ import annotations

from datetime import datetime

from endpoints.changes.capacity_checks import deletes_endpoint
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import base_from_json, steps_from_json
from endpoints.core.ids import ref, split_ref
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Hold, in_force
from endpoints.holds.selectors import Kind as HoldKind


def holds_against(
    change: Change, revision: ChangeRevision, *, at: datetime | None = None
) -> tuple[Hold, ...]:
    """All in force that nobody let this change past; a protection of one deployment only where its share changes.

    What a change keeps as its rollback target may be given traffic at any time: it is only not to be scaled or deleted.
    Who deletes the endpoint deletes whatever is protected there.
    """
    if change.kind == Kind.ROLLBACK:
        return ()
    found = in_force(change.endpoint_id, at or db_now(), subject=ref("change", change.pk))
    steps = steps_from_json(revision.plan)
    if deletes_endpoint(steps):
        return found
    touched, changed = _touched(revision), {step.deployment for step in steps}
    return tuple(
        hold
        for hold in found
        if not hold.deployment or hold.deployment in (changed if _kept_warm(hold) else touched)
    )


def _kept_warm(hold: Hold) -> bool:
    return hold.kind is HoldKind.PROTECTION and split_ref(hold.cause)[0] == "change"


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
