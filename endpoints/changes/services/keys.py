"""Idempotency keys: the same order asked twice is one change, and a key never answers for another order."""

from __future__ import annotations

from endpoints.access.policies import Principal
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change
from endpoints.changes.services.people import person_id
from endpoints.core.errors import Conflict

KEY_TAKEN = "This idempotency key was used for another order. Nothing was done; use a fresh one."


def earlier_with_key(principal: Principal, key: str, endpoint_id: int, kind: Kind) -> Change | None:
    """What this person's key made before; Conflict when that was something else."""
    earlier = Change.objects.filter(author_id=person_id(principal), idempotency_key=key).first()
    if not key or earlier is None:
        return None
    if (earlier.endpoint_id, earlier.kind) != (endpoint_id, kind):
        raise Conflict(KEY_TAKEN)
    return earlier
