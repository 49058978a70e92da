"""A process is stopped at the worst place for longer than every bound, and then runs on (F9)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from endpoints.changes.models import Executor
from tests.flows.nursery import Process
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes
CANARY, BACK = {"blue": 95, "green": 5}, {"blue": 100}


def is_stopped(process: Process) -> bool:
    return "T (stopped)" in Path(f"/proc/{process.pid}/status").read_text()


def stops(world: Stage, place: str) -> Process:
    process = world.executor(OPSPORTAL_STOP=place)
    wait_for(f"stopping {place}", lambda: is_stopped(process))
    return process


@pytest.mark.parametrize("place", ["after_intent", "at_the_wire"])
def test_call__whose_process_is_stopped_before_the_first_byte__is_never_sent_after_its_bound(
    world: Stage, place: str
) -> None:
    """F9: between the re-check and the call, and then even behind the last look at the clock."""
    change_id = world.started(CANARY)
    first = stops(world, place)
    rollback_id = world.roll_back(BACK)
    world.executor()
    world.until(rollback_id, "succeeded", seconds=60)
    os.kill(first.pid, signal.SIGCONT)
    wait_for("its answer on record", lambda: world.attempts(change_id)[0].ended_at)
    assert world.puts() == 0, "the rollback found its target in force, and the late call was not sent"
    assert world.live() == BACK
    assert world.change(change_id).state == "superseded"


def test_change__whose_process_is_stopped_after_the_answer__is_adopted_and_its_word_comes_late(
    world: Stage,
) -> None:
    """F9: the other one has finished it when the first one wakes up and wants to write down what it heard."""
    change_id = world.started(CANARY)
    first = stops(world, "after_put")
    world.executor()
    world.until(change_id, "succeeded", seconds=60)
    os.kill(first.pid, signal.SIGCONT)
    wait_for("its answer on record", lambda: world.attempts(change_id)[0].status)
    assert [attempt.outcome for attempt in world.attempts(change_id)] == ["adopted"]
    assert world.puts() == 1
    assert world.change(change_id).state == "succeeded"


def test_executor__stopped_and_gone_on__works_again(world: Stage) -> None:
    """F9: it lost everything that it held, and nothing that it is for."""
    world.started(CANARY)
    first = stops(world, "after_intent")
    rollback_id = world.roll_back(BACK)
    os.kill(first.pid, signal.SIGCONT)
    world.until(rollback_id, "succeeded", seconds=60)
    assert Executor.objects.count() == 1
    assert world.live() == BACK
