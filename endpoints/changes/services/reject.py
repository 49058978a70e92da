"""Reject a change, with a reason that its author can act on. One refusal ends it, however many approve."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Decision
from endpoints.changes.services.approve import decide
from endpoints.changes.services.guards import current_revision, lock_change, permit, same_content
from endpoints.changes.services.moves import move, moved_on
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason

_REJECTABLE = (State.IN_REVIEW, State.APPROVED, State.SCHEDULED)


@transaction.atomic
def reject_change(*, principal: Principal, change_id: int, seen_hash: str, comment: str) -> None:
    """End the change as rejected; approvals that were given before do not stand against it, not even one's own."""
    words = clean_reason(comment, field="comment")
    change = lock_change(change_id, principal)
    permit(change, principal, Action.APPROVE)
    if change.state not in _REJECTABLE:
        raise moved_on(change)
    revision = current_revision(change)
    same_content(revision, seen_hash)
    me = person_id(principal)
    # Who approved before has their decision on record; that they changed their mind is told by move and note.
    if not Decision.objects.filter(change=change, revision=change.revision, reviewer=me).exists():
        decide(change, principal, revision.content_hash, approved=False)
    add_note(change=change, author_id=me, kind="rejection", text=words)
    move(change=change, to=State.REJECTED, actor=principal.actor, personal={"comment": words})
