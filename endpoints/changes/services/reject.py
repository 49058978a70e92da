"""Reject a change, with a reason that its author can act on."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import State
from endpoints.changes.services.approve import decide
from endpoints.changes.services.guards import current_revision, lock_change, permit, same_content
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason
from endpoints.core.errors import Conflict


def reject_change(*, principal: Principal, change_id: int, seen_hash: str, comment: str) -> None:
    """End the change as rejected; an approval that was given before does not stand against it."""
    words = clean_reason(comment, field="comment")
    try:
        with transaction.atomic():
            _reject(principal, change_id, seen_hash, words)
    except IntegrityError as error:
        raise Conflict("You have already decided on this version. Nothing was stored again.") from error


def _reject(principal: Principal, change_id: int, seen_hash: str, words: str) -> None:
    change = lock_change(change_id, principal)
    permit(change, principal, Action.APPROVE)
    if change.state not in (State.IN_REVIEW, State.APPROVED):
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    decide(change, principal, revision.content_hash, approved=False)
    add_note(change=change, author_id=person_id(principal), kind="rejection", text=words)
    move(change=change, to=State.REJECTED, actor=principal.actor, personal={"comment": words})
