"""What goes wrong while somebody rolls back: each kind sets the scene, clicks, and does its harm.

Time in which PostgreSQL or Azure refuses every call is noted, because nobody could have been faster.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connections

from endpoints.changes.models import Executor, Lease
from tests.flows.nursery import Process
from tests.flows.server import Server
from tests.flows.stage import Stage, wait_for

HALF, BACK = {"blue": 50, "green": 50}, {"blue": 100}
PATIENCE = 420.0


@dataclass
class Scene:
    """One rollback in the making. `pace` shortens every wait where the executors' waits are shortened too."""

    world: Stage
    chance: random.Random
    server: Server | None = None
    pace: float = 1.0
    clicked_at: datetime | None = None
    change_id: int = 0
    rollback_id: int = 0
    refused: list[tuple[datetime, datetime]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def seconds(self, seconds: float) -> float:
        return seconds * self.pace

    def some_seconds(self, least: float, most: float) -> float:
        return self.seconds(self.chance.uniform(least, most))

    def executor(self, **more: str) -> Process:
        """One that is up: a rollback never waits for a process to start, unless that is the fault."""
        before = Executor.objects.count()
        process = self.world.executor(**more)
        wait_for("the executor", lambda: Executor.objects.count() > before, seconds=PATIENCE)
        return process

    def changed(self) -> None:
        """A change is done, so that there is something to roll back."""
        self.executor()
        self._start()
        self.world.until(self.change_id, "succeeded", seconds=PATIENCE)

    def changing(self, state: str = "") -> None:
        """A change is at work: in `state`, or anywhere."""
        self.executor()
        self._start()
        if state:
            self.world.until(self.change_id, state, seconds=PATIENCE)
        else:
            time.sleep(self.some_seconds(0, 9))

    def _start(self) -> None:
        self.change_id = self.world.started(HALF)

    def click(self) -> None:
        self.clicked_at = datetime.now(UTC)
        self.rollback_id = self.world.roll_back(BACK)

    def wait_for_its_call(self, before: int) -> None:
        wait_for("the call", lambda: self.world.puts() > before, seconds=PATIENCE)

    def refuse_for(self, seconds: float, **fault: object) -> None:
        """Azure refuses every write from now on for so long."""
        now = datetime.now(UTC)
        self.world.fault(for_seconds=seconds, **fault)  # type: ignore[arg-type]
        self.refused.append((now, now + timedelta(seconds=seconds)))

    def replace_all(self, **more: str) -> Process:
        """The executors end in order, and another one starts."""
        for process in self.world.processes:
            process.terminate()
        for process in self.world.processes:
            process.wait(60)
        return self.executor(**more)

    def holder(self) -> Process:
        """The process that works on the endpoint, or worked on it last."""
        held = Lease.objects.get(endpoint_id=self.world.endpoint_id).holder
        return next((one for one in self.world.processes if f"-{one.pid}-" in held), self.world.processes[0])

    def go_on(self) -> None:
        """Whoever was stopped runs on."""
        for pid in self.stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.stopped.clear()


def healthy(scene: Scene) -> None:
    scene.changed()
    scene.click()


def in_mid_change(scene: Scene) -> None:
    scene.changing()
    scene.click()


def dies_at(place: str) -> Callable[[Scene], None]:
    """Killed at a named place of the rollback; whoever supervises it starts another one at once."""

    def act(scene: Scene) -> None:
        scene.changed()
        doomed = scene.replace_all(OPSPORTAL_CRASH=place)
        scene.click()
        scene.world.dies(doomed)
        scene.world.executor()

    return act


def killed_in_its_call(scene: Scene) -> None:
    """The call takes effect, and nobody lives to hear it."""
    scene.changed()
    before = scene.world.puts()
    scene.world.fault("half_open", apply=True, times=1)
    scene.click()
    scene.wait_for_its_call(before)
    scene.holder().kill()
    scene.world.executor()


def killed_in_the_changes_call(scene: Scene) -> None:
    """The change's call may still be on its way when the rollback is ordered."""
    scene.world.fault("half_open", apply=True, times=1)
    scene.changing()
    scene.wait_for_its_call(0)
    scene.holder().kill()
    scene.click()
    scene.world.executor()


def stopped(scene: Scene) -> None:
    """SIGSTOP of the executor that holds the lease; another one stands by."""
    scene.changing("verifying")
    scene.executor()
    process = scene.holder()
    process.send_signal(signal.SIGSTOP)
    scene.stopped.append(process.pid)
    scene.click()


def nobody_there(scene: Scene) -> None:
    """No executor at all when somebody clicks; one is started late."""
    scene.changed()
    for process in scene.world.processes:
        process.kill()
    scene.click()
    time.sleep(scene.some_seconds(2, 20))
    scene.world.executor()


def database_killed(scene: Scene) -> None:
    scene.changing()
    scene.click()
    time.sleep(scene.some_seconds(0, 4))
    _kill_database(scene, scene.some_seconds(0, 10))


def _kill_database(scene: Scene, seconds: float) -> None:
    assert scene.server is not None
    since = datetime.now(UTC)
    scene.server.kill()
    time.sleep(seconds)
    scene.server.start()
    scene.refused.append((since, datetime.now(UTC)))


def sessions_cut(scene: Scene) -> None:
    """Every session ended again and again, whatever it was doing; notifications are lost with them."""
    assert scene.server is not None
    scene.changing()
    scene.click()
    for _ in range(10):
        scene.server.cut_off()
        time.sleep(scene.some_seconds(0.05, 0.4))
    connections.close_all()


def azure_busy(scene: Scene) -> None:
    scene.changed()
    scene.refuse_for(scene.some_seconds(20, 60), kind="status", status=409, code="Conflict")
    scene.click()


def somebody_elses_operation(scene: Scene) -> None:
    scene.changed()
    now, seconds = datetime.now(UTC), scene.some_seconds(10, 40)
    scene.world.foreign(traffic={"green": 100}, seconds=seconds)
    scene.refused.append((now, now + timedelta(seconds=seconds)))
    scene.click()


def throttled(scene: Scene) -> None:
    scene.changed()
    # Azure counts whole seconds; it refuses until the time it named.
    seconds = max(1, round(scene.seconds(30)))
    scene.refuse_for(seconds, kind="status", status=429, code="TooManyRequests", retry_after=seconds)
    scene.click()


def with_fault(kind: str, **options: object) -> Callable[[Scene], None]:
    """A fault that meets the rollback's own requests."""

    def act(scene: Scene) -> None:
        scene.changed()
        scene.world.fault(kind, **options)  # type: ignore[arg-type]
        scene.click()

    return act


def the_changes_call_hangs(scene: Scene) -> None:
    scene.world.fault("half_open", times=1)
    scene.changing()
    scene.wait_for_its_call(0)
    scene.click()


def foreign_writer(scene: Scene) -> None:
    """Somebody else moves the split between the two readings of the rollback."""
    scene.changed()
    scene.click()
    wait_for(
        "the first reading", lambda: scene.world.change(scene.rollback_id).confirmed_at, seconds=PATIENCE
    )
    scene.world.foreign(traffic={"green": 100})


KINDS: dict[str, Callable[[Scene], None]] = {
    "healthy": healthy,
    "in mid-change": in_mid_change,
    "killed before the intent": dies_at("before_intent"),
    "killed after the intent": dies_at("after_intent"),
    "killed after the answer": dies_at("after_put"),
    "killed during the operation": dies_at("during_operation"),
    "killed before confirming": dies_at("before_confirm"),
    "killed in its call": killed_in_its_call,
    "killed in the change's call": killed_in_the_changes_call,
    "stopped": stopped,
    "no executor": nobody_there,
    "database killed": database_killed,
    "sessions cut": sessions_cut,
    "Azure busy (409)": azure_busy,
    "somebody else's operation": somebody_elses_operation,
    "throttled (429)": throttled,
    "server errors (503)": with_fault("status", status=503, times=4),
    "token refused (401)": with_fault("status", status=401, code="ExpiredAuthenticationToken", times=1),
    "call never answered": with_fault("half_open", times=1),
    "call cut before it arrives": with_fault("reset_before", times=1),
    "call applied, answer lost": with_fault("reset_after", times=1),
    "readings never answered": with_fault("half_open", method="GET", times=2),
    "the change's call hangs": the_changes_call_hangs,
    "operation fails": with_fault("failed_operation", code="InternalError", times=1),
    "foreign writer": foreign_writer,
}
"""Kinds of fault by name. No run has a broker: what listens on its port is nobody."""
OWN_SERVER = frozenset({"database killed", "sessions cut"})
