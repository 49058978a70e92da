"""Azure says no, not now, or nothing at all: each call has one row, and each change ends as it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from endpoints.changes.models import Executor
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes
HALF = {"blue": 50, "green": 50}


def gap(world: Stage) -> float:
    """Seconds between the first two calls, by the emulator's clock."""
    first, second = (datetime.fromisoformat(request["started"]) for request in world.sent()[:2])
    return (second - first).total_seconds()


def outcomes(world: Stage, change_id: int) -> list[tuple[str, int | None]]:
    return [(attempt.outcome, attempt.status) for attempt in world.attempts(change_id)]


def test_change__azure_busy_for_a_while__waits_then_applies(world: Stage) -> None:
    """F16, 60 s scaled to 2."""
    world.fault("status", status=409, code="Conflict", for_seconds=2)
    change_id = world.started(HALF)
    world.executor()
    wait_for("the reason", lambda: "409" in world.change(change_id).waiting_for)
    world.until(change_id, "succeeded")
    found = outcomes(world, change_id)
    assert found[-1] == ("confirmed", 201)
    assert set(found[:-1]) == {("refused", 409)}
    assert world.live() == HALF


def test_rollback__azure_busy_for_a_while__keeps_trying_until_it_gets_through(world: Stage) -> None:
    """F16 on the way back."""
    world.executor()
    world.until(world.started(HALF), "succeeded")
    world.fault("status", status=409, code="Conflict", for_seconds=2)
    rollback_id = world.roll_back({"blue": 100})
    world.until(rollback_id, "succeeded")
    assert world.live() == {"blue": 100}


def test_change__somebody_elses_operation_runs__waits_for_its_end_then_drifts(world: Stage) -> None:
    """F16 without any refusal: Azure shows that it is busy, so nothing is sent."""
    world.executor()
    wait_for("the executor", Executor.objects.exists)
    world.foreign(traffic={"green": 100}, seconds=2)
    change_id = world.started(HALF)
    wait_for("the reason", lambda: "Updating" in world.change(change_id).waiting_for)
    world.until(change_id, "drifted")
    assert world.puts() == 0


def test_change__precondition_failed_once__is_tried_again(world: Stage) -> None:
    """F17."""
    world.fault("status", status=412, code="PreconditionFailed", times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert outcomes(world, change_id) == [("refused", 412), ("confirmed", 201)]


def test_change__precondition_failed_because_somebody_was_faster__is_never_forced(world: Stage) -> None:
    """F17."""
    world.fault("status", status=412, code="PreconditionFailed", times=1)
    change_id = world.started(HALF)
    world.foreign(traffic={"blue": 100}, tags={"team": "others"})
    world.executor(OPSPORTAL_POLL_SCALE="0.5")
    wait_for("the refusal", lambda: outcomes(world, change_id) == [("refused", 412)])
    world.foreign(traffic={"green": 100})
    world.until(change_id, "drifted")
    assert world.puts() == 1
    assert world.live() == {"green": 100}


def test_change__throttled_with_a_time__does_not_call_before_it(world: Stage) -> None:
    """F18."""
    world.fault("status", status=429, code="TooManyRequests", retry_after=1, times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert outcomes(world, change_id)[0] == ("refused", 429)
    assert gap(world) >= 1


def test_rollback__throttled_with_a_time__says_until_when_and_obeys(world: Stage) -> None:
    """F18 on the way back."""
    world.executor()
    world.until(world.started(HALF), "succeeded")
    world.fault("status", status=429, code="TooManyRequests", retry_after=1, times=1)
    rollback_id = world.roll_back({"blue": 100})
    wait_for("the reason", lambda: "429" in world.change(rollback_id).waiting_for)
    world.until(rollback_id, "succeeded")
    assert world.live() == {"blue": 100}


def test_change__server_errors_in_a_row__is_one_row_each_and_then_applied(world: Stage) -> None:
    """F19."""
    for status in (500, 502, 503):
        world.fault("status", status=status, times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert outcomes(world, change_id) == [
        ("unknown", 503),
        ("unknown", 502),
        ("unknown", 500),
        ("confirmed", 201),
    ]
    assert world.puts() == 4


def test_rollback__server_errors_in_a_row__does_not_wait_out_calls_that_order_the_same(world: Stage) -> None:
    """F19 on the way back."""
    world.executor()
    world.until(world.started(HALF), "succeeded")
    world.fault("status", status=503, times=3)
    rollback_id = world.roll_back({"blue": 100})
    world.until(rollback_id, "succeeded")
    assert [outcome for outcome, _ in outcomes(world, rollback_id)] == ["unknown"] * 3 + ["confirmed"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_after"},
        {"kind": "half_open", "apply": True},
        {"kind": "status", "status": 504, "apply": True},
    ],
    ids=lambda fault: fault["kind"],
)
def test_change__applied_but_the_answer_is_lost__is_adopted_without_a_second_call(
    world: Stage, fault: dict[str, Any]
) -> None:
    """F20."""
    world.fault(**fault, times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert world.puts() == 1
    assert [outcome for outcome, _ in outcomes(world, change_id)] == ["adopted"]
    assert world.live() == HALF


@pytest.mark.parametrize("kind", ["reset_before", "half_open"])
def test_change__call_lost_and_nothing_applied__is_sent_again_after_the_bound(
    world: Stage, kind: str
) -> None:
    """F21, F22: the deadline ends a call that hangs."""
    world.fault(kind, times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert [outcome for outcome, _ in outcomes(world, change_id)] == ["unknown", "confirmed"]
    assert world.puts() == 2
    assert gap(world) >= 1.5


@pytest.mark.parametrize("kind", ["half_open", "drip"])
def test_change__readings_hang__goes_on_when_they_do_not_any_more(world: Stage, kind: str) -> None:
    """F22 for reads."""
    world.fault(kind, method="GET", times=2)
    change_id = world.started(HALF)
    world.executor()
    wait_for("the reason", lambda: "did not answer" in world.change(change_id).waiting_for)
    world.until(change_id, "succeeded")
    assert world.puts() == 1


def test_rollback__while_a_call_hangs__is_sent_as_soon_as_that_is_cut(world: Stage) -> None:
    """F22 on the way back: a hung socket costs its deadline and no more."""
    world.fault("half_open", times=1)
    world.started(HALF)
    world.executor()
    wait_for("the call", lambda: world.puts() == 1)
    rollback_id = world.roll_back({"green": 100})
    world.until(rollback_id, "succeeded")
    assert world.live() == {"green": 100}


def test_change__operation_never_ends__asks_for_a_person_and_so_does_its_rollback(world: Stage) -> None:
    """F23."""
    world.fault("stuck_operation", times=1)
    change_id = world.started(HALF)
    world.executor(OPSPORTAL_ATTENTION_AFTER_SECONDS="1")
    wait_for("attention", lambda: "No end in sight" in world.change(change_id).attention)
    rollback_id = world.roll_back({"green": 100})
    wait_for("attention", lambda: "Azure is busy" in world.change(rollback_id).attention)
    assert world.puts() == 1
    assert world.change(rollback_id).state == "applying"


def test_change__operation_fails__fails_with_azures_words(world: Stage) -> None:
    """F24."""
    world.fault("failed_operation", code="QuotaExceeded", message="There is no room.", times=1)
    change_id = world.started(HALF)
    world.executor()
    change = world.until(change_id, "failed")
    assert "QuotaExceeded: There is no room." in change.waiting_for
    assert world.live() == {"blue": 100}


def test_rollback__operation_fails__is_ordered_again(world: Stage) -> None:
    """F24 on the way back."""
    world.executor()
    world.until(world.started(HALF), "succeeded")
    world.fault("failed_operation", code="InternalError", message="Sorry.", times=1)
    rollback_id = world.roll_back({"blue": 100})
    world.until(rollback_id, "succeeded")
    assert [outcome for outcome, _ in outcomes(world, rollback_id)] == ["not_applied", "confirmed"]
    assert world.live() == {"blue": 100}


def test_change__refused_for_good__fails_with_azures_words_and_is_not_tried_again(world: Stage) -> None:
    world.fault("status", status=400, code="BadArgument", message="No such thing.")
    change_id = world.started(HALF)
    world.executor()
    change = world.until(change_id, "failed")
    assert "BadArgument: No such thing." in change.waiting_for
    assert world.puts() == 1


def test_change__token_refused_once__asks_for_another_and_goes_on(world: Stage) -> None:
    """F39."""
    world.fault("status", status=401, code="ExpiredAuthenticationToken", times=1)
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "succeeded")
    assert outcomes(world, change_id) == [("refused", 401), ("confirmed", 201)]
    assert world.change(change_id).attention == ""


@pytest.mark.parametrize("status", [401, 403])
def test_change__refused_for_lack_of_rights__keeps_asking_for_a_person_until_it_is_let_in(
    world: Stage, status: int
) -> None:
    """F39, and what an administrator has to do about it stays on the page."""
    fault = world.fault("status", status=status, code="AuthorizationFailed", message="No rights here.")
    change_id = world.started(HALF)
    world.executor()
    wait_for("attention", lambda: "No rights here" in world.change(change_id).attention)
    wait_for("a second call", lambda: world.puts() >= 2)
    assert "No rights here" in world.change(change_id).attention
    world.azure.admin.clear_faults(fault)
    world.until(change_id, "succeeded")
    assert world.change(change_id).attention == ""
