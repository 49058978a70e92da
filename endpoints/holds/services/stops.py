"""Stop the line, and lift the stop: nothing moves forward on an endpoint, a workspace, or anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from endpoints.access.policies import Action, Principal
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.models import Stop
from endpoints.holds.selectors.reach import reaches
from endpoints.holds.services.guards import permit, said
from endpoints.inventory.selectors import endpoint_facts

# Two who stop the same thing at once make one stop.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('holds.stop', 0))"


@dataclass(frozen=True, slots=True)
class Stopped:
    """`is_new` False: it was stopped already, and this is that stop."""

    stop_id: int
    is_new: bool


def stop_the_line(
    *,
    principal: Principal,
    reason: str,
    workspace_id: int | None = None,
    endpoint_id: int | None = None,
) -> Stopped:
    """Hold every forward step of the endpoint, the workspace, or (with neither) everything, from now until lifted.

    What Azure is doing already is not interrupted, and rollbacks are not held.
    """
    if endpoint_id is not None:
        workspace_id = _workspace_of(principal, endpoint_id)
    permit(principal, Action.STOP_LINE, workspace_id)
    words = said(reason)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        here = Q(workspace_id=workspace_id, endpoint_id=endpoint_id)
        standing = Stop.objects.filter(here, lifted_at=None).values_list("pk", flat=True).first()
        if standing is not None:
            return Stopped(standing, is_new=False)
        stop = Stop.objects.create(
            workspace_id=workspace_id,
            endpoint_id=endpoint_id,
            reason=words,
            stopped_by=principal.ref,
            stopped_at=db_now(),
        )
        _record("line.stopped", stop, principal, words)
    return Stopped(stop.pk, is_new=True)


def lift_stop(*, principal: Principal, stop_id: int, reason: str) -> None:
    """Let forward steps go on. Conflict when somebody lifted it by now."""
    stop = Stop.objects.filter(pk=stop_id).first()
    if stop is None or not reaches(principal, stop.workspace_id):
        raise NotFound("There is no such stop.")
    permit(principal, Action.STOP_LINE, stop.workspace_id)
    words = said(reason)
    with transaction.atomic():
        standing = Stop.objects.filter(pk=stop_id, lifted_at=None)
        if standing.update(lifted_at=db_now(), lifted_by=principal.ref, lift_reason=words) != 1:
            raise Conflict("Somebody lifted this stop by now. Nothing was lifted again.")
        _record("line.released", stop, principal, words)


def _workspace_of(principal: Principal, endpoint_id: int) -> int:
    facts = endpoint_facts(endpoint_id)
    if facts.deleted_at is not None or not reaches(principal, facts.workspace_id):
        raise NotFound("There is no such endpoint, or it was deleted.")
    return facts.workspace_id


def _record(action: str, stop: Stop, principal: Principal, words: str) -> None:
    record(
        actor=principal.actor,
        action=action,
        subject=ref("stop", stop.pk),
        workspace_id=stop.workspace_id,
        endpoint=ref("endpoint", stop.endpoint_id) if stop.endpoint_id else "",
        after={"everything": stop.workspace_id is None},
        personal={"reason": words},
    )
