"""The executor dies in a delete or an autoscale setting, or Azure says no: one effect, and a complete record."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launch import Emulator, launch
from endpoints.changes.selectors.kept import kept_files
from tests.flows.capacities import (
    GREEN,
    SETTING,
    autoscale,
    begun,
    calls,
    delete,
    done,
    instances,
    most,
    outcomes,
    roll_back,
    scale,
    screams,
    there,
)
from tests.flows.nursery import Process
from tests.flows.stage import Stage, wait_for
from tests.flows.test_fault_stops import is_stopped

pytestmark = pytest.mark.processes

DELETE_GREEN = {"method": "DELETE", "path": "deployments/green$"}
# The place, and how the calls are on record.
DELETES = [
    ("before_intent", ["confirmed"]),
    ("after_intent", ["", "confirmed"]),
    ("after_put", ["adopted"]),
    ("during_operation", ["confirmed"]),
    ("before_confirm", ["confirmed"]),
]
SETTINGS = [
    ("after_intent", ["", "confirmed"]),
    ("after_put", ["adopted"]),
    ("before_confirm", ["confirmed"]),
]


@pytest.fixture
def running_azure(tmp_path: Path) -> Iterator[Emulator]:
    """One for each test: what is deleted does not come back."""
    with launch(tmp_path / "azure", scenario="small") as azure:
        yield azure


@pytest.mark.parametrize(("place", "records"), DELETES)
def test_delete__executor_dies__is_finished_by_another_with_one_effect(
    world: Stage, place: str, records: list[str]
) -> None:
    """F1, F2, F4, F5. The first executor has the scream test, the second dies in the delete."""
    first = world.executor()
    number = begun(world, delete(scream=2))
    screams(world, number)
    first.terminate()
    first.wait(20)
    world.dies(world.executor(OPSPORTAL_CRASH=place))
    world.executor()
    world.until(number, "succeeded")
    assert not there(world, GREEN)
    assert calls(world, "DELETE") == 1
    assert outcomes(world, number) == [("delete_deployment", outcome) for outcome in records]
    assert [file.name for file in kept_files(number)] == ["green.yml"]


@pytest.mark.parametrize(("place", "records"), SETTINGS)
def test_autoscale__executor_dies__is_finished_by_another_with_one_effect(
    world: Stage, place: str, records: list[str]
) -> None:
    number = begun(world, autoscale(6))
    world.dies(world.executor(OPSPORTAL_CRASH=place))
    world.executor()
    world.until(number, "succeeded")
    assert most(world) == 6
    assert calls(world, "PUT") == 1
    assert outcomes(world, number) == [("put_autoscale", outcome) for outcome in records]


def test_rollback__of_a_scale_whose_executor_died__is_finished_by_another(world: Stage) -> None:
    """F8."""
    first = world.executor()
    back = done(world, scale(2))
    first.kill()
    back = roll_back(world, back)
    world.dies(world.executor(OPSPORTAL_CRASH="after_put"))
    world.executor()
    world.until(back, "succeeded")
    assert instances(world) == 4
    assert calls(world, "PATCH") == 2


def test_delete__executor_killed_while_its_call_is_unanswered__is_adopted(world: Stage) -> None:
    """F3."""
    world.fault("half_open", apply=True, times=1, **DELETE_GREEN)
    number = begun(world, delete())
    first = world.executor()
    wait_for("the call", lambda: calls(world, "DELETE") == 1)
    first.kill()
    world.executor()
    world.until(number, "succeeded")
    assert calls(world, "DELETE") == 1
    assert outcomes(world, number) == [("delete_deployment", "adopted")]


def test_delete__azure_busy_for_a_while__waits_and_then_deletes(world: Stage) -> None:
    """F16."""
    world.fault("status", status=409, code="Conflict", for_seconds=6, **DELETE_GREEN)
    world.executor()
    number = begun(world, delete())
    wait_for("the reason", lambda: "409" in world.change(number).waiting_for)
    world.until(number, "succeeded")
    assert not there(world, GREEN)
    assert {outcome for _, outcome in outcomes(world, number)} == {"refused", "confirmed"}


@pytest.mark.parametrize(
    ("order", "method", "resource"),
    [
        (delete(), "DELETE", "deployments/green$"),
        (autoscale(6), "PUT", "as-checkout-risk-blue$"),
        (scale(2), "PATCH", "deployments/blue$"),
    ],
    ids=["delete", "autoscale", "scale"],
)
def test_call__refused_for_lack_of_rights__asks_for_a_person_until_it_is_let_in(
    world: Stage, order: Any, method: str, resource: str
) -> None:
    """What an administrator has to do stays on the page; nothing was changed meanwhile."""
    fault = world.fault(
        "status",
        status=403,
        code="AuthorizationFailed",
        message="No rights here.",
        method=method,
        path=resource,
    )
    world.executor()
    number = begun(world, order)
    wait_for("attention", lambda: "No rights here" in world.change(number).attention)
    assert there(world, GREEN)
    assert (instances(world), most(world)) == (4, None)
    world.azure.admin.clear_faults(fault)
    change = world.until(number, "succeeded")
    assert change.attention == ""


def test_autoscale__may_not_be_read__asks_for_a_person_and_sends_nothing(world: Stage) -> None:
    fault = world.fault(
        "status", status=403, message="No rights.", method="GET", path="as-checkout-risk-blue$"
    )
    world.executor()
    number = begun(world, autoscale(6))
    wait_for("attention", lambda: "No rights" in world.change(number).attention)
    assert calls(world, "PUT") == 0
    world.azure.admin.clear_faults(fault)
    world.until(number, "succeeded")


def test_autoscale__refused_for_good__fails_with_azures_words(world: Stage) -> None:
    world.fault(
        "status", status=400, code="BadRequest", message="No such rule.", path="as-checkout-risk-blue$"
    )
    world.executor()
    change = world.until(begun(world, autoscale(6)), "failed")
    assert "No such rule." in change.waiting_for
    assert SETTING.lower() not in world.azure.admin.world()


def test_delete__operation_fails__fails_and_the_deployment_stands(world: Stage) -> None:
    """F24."""
    world.fault("failed_operation", code="ResourceLocked", message="It is locked.", times=1, **DELETE_GREEN)
    world.executor()
    change = world.until(begun(world, delete()), "failed")
    assert "ResourceLocked: It is locked." in change.waiting_for
    assert there(world, GREEN)
    assert calls(world, "DELETE") == 1


def stopped_at_the_call(world: Stage, number: int, first: Process) -> Process:
    """The executor that has the scream test ends; the next one is stopped with the delete in its hands."""
    screams(world, number)
    first.terminate()
    first.wait(20)
    second = world.executor(OPSPORTAL_STOP="after_intent")
    wait_for("stopping", lambda: is_stopped(second))
    return second


def test_delete__gets_traffic_in_the_last_moment__is_refused_and_stands(world: Stage) -> None:
    """F26, one round trip before ours: Azure itself deletes nothing that has traffic."""
    first = world.executor()
    number = begun(world, delete(scream=2))
    second = stopped_at_the_call(world, number, first)
    world.foreign(traffic={"blue": 50, "green": 50})
    os.kill(second.pid, signal.SIGCONT)
    world.until(number, "failed", "drifted")
    assert there(world, GREEN)
    assert world.live() == {"blue": 50, "green": 50}


def test_delete__rolled_back_while_its_call_is_stopped__is_never_sent(world: Stage) -> None:
    """F9: the traffic is back on what was to be deleted when the late call wakes up."""
    first = world.executor()
    world.until(world.started({"blue": 50, "green": 50}), "succeeded")
    number = begun(world, delete(scream=2))
    second = stopped_at_the_call(world, number, first)
    back = world.roll_back({"blue": 50, "green": 50})
    world.executor()
    world.until(back, "succeeded", seconds=60)
    os.kill(second.pid, signal.SIGCONT)
    wait_for("its answer on record", lambda: world.attempts(number)[-1].ended_at)
    assert calls(world, "DELETE") == 0
    assert there(world, GREEN)
    assert world.live() == {"blue": 50, "green": 50}
