"""Withdraw a change that has not reached Azure, or close one that drifted."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import WITHDRAWABLE, State
from endpoints.changes.services.guards import lock_both, permit, writing
from endpoints.changes.services.lease import drop_goal
from endpoints.changes.services.moves import move, moved_on


@transaction.atomic
def withdraw_change(*, principal: Principal, change_id: int) -> None:
    """End it. What Azure serves stays as it is: a drifted change leaves the traffic that was found."""
    lease, change = lock_both(change_id, principal)
    drifted = change.state == State.DRIFTED
    permit(change, principal, Action.ROLL_BACK if drifted else writing(change))
    if State(change.state) not in WITHDRAWABLE:
        raise moved_on(change)
    if lease.goal_id == change.pk:
        drop_goal(lease)
    move(
        change=change,
        to=State.WITHDRAWN,
        actor=principal.actor,
        reason="closed" if drifted else "withdrawn",
    )
