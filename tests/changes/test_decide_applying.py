"""What is done with a change whose call is still to be made."""

from __future__ import annotations

import pytest

from endpoints.changes import decide as d
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import EXECUTING, State
from tests.changes.deciding import (
    BASE,
    CANARY,
    FOREIGN,
    LIMITS,
    at,
    call,
    decide,
    forward,
    rollback,
    shows,
    unreadable,
)

GONE = d.Seen(endpoint=d.SeenEndpoint(False, d.Split({}), "", {}))


def test_forward__nothing_read_yet__reads():
    assert decide(forward()) == d.Read()


def test_forward__base_in_force_and_deployments_ready__puts():
    assert decide(forward(), shows(BASE)) == d.Put()


def test_forward__azure_shows_the_target_already__is_adopted_without_a_call():
    assert isinstance(decide(forward(), shows(CANARY)), d.Accept)


def test_forward__azure_shows_what_nobody_here_ordered__is_drift_with_what_was_found():
    assert decide(forward(), shows(FOREIGN)) == d.Drift(FOREIGN)


def test_forward__only_the_mirror_moved__is_drift():
    found = d.Split.of({"blue": 100}, {"green": 20})
    assert decide(forward(), shows(found)) == d.Drift(found)


def test_forward__names_differ_in_case_and_zeros__is_the_same_split():
    assert decide(forward(), shows(d.Split.of({"Blue": 100, "GREEN": 0}))) == d.Put()


@pytest.mark.parametrize("state", ["Failed", "Canceled", "Deleting"])
def test_forward__gaining_deployment_can_not_serve__fails(state):
    action = decide(forward(), shows(BASE, deployments={"blue": "Succeeded", "green": state}))
    assert action == d.Fail(f"green is {state}; no traffic was sent to it.")


@pytest.mark.parametrize("state", ["Updating", "Scaling", "Creating", "Unknown"])
def test_forward__gaining_deployment_is_not_succeeded_yet__waits(state):
    action = decide(forward(), shows(BASE, deployments={"blue": "Succeeded", "green": state}))
    assert action == d.Wait(at(4), f"green is {state}.")


def test_forward__losing_deployment_failed__puts():
    assert decide(forward(), shows(BASE, deployments={"blue": "Failed", "green": "Succeeded"})) == d.Put()


def test_forward__target_deployment_is_gone__fails():
    action = decide(forward(), shows(BASE, deployments={"blue": "Succeeded"}))
    assert action == d.Fail("green no longer exists in Azure.")


def test_forward__target_deployment_missing_from_a_list_with_holes__waits_for_a_person():
    action = decide(forward(), shows(BASE, deployments={"blue": "Succeeded"}, complete=False))
    assert isinstance(action, d.Wait)
    assert "green" in action.attention


def test_forward__drift_and_missing_deployment__drift_speaks_first():
    assert decide(forward(), shows(FOREIGN, deployments={})) == d.Drift(FOREIGN)


@pytest.mark.parametrize("facts", [forward(), rollback()])
def test_any__endpoint_deleted__fails_and_creates_nothing(facts):
    assert decide(facts, GONE) == d.Fail("The endpoint was deleted in Azure; nothing was created again.")
    assert decide(facts, shows(BASE, "Deleting")) == decide(facts, GONE)


@pytest.mark.parametrize("facts", [forward(), rollback()])
@pytest.mark.parametrize("state", ["Updating", "Creating", "Accepted", "Unknown", ""])
def test_any__azure_busy__waits_with_the_reason(facts, state):
    action = decide(facts, shows(BASE if facts.before else CANARY, state))
    assert action == d.Wait(at(4), f"Azure is busy with this endpoint ({state}).")


def test_any__throttled_with_a_time__waits_until_then():
    action = decide(forward(), unreadable(d.Trouble.THROTTLED, "slow down", at(31)))
    assert action == d.Wait(at(31), "slow down")


@pytest.mark.parametrize("trouble", [d.Trouble.UNREACHABLE, d.Trouble.SERVER, d.Trouble.THROTTLED])
def test_any__read_failed_for_now__waits_without_alarm(trouble):
    assert decide(forward(), unreadable(trouble)) == d.Wait(at(4), "no")


@pytest.mark.parametrize("trouble", [d.Trouble.FORBIDDEN, d.Trouble.UNAUTHENTICATED, d.Trouble.MALFORMED])
def test_any__read_refused__asks_for_a_person(trouble):
    assert decide(forward(), unreadable(trouble)) == d.Wait(at(16), "no", attention="no")


def test_any__refused_call__waits_for_its_time_with_what_azure_said():
    last = call(0, AttemptOutcome.REFUSED, retry_at=at(3), refusal="409: busy")
    assert decide(forward(last=last), shows(BASE)) == d.Wait(at(3), "409: busy")


def test_any__refused_for_lack_of_rights__keeps_asking_for_a_person():
    last = call(0, AttemptOutcome.REFUSED, retry_at=at(3), refusal="403", needs_person=True)
    assert decide(forward(last=last), shows(BASE)) == d.Wait(at(3), "403", attention="403")


def test_any__refused_call_whose_time_has_come__is_made_again():
    last = call(0, AttemptOutcome.REFUSED, retry_at=at(3))
    assert decide(forward(last=last), shows(BASE), 3) == d.Put()


@pytest.mark.parametrize("outcome", [None, AttemptOutcome.UNKNOWN])
def test_forward__call_without_an_answer__waits_out_its_bound_then_calls_again(outcome):
    facts = forward(last=call(0, outcome))
    waiting = d.Wait(at(30), "A call without an answer may still take effect.")
    assert decide(facts, shows(BASE), 29) == waiting
    assert decide(facts, shows(BASE), 30) == d.Put()


@pytest.mark.parametrize("outcome", [None, AttemptOutcome.UNKNOWN])
def test_forward__call_without_an_answer_took_effect__is_adopted_at_once(outcome):
    assert isinstance(decide(forward(last=call(0, outcome)), shows(CANARY)), d.Accept)


def test_forward__call_taken_but_its_move_was_lost__is_followed_and_not_repeated():
    assert isinstance(decide(forward(last=call(0)), shows(BASE)), d.Accept)


def test_forward__rival_call_may_still_land__waits_for_its_bound():
    facts = forward(rival_sent_at=at(-10))
    assert decide(facts, shows(BASE)) == d.Wait(at(20), "A call without an answer may still take effect.")
    assert decide(facts, shows(BASE), 20) == d.Put()


def test_rollback__something_else_in_force__puts_whatever_the_deployments_are():
    assert decide(rollback(), shows(FOREIGN, deployments={})) == d.Put()
    assert decide(rollback(), shows(CANARY, "Failed", deployments={"blue": "Failed"})) == d.Put()


def test_rollback__own_call_without_an_answer__is_repeated_because_it_orders_the_same():
    assert decide(rollback(last=call(0, AttemptOutcome.UNKNOWN)), shows(CANARY)) == d.Put()


def test_rollback__rival_call_may_still_land__is_not_done_by_looking_early():
    facts = rollback(rival_sent_at=at(0))
    assert decide(facts, shows(BASE)) == d.Wait(at(30), "A call without an answer may still take effect.")
    assert isinstance(decide(facts, shows(BASE), 30), d.Accept)
    assert decide(facts, shows(CANARY), 30) == d.Put()


def test_wait__goes_on_for_too_long__asks_for_a_person():
    action = decide(forward(), shows(BASE, "Updating"), LIMITS.attention_after)
    assert isinstance(action, d.Wait)
    assert not action.attention
    action = decide(forward(), shows(BASE, "Updating"), LIMITS.attention_after + 1)
    assert isinstance(action, d.Wait)
    assert action.attention == f"No end in sight: {action.reason}"


def test_wait__of_a_rollback__asks_for_a_person_sooner():
    action = decide(rollback(), shows(CANARY, "Updating"), LIMITS.rollback_attention_after + 1)
    assert isinstance(action, d.Wait)
    assert action.attention


@pytest.mark.parametrize("state", sorted(set(State) - EXECUTING))
def test_decide__asked_about_a_state_in_which_nothing_is_executed__refuses(state):
    with pytest.raises(ValueError, match=state):
        decide(forward(state))
