"""The line to PostgreSQL or to Azure goes silent, while everything else can still be reached (F29, F30)."""

from __future__ import annotations

import time

import pytest

from endpoints.changes.models import Executor, Lease
from tests.flows.partition import Line, line_to
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes
HALF, BACK = {"blue": 50, "green": 50}, {"blue": 100}
LONGER_THAN_EVERY_BOUND = 6


def far_from_the_database(world: Stage, line: Line) -> None:
    """An executor that reaches PostgreSQL by way of the line, and Azure directly."""
    world.executor(DATABASE_URL=line.through(world.database.url))
    wait_for("the executor", Executor.objects.exists)


def test_executor__cut_off_from_the_database__sends_nothing_though_azure_answers(world: Stage) -> None:
    """F29: what can't be checked and written down is not sent."""
    with line_to(world.database.url) as line:
        far_from_the_database(world, line)
        line.fall_silent()
        change_id = world.started(HALF)
        time.sleep(LONGER_THAN_EVERY_BOUND)
        assert world.puts() == 0
        assert world.change(change_id).state == "applying"
        line.heal()
        world.until(change_id, "succeeded", seconds=60)
        assert world.puts() == 1


def test_change__whose_executor_is_cut_off_in_mid_call__is_finished_by_another(world: Stage) -> None:
    """F29: the first one hears yes and can't say so; when the line is back it finds itself replaced."""
    world.fault("latency", milliseconds=900, times=1)
    with line_to(world.database.url) as line:
        far_from_the_database(world, line)
        change_id = world.started(HALF)
        wait_for("the call", lambda: world.puts() == 1)
        line.fall_silent()
        world.executor()
        world.until(change_id, "succeeded", seconds=60)
        epoch = Lease.objects.get(endpoint_id=world.endpoint_id).epoch
        rollback_id = world.roll_back(BACK)
        line.heal()
        world.until(rollback_id, "succeeded", seconds=60)
    assert epoch >= 2
    assert world.live() == BACK
    assert world.puts() == 2


def test_executor__cut_off_from_azure__says_that_it_does_not_know_and_passes_nothing(world: Stage) -> None:
    """F30."""
    world.azure.admin.settings(durations={"endpoint_update": 1})
    with line_to(world.azure.arm) as line:
        world.executor(OPSPORTAL_AZURE_RESOURCE_MANAGER=line.through(world.azure.arm))
        change_id = world.started(HALF)
        world.until(change_id, "verifying")
        line.fall_silent()
        wait_for("the reason", lambda: "did not answer" in world.change(change_id).waiting_for)
        time.sleep(2)
        change = world.change(change_id)
        assert (change.state, change.confirmed_at) == ("verifying", None)
        line.heal()
        world.until(change_id, "succeeded", seconds=60)
    assert world.live() == HALF


def test_rollback__while_azure_is_cut_off__goes_through_when_the_line_is_back(world: Stage) -> None:
    """F30 on the way back."""
    with line_to(world.azure.arm) as line:
        world.executor(OPSPORTAL_AZURE_RESOURCE_MANAGER=line.through(world.azure.arm))
        world.until(world.started(HALF), "succeeded")
        line.fall_silent()
        rollback_id = world.roll_back(BACK)
        wait_for("the reason", lambda: "did not answer" in world.change(rollback_id).waiting_for)
        assert world.live() == HALF
        line.heal()
        world.until(rollback_id, "succeeded", seconds=60)
    assert world.live() == BACK
