"""Approve a change: sealed to the content that the reviewer saw, on the base that is live now."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change, ChangeRevision, Decision
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors.quorum import quorum_of
from endpoints.changes.services.conditions import not_expired, still_true
from endpoints.changes.services.guards import current_revision, lock_change, permit, same_content
from endpoints.changes.services.moves import announce, move, moved_on, tell_ledger
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason
from endpoints.core.errors import Conflict
from endpoints.dispatch import db_now

NOT_STORED = "Your approval was not stored."
# Approved already, and fallen short since: a reviewer lost the role, or a rule asks for more people.
_FALLEN_SHORT = (State.APPROVED, State.SCHEDULED)


@transaction.atomic
def approve_change(
    *,
    principal: Principal,
    change_id: int,
    seen_hash: str,
    comment: str = "",
    accept: Collection[str] = (),
) -> Quorum:
    """Store the approval, or say what stands against it; then nothing is stored.

    `accept` names the warnings that the reviewer has seen and accepts; each one of now must be among them. Short of
    the people that rules ask for, the change stays in review: what is missing is in the quorum that is returned.
    """
    change = lock_change(change_id, principal)
    permit(change, principal, Action.APPROVE)
    words = clean_reason(comment, field="comment") if comment.strip() else ""
    if change.state not in (State.IN_REVIEW, *_FALLEN_SHORT):
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    not_expired(change, doing=NOT_STORED)
    if change.state in _FALLEN_SHORT and quorum_of(change, revision).met:
        raise moved_on(change)
    again = _said_before(change, principal)
    accepted = still_true(change, moment="approval", doing=NOT_STORED, accepted=accept)
    if not again:
        decide(change, principal, revision.content_hash, approved=True, accepted=accepted)
        add_note(change=change, author_id=person_id(principal), kind="approval", text=words)
    found = quorum_of(change, revision)
    if again and not found.met:
        raise Conflict(
            f"You have already decided on this version. {' '.join(found.missing)} Nothing was stored again."
        )
    _move(change, revision, principal, found, words, accepted)
    return found


def _said_before(change: Change, principal: Principal) -> bool:
    """Whether this human decided on this revision before, from whatever account."""
    mine = [one for one in (*principal.same_person, principal.user_id) if one is not None]
    return Decision.objects.filter(change=change, revision=change.revision, reviewer_id__in=mine).exists()


def _move(
    change: Change,
    revision: ChangeRevision,
    principal: Principal,
    found: Quorum,
    words: str,
    accepted: list[str],
) -> None:
    facts = {
        "revision": change.revision,
        "hash": revision.content_hash,
        "approvals": found.given,
        "needed": found.needed,
        "accepted": accepted,
    }
    personal = {"comment": words} if words else None
    if change.state in _FALLEN_SHORT:
        Change.objects.filter(pk=change.pk).update(
            approval_expires_at=found.until or change.approval_expires_at
        )
        announce(change)
        tell_ledger(change, principal.actor, "change.approved.again", after=facts, personal=personal)
    elif found.met:
        move(
            change=change,
            to=State.APPROVED,
            actor=principal.actor,
            facts=facts,
            personal=personal,
            approval_expires_at=found.until,
        )
    else:
        move(
            change=change,
            to=State.IN_REVIEW,
            actor=principal.actor,
            reason=f"approved by {found.given} of {found.needed}",
            facts=facts,
            personal=personal,
            action="change.approved.partly",
        )


def decide(
    change: Change,
    principal: Principal,
    content_hash: str,
    *,
    approved: bool,
    accepted: Collection[str] = (),
) -> None:
    """The reviewer's decision as a row; one each and revision."""
    Decision.objects.create(
        change=change,
        revision=change.revision,
        content_hash=content_hash,
        reviewer_id=person_id(principal),
        approved=approved,
        accepted=sorted(accepted),
        at=db_now(),
    )
