"""Schedule an approved change, call that off, and start what is due: validated anew at the moment of use.

What can't be started when it is due is approved again, and says why it was not started.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseError
from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.access.selectors import principal_now
from endpoints.audit.actors import SYSTEM_EXECUTOR, Actor
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors.accepted import accepted_at
from endpoints.changes.selectors.holding import holds_against
from endpoints.changes.services.conditions import approvals_hold, drift_since, still_true, told_holds
from endpoints.changes.services.guards import current_revision, lock_both, permit, same_content
from endpoints.changes.services.handover import NOT_STARTED
from endpoints.changes.services.lease import lock_lease
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.changes.services.start import begin
from endpoints.changes.services.steps import CALM
from endpoints.core.errors import Conflict, Invalid, OpsportalError, Unavailable
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.holds.selectors import Kind as HoldKind

log = structlog.get_logger(__name__)

NOT_SCHEDULED = "The change was not scheduled."
MOST_AHEAD = timedelta(days=30)
LATE = timedelta(minutes=30)
"""Later than this, nobody expects it to start any more."""
BATCH = 100


@transaction.atomic
def schedule_change(
    *,
    principal: Principal,
    change_id: int,
    seen_hash: str,
    start_at: datetime,
    accept: Collection[str] = (),
) -> None:
    """To be started at `start_at` in this person's name. Refused for a time that is known now to be impossible."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.START)
    if change.state != State.APPROVED:
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    _possible(start_at)
    quorum = approvals_hold(change, revision, doing=NOT_SCHEDULED)
    _approved_until(change, quorum, start_at)
    _open_at(change, revision, start_at)
    accepted = still_true(
        change, moment="schedule", doing=NOT_SCHEDULED, accepted=quorum.accepted | frozenset(accept)
    )
    move(
        change=change,
        to=State.SCHEDULED,
        actor=principal.actor,
        facts={"start_at": start_at.isoformat(), "hash": revision.content_hash, "accepted": accepted},
        start_at=start_at,
        scheduled_by_id=person_id(principal),
        **CALM,
    )


def _possible(start_at: datetime) -> None:
    if start_at.tzinfo is None:
        raise Invalid({"start_at": [f"Give the time with its zone. {NOT_SCHEDULED}"]})
    now = db_now()
    if not now < start_at <= now + MOST_AHEAD:
        raise Invalid(
            {
                "start_at": [
                    f"Give a time that is to come, at most {MOST_AHEAD.days} days ahead. {NOT_SCHEDULED}"
                ]
            }
        )


def _approved_until(change: Change, quorum: Quorum, start_at: datetime) -> None:
    """Approvals that are too old by then can't be used then."""
    ends = [end for end in (change.approval_expires_at, quorum.until) if end is not None]
    if min(ends) <= start_at:
        raise Conflict(
            f"The approvals count until {min(ends):%Y-%m-%d %H:%M} UTC, which is before that time. {NOT_SCHEDULED}"
        )


def _open_at(change: Change, revision: ChangeRevision, start_at: datetime) -> None:
    """What is known to be frozen or protected then. A stop is for now: nobody knows until when."""
    found = holds_against(change, revision, at=start_at)
    known = tuple(hold for hold in found if hold.kind is not HoldKind.STOP)
    if known:
        raise Conflict(f"In force at that time: {told_holds(known)} {NOT_SCHEDULED}")


@transaction.atomic
def unschedule_change(*, principal: Principal, change_id: int) -> None:
    """Not at that time any more: it is approved as before."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.START)
    if change.state != State.SCHEDULED:
        raise moved_on(change)
    move(
        change=change,
        to=State.APPROVED,
        actor=principal.actor,
        reason="its start was called off",
        action="change.unscheduled",
        start_at=None,
        scheduled_by=None,
    )


def start_due() -> int:
    """How many were started; called again and again. One that can't be started keeps no other from it."""
    due = Change.objects.filter(state=State.SCHEDULED, started_at=None, start_at__lte=db_now())
    return sum(
        _start_if_possible(one) for one in list(due.order_by("start_at").values_list("pk", flat=True)[:BATCH])
    )


def _start_if_possible(change_id: int) -> int:
    try:
        return _start(change_id)
    except (DatabaseError, Unavailable) as error:
        log.warning("change_not_started", change=change_id, cause=str(error).strip())  # at the next poll
    except Exception:  # whatever is wrong with this one, the others are due
        log.exception("change_not_started", change=change_id)
        _set_aside(change_id)
    return 0


def _set_aside(change_id: int) -> None:
    """It would fail at every poll: a person must see it instead."""
    try:
        with transaction.atomic():
            change = _locked_if_due(change_id)
            if change is not None:
                _suspend(change, f"It could not be started, for a fault of the portal. {NOT_STARTED}")
    except (DatabaseError, Unavailable) as error:
        log.warning("change_not_suspended", change=change_id, cause=str(error).strip())


@transaction.atomic
def _start(change_id: int) -> int:
    change = _locked_if_due(change_id)
    if change is None:
        return 0
    try:
        with transaction.atomic():
            drifted = _start_now(change)
    except Unavailable:
        raise
    except OpsportalError as error:
        change.refresh_from_db()
        _suspend(change, error.message)
        return 0
    return 0 if drifted else 1


def _locked_if_due(change_id: int) -> Change | None:
    """Lease and change locked, in this order; None when somebody called it off or was first."""
    endpoint_id = Change.objects.values_list("endpoint_id", flat=True).get(pk=change_id)
    lock_lease(endpoint_id)
    change = Change.objects.select_for_update(no_key=True).get(pk=change_id)
    due = change.state == State.SCHEDULED and change.start_at is not None and change.start_at <= db_now()
    return change if due else None


def _start_now(change: Change) -> bool:
    """In the name of who scheduled it, with the powers they have now. Whether it was drifted instead."""
    assert change.scheduled_by_id is not None
    assert change.start_at is not None
    principal, actor = principal_now(change.scheduled_by_id), _actor(change)
    lease, change = lock_both(change.pk, principal)
    permit(change, principal, Action.START)
    if change.start_at is not None and change.start_at + LATE < db_now():
        raise Conflict(f"Nobody was there to start it when it was due. {NOT_STARTED}")
    drifted = drift_since(change, current_revision(change))
    if drifted:
        move(change=change, to=State.DRIFTED, actor=actor, reason=drifted)
        return True
    begin(lease, change, principal, actor=actor, accept=accepted_at(change, "schedule"))
    return False


def _actor(change: Change) -> Actor:
    return replace(SYSTEM_EXECUTOR, on_behalf=ref("user", change.scheduled_by_id or ""))


def _suspend(change: Change, why: str) -> None:
    """Back among the approved ones, with the reason for people."""
    planned = f"{change.start_at:%Y-%m-%d %H:%M} UTC" if change.start_at else ""
    words = f"It was to start at {planned}. {why}"
    move(
        change=change,
        to=State.APPROVED,
        actor=_actor(change),
        reason="not started when it was due",
        facts={"start_at": change.start_at.isoformat() if change.start_at else None},
        action="change.suspended",
        start_at=None,
        scheduled_by=None,
        waiting_for=words,
        attention=words,
    )
