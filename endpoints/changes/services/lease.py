"""The row lock that orders everybody who wants something of one endpoint."""

from __future__ import annotations

from endpoints.changes.models import Change, Lease


def lock_lease(endpoint_id: int) -> Lease:
    """The endpoint's lease row, made when missing, locked until this transaction ends."""
    Lease.objects.get_or_create(endpoint_id=endpoint_id)
    return Lease.objects.select_for_update(no_key=True).get(endpoint_id=endpoint_id)


def take_goal(lease: Lease, change: Change) -> None:
    """The endpoint's traffic belongs to `change` from now on: whoever works for another goal must stop."""
    lease.generation += 1
    lease.goal = change
    lease.save(update_fields=["generation", "goal"])


def drop_goal(lease: Lease) -> None:
    """Nobody owns the endpoint's traffic; calls decided for the former goal are void."""
    lease.generation += 1
    lease.goal = None
    lease.save(update_fields=["generation", "goal"])
