"""While a step is in force: it bakes, gates are asked, it is held, it goes on, or the traffic goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import Hold, Kind, State
from endpoints.changes.verdict import Outcome
from tests.changes.deciding import BASE, CANARY, FOREIGN, LIMITS, T0, at, decide, forward, rollback, shows

MINUTE = 60.0


def bake(**more: Any) -> d.Bake:
    """Ten minutes, none of which is over, last looked at when it began."""
    return d.Bake(**{"wanted": 600.0, "baked": 0.0, "baked_at": T0} | more)


def gates(outcome: Outcome | None = Outcome.PASS, **more: Any) -> d.Gates:
    """One gate that was asked when the bake began."""
    given = {"count": 1, "outcome": outcome, "reason": "as measured", "measured_at": T0, "until": T0}
    return d.Gates(**given | {"due_at": at(MINUTE)} | more)


def baking(state: State = State.BAKING, **more: Any) -> d.Facts:
    given = {"state": state, "confirmed_at": T0, "bake": more.pop("bake", bake())}
    return forward(**given | more)


def baked(seconds_over: float = 0.0, **more: Any) -> d.Bake:
    """Complete; looked at `seconds_over` after it was. The gates, where given, have seen all of it."""
    return bake(baked=600.0 + seconds_over, baked_at=at(seconds_over), **more)


SEEN_ALL = {"measured_at": at(0.5), "until": at(0.5), "due_at": at(MINUTE)}


def test_baking__nothing_to_do_yet__waits_until_the_next_look() -> None:
    assert decide(baking(), shows(CANARY)) == d.Wait(at(LIMITS.bake_read), "The step is in force and bakes.")


def test_baking__between_two_healthy_looks__counts_the_time_between() -> None:
    assert decide(baking(), shows(CANARY), 15.0) == d.Baked(15.0)


def test_baking__first_look__only_says_when() -> None:
    assert decide(baking(bake=bake(baked_at=None)), shows(CANARY)) == d.Baked(0.0)


@pytest.mark.parametrize("silence", [LIMITS.bake_gap + 0.1, 3600.0, 86_400.0])
def test_baking__after_a_silence__counts_nothing_of_it(silence: float) -> None:
    assert decide(baking(), shows(CANARY), silence) == d.Baked(0.0)


def test_baking__clock_that_went_back__neither_counts_nor_ends_anything() -> None:
    action = decide(baking(), shows(CANARY), -3600.0)
    assert isinstance(action, d.Wait)


@pytest.mark.parametrize("deployment", ["Updating", "Scaling", "Creating"])
def test_baking__deployment_that_azure_works_on__does_not_bake(deployment: str) -> None:
    seen = shows(CANARY, deployments={"blue": "Succeeded", "green": deployment})
    action = decide(baking(), seen, 20.0)
    assert isinstance(action, d.Wait)
    assert f"green is {deployment}" in action.reason


def test_baking__unreadable__waits_and_counts_nothing() -> None:
    seen = d.Seen(endpoint=d.ReadFailure(d.Trouble.UNREACHABLE, "no answer"))
    assert isinstance(decide(baking(), seen, 20.0), d.Wait)


@pytest.mark.parametrize("state", [State.BAKING, State.HELD])
@pytest.mark.parametrize("found", [BASE, FOREIGN])
def test_in_force__split_that_nobody_ordered__drifts(state: State, found: d.Split) -> None:
    held = bake(hold=Hold.CLICK if state is State.HELD else None)
    assert decide(baking(state, bake=held), shows(found)) == d.Drift(found)


def test_held_before_its_step__base_in_force__stays_held() -> None:
    facts = baking(
        State.HELD, confirmed_at=None, bake=bake(hold=Hold.STOP), waiting_for="frozen", attention="frozen"
    )
    action = decide(facts, shows(BASE))
    assert isinstance(action, d.Wait)
    assert (action.reason, action.attention) == ("frozen", "frozen")


def test_held_before_its_step__another_split__drifts() -> None:
    facts = baking(State.HELD, confirmed_at=None, bake=bake(hold=Hold.STOP))
    assert decide(facts, shows(FOREIGN)) == d.Drift(FOREIGN)


def test_baked__no_gates__goes_on() -> None:
    assert decide(baking(bake=baked()), shows(CANARY)) == d.StepOver()


def test_baked__plan_wants_a_click__waits_for_it() -> None:
    assert decide(baking(bake=baked(click=True)), shows(CANARY)) == d.HoldHere(Hold.CLICK, "")


def test_baked__gates_pass_on_the_whole_bake__goes_on() -> None:
    assert decide(baking(bake=baked(gates=gates(**SEEN_ALL))), shows(CANARY)) == d.StepOver()


def test_baked__gates_asked_before_the_end__asks_them_once_more() -> None:
    facts = baking(bake=baked(gates=gates(measured_at=at(-30), until=at(-60), due_at=at(30))))
    assert decide(facts, shows(CANARY)) == d.Measure()


def test_baked__metrics_end_before_the_bake__waits_for_them_and_then_holds() -> None:
    late = gates(measured_at=at(1), until=at(-90), due_at=at(61))
    waiting = decide(baking(bake=baked(1.0, gates=late)), shows(CANARY), 2.0)
    assert isinstance(waiting, d.Wait)
    over = LIMITS.grace + 1
    later = replace(late, measured_at=at(over), due_at=at(over + 60))
    held = decide(baking(bake=baked(over, gates=later)), shows(CANARY), over + 1)
    assert isinstance(held, d.HoldHere)
    assert held.hold is Hold.INCONCLUSIVE


@pytest.mark.parametrize(
    ("outcome", "hold"), [(Outcome.INCONCLUSIVE, Hold.INCONCLUSIVE), (Outcome.ERROR, Hold.ERROR)]
)
def test_baked__gate_that_cant_tell__never_goes_on_by_itself(outcome: Outcome, hold: Hold) -> None:
    over = LIMITS.grace + 1
    asked = gates(outcome, measured_at=at(over), until=at(over), due_at=at(over + 60))
    assert isinstance(decide(baking(bake=baked(gates=gates(outcome, **SEEN_ALL))), shows(CANARY)), d.Wait)
    held = decide(baking(bake=baked(over, gates=asked)), shows(CANARY), over + 1)
    assert held == d.HoldHere(hold, "as measured")


def test_harm__while_it_bakes__rolls_back_at_once() -> None:
    facts = baking(bake=bake(gates=gates(Outcome.FAIL, harm="5.1 % failed")))
    assert decide(facts, shows(CANARY)) == d.RollBack("5.1 % failed")


def test_harm__where_the_plan_says_hold__holds_once() -> None:
    harmed = bake(automatic=False, gates=gates(Outcome.FAIL, harm="5.1 % failed"))
    assert decide(baking(bake=harmed), shows(CANARY)) == d.HoldHere(Hold.FAILED, "5.1 % failed")
    held = replace(harmed, hold=Hold.FAILED)
    assert isinstance(decide(baking(State.HELD, bake=held), shows(CANARY)), d.Wait)


def test_harm__while_the_portal_itself_holds__rolls_back() -> None:
    for hold in (Hold.CLICK, Hold.INCONCLUSIVE, Hold.ERROR, Hold.OVERTIME):
        harmed = bake(hold=hold, gates=gates(Outcome.FAIL, harm="5.1 % failed"))
        assert decide(baking(State.HELD, bake=harmed), shows(CANARY)) == d.RollBack("5.1 % failed")


def test_harm__while_a_person_holds__tells_and_does_not_overrule_them() -> None:
    harmed = bake(hold=Hold.PERSON, gates=gates(Outcome.FAIL, harm="5.1 % failed"))
    action = decide(baking(State.HELD, bake=harmed), shows(CANARY))
    assert isinstance(action, d.Wait)
    assert "5.1 % failed" in action.attention


@pytest.mark.parametrize("state", ["Failed", "Canceled", "Deleting"])
def test_deployment_with_traffic__that_azure_calls_broken__is_harm(state: str) -> None:
    seen = shows(CANARY, deployments={"blue": "Succeeded", "green": state})
    assert decide(baking(), seen) == d.RollBack(f"Azure reports green as {state}.")


def test_deployment_with_traffic__that_is_gone__is_harm_unless_the_list_has_a_hole() -> None:
    assert decide(baking(), shows(CANARY, deployments={"blue": "Succeeded"})) == d.RollBack(
        "green no longer exists in Azure."
    )
    holed = shows(CANARY, deployments={"blue": "Succeeded"}, complete=False)
    assert isinstance(decide(baking(), holed), d.Wait)


def test_hold_wanted__while_it_bakes__holds_for_the_person() -> None:
    assert decide(baking(hold_wanted=True, bake=baked()), shows(CANARY)) == d.HoldHere(Hold.PERSON, "")


def test_hold_wanted__before_the_call__holds_and_sends_nothing() -> None:
    assert decide(forward(hold_wanted=True), shows(BASE)) == d.HoldHere(Hold.PERSON, "")


def test_hold_wanted__while_a_call_is_unanswered__waits_for_it_first() -> None:
    unanswered = d.LastAttempt(sent_at=T0, outcome=d.AttemptOutcome.UNKNOWN)
    assert isinstance(decide(forward(hold_wanted=True, last=unanswered), shows(BASE)), d.Wait)


def test_blocked__before_the_call__holds_with_its_reason() -> None:
    blocked = d.Blocked(Hold.STOP, "The line is stopped.")
    assert decide(forward(blocked=blocked), shows(BASE)) == d.HoldHere(Hold.STOP, "The line is stopped.")


def test_blocked__after_azure_took_it__goes_on_reading() -> None:
    blocked = d.Blocked(Hold.STOP, "The line is stopped.")
    assert isinstance(decide(forward(blocked=blocked), shows(CANARY)), d.Accept)


def test_overtime__while_it_bakes__holds() -> None:
    late = decide(baking(bake=bake(overtime_at=at(-1))), shows(CANARY))
    assert isinstance(late, d.HoldHere)
    assert late.hold is Hold.OVERTIME


def test_overtime__of_a_bake_that_is_complete__does_not_stop_the_next_step() -> None:
    assert decide(baking(bake=baked(overtime_at=at(-1))), shows(CANARY)) == d.StepOver()


@pytest.mark.parametrize("state", [State.BAKING, State.HELD])
def test_gates__due__are_asked_in_every_state_of_force(state: State) -> None:
    due = bake(gates=gates(due_at=at(0)), hold=Hold.CLICK if state is State.HELD else None)
    assert decide(baking(state, bake=due), shows(CANARY)) == d.Measure()


@pytest.mark.parametrize("state", [State.BAKING, State.HELD])
def test_rollback__in_a_state_that_waits__is_a_mistake(state: State) -> None:
    with pytest.raises(ValueError, match="waits for nothing"):
        decide(rollback(state), shows(BASE))


OUTCOMES = st.sampled_from(Outcome)
MOMENTS = st.floats(-4000, 100).map(at)
GATES = st.builds(
    d.Gates,
    st.integers(0, 3),
    st.one_of(st.none(), OUTCOMES),
    st.just("as measured"),
    st.sampled_from(["", "harm"]),
    st.one_of(st.none(), MOMENTS),
    st.one_of(st.none(), MOMENTS),
    st.one_of(st.none(), MOMENTS),
)
BAKES = st.builds(
    d.Bake,
    st.floats(0, 2000),
    st.floats(0, 2500),
    st.one_of(st.none(), MOMENTS),
    st.booleans(),
    GATES,
    st.booleans(),
    st.one_of(st.none(), st.sampled_from(Hold)),
    st.one_of(st.none(), MOMENTS),
)
SIGHTS = st.builds(
    shows,
    st.sampled_from([BASE, CANARY, FOREIGN]),
    st.sampled_from(["Succeeded", "Updating", "Failed", "Deleting"]),
    st.fixed_dictionaries(
        {"blue": st.sampled_from(["Succeeded", "Failed", "Scaling"])},
        optional={"green": st.sampled_from(["Succeeded", "Failed", "Updating"])},
    ),
)


@settings(max_examples=500)
@given(BAKES, SIGHTS, st.sampled_from([State.BAKING, State.HELD]), st.booleans())
def test_going_on__whatever_is_measured__needs_a_complete_bake_and_a_pass(
    some: d.Bake, seen: d.Seen, state: State, wanted: bool
) -> None:
    action = decide(baking(state, bake=some, hold_wanted=wanted), seen, 60.0)
    if not isinstance(action, d.StepOver):
        return
    assert state is State.BAKING
    assert some.baked >= some.wanted
    assert not wanted
    assert not some.click
    assert not some.gates.harm
    assert not some.gates.count or some.gates.outcome is Outcome.PASS
    assert isinstance(seen.endpoint, d.SeenEndpoint)
    assert seen.endpoint.split == CANARY


@settings(max_examples=500)
@given(BAKES, SIGHTS, st.sampled_from([State.BAKING, State.HELD]), st.booleans())
def test_watching__whatever_is_measured__never_calls_azure_and_never_overrules_a_person(
    some: d.Bake, seen: d.Seen, state: State, wanted: bool
) -> None:
    action = decide(baking(state, bake=some, hold_wanted=wanted), seen, 60.0)
    assert not isinstance(action, (d.Put, d.Accept, d.Confirm, d.StepDone, d.Again))
    if isinstance(action, d.RollBack):
        assert some.hold is not Hold.PERSON
        assert some.automatic
    if isinstance(action, d.Wait):
        assert action.until > at(60.0)
        assert action.reason


def capacity_step(state: State, kind: Kind = Kind.TRAFFIC, **more: Any) -> d.Facts:
    """Blue to six instances, the split as it is."""
    before = None if kind is Kind.ROLLBACK else BASE
    given = {"kind": kind, "target": BASE, "before": before, "capacity": d.Capacity("blue", 6)}
    return forward(state, **given | more)


def shows_instances(count: int | None, state: str = "Succeeded") -> d.Seen:
    return shows(BASE, deployments={"blue": state, "green": "Succeeded"}, instances={"blue": count})


def test_scaling__not_there_yet__is_ordered() -> None:
    assert decide(capacity_step(State.APPLYING), shows_instances(3)) == d.Put()


@pytest.mark.parametrize("count", [3, None])
def test_scaling__read_back_without_the_instances__is_not_confirmed(count: int | None) -> None:
    action = decide(capacity_step(State.VERIFYING), shows_instances(count), 60.0)
    assert isinstance(action, d.Again)


def test_scaling__azure_still_at_it__waits() -> None:
    action = decide(capacity_step(State.VERIFYING), shows_instances(6, "Scaling"), 60.0)
    assert isinstance(action, d.Wait)
    assert "blue is Scaling" in action.reason


def test_scaling__read_back__is_confirmed() -> None:
    assert decide(capacity_step(State.VERIFYING), shows_instances(6), 60.0) == d.Confirm()


def test_scaling__of_a_deployment_that_is_gone__fails() -> None:
    seen = shows(BASE, deployments={"green": "Succeeded"})
    assert isinstance(decide(capacity_step(State.APPLYING), seen), d.Fail)


def test_rollback__whose_scaling_fails_or_takes_too_long__goes_on_without_it() -> None:
    failed = d.LastAttempt(
        T0, d.AttemptOutcome.ACCEPTED, operation_ended_at=T0, operation_failure="OutOfQuota"
    )
    for state in (State.APPLYING, State.VERIFYING):
        action = decide(capacity_step(state, Kind.ROLLBACK, last=failed), shows_instances(3))
        assert isinstance(action, d.SkipStep)
        assert "OutOfQuota" in action.reason
        late = decide(capacity_step(state, Kind.ROLLBACK), shows_instances(3), LIMITS.scale_first + 1)
        assert isinstance(late, d.SkipStep)


def test_change__whose_scaling_fails__fails() -> None:
    failed = d.LastAttempt(
        T0, d.AttemptOutcome.ACCEPTED, operation_ended_at=T0, operation_failure="OutOfQuota"
    )
    assert isinstance(decide(capacity_step(State.VERIFYING, last=failed), shows_instances(3)), d.Fail)
