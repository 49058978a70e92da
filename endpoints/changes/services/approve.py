"""Approve a change: sealed to the content that the reviewer saw, on the base that is live now."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.checks import run
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, Decision
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.services.guards import current_revision, lock_change, permit, same_content
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, keep_checks
from endpoints.changes.verdict import overall
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now


def approve_change(*, principal: Principal, change_id: int, seen_hash: str, comment: str = "") -> None:
    """Store the approval, or say what stands against it; then nothing is stored."""
    try:
        with transaction.atomic():
            _approve(principal, change_id, seen_hash, comment.strip())
    except IntegrityError as error:
        raise Conflict("You have already decided on this version. Nothing was stored again.") from error


def _approve(principal: Principal, change_id: int, seen_hash: str, comment: str) -> None:
    change = lock_change(change_id, principal)
    permit(change, principal, Action.APPROVE)
    if change.state != State.IN_REVIEW:
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    still_true(change, moment="approval", doing="Your approval was not stored.")
    decide(change, principal, revision.content_hash, approved=True)
    add_note(change=change, author_id=person_id(principal), kind="approval", text=comment)
    move(
        change=change,
        to=State.APPROVED,
        actor=principal.actor,
        facts={"revision": change.revision, "hash": revision.content_hash},
        personal={"comment": comment} if comment else None,
        approval_expires_at=db_now() + timedelta(hours=settings.OPSPORTAL.approval_ttl_hours),
    )


def still_true(change: Change, *, moment: str, doing: str) -> None:
    """Run the checks now and keep them; Conflict with the worst one's reason when any does not pass."""
    verdicts = run(situation_of(change))
    worst = overall(verdicts)
    if not worst.passed:
        raise Conflict(f"{worst.name}: {worst.reason} {doing}")
    keep_checks(change=change, moment=moment, verdicts=verdicts)


def decide(change: Change, principal: Principal, content_hash: str, *, approved: bool) -> None:
    """The reviewer's decision as a row; one each and revision."""
    Decision.objects.create(
        change=change,
        revision=change.revision,
        content_hash=content_hash,
        reviewer_id=person_id(principal),
        approved=approved,
        at=db_now(),
    )
