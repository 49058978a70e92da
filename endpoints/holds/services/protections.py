"""Protect an endpoint or a deployment, for other rooms: what a case or a saving needs stays as it is.

The caller has decided who may; its transaction holds the protection and its reason together.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from endpoints.audit.actors import Actor
from endpoints.audit.services import record
from endpoints.core.errors import Invalid
from endpoints.core.ids import ref, split_ref
from endpoints.dispatch import db_now
from endpoints.holds.models import Protection
from endpoints.holds.services.guards import said
from endpoints.inventory.selectors import endpoint_facts

# Two who protect the same thing for one cause take turns.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('holds.protection:' || %s::text, 0))"


def protect(
    *,
    actor: Actor,
    endpoint_id: int,
    cause: str,
    reason: str,
    deployment: str = "",
    until: datetime | None = None,
) -> int:
    """Protect for `cause` ("case:7"), and return the protection's number. "" for the whole endpoint.

    Asked again for the same cause and time, it stands; with another time, a new one takes its place.
    """
    split_ref(cause)
    words, facts, name = said(reason), endpoint_facts(endpoint_id), deployment.lower()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME, [endpoint_id])
        now = db_now()
        if until is not None and until <= now:
            raise Invalid({"until": ["This time has passed. Nothing was protected."]})
        open_now = Protection.objects.filter(
            endpoint_id=endpoint_id, deployment=name, cause=cause, ended_at=None
        )
        standing = open_now.first()
        if standing is not None and standing.until == until:
            return standing.pk
        open_now.update(ended_at=now, ended_by=actor.ref)
        made = Protection.objects.create(
            endpoint_id=endpoint_id,
            deployment=name,
            cause=cause,
            reason=words,
            since=now,
            until=until,
            made_by=actor.ref,
        )
        _record("protection.made", made, actor, facts.workspace_id, words)
    return made.pk


def unprotect(
    *, actor: Actor, cause: str, endpoint_id: int, reason: str, deployment: str | None = None
) -> int:
    """End what `cause` protects on the endpoint (None: all of it), and return how many were ended; 0 is no error."""
    words, facts = said(reason), endpoint_facts(endpoint_id)
    with transaction.atomic():
        found = Protection.objects.select_for_update().filter(
            endpoint_id=endpoint_id, cause=cause, ended_at=None
        )
        if deployment is not None:
            found = found.filter(deployment=deployment.lower())
        standing = list(found.order_by("pk"))
        found.update(ended_at=db_now(), ended_by=actor.ref)
        for row in standing:
            _record("protection.ended", row, actor, facts.workspace_id, words)
    return len(standing)


def _record(action: str, row: Protection, actor: Actor, workspace_id: int, words: str) -> None:
    record(
        actor=actor,
        action=action,
        subject=ref("protection", row.pk),
        workspace_id=workspace_id,
        endpoint=ref("endpoint", row.endpoint_id),
        after={
            "deployment": row.deployment,
            "cause": row.cause,
            "until": row.until.isoformat() if row.until else None,
        },
        personal={"reason": words},
    )
