"""Advance a change to its next step before the portal would: allowed once every gate passes, or past an override."""

from __future__ import annotations

from django.db import transaction

from endpoints.access.policies import Action, Principal
from endpoints.changes.lifecycle import IN_FORCE, Hold, State
from endpoints.changes.models import Change, ChangeRevision, GateOverride
from endpoints.changes.plan import steps_from_json
from endpoints.changes.selectors.scream import screams_at
from endpoints.changes.services.guards import current_revision, lock_both, permit
from endpoints.changes.services.moves import announce, moved_on, tell_ledger
from endpoints.changes.services.people import person_id
from endpoints.changes.services.revise import add_note, clean_reason
from endpoints.changes.services.steps import step_over
from endpoints.changes.terms import terms_from_json
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid
from endpoints.dispatch import db_now

NOT_ADVANCED = "The change was not advanced."


@transaction.atomic
def advance_change(*, principal: Principal, change_id: int, seen_step: int) -> None:
    """To the step after `seen_step`, or to the end; Conflict when another step is in force by now, or a gate is not."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.START)
    _at_step(change, seen_step)
    revision = current_revision(change)
    _gates_pass(change, revision)
    _screamed(change, revision)
    step_over(change, actor=principal.actor, reason="advanced by a person")


def _at_step(change: Change, seen_step: int) -> None:
    if State(change.state) not in IN_FORCE or change.confirmed_at is None:
        raise moved_on(change)
    if change.step != seen_step:
        raise Conflict(
            f"Step {change.step + 1} is in force by now; you saw step {seen_step + 1}. {NOT_ADVANCED}"
        )


def _gates_pass(change: Change, revision: ChangeRevision) -> None:
    if not terms_from_json(revision.terms).gates:
        return
    if change.gate_outcome != Outcome.PASS:
        why = change.gate_reason or "No gate was measured yet."
        raise Conflict(f"The gates do not pass: {why} Override them by name, or wait. {NOT_ADVANCED}")


def _screamed(change: Change, revision: ChangeRevision) -> None:
    """What is deleted has been without traffic for all of the time that was approved; nobody cuts that short."""
    steps = steps_from_json(revision.plan)
    left = steps[change.step].bake - change.baked if screams_at(steps, change.step) else 0
    if left > 0:
        raise Conflict(
            f"The scream test lasts another {left:,.0f}\u00a0s before anything is deleted. {NOT_ADVANCED}"
        )


@transaction.atomic
def override_gate(*, principal: Principal, change_id: int, seen_step: int, gate: str, reason: str) -> None:
    """A gate shall not hold this change any more, on a person's word. It goes on being measured and shown."""
    _, change = lock_both(change_id, principal)
    permit(change, principal, Action.OVERRIDE_GATE)
    _at_step(change, seen_step)
    words = clean_reason(reason)
    names = {spec.name for spec in terms_from_json(current_revision(change).terms).gates}
    if gate not in names:
        raise Invalid({"gate": [f"{gate or 'Nothing'} is no gate of this change. Nothing was overridden."]})
    by = person_id(principal)
    GateOverride.objects.create(
        change=change, step=change.step, gate=gate, by_id=by, reason=words, at=db_now()
    )
    add_note(change=change, author_id=by, kind="override", text=words)
    # Measured at once: what was overridden must not roll the change back meanwhile.
    Change.objects.filter(pk=change.pk).update(measured_at=None, gate_harm="")
    announce(change)
    tell_ledger(
        change,
        principal.actor,
        "gate.overridden",
        after={"gate": gate, "step": change.step, "hold": Hold(change.hold).value if change.hold else ""},
        personal={"reason": words},
    )
