"""Make a freeze, and end one. A freeze is never changed: end it and make another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from endpoints.access.policies import Action, Principal
from endpoints.audit.services import record
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds import calendar
from endpoints.holds import scope as scopes
from endpoints.holds.calendar import Schedule
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope
from endpoints.holds.selectors.reach import reaches
from endpoints.holds.services.guards import TITLE_LIMIT, permit, said

# Living freezes of one workspace, or of all: every look at a hold reads them.
MOST_ALIVE = 500
# Two who make freezes of one place take turns, so that together they stay within the limit.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('holds.freeze:' || %s::text, 0))"


def make_freeze(
    *,
    principal: Principal,
    scope: Scope,
    schedule: Schedule,
    title: str,
    reason: str,
    source: str = Freeze.Source.PAGE,
) -> int:
    """Hold forward steps on these endpoints at these times, and return the freeze's number.

    Invalid by field: name_pattern, owner, tag, zone, starts, ends, rule, title, reason. Rollbacks are not held.
    """
    permit(principal, Action.FREEZE_MANAGE, scope.workspace_id)
    words = said(title, "title", limit=TITLE_LIMIT), said(reason)
    where, when = scopes.checked(scope), calendar.checked(schedule)
    with transaction.atomic():
        make_room(where, 1)
        now = db_now()
        freeze = stored(principal, where, when, *words, source=source, uid="", now=now)
        if freeze.over_at is not None and freeze.over_at <= now:
            raise Invalid({"ends": ["It is over already. Nothing was frozen."]})
        freeze.save(force_insert=True)
        record_made(principal, freeze)
    return freeze.pk


def end_freeze(*, principal: Principal, freeze_id: int, reason: str) -> None:
    """End it before it is over. It stays on record. Conflict when it was ended, or is over, by now."""
    freeze = Freeze.objects.filter(pk=freeze_id).first()
    if freeze is None or not reaches(principal, freeze.workspace_id):
        raise NotFound("There is no such freeze.")
    permit(principal, Action.FREEZE_MANAGE, freeze.workspace_id)
    words = said(reason)
    with transaction.atomic():
        now = db_now()
        if freeze.over_at is not None and freeze.over_at <= now:
            raise Conflict("This freeze is over by itself. Nothing was ended.")
        living = Freeze.objects.filter(pk=freeze_id, ended_at=None)
        if living.update(ended_at=now, ended_by=principal.ref, end_reason=words) != 1:
            raise Conflict("Somebody ended this freeze by now. Nothing was ended again.")
        record(
            actor=principal.actor,
            action="freeze.ended",
            subject=ref("freeze", freeze_id),
            workspace_id=freeze.workspace_id,
            before=facts(freeze),
            personal={"reason": words},
        )


def make_room(scope: Scope, wanted: int) -> None:
    """Take the place's turn, and refuse what would make more than MOST_ALIVE. Inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [scope.workspace_id or 0])
    alive = Freeze.objects.filter(of_workspace(scope.workspace_id), ended_at=None).exclude(
        over_at__lte=db_now()
    )
    if alive.count() + wanted > MOST_ALIVE:
        raise Conflict(f"There are at most {MOST_ALIVE} freezes here; end some first. Nothing was frozen.")


def of_workspace(workspace_id: int | None) -> Q:
    """Freezes of this workspace; None: those of all."""
    return Q(workspace_id=workspace_id)


def stored(
    principal: Principal,
    scope: Scope,
    schedule: Schedule,
    title: str,
    reason: str,
    *,
    source: str,
    uid: str,
    now: datetime,
) -> Freeze:
    """The row of a checked scope and schedule, not saved yet."""
    starts_at, over_at = calendar.bounds(schedule)
    return Freeze(
        workspace_id=scope.workspace_id,
        name_pattern=scope.name_pattern,
        owner=scope.owner,
        tag=scope.tag,
        title=title,
        reason=reason,
        zone=schedule.zone,
        first_start=schedule.first_start.isoformat(),
        first_end=schedule.first_end.isoformat(),
        rule=schedule.rule,
        excluded=sorted(shown.isoformat() for shown in schedule.excluded),
        starts_at=starts_at,
        over_at=over_at,
        source=source,
        uid=uid,
        made_by=principal.ref,
        made_at=now,
    )


def record_made(principal: Principal, freeze: Freeze) -> None:
    record(
        actor=principal.actor,
        action="freeze.made",
        subject=ref("freeze", freeze.pk),
        workspace_id=freeze.workspace_id,
        after=facts(freeze),
        personal={"name": freeze.title, "reason": freeze.reason},
    )


def facts(freeze: Freeze) -> dict[str, Any]:
    """For the ledger, which takes no names of people or teams: of owner and tag it holds that they narrow it."""
    return {
        "name_pattern": freeze.name_pattern,
        "by_owner": bool(freeze.owner),
        "tag": freeze.tag.partition("=")[0],
        "zone": freeze.zone,
        "first_start": freeze.first_start,
        "first_end": freeze.first_end,
        "rule": freeze.rule,
        "excluded": freeze.excluded,
        "source": str(freeze.source),
    }
