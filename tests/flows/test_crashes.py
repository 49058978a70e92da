"""The executor dies at each named place, in a change and in a rollback; another one finishes what it began."""

from __future__ import annotations

import signal

import pytest

from endpoints.changes.draft import Draft, DraftStep
from endpoints.changes.models import Executor, Lease
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes

# The place, the calls that Azure sees in all, and how the calls are on record.
PLACES = [
    ("before_intent", 1, ["confirmed"]),
    ("after_intent", 1, ["", "confirmed"]),
    ("after_put", 1, ["adopted"]),
    ("during_operation", 1, ["confirmed"]),
    ("before_confirm", 1, ["confirmed"]),
]


def dies_and_is_replaced(world: Stage, place: str) -> None:
    first = world.executor(OPSPORTAL_CRASH=place)
    world.dies(first)
    world.executor()


@pytest.mark.parametrize(("place", "puts", "outcomes"), PLACES)
def test_change__executor_dies__is_finished_by_another_with_one_effect(
    world: Stage, place: str, puts: int, outcomes: list[str]
) -> None:
    """F1, F2, F4, F5."""
    change_id = world.started({"blue": 95, "green": 5})
    dies_and_is_replaced(world, place)
    world.until(change_id, "succeeded")
    assert world.live() == {"blue": 95, "green": 5}
    assert world.puts() == puts
    assert [attempt.outcome for attempt in world.attempts(change_id)] == outcomes


@pytest.mark.parametrize("place", ["after_intent", "after_put", "during_operation"])
def test_rollback__executor_dies__is_finished_by_another(world: Stage, place: str) -> None:
    """F8."""
    change_id = world.started({"blue": 95, "green": 5})
    rollback_id = world.roll_back({"green": 100})
    dies_and_is_replaced(world, place)
    world.until(rollback_id, "succeeded")
    assert world.change(change_id).state == "superseded"
    assert world.live() == {"green": 100}
    assert world.puts() == 1


def test_change__executor_killed_while_its_call_is_unanswered__is_adopted(world: Stage) -> None:
    """F3: the call takes effect although nobody lives to hear it."""
    world.fault("half_open", apply=True, times=1)
    change_id = world.started({"green": 100})
    first = world.executor()
    wait_for("the call", lambda: world.puts() == 1)
    first.kill()
    world.executor()
    world.until(change_id, "succeeded")
    assert world.live() == {"green": 100}
    assert world.puts() == 1
    assert [attempt.outcome for attempt in world.attempts(change_id)] == ["adopted"]


def test_rollback__after_the_executor_was_killed_in_mid_call__waits_for_that_call_and_wins(
    world: Stage,
) -> None:
    """F3 and F8: what is still on the way to Azure must not land after the rollback is done."""
    world.fault("half_open", apply=True, times=1)
    world.started({"green": 100})
    first = world.executor()
    wait_for("the call", lambda: world.puts() == 1)
    first.kill()
    rollback_id = world.roll_back({"blue": 100})
    world.executor()
    world.until(rollback_id, "succeeded")
    assert world.live() == {"blue": 100}


def test_executor__asked_to_stop_in_mid_call__hears_the_answer_and_gives_the_lease_back(world: Stage) -> None:
    world.fault("latency", milliseconds=800, times=1)
    change_id = world.started({"green": 100})
    first = world.executor()
    wait_for("the call", lambda: world.puts() == 1)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert [attempt.outcome for attempt in world.attempts(change_id)] == ["accepted"]
    assert Lease.objects.get(endpoint_id=world.endpoint_id).holder == ""
    world.executor()
    world.until(change_id, "succeeded")
    assert world.puts() == 1


def test_executors__two_with_three_endpoints_and_a_rollback__write_one_at_a_time(world: Stage) -> None:
    world.executor()
    world.executor()
    wait_for("both", lambda: Executor.objects.count() == 2)
    triage = world.started({"main": 100}, name="photo-triage")
    change_id = world.started({"blue": 50, "green": 50})
    wait_for("the call", lambda: world.puts() == 1)
    rollback_id = world.roll_back({"blue": 100})
    world.until(triage, "succeeded")
    world.until(rollback_id, "succeeded")
    assert world.change(change_id).state == "superseded"
    assert world.live() == {"blue": 100}


def test_executor__paused_beyond_its_lease__is_replaced_and_does_no_harm_when_it_runs_on(
    world: Stage,
) -> None:
    """F9, as far as a test can place it: the pause falls between two rounds, not into a call."""
    world.azure.admin.settings(durations={"endpoint_update": 2})
    change_id = world.started({"green": 100})
    first = world.executor()
    world.until(change_id, "verifying")
    first.send_signal(signal.SIGSTOP)
    rollback_id = world.roll_back({"blue": 100})
    world.executor()
    world.until(rollback_id, "succeeded")
    first.send_signal(signal.SIGCONT)
    again = world.started({"blue": 50, "green": 50})
    world.until(again, "succeeded")
    assert world.live() == {"blue": 50, "green": 50}
    assert first.poll() is None


def test_plan__of_two_steps__is_walked_in_its_order_although_the_executor_dies(world: Stage) -> None:
    """I8."""
    draft = Draft((DraftStep({"blue": 90, "green": 10}), DraftStep({"green": 100})))
    change_id = world.started({}, draft=draft)
    dies_and_is_replaced(world, "after_put")
    world.until(change_id, "succeeded")
    ordered = [request["body"]["properties"]["traffic"] for request in world.sent()]
    assert ordered == [{"blue": 90, "green": 10}, {"green": 100}]
