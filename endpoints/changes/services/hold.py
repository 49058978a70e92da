"""Hold a change where it is, and let it go on: a person's word, which the portal never overrules by itself."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import EXECUTING, Hold, Kind, State
from endpoints.changes.models import Change
from endpoints.changes.services.guards import lock_both, permit
from endpoints.changes.services.moves import announce, moved_on, tell_ledger
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason
from endpoints.changes.services.steps import hold_here, resume
from endpoints.core.errors import Conflict


@transaction.atomic
def hold_change(*, principal: Principal, change_id: int, reason: str) -> None:
    """No further than this. A call that is on its way is finished first; then the change is held."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.START)
    words = clean_reason(reason)
    if State(change.state) not in EXECUTING or change.kind == Kind.ROLLBACK:
        raise moved_on(change)
    add_note(change=change, author_id=person_id(principal), kind="hold", text=words)
    if change.state in (State.BAKING, State.HELD):
        hold_here(change, hold=Hold.PERSON, reason=HELD_BY_PERSON, actor=principal.actor)
        return
    Change.objects.filter(pk=change.pk).update(hold_wanted=True)
    announce(change)
    tell_ledger(change, principal.actor, "change.hold.wanted", personal={"reason": words})


HELD_BY_PERSON = "Somebody holds it here."


@transaction.atomic
def resume_change(*, principal: Principal, change_id: int) -> None:
    """On again: the bake goes on, or the step that was not ordered yet is looked at anew."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.START)
    if change.hold_wanted and change.state in (State.APPLYING, State.VERIFYING):
        Change.objects.filter(pk=change.pk).update(hold_wanted=False)
        announce(change)
        tell_ledger(change, principal.actor, "change.hold.taken_back")
        return
    if change.state != State.HELD:
        raise moved_on(change)
    if change.hold == Hold.CLICK:
        raise Conflict("The plan wants a click here: advance it instead. Nothing was stored.")
    resume(change, actor=principal.actor)
