"""What is done with a step that orders something beside the split: instances, autoscale, a delete."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.changes import decide as d
from endpoints.changes.besides import OVERWRITES
from endpoints.changes.decide import AttemptOutcome
from endpoints.changes.lifecycle import Hold, Kind, State
from tests.changes.capacities import SETTING, document
from tests.changes.deciding import BASE, CANARY, FOREIGN, LIMITS, at, call, decide, shows

GONE = d.Seen(endpoint=d.SeenEndpoint(False, d.Split({}), "", {}))
NOTHING = d.Split({})
ALONE = {"blue": "Succeeded"}
SCALED = d.Capacity("blue", 4)
SETS = d.Autoscale("blue", SETTING, document(3), document(4))
TAKES_AWAY = d.Autoscale("blue", SETTING, None, document(4))
MADE_BEFORE = {"green": at(-900)}


def ordered(state: State = State.APPLYING, **more: Any) -> d.Facts:
    """A step of a capacity change under BASE, begun at T0, of a plan that was written 10 minutes before."""
    usual = {"kind": Kind.CAPACITY, "state": state, "target": BASE, "before": BASE, "step_since": at(0)}
    return d.Facts(**usual | {"planned_at": at(-600)} | more)


def delete(state: State = State.APPLYING, **more: Any) -> d.Facts:
    return ordered(state, **{"deletes": "green"} | more)


def delete_endpoint(state: State = State.APPLYING, **more: Any) -> d.Facts:
    return ordered(state, **{"deletes_endpoint": True, "target": NOTHING, "before": NOTHING} | more)


def back(state: State = State.APPLYING, **more: Any) -> d.Facts:
    """A rollback's step to what was under BASE; it is for that."""
    usual = {"kind": Kind.ROLLBACK, "state": state, "target": BASE, "before": None, "step_since": at(0)}
    return d.Facts(**usual | {"essential": True} | more)


def has(count: int | None, split: d.Split = BASE, blue: str = "Succeeded") -> d.Seen:
    states = {"blue": blue, "green": "Succeeded"}
    return shows(split, deployments=states, instances={"blue": count, "green": 2})


def setting(found: Any, split: d.Split = BASE) -> d.Seen:
    return d.Seen(shows(split).endpoint, None, d.SeenSetting(found))


def listed(state: str = "Succeeded", split: d.Split = BASE, **more: Any) -> d.Seen:
    """Azure with green in its list, made before the plan was written."""
    return shows(split, deployments={"blue": "Succeeded", "green": state}, **{"created": MADE_BEFORE} | more)


# A delete is sent.


def test_delete__at_rest_without_traffic_on_a_whole_list__is_sent() -> None:
    assert decide(delete(), listed()) == d.Put()


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_delete__of_what_failed__is_sent(state: str) -> None:
    assert decide(delete(), listed(state)) == d.Put()


@pytest.mark.parametrize("state", ["Updating", "Creating", "Scaling", "Deleting", ""])
def test_delete__while_azure_works_on_it__waits(state: str) -> None:
    assert decide(delete(), listed(state)) == d.Wait(at(4), f"green is {state}.")


def test_delete__of_what_azure_does_not_say_when_it_was_made__is_sent() -> None:
    assert decide(delete(), listed(created={"green": None})) == d.Put()


def test_delete__made_anew_since_the_plan_was_written__is_not_sent() -> None:
    action = decide(delete(), listed(created={"green": at(-1)}))
    assert action == d.Fail("green was made anew after this was asked for; it was not deleted.")


def test_delete__list_with_holes__waits_for_a_person_although_green_is_in_it() -> None:
    action = decide(delete(), listed(complete=False))
    assert isinstance(action, d.Wait)
    assert "green is gone is not known" in action.attention


def test_delete__list_with_holes_without_it__is_not_taken_for_deleted() -> None:
    action = decide(delete(), shows(BASE, deployments=ALONE, complete=False))
    assert isinstance(action, d.Wait)
    assert "green" in action.attention


def test_delete__traffic_is_on_it_again__is_drift() -> None:
    assert decide(delete(), listed(split=CANARY)) == d.Drift(CANARY)


def test_delete__plan_that_leaves_it_traffic__is_not_sent() -> None:
    action = decide(delete(target=CANARY, before=CANARY), listed(split=CANARY))
    assert action == d.Fail("green gets 10\u00a0% of the traffic again; nothing was deleted.")


def test_delete__plan_that_leaves_it_mirrored_traffic__is_not_sent() -> None:
    mirrored = d.Split.of({"blue": 100}, {"green": 20})
    action = decide(delete(target=mirrored, before=mirrored), listed(split=mirrored))
    assert action == d.Fail("green gets 20\u00a0% of the traffic again; nothing was deleted.")


def test_delete__gone_already__is_taken_for_done_without_a_call() -> None:
    action = decide(delete(), shows(BASE, deployments=ALONE))
    assert action == d.Accept("Azure shows it deleted already.")


def test_delete__call_without_an_answer__waits_out_its_bound_then_calls_again() -> None:
    facts = delete(last=call(0, AttemptOutcome.UNKNOWN))
    assert isinstance(decide(facts, listed(), 29), d.Wait)
    assert decide(facts, listed(), 30) == d.Put()


def test_delete__held_by_a_request_heard_in_the_scream_test__is_not_sent() -> None:
    facts = delete(blocked=d.Blocked(Hold.CHECK, "3 requests for green"))
    assert decide(facts, listed()) == d.HoldHere(Hold.CHECK, "3 requests for green")


# A delete is followed.


def verifying(**more: Any) -> d.Facts:
    return delete(State.VERIFYING, **{"last": call(0, operation_ended_at=at(1))} | more)


def test_deleted__missing_from_a_whole_list__is_confirmed_and_then_done() -> None:
    assert decide(verifying(), shows(BASE, deployments=ALONE), 2) == d.Confirm()
    facts = verifying(confirmed_at=at(2))
    assert decide(facts, shows(BASE, deployments=ALONE), 7) == d.StepDone()


def test_deleted__missing_from_a_list_with_holes__is_not_confirmed() -> None:
    action = decide(verifying(), shows(BASE, deployments=ALONE, complete=False), 2)
    assert isinstance(action, (d.Wait, d.Again))


def test_deleted__azure_still_deletes_it__waits() -> None:
    assert decide(verifying(), listed("Deleting"), 100) == d.Wait(at(103), "green is Deleting.")


def test_deleted__azure_failed_to__fails_with_its_words() -> None:
    facts = verifying(last=call(0, operation_ended_at=at(1), operation_failure="Locked"))
    assert decide(facts, listed(), 2) == d.Fail("Azure failed to apply it: Locked")


def test_deleted__still_stands_after_azures_success__is_ordered_again() -> None:
    assert isinstance(decide(verifying(), listed(), 2), d.Wait)
    assert decide(verifying(), listed(), 40) == d.Again("Azure reported success, but green still stands.")


def test_deleted__listed_again_after_one_reading__is_given_time_and_then_fails() -> None:
    facts = verifying(confirmed_at=at(2))
    waits = decide(facts, listed(), 8)
    assert isinstance(waits, d.Wait)
    assert "lists it again" in waits.reason
    action = decide(facts, listed(), 2 + LIMITS.second_read + LIMITS.settle)
    assert action == d.Fail("Azure showed green deleted, and lists it again. Nothing more was deleted.")


def test_deleted__made_anew_after_one_reading__fails_and_says_so() -> None:
    action = decide(verifying(confirmed_at=at(2)), listed(created={"green": at(5)}), 8)
    assert action == d.Fail("green was deleted, and somebody made it anew.")


def test_deleted__second_list_has_holes__waits_for_a_person() -> None:
    action = decide(verifying(confirmed_at=at(2)), shows(BASE, deployments=ALONE, complete=False), 8)
    assert isinstance(action, d.Wait)
    assert action.attention


def test_deleted__split_moved_meanwhile__is_drift() -> None:
    seen = shows(FOREIGN, deployments=ALONE)
    assert decide(verifying(), seen, 2) == d.Drift(FOREIGN)


# An endpoint goes.


def test_delete_endpoint__all_at_rest_without_traffic__is_sent() -> None:
    assert decide(delete_endpoint(), shows(NOTHING)) == d.Put()


def test_delete_endpoint__has_traffic_again__is_drift() -> None:
    assert decide(delete_endpoint(), shows(BASE)) == d.Drift(BASE)


def test_delete_endpoint__plan_that_leaves_it_traffic__is_not_sent() -> None:
    action = decide(delete_endpoint(before=BASE), shows(BASE))
    assert action == d.Fail("blue gets 100\u00a0% of the traffic again; nothing was deleted.")


def test_delete_endpoint__list_with_holes__waits_for_a_person() -> None:
    action = decide(delete_endpoint(), shows(NOTHING, complete=False))
    assert isinstance(action, d.Wait)
    assert "what stands there is not known" in action.attention


def test_delete_endpoint__a_deployment_is_at_work__waits() -> None:
    seen = shows(NOTHING, deployments={"blue": "Succeeded", "green": "Updating"})
    assert decide(delete_endpoint(), seen) == d.Wait(at(4), "green is Updating.")


def test_delete_endpoint__gone__is_taken_for_done_confirmed_and_over() -> None:
    assert decide(delete_endpoint(), GONE) == d.Accept("Azure shows it deleted already.")
    facts = delete_endpoint(State.VERIFYING, last=call(0))
    assert decide(facts, GONE, 2) == d.Confirm()
    facts = delete_endpoint(State.VERIFYING, last=call(0), confirmed_at=at(2))
    assert decide(facts, GONE, 7) == d.StepDone()


def test_delete_endpoint__being_deleted__waits_and_does_not_fail() -> None:
    facts = delete_endpoint(State.VERIFYING, last=call(0))
    action = decide(facts, shows(NOTHING, "Deleting"), 2)
    assert action == d.Wait(at(5), "Azure is busy with this endpoint (Deleting).")


def test_delete_endpoint__stands_again_after_it_was_gone__fails_and_says_so() -> None:
    facts = delete_endpoint(State.VERIFYING, last=call(0), confirmed_at=at(2))
    action = decide(facts, shows(NOTHING), 8)
    assert action == d.Fail("The endpoint was deleted, and somebody made it anew.")


# Autoscale.


def test_autoscale__setting_not_read_yet__is_read_after_the_endpoint() -> None:
    facts = ordered(autoscale=SETS)
    assert decide(facts) == d.Read()
    assert decide(facts, shows(BASE)) == d.ReadSetting()


def test_autoscale__what_stood_still_stands__is_put() -> None:
    assert decide(ordered(autoscale=SETS), setting(document(4))) == d.Put()


@pytest.mark.parametrize("found", [None, document(9)])
def test_autoscale__somebody_changed_it_since__overwrites_nothing(found: Any) -> None:
    action = decide(ordered(autoscale=SETS), setting(found))
    assert isinstance(action, d.Fail)
    assert "Nothing was overwritten" in action.reason


def test_autoscale__stands_as_ordered_already__is_taken_for_done() -> None:
    action = decide(ordered(autoscale=SETS), setting(document(3)))
    assert action == d.Accept("Azure already shows the ordered autoscale setting.")


def test_autoscale__of_a_deployment_that_is_gone__fails() -> None:
    seen = d.Seen(shows(BASE, deployments={"green": "Succeeded"}).endpoint, None, d.SeenSetting(document(4)))
    assert decide(ordered(autoscale=SETS), seen) == d.Fail("blue no longer exists in Azure.")


def test_autoscale__taken_away_from_a_deployment_that_is_gone__is_still_sent() -> None:
    facts = ordered(autoscale=d.Autoscale("green", SETTING, None, document(4)))
    seen = d.Seen(shows(BASE, deployments=ALONE).endpoint, None, d.SeenSetting(document(4)))
    assert decide(facts, seen) == d.Put()


def test_autoscale__setting_may_not_be_read__waits_for_a_person() -> None:
    seen = d.Seen(shows(BASE).endpoint, None, d.ReadFailure(d.Trouble.FORBIDDEN, "no rights"))
    assert decide(ordered(autoscale=SETS), seen) == d.Wait(at(16), "no rights", attention="no rights")


def test_autoscale__in_force_twice__is_done_and_in_between_another_one_fails() -> None:
    facts = ordered(State.VERIFYING, autoscale=SETS, last=call(0))
    assert decide(facts, setting(document(3)), 2) == d.Confirm()
    facts = ordered(State.VERIFYING, autoscale=SETS, last=call(0), confirmed_at=at(2))
    assert decide(facts, setting(document(3)), 7) == d.StepDone()
    action = decide(facts, setting(document(9)), 7)
    assert action == d.Fail("The autoscale setting was in force, and somebody changed it again.")


def test_autoscale__taken_away__is_done_when_there_is_none() -> None:
    facts = ordered(State.VERIFYING, autoscale=TAKES_AWAY, last=call(0), confirmed_at=at(2))
    assert decide(facts, setting(None), 7) == d.StepDone()


def test_autoscale__not_in_force_after_azures_success__is_ordered_again() -> None:
    facts = ordered(State.VERIFYING, autoscale=SETS, last=call(0))
    action = decide(facts, setting(document(4)), 40)
    assert action == d.Again("Azure reported success, but the autoscale setting is another one.")


# Instances.


def test_scale__deployment_at_rest__is_ordered() -> None:
    assert decide(ordered(capacity=SCALED), has(2)) == d.Put()


def test_scale__has_them_already__is_taken_for_done() -> None:
    action = decide(ordered(capacity=SCALED), has(4))
    assert action == d.Accept("Azure already shows the ordered instances.")


@pytest.mark.parametrize("state", ["Failed", "Canceled", "Deleting"])
def test_scale__deployment_can_not_serve__fails(state: str) -> None:
    assert decide(ordered(capacity=SCALED), has(2, blue=state)) == d.Fail(
        f"blue is {state}; it was not scaled."
    )


def test_scale__azure_is_done_and_shows_other_instances__fails_and_names_autoscale() -> None:
    facts = ordered(State.VERIFYING, capacity=SCALED, last=call(0, operation_ended_at=at(1)))
    assert isinstance(decide(facts, has(3), 10), d.Wait)
    action = decide(facts, has(3), 40)
    assert isinstance(action, d.Fail)
    assert "3 instances of blue, not 4" in action.reason


def test_scale__azure_is_done_and_does_not_say_how_many__is_ordered_again() -> None:
    facts = ordered(State.VERIFYING, capacity=SCALED, last=call(0, operation_ended_at=at(1)))
    assert isinstance(decide(facts, has(None), 40), d.Again)


def test_scale__seen_once_and_then_moved_by_autoscale__is_done() -> None:
    facts = ordered(State.VERIFYING, capacity=SCALED, last=call(0), confirmed_at=at(2))
    assert decide(facts, has(5), 7) == d.StepDone()


def test_scale__seen_once_and_then_failed__is_ordered_again() -> None:
    facts = ordered(State.VERIFYING, capacity=SCALED, last=call(0), confirmed_at=at(2))
    assert decide(facts, has(4, blue="Failed"), 7) == d.Again("blue was scaled, and then is Failed.")


def test_scale__refused_by_its_operation__says_so_while_the_next_call_is_not_due() -> None:
    last = call(0, AttemptOutcome.NOT_APPLIED, retry_at=at(9), operation_failure="No quota")
    action = decide(back(capacity=SCALED, last=last), has(2))
    assert action == d.Wait(at(9), "Azure failed to apply it: No quota. The next call is not due yet.")


# Rollbacks.


@pytest.mark.parametrize("facts", [back(deletes="green"), back(deletes_endpoint=True)])
def test_rollback__that_would_delete__never_does(facts: d.Facts) -> None:
    assert decide(facts, listed()) == d.Fail("A rollback deletes nothing.")


def test_rollback__of_autoscale__puts_back_whatever_stands_and_says_what_it_overwrites() -> None:
    puts_back = d.Autoscale("blue", SETTING, document(4), document(3))
    assert decide(back(autoscale=puts_back), setting(document(3))) == d.Put()
    assert decide(back(autoscale=puts_back), setting(document(9))) == d.Put(OVERWRITES)


def test_rollback__of_what_is_beside__does_not_mind_who_moved_the_split() -> None:
    puts_back = d.Autoscale("blue", SETTING, document(4), document(3))
    assert decide(back(autoscale=puts_back), setting(document(3), FOREIGN)) == d.Put()
    facts = back(State.VERIFYING, autoscale=puts_back, last=call(0), confirmed_at=at(2))
    assert decide(facts, setting(document(4), FOREIGN), 7) == d.StepDone()


def test_rollback__of_autoscale__holds_its_ground_until_seen_twice() -> None:
    puts_back = d.Autoscale("blue", SETTING, document(4), document(3))
    facts = back(State.VERIFYING, autoscale=puts_back, last=call(0), confirmed_at=at(2))
    assert isinstance(decide(facts, setting(document(9)), 7), d.Again)


def test_rollback__of_a_scale__waits_for_the_deployment_and_fails_when_it_is_gone() -> None:
    facts = back(capacity=d.Capacity("blue", 2))
    assert decide(facts, has(4)) == d.Put()
    assert decide(facts, has(4, blue="Updating")) == d.Wait(at(4), "blue is Updating.")
    gone = shows(BASE, deployments={"green": "Succeeded"})
    assert decide(facts, gone) == d.Fail("blue no longer exists in Azure; it was not scaled.")


def test_rollback__of_a_scale_on_a_list_with_holes__is_ordered() -> None:
    seen = shows(BASE, deployments={"green": "Succeeded"}, complete=False)
    assert decide(back(capacity=d.Capacity("blue", 2)), seen) == d.Put()


def test_rollback__that_only_scales_first__gives_that_up_when_azure_fails_to() -> None:
    facts = back(
        State.VERIFYING,
        essential=False,
        capacity=SCALED,
        last=call(0, operation_ended_at=at(1), operation_failure="No quota"),
    )
    assert decide(facts, has(2), 2) == d.SkipStep("Azure failed to scale blue: No quota")


def test_rollback__of_a_scale_seen_once_and_then_moved_by_autoscale__is_done() -> None:
    facts = back(State.VERIFYING, capacity=d.Capacity("blue", 2), last=call(0), confirmed_at=at(2))
    assert decide(facts, has(3), 7) == d.StepDone()


def test_rollback__of_a_scale_done_with_other_instances__is_ordered_again_and_does_not_fail() -> None:
    facts = back(State.VERIFYING, capacity=d.Capacity("blue", 2), last=call(0, operation_ended_at=at(1)))
    assert isinstance(decide(facts, has(3), 40), d.Again)


def test_rollback__of_a_scale_seen_once__is_done_although_autoscale_and_somebody_moved_on() -> None:
    facts = back(State.VERIFYING, capacity=d.Capacity("blue", 2), last=call(0), confirmed_at=at(2))
    assert decide(facts, has(3, FOREIGN), 7) == d.StepDone()


# Held after it.


def test_autoscale__in_force_and_held_there__is_watched_without_its_setting() -> None:
    facts = ordered(State.BAKING, autoscale=SETS, confirmed_at=at(0), bake=d.Bake(wanted=60, baked_at=at(0)))
    assert decide(facts, shows(BASE), 5) != d.ReadSetting()
