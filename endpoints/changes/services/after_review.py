"""Judge, after the fact, what was started in an emergency: by somebody who wrote and started none of it."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.changes.models import AfterReview, Change
from endpoints.changes.selectors.after_review import broken_by
from endpoints.changes.services.guards import editors_of, lock_change
from endpoints.changes.services.moves import announce, tell_ledger
from endpoints.changes.services.people import person_id, workspace_slug
from endpoints.changes.services.revise import clean_reason
from endpoints.core.errors import Conflict, Refused
from endpoints.dispatch import db_now

NOT_STORED = "Nothing was stored."


@transaction.atomic
def review_after(*, principal: Principal, change_id: int, sound: bool, words: str) -> None:
    """Sound or not, with words either way. It says so for good: traffic is moved by a rollback, not by this."""
    change = lock_change(change_id, principal)
    _permit(change, principal)
    told = clean_reason(words, field="words")
    review = AfterReview.objects.select_for_update().filter(change=change).first()
    if review is None:
        raise Conflict(f"CR-{change.pk} was not started in an emergency. {NOT_STORED}")
    if review.at is not None:
        raise Conflict(f"CR-{change.pk} was reviewed by now. {NOT_STORED}")
    review.reviewer_id, review.sound, review.words, review.at = person_id(principal), sound, told, db_now()
    review.save(update_fields=["reviewer", "sound", "words", "at"])
    announce(change)
    tell_ledger(
        change,
        principal.actor,
        "change.reviewed_after",
        after={"sound": sound, "late": review.at > review.due_at},
        personal={"comment": told},
    )


def _permit(change: Change, principal: Principal) -> None:
    """Whoever may approve, has no part in it, and did not start it themselves."""
    if principal.is_any_of({change.started_by_id, *broken_by(change.pk)}):
        raise Refused("You started this change, so somebody else has to review it.")
    require(
        principal,
        Action.APPROVE,
        workspace_id=change.workspace_id,
        workspace=workspace_slug(change.workspace_id),
        own=principal.is_any_of([change.author_id]),
        involved=principal.is_any_of(editors_of(change)),
    )
