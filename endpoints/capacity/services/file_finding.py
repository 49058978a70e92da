"""Ask for the change that saves what a finding says: it goes the way of every change, through checks and approval."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from django.db import transaction

from endpoints.access.policies import Principal
from endpoints.capacity.life import Kind as Move
from endpoints.capacity.life import State
from endpoints.capacity.models import Finding
from endpoints.capacity.services.finding_guards import ahead, lock_finding, person_id, within
from endpoints.capacity.services.finding_moves import as_seen, happen, moved_on
from endpoints.capacity.services.finding_orders import is_work, order_of
from endpoints.changes.lifecycle import TERMINAL
from endpoints.changes.models import Change
from endpoints.changes.services.keys import KEY_TAKEN
from endpoints.changes.services.request_capacity import request_capacity
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import db_now

WORK_DAYS = 30
"""In which what no change can do is due, where nobody says another day."""


@transaction.atomic
def file_finding(
    *,
    principal: Principal,
    finding_id: int,
    seen: int | None = None,
    reason: str = "",
    typed: str = "",
    due: date | None = None,
    idempotency_key: str = "",
) -> int | None:
    """The change's number; None where no change can do it, and the finding is the principal's work instead.

    `typed`: of a delete, the name of what goes, as the person typed it. `reason` "": the finding's own words. Sent
    again with the same key it is the first one's change.
    """
    row = lock_finding(finding_id, principal)
    if (made := _made_by_key(row, principal, idempotency_key)) is not None:
        return made
    as_seen(row, seen)
    if row.state not in (State.OPEN, State.CLAIMED):
        raise moved_on(row)
    if is_work(row):
        _as_work(row, principal, within(reason, "reason"), due)
        return None
    return _as_change(row, principal, within(reason, "reason"), typed, idempotency_key)


def _as_change(row: Finding, principal: Principal, reason: str, typed: str, key: str) -> int:
    origin = ref("finding", row.pk)
    number = request_capacity(
        principal=principal,
        endpoint_id=row.endpoint_id,
        order=order_of(row, typed=typed),
        reason=reason or f"SV-{row.pk}: {row.advice.get('why', '')}",
        origin=origin,
        idempotency_key=key,
    )
    if Change.objects.filter(pk=number, state__in=TERMINAL).exists():
        raise Conflict(KEY_TAKEN)
    by = person_id(principal)
    happen(
        finding=row,
        kind=Move.FILED,
        actor=principal.actor,
        data={"change": ref("change", number)},
        words=reason,
        author_id=by,
        change_id=number,
        claimed_by=by,
        due=None,
    )
    return number


def _as_work(row: Finding, principal: Principal, reason: str, due: date | None) -> None:
    by = person_id(principal)
    day = (
        ahead(due, "due", today=True) if due else db_now().astimezone(UTC).date() + timedelta(days=WORK_DAYS)
    )
    happen(
        finding=row,
        kind=Move.CLAIMED,
        actor=principal.actor,
        data={"due": day.isoformat(), "as": "work"},
        words=reason,
        author_id=by,
        claimed_by=by,
        due=day,
    )


def _made_by_key(row: Finding, principal: Principal, key: str) -> int | None:
    """The change that this person's key made of this finding."""
    if not key or row.change_id is None:
        return None
    mine = Change.objects.filter(pk=row.change_id, idempotency_key=key, author_id=person_id(principal))
    return row.change_id if mine.exists() else None
