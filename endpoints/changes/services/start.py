"""Start an approved change: everything that was promised is checked again at the moment of use."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit.actors import Actor
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, Lease
from endpoints.changes.services.conditions import approvals_hold, drift_since, not_held, still_true
from endpoints.changes.services.guards import current_revision, lock_both, permit, same_content
from endpoints.changes.services.handover import NOT_STARTED, hand_over
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.core.errors import Conflict

ON_NEW_BASE = "Edit it onto the new base to have it reviewed again."
_STARTABLE = (State.APPROVED, State.SCHEDULED)


def start_change(
    *, principal: Principal, change_id: int, seen_hash: str, accept: Collection[str] = ()
) -> None:
    """Hand the change to the executor. A base that moved makes it drifted, which is stored; all else is refused.

    `accept` names warnings that the starter accepts beside those that the approvals did.
    """
    with transaction.atomic():
        lease, change = lock_both(change_id, principal)
        permit(change, principal, Action.START)
        if change.state not in _STARTABLE:
            raise moved_on(change)
        drifted = drift_since(change, current_revision(change))
        if drifted:
            move(change=change, to=State.DRIFTED, actor=principal.actor, reason=drifted)
        else:
            same_content(current_revision(change), seen_hash)
            begin(lease, change, principal, actor=principal.actor, accept=accept)
    if drifted:
        anew = "Close it, and ask anew." if change.kind == Kind.CAPACITY else ON_NEW_BASE
        raise Conflict(f"{drifted} {NOT_STARTED} {anew}")


def begin(
    lease: Lease, change: Change, principal: Principal, *, actor: Actor, accept: Collection[str]
) -> None:
    """All that a start asks for beside the permission and the base; then it belongs to the executor."""
    revision = current_revision(change)
    quorum = approvals_hold(change, revision, doing=NOT_STARTED)
    not_held(change, revision, doing=NOT_STARTED)
    accepted = still_true(
        change, moment="start", doing=NOT_STARTED, accepted=quorum.accepted | frozenset(accept)
    )
    hand_over(
        lease,
        change,
        revision,
        person=person_id(principal),
        actor=actor,
        facts={"accepted": accepted} if accepted else None,
        emergency=False,
    )
