"""Wake-ups come a hundred times, days late, or make no sense: they are hints, and the rows decide (F12)."""

from __future__ import annotations

import pytest
from django.db import connection

from endpoints.changes import wake
from endpoints.changes.models import Executor
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes
HALF, BACK = {"blue": 50, "green": 50}, {"blue": 100}


def notify(payload: str, times: int = 100) -> None:
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("SELECT pg_notify(%s, %s)", [wake.CHANNEL, payload])


def test_wake_ups__a_hundred_and_of_former_changes__send_nothing_more(world: Stage) -> None:
    """F12."""
    world.executor()
    wait_for("the executor", Executor.objects.exists)
    former = world.started(HALF)
    world.until(former, "succeeded")
    world.azure.admin.settings(durations={"endpoint_update": 1.0})
    rollback_id = world.roll_back(BACK)
    for number in (former, rollback_id, 999_999):
        notify(wake.Wake(number, world.endpoint_id, "").encode())
    world.until(rollback_id, "succeeded")
    for number in (former, rollback_id):
        notify(wake.Wake(number, world.endpoint_id, "").encode())
    wait_for("a poll", lambda: Executor.objects.get().beat_at)
    assert world.puts() == 2
    assert world.live() == BACK


@pytest.mark.parametrize("payload", ["", "::", "1:2", "x" * 4000, "1:" + "9" * 40 + ":", "'; --"])
def test_wake_up__that_makes_no_sense__harms_nobody(world: Stage, payload: str) -> None:
    """F12."""
    process = world.executor()
    wait_for("the executor", Executor.objects.exists)
    notify(payload, times=3)
    world.until(world.started(HALF), "succeeded")
    assert process.poll() is None
