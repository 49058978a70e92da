"""Let one subject past a freeze or stop that holds it, by a person with that power, with a reason."""

from __future__ import annotations

from django.db import connection, transaction

from endpoints.access.policies import Action, Principal
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, NotFound
from endpoints.core.ids import ref, split_ref
from endpoints.dispatch import db_now
from endpoints.holds.models import Override
from endpoints.holds.selectors import in_force
from endpoints.holds.services.guards import permit, said
from endpoints.inventory.selectors import endpoint_facts

# Two clicks make one override.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('holds.override:' || %s, 0))"


def override(*, principal: Principal, endpoint_id: int, hold: str, subject: str, reason: str) -> None:
    """Let `subject` ("change:42") past `hold` ("freeze:3", "stop:2") of this endpoint, for as long as it holds now.

    The next occurrence of a freeze holds again. Conflict when it does not hold now, or can't be overridden.
    """
    split_ref(subject)
    facts = endpoint_facts(endpoint_id)
    if facts.deleted_at is not None:
        raise NotFound("There is no such endpoint, or it was deleted.")
    permit(principal, Action.FREEZE_OVERRIDE, facts.workspace_id)
    words = said(reason)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME, [subject])
        now = db_now()
        found = next((each for each in in_force(endpoint_id, now) if each.ref == hold), None)
        if found is None:
            raise Conflict("This does not hold the endpoint at the moment. Nothing was overridden.")
        if not found.overridable:
            raise Conflict("A protection can't be overridden; it must be ended. Nothing was overridden.")
        if found not in in_force(endpoint_id, now, subject=subject):
            return  # it was let past already
        Override.objects.create(
            hold=hold,
            subject=subject,
            reason=words,
            until=found.until,
            overridden_by=principal.ref,
            overridden_at=now,
        )
        record(
            actor=principal.actor,
            action="hold.overridden",
            subject=subject,
            workspace_id=facts.workspace_id,
            endpoint=ref("endpoint", endpoint_id),
            after={"hold": hold, "until": found.until.isoformat() if found.until else None},
            personal={"reason": words},
        )
