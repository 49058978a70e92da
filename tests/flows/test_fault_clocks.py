"""One executor's clock is an hour off: deadlines and leases are the database's, so nothing comes early (F28)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from endpoints.changes.draft import walk
from endpoints.changes.models import Change, Executor, Lease
from endpoints.changes.terms import Terms
from endpoints.dispatch import db_now
from tests.flows.stage import Stage, wait_for
from tests.support.databases import ROOT

pytestmark = pytest.mark.processes
CANARY, BACK = {"blue": 95, "green": 5}, {"blue": 100}
AN_HOUR = 3600


@contextmanager
def skewed_executor(world: Stage, seconds: int) -> Iterator[subprocess.Popen[bytes]]:
    log = world.folder / f"skewed{seconds}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.skewed", str(seconds), "executor"],
            cwd=ROOT,
            env=world.environment(),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for("the executor", Executor.objects.exists, seconds=60)
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("off", [AN_HOUR, -AN_HOUR])
def test_bake__on_an_executor_whose_clock_is_off__takes_its_whole_time(world: Stage, off: int) -> None:
    """F28: neither an hour early nor an hour late."""
    draft = walk({"blue": 100}, "green", ((5, 3, False), (100, 0, False)), Terms())
    with skewed_executor(world, off):
        change_id = world.started(None, draft=draft)  # type: ignore[arg-type]
        world.until(change_id, "succeeded", seconds=60)
        moves = {row.after: row.at for row in Change.objects.get(pk=change_id).transitions.filter(step=0)}
        next_step = Change.objects.get(pk=change_id).transitions.filter(step=1).order_by("version")[0]
        assert 3 <= (next_step.at - moves["baking"]).total_seconds() < 30
        assert world.change(change_id).attention == ""


@pytest.mark.parametrize("off", [AN_HOUR, -AN_HOUR])
def test_lease__beside_an_executor_whose_clock_is_off__is_neither_stolen_nor_kept(
    world: Stage, off: int
) -> None:
    """F28: a second executor with a right clock can't have it while it runs, and gets it when the first one dies."""
    world.azure.admin.settings(durations={"endpoint_update": 2.5})
    with skewed_executor(world, off) as first:
        change_id = world.started(CANARY)
        world.until(change_id, "verifying")
        lease = Lease.objects.get(endpoint_id=world.endpoint_id)
        assert lease.expires_at is not None
        assert 0 < (lease.expires_at - db_now()).total_seconds() <= 3
        world.executor()
        wait_for("both", lambda: Executor.objects.count() == 2)
        assert Lease.objects.get(endpoint_id=world.endpoint_id).epoch == lease.epoch
        first.kill()
        world.until(change_id, "succeeded", seconds=60)
        assert world.puts() == 1


def test_rollback__by_an_executor_whose_clock_is_off__is_done(world: Stage) -> None:
    """F28 on the way back."""
    with skewed_executor(world, AN_HOUR):
        world.until(world.started(CANARY), "succeeded", seconds=60)
        rollback_id = world.roll_back(BACK)
        world.until(rollback_id, "succeeded", seconds=60)
    assert world.live() == BACK
