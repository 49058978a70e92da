"""On which base an order is turned into splits: sent again with its key, it must mean what it meant at first."""

from __future__ import annotations

from endpoints.access.policies import Principal
from endpoints.changes.models import ChangeRevision
from endpoints.changes.plan import Base, base_from_json
from endpoints.changes.selectors.situation import current_base


def base_to_ask_on(principal: Principal, endpoint_id: int, idempotency_key: str) -> Base:
    """The base of the change that this person's key made here; else the split that is live now."""
    if idempotency_key:
        first = ChangeRevision.objects.filter(
            change__author=principal.user_id,
            change__idempotency_key=idempotency_key,
            change__endpoint=endpoint_id,
            number=1,
        ).first()
        if first is not None:
            return base_from_json(first.base)
    return current_base(endpoint_id)
