"""Orders that policy refused go on record: who tried what on which object, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from endpoints.access.policies import Principal
from endpoints.audit.services import record


@dataclass(frozen=True, slots=True)
class About:
    """What an order concerns, as far as it is known: opaque refs, and the workspace's number."""

    subject: str = ""
    workspace_id: int | None = None
    endpoint: str = ""


@transaction.atomic
def record_refusal(principal: Principal, about: About, reason: str) -> None:
    """One entry; without an object it is about the person. Raises Unavailable when the ledger can't take it."""
    record(
        actor=principal.actor,
        action="order.refused",
        subject=about.subject or principal.ref,
        workspace_id=about.workspace_id,
        endpoint=about.endpoint,
        personal={"reason": reason},
    )
