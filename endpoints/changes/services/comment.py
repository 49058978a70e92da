"""Say something about a change, open or ended."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal, visible_workspaces
from endpoints.changes.models import Change
from endpoints.changes.services.guards import permit
from endpoints.changes.services.moves import announce, tell_ledger
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import REASON_LIMIT, add_note
from endpoints.core.errors import Invalid, NotFound


@transaction.atomic
def comment_change(*, principal: Principal, change_id: int, text: str) -> None:
    """Words beside the change; they decide nothing and move nothing."""
    change = Change.objects.filter(pk=change_id).first()
    if change is None or change.workspace_id not in visible_workspaces(principal):
        raise NotFound(f"There is no CR-{change_id}, or not for you.")
    permit(change, principal, Action.COMMENT)
    words = text.strip()
    if not 0 < len(words) <= REASON_LIMIT:
        raise Invalid({"text": [f"Write from 1 to {REASON_LIMIT} characters; these are {len(words)}."]})
    add_note(change=change, author_id=person_id(principal), kind="comment", text=words)
    announce(change)
    tell_ledger(change, principal.actor, "change.commented", personal={"comment": words})
