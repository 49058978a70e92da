"""Holding, resuming, advancing, overriding and the portal's own rollback, on rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from endpoints.access.policies import Principal
from endpoints.changes import services
from endpoints.changes.draft import Draft, DraftStep, walk
from endpoints.changes.executor import jobs, outcomes
from endpoints.changes.executor.jobs import Fenced
from endpoints.changes.executor.lease import Held, acquire
from endpoints.changes.gatespec import gate
from endpoints.changes.lifecycle import Hold, Kind, State
from endpoints.changes.models import Change, GateOverride, Measurement
from endpoints.changes.selectors import change_detail, rollback_offer
from endpoints.changes.terms import OnFailure, Terms
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.dispatch import db_now
from tests.changes.desk import ALL_BLUE, ALL_GREEN, Desk, history, ledger
from tests.support.people import principal

ME = "host-1-a"
ERRORS = gate("errors")


def staged(**terms: Any) -> Draft:
    """Green at 5 %, then at everything, ten minutes each."""
    return walk(ALL_BLUE, "green", [(5, 600, False), (100, 600, False)], Terms(**terms))


def job_of(desk: Desk) -> jobs.Job:
    held = acquire(desk.endpoint_id, ME)
    assert isinstance(held, Held)
    job = jobs.load_job(desk.endpoint_id, ME, held.epoch)
    assert job is not None
    return job


def in_force(desk: Desk, draft: Draft | None = None) -> int:
    """A change whose first step was read back twice and bakes."""
    number = desk.start(desk.approve(desk.request(split=None, draft=draft or staged(gates=(ERRORS,)))))
    outcomes.accept_unanswered(job_of(desk), "Azure shows it.")
    outcomes.confirm(job_of(desk), "azure-1")
    outcomes.step_done(job_of(desk))
    assert desk.state(number) == State.BAKING
    return number


def operator(desk: Desk) -> Principal:
    return principal(desk.operator)


def hold(desk: Desk, number: int, by: Principal | None = None) -> None:
    services.hold_change(principal=by or operator(desk), change_id=number, reason="I want to look")


def pass_gates(number: int, outcome: Outcome = Outcome.PASS) -> None:
    Change.objects.filter(pk=number).update(
        gate_outcome=outcome, gate_reason="as measured", measured_at=db_now()
    )


def test_step_in_force__with_a_bake__bakes_from_nothing(desk: Desk) -> None:
    change = desk.change(in_force(desk))
    assert (change.baked, change.hold, change.gate_outcome) == (0.0, "", "")
    assert change.confirmed_at is not None
    assert history(change.pk)[-3:] == ["applying", "verifying", "baking"]


def test_bake__told_twice__adds_up(desk: Desk) -> None:
    number = in_force(desk)
    outcomes.baked(job_of(desk), 15.0)
    outcomes.baked(job_of(desk), 14.5)
    assert desk.change(number).baked == 29.5


def test_step_over__from_the_first__orders_the_second_and_begins_anew(desk: Desk) -> None:
    number = in_force(desk)
    outcomes.baked(job_of(desk), 600.0)
    pass_gates(number)
    outcomes.stepped_over(job_of(desk))
    change = desk.change(number)
    assert (change.state, change.step, change.baked, change.gate_outcome) == ("applying", 1, 0.0, "")
    assert change.confirmed_at is None
    assert job_of(desk).facts.target.live == ALL_GREEN


def test_step_over__from_the_last__ends_the_change_and_says_how_long_the_old_one_is_kept(desk: Desk) -> None:
    number = in_force(desk, walk(ALL_BLUE, "green", [(100, 60, False)], Terms(warm=48)))
    outcomes.stepped_over(job_of(desk))
    change = desk.change(number)
    assert change.state == "succeeded"
    assert change.warm_until is not None
    assert change.ended_at is not None
    assert change.warm_until - change.ended_at < timedelta(hours=48, seconds=1)


def test_hold__while_it_bakes__stays_until_it_is_resumed(desk: Desk) -> None:
    number = in_force(desk)
    hold(desk, number)
    assert (desk.state(number), desk.change(number).hold) == ("held", Hold.PERSON)
    services.resume_change(principal=operator(desk), change_id=number)
    change = desk.change(number)
    assert (change.state, change.hold, change.held_at) == ("baking", "", None)
    assert change.held_seconds > 0
    assert ledger(number)[-2:] == ["change.held", "change.baking"]


def test_hold__before_the_call__is_a_wish_that_can_be_taken_back(desk: Desk) -> None:
    number = desk.started()
    hold(desk, number)
    assert desk.state(number) == "applying"
    assert job_of(desk).facts.hold_wanted
    services.resume_change(principal=operator(desk), change_id=number)
    assert not job_of(desk).facts.hold_wanted


def test_held_before_its_step__resumed__is_looked_at_anew(desk: Desk) -> None:
    number = desk.started()
    outcomes.held(job_of(desk), Hold.STOP, "The line is stopped.")
    assert desk.change(number).attention == "The line is stopped."
    services.resume_change(principal=operator(desk), change_id=number)
    assert (desk.state(number), desk.change(number).attention) == ("applying", "")


def test_hold__of_a_rollback_or_of_what_ended__is_refused(desk: Desk) -> None:
    number = in_force(desk)
    receipt = desk.roll_back()
    for one in (number, receipt.change_id):
        with pytest.raises(Conflict):
            hold(desk, one)


def test_hold__by_somebody_without_the_role__is_refused(desk: Desk) -> None:
    number = in_force(desk)
    with pytest.raises(Refused):
        hold(desk, number, principal(desk.requester))
    assert desk.state(number) == "baking"


def test_held_for_a_click__resumed__must_be_advanced_instead(desk: Desk) -> None:
    number = in_force(desk)
    outcomes.held(job_of(desk), Hold.CLICK, "")
    assert desk.change(number).attention == ""
    with pytest.raises(Conflict, match="advance it"):
        services.resume_change(principal=operator(desk), change_id=number)


def test_held_seconds__of_two_holds__add_up_and_move_the_end_of_the_plan(desk: Desk) -> None:
    number = in_force(desk, staged(gates=(ERRORS,), longest=7200))
    hold(desk, number)
    Change.objects.filter(pk=number).update(held_at=db_now() - timedelta(seconds=100))
    services.resume_change(principal=operator(desk), change_id=number)
    job, change = job_of(desk), desk.change(number)
    assert 100 <= change.held_seconds < 110
    assert change.started_at is not None
    assert job.facts.bake.overtime_at == change.started_at + timedelta(seconds=7200 + change.held_seconds)


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.FAIL])
def test_advance__gates_that_do_not_pass__is_refused_with_their_reason(desk: Desk, outcome: Outcome) -> None:
    number = in_force(desk)
    pass_gates(number, outcome)
    with pytest.raises(Conflict, match="as measured"):
        services.advance_change(principal=operator(desk), change_id=number, seen_step=0)
    assert desk.change(number).step == 0


def test_advance__gates_never_measured__is_refused(desk: Desk) -> None:
    number = in_force(desk)
    with pytest.raises(Conflict, match="No gate was measured"):
        services.advance_change(principal=operator(desk), change_id=number, seen_step=0)


def test_advance__gates_pass__goes_on_before_the_bake_is_over(desk: Desk) -> None:
    number = in_force(desk)
    pass_gates(number)
    services.advance_change(principal=operator(desk), change_id=number, seen_step=0)
    assert (desk.state(number), desk.change(number).step) == ("applying", 1)


def test_advance__another_step_is_in_force_by_now__is_refused(desk: Desk) -> None:
    number = in_force(desk)
    pass_gates(number)
    with pytest.raises(Conflict, match="you saw step 2"):
        services.advance_change(principal=operator(desk), change_id=number, seen_step=1)


def test_advance__held_before_its_step__is_refused(desk: Desk) -> None:
    number = desk.started()
    outcomes.held(job_of(desk), Hold.STOP, "The line is stopped.")
    with pytest.raises(Conflict):
        services.advance_change(principal=operator(desk), change_id=number, seen_step=0)


def test_override__by_an_operator__is_told_and_measured_anew(desk: Desk) -> None:
    number = in_force(desk)
    Change.objects.filter(pk=number).update(gate_harm="5 % failed", measured_at=db_now())
    services.override_gate(
        principal=operator(desk), change_id=number, seen_step=0, gate=ERRORS.name, reason="a known client"
    )
    change = desk.change(number)
    assert (change.gate_harm, change.measured_at) == ("", None)
    assert GateOverride.objects.get().reason == "a known client"
    assert ledger(number)[-1] == "gate.overridden"


def test_override__of_a_gate_that_is_none__or_by_a_reviewer__is_refused(desk: Desk) -> None:
    number = in_force(desk)
    with pytest.raises(Invalid):
        services.override_gate(
            principal=operator(desk), change_id=number, seen_step=0, gate="weather", reason="it rains"
        )
    with pytest.raises(Refused):
        services.override_gate(
            principal=principal(desk.reviewer), change_id=number, seen_step=0, gate=ERRORS.name, reason="x"
        )
    assert not GateOverride.objects.exists()


def test_own_rollback__of_a_harmful_step__goes_to_the_base_in_nobodys_name(desk: Desk) -> None:
    number = in_force(desk)
    desk.azure_shows({"blue": 95, "green": 5})
    outcomes.rolled_back_by_itself(job_of(desk), "Errors: 5.1 % failed")
    change, ordered = desk.change(number), Change.objects.get(reverts=number)
    assert (change.state, ordered.kind, ordered.state) == ("superseded", Kind.ROLLBACK, "applying")
    assert (ordered.author_id, ordered.cause, ordered.started_by) == (None, "gate", desk.operator)
    job = job_of(desk)
    assert (job.change_id, job.facts.target.live) == (ordered.pk, ALL_BLUE)
    assert ledger(number)[-1] == "change.superseded"


def test_own_rollback__when_a_person_was_first__does_nothing_more(desk: Desk) -> None:
    in_force(desk)
    desk.azure_shows({"blue": 95, "green": 5})
    job = job_of(desk)
    receipt = desk.roll_back()
    with pytest.raises(Fenced):
        outcomes.rolled_back_by_itself(job, "Errors: 5.1 % failed")
    assert list(Change.objects.filter(kind=Kind.ROLLBACK).values_list("pk", flat=True)) == [receipt.change_id]


def test_rollback_by_a_person__after_the_portals_own__is_the_same_one(desk: Desk) -> None:
    in_force(desk)
    desk.azure_shows({"blue": 95, "green": 5})
    outcomes.rolled_back_by_itself(job_of(desk), "Errors: 5.1 % failed")
    receipt = desk.roll_back()
    assert not receipt.created
    assert Change.objects.filter(kind=Kind.ROLLBACK).count() == 1


def test_scale_first__on_a_rollback__comes_before_the_split_and_may_be_skipped(desk: Desk) -> None:
    in_force(desk)
    desk.azure_shows({"blue": 95, "green": 5})
    receipt = desk.roll_back(scale_first={"blue": 6})
    job = job_of(desk)
    assert job.facts.capacity is not None
    assert (job.facts.capacity.deployment, job.facts.capacity.instances) == ("blue", 6)
    assert job.target_arm_id.endswith("/deployments/blue")
    outcomes.step_skipped(job, "Azure failed to scale blue: OutOfQuota")
    job = job_of(desk)
    assert (job.facts.capacity, job.facts.target.live) == (None, ALL_BLUE)
    assert "OutOfQuota" in history_reasons(receipt.change_id)


def history_reasons(number: int) -> str:
    return " ".join(Change.objects.get(pk=number).transitions.values_list("reason", flat=True))


@pytest.mark.parametrize("count", [0, -1, 51])
def test_scale_first__absurd_number__is_refused_and_nothing_done(desk: Desk, count: int) -> None:
    in_force(desk)
    with pytest.raises(Invalid):
        desk.roll_back(scale_first={"blue": count})
    assert not Change.objects.filter(kind=Kind.ROLLBACK).exists()


def test_rollback__of_a_change_that_is_held__needs_nobodys_leave(desk: Desk) -> None:
    number = in_force(desk)
    hold(desk, number)
    desk.azure_shows({"blue": 95, "green": 5})
    offer = rollback_offer(operator(desk), desk.endpoint_id, desk.workspace.pk)
    assert offer.active == number
    assert desk.roll_back().created


def test_plan__mistakes__are_all_named_and_nothing_is_stored(desk: Desk) -> None:
    draft = Draft(
        (DraftStep({"blue": 95, "green": 4}), DraftStep({"green": 100}, bake=-1), DraftStep({"green": 100})),
        Terms(gates=(ERRORS, ERRORS), watch=-5, longest=10, on_failure=OnFailure.HOLD),
    )
    with pytest.raises(Invalid) as caught:
        desk.request(split=None, draft=draft)
    told = " ".join(text for texts in caught.value.fields.values() for text in texts)
    for part in ("99 %", "Step 2 bakes", "Step 3 orders the split in force", "Two gates", "watch"):
        assert part in told, (part, told)
    assert not Change.objects.exists()


def test_approval__of_another_bake_or_gate__is_void(desk: Desk) -> None:
    number = desk.request(split=None, draft=staged(gates=(ERRORS,)))
    seen = desk.hash(number)
    services.edit_change(
        principal=principal(desk.requester),
        change_id=number,
        seen_hash=seen,
        draft=staged(gates=(gate("errors", limit=0.5),)),
        reason="a laxer gate",
    )
    assert desk.hash(number) != seen
    with pytest.raises(Conflict):
        desk.approve(number, seen_hash=seen)


def test_rollout__as_pages_see_it__tells_bake_hold_and_gates(desk: Desk) -> None:
    number = in_force(desk)
    now = db_now()
    Measurement.objects.create(
        change_id=number,
        step=0,
        gate=ERRORS.name,
        outcome=Outcome.INCONCLUSIVE,
        reason="Too few requests.",
        since=now,
        until=now,
        at=now,
    )
    outcomes.baked(job_of(desk), 150.0)
    rollout = change_detail(operator(desk), number).rollout
    assert rollout.bake is not None
    assert (rollout.bake.wanted, rollout.bake.baked, rollout.bake.share) == (600.0, 150.0, 0.25)
    assert rollout.bake.ends_at is not None
    assert [(one.name, one.outcome) for one in rollout.gates] == [(ERRORS.name, Outcome.INCONCLUSIVE)]
    hold(desk, number)
    rollout = change_detail(operator(desk), number).rollout
    assert (rollout.hold, rollout.needs_person) == (Hold.PERSON, True)
