"""Reading evidence goes on record too: once per person, object and hour, so that a reload is no flood."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from endpoints.access.policies import Principal
from endpoints.audit import selectors as ledger
from endpoints.audit.services import record
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

READ = "evidence.read"
_EVERYTHING = ledger.Scope(everything=True)


@transaction.atomic
def note_read(
    *, principal: Principal, subject: str, workspace_id: int, endpoint_id: int | None = None
) -> None:
    """Enter that this person looked at `subject` ("case:7"), unless that was entered less than an hour ago."""
    lately = ledger.Filters(
        actor=principal.ref, subject=subject, action=READ, since=db_now() - timedelta(hours=1)
    )
    if ledger.entries(_EVERYTHING, lately, limit=1).rows:
        return
    record(
        actor=principal.actor,
        action="evidence.read",
        subject=subject,
        workspace_id=workspace_id,
        endpoint=ref("endpoint", endpoint_id) if endpoint_id is not None else "",
    )
