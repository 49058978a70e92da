"""Start an approved change: everything that was promised is checked again at the moment of use."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.selectors import principal_now
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Decision, Lease
from endpoints.changes.plan import base_from_json
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.approve import still_true
from endpoints.changes.services.guards import current_revision, editors_of, lock_both, permit, same_content
from endpoints.changes.services.lease import take_goal
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id, workspace_slug
from endpoints.core import traffic
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now

NOT_STARTED = "The change was not started."


def start_change(*, principal: Principal, change_id: int, seen_hash: str) -> None:
    """Hand the change to the executor. A base that moved makes it drifted, which is stored; all else is refused."""
    with transaction.atomic():
        lease, change = lock_both(change_id, principal)
        permit(change, principal, Action.START)
        drifted = _drift_at_start(change)
        if drifted:
            move(change=change, to=State.DRIFTED, actor=principal.actor, reason=drifted)
        else:
            _start(lease, change, principal, seen_hash)
    if drifted:
        raise Conflict(f"{drifted} {NOT_STARTED} Edit it onto the new base to have it reviewed again.")


def _drift_at_start(change: Change) -> str:
    """Why the approved base is not the live one, in words; "" when it is."""
    if change.state != State.APPROVED:
        return ""
    base, live = base_from_json(current_revision(change).base), current_base(change.endpoint_id)
    if traffic.same(base.split, live.split) and traffic.same(base.mirror, live.mirror):
        return ""
    was, now = traffic.describe(base.split), traffic.describe(live.split)
    return f"Live traffic was {was} when this was approved and is {now} now."


def _start(lease: Lease, change: Change, principal: Principal, seen_hash: str) -> None:
    if change.state != State.APPROVED:
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    approvals_hold(change, revision)
    still_true(change, moment="start", doing=NOT_STARTED)
    now = db_now()
    try:
        with transaction.atomic():
            move(
                change=change,
                to=State.APPLYING,
                actor=principal.actor,
                facts={"plan": revision.plan, "hash": revision.content_hash},
                started_at=now,
                started_by_id=person_id(principal),
                step=0,
                step_since=now,
                next_check_at=now,
            )
    except IntegrityError as error:
        raise Conflict(f"Another change is at work on this endpoint. {NOT_STARTED}") from error
    take_goal(lease, change)


def approvals_hold(change: Change, revision: ChangeRevision) -> None:
    """Conflict unless a fresh approval of exactly this content was given by somebody who may still give it."""
    if change.approval_expires_at is None or change.approval_expires_at <= db_now():
        raise Conflict(f"The approval of CR-{change.pk} has expired. {NOT_STARTED}")
    approvals = Decision.objects.filter(change=change, revision=revision.number, approved=True)
    if not any(_stands(change, revision, approval) for approval in approvals):
        raise Conflict(f"No approval of CR-{change.pk} is valid any more. {NOT_STARTED}")


def _stands(change: Change, revision: ChangeRevision, approval: Decision) -> bool:
    reviewer = principal_now(approval.reviewer_id)
    allowed = decide(
        reviewer,
        Action.APPROVE,
        workspace_id=change.workspace_id,
        own=reviewer.is_any_of([change.author_id]),
        involved=reviewer.is_any_of(editors_of(change)),
        workspace=workspace_slug(change.workspace_id),
    )
    return allowed.allowed and approval.content_hash == revision.content_hash
