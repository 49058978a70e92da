"""The broker dies under a whole portal in mid-change: clicks are still answered, and Azure still gets them."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from endpoints.access import services as access
from endpoints.changes import services
from endpoints.changes.targets import key_of
from endpoints.inventory.models import SyncRun, SyncTarget
from opsportal.embedded.children import Child
from opsportal.embedded.processes import free_port
from opsportal.embedded.valkey import Valkey
from tests.flows.stage import Stage, wait_for
from tests.support import processes

pytestmark = pytest.mark.processes
HALF = {"blue": 50, "green": 50}
ENDPOINT = "workspaces/mlw-prod-weu/endpoints/checkout-risk"
# What a dead broker may cost a move on the way to Azure (F10), and a click.
LATE_SECONDS = 5
CLICK_SECONDS = 2


class Broker:
    """A Valkey of this test alone, to be killed; like every broker of the portal, it forgets all when it dies."""

    def __init__(self, folder: Path) -> None:
        self._valkey = Valkey(run_dir=folder / "broker", port=free_port(), password="to-be-killed")
        self.child: Child = self._valkey.start()
        self.url = self._valkey.url

    def kill(self) -> None:
        pid = self.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_for("the broker's end", lambda: not self._valkey.answers())

    def start(self) -> None:
        self.child.stop()
        self.child = self._valkey.start()


@dataclass
class Portal:
    """All four processes of the portal around the stage, and an operator's program at its API."""

    world: Stage
    broker: Broker
    url: str
    token: str

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """The answer; fails when it takes as long as a broker that is waited for."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers},
        )
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        assert time.monotonic() - began < CLICK_SECONDS
        return told

    def reads(self) -> int:
        return SyncRun.objects.exclude(outcome="failed").count()


@pytest.fixture
def portal(world: Stage, tmp_path: Path) -> Iterator[Portal]:
    broker = Broker(tmp_path)
    told = processes.environment(
        world.database,
        broker_url=broker.url,
        **{
            name: value
            for name, value in world.environment().items()
            if name.startswith(("OPSPORTAL_", "IDENTITY"))
        }
        | {"OPSPORTAL_VAR": str(processes.static_files()), "OPSPORTAL_SYNC_CADENCE_SECONDS": "1"},
    )
    _, token = access.create_token(
        principal=world.operator,
        name="tests",
        scopes=("read", "change", "rollback"),
        days=1,
        workspace_ids=[],
    )
    with ExitStack() as stack:
        stack.callback(lambda: broker.child.stop())
        url, _ = stack.enter_context(processes.web(told, tmp_path))
        for name in ("worker", "beat"):
            stack.enter_context(processes.running(name, told, tmp_path))
        world.executor(BROKER_URL=broker.url)
        yield Portal(world, broker, url, token)


def test_change_and_rollback__broker_killed_in_mid_change__are_done_and_readings_come_back_with_it(
    portal: Portal,
) -> None:
    """F10, F11: nothing but the age of the mirror depends on it."""
    world = portal.world
    wait_for("a reading by the worker", portal.reads)
    world.azure.admin.settings(durations={"endpoint_update": 1.0})
    change_id = world.approved(HALF)
    portal.post(f"changes/{change_id}/start", **{"If-Match": f'"{world.hash(change_id)}"'})
    wait_for("the call", lambda: world.puts() == 1)
    portal.broker.kill()
    world.until(change_id, "succeeded")
    assert world.live() == HALF

    ordered = portal.post(f"{ENDPOINT}/rollback", {"target": key_of({"blue": 100}, {})})
    wait_for("the rollback's call", lambda: world.puts() == 2, seconds=LATE_SECONDS)
    world.until(ordered["number"], "succeeded")
    assert world.live() == {"blue": 100}

    again = world.approved({"green": 100})
    services.start_change(principal=world.operator, change_id=again, seen_hash=world.hash(again))
    world.until(again, "succeeded")

    wait_for("the last reading's end", lambda: not SyncTarget.objects.filter(claim__isnull=False).exists())
    before = portal.reads()
    portal.post("workspaces/mlw-prod-weu/sync")
    time.sleep(3)
    assert portal.reads() == before, "who reads, if not the worker?"
    portal.broker.start()
    wait_for("a reading by the worker", lambda: portal.reads() > before, seconds=60)
