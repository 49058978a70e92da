"""An hour of bad luck in minutes: people start changes and roll back, and every second something else breaks.

Each injection is one fault of the list; what must hold afterwards is judged over the whole history.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error as DatabaseError
from django.db import connection, connections

from endpoints.changes import wake
from endpoints.changes.lifecycle import EXECUTING
from endpoints.changes.models import Change
from endpoints.changes.selectors.rollback import rollback_targets
from endpoints.core.errors import OpsportalError
from tests.flows.nursery import Process
from tests.flows.server import Server
from tests.flows.stage import CHECKOUT, Stage

SPLITS = ({"blue": 100}, {"blue": 95, "green": 5}, {"blue": 50, "green": 50}, {"green": 100})
PLACES = ("before_intent", "after_intent", "after_put", "during_operation", "before_confirm", "at_the_wire")
EXECUTORS = 2


@dataclass
class Chaos:
    """One world in which everything goes wrong."""

    world: Stage
    chance: random.Random
    server: Server | None = None
    pace: float = 1.0
    thrown: dict[str, int] = field(default_factory=dict)
    """How often each fault was thrown; `met` counts those of Azure that a request really ran into."""
    stopped: dict[int, float] = field(default_factory=dict)
    met: int = 0

    def seconds(self, least: float, most: float) -> float:
        return self.chance.uniform(least, most) * self.pace

    def run(self, faults: int) -> None:
        """Throw so many faults, then let everything come to rest."""
        for _ in range(faults):
            self._staff()
            with suppress(OpsportalError, DatabaseError):
                self._people()
            self._throw()
            time.sleep(self.seconds(1, 8))
        self._calm_down()

    def _staff(self) -> None:
        """As a supervisor would: dead executors are replaced, stopped ones are let go some time."""
        now = time.monotonic()
        for pid in [pid for pid, until in self.stopped.items() if until <= now]:
            self._go_on(pid)
        for _ in range(EXECUTORS - len(self._alive())):
            self.world.executor()

    def _alive(self) -> list[Process]:
        return [process for process in self.world.processes if process.poll() is None]

    def _go_on(self, pid: int) -> None:
        del self.stopped[pid]
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _people(self) -> None:
        """Somebody asks for another split, approves and starts it; somebody else rolls back."""
        active = Change.objects.filter(
            endpoint_id=self.world.endpoint_id, started_at__isnull=False, ended_at=None
        ).first()
        if active is None:
            self.world.mirror()
            live = self.world.live()
            self.world.started(self.chance.choice([split for split in SPLITS if split != live]))
        elif active.state not in EXECUTING:
            self._roll_back()

    def _roll_back(self) -> None:
        targets = [target for target in rollback_targets(self.world.endpoint_id) if target.eligible]
        if targets:
            target = self.chance.choice(targets)
            self.world.roll_back(target.split, mirror=target.mirror)

    def _throw(self) -> None:
        name = self.chance.choice([name for name in INJECTIONS if self.server or name not in OWN_SERVER])
        with suppress(OpsportalError, DatabaseError):
            INJECTIONS[name](self)
        self.thrown[name] = self.thrown.get(name, 0) + 1

    def _calm_down(self) -> None:
        """No new fault; what is active must end, or say what it waits for."""
        self.met = sum(bool(fault["hits"]) for fault in self.world.azure.admin.faults())
        self.world.azure.admin.clear_faults()
        for name in ("blue", "green"):
            self.world.azure.admin.foreign(f"{CHECKOUT}/deployments/{name}", state="Succeeded")
        for pid in list(self.stopped):
            self._go_on(pid)
        connections.close_all()
        self._staff()
        deadline = time.monotonic() + 300 * max(self.pace, 0.2)
        while time.monotonic() < deadline:
            if not Change.objects.filter(state__in=EXECUTING, started_at__isnull=False).exists():
                return
            self._staff()
            time.sleep(0.5)
        left = Change.objects.filter(state__in=EXECUTING, started_at__isnull=False)
        raise AssertionError(f"never ended: {[(one.pk, one.state, one.waiting_for) for one in left]}")


def azure(kind: str, least: int = 1, most: int = 1, **options: object) -> Callable[[Chaos], None]:
    def throw(chaos: Chaos) -> None:
        chaos.world.fault(kind, times=chaos.chance.randint(least, most), **options)  # type: ignore[arg-type]

    return throw


def for_a_while(kind: str, **options: object) -> Callable[[Chaos], None]:
    def throw(chaos: Chaos) -> None:
        chaos.world.fault(kind, for_seconds=chaos.seconds(2, 15), **options)  # type: ignore[arg-type]

    return throw


def killed(chaos: Chaos) -> None:
    chaos.chance.choice(chaos._alive()).kill()


def killed_at_a_place(chaos: Chaos) -> None:
    """Instead of one that lives, one that is going to die there."""
    chaos.chance.choice(chaos._alive()).kill()
    chaos.world.executor(OPSPORTAL_CRASH=chaos.chance.choice(PLACES))


def stopped(chaos: Chaos) -> None:
    process = chaos.chance.choice(chaos._alive())
    process.send_signal(signal.SIGSTOP)
    chaos.stopped[process.pid] = time.monotonic() + chaos.seconds(1, 120)


def wake_ups(chaos: Chaos) -> None:
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        for _ in range(100):
            number = chaos.chance.randint(0, newest)
            payload = wake.Wake(number, chaos.world.endpoint_id, "").encode()
            cursor.execute("SELECT pg_notify(%s, %s)", [wake.CHANNEL, payload])


def database_killed(chaos: Chaos) -> None:
    assert chaos.server is not None
    chaos.server.kill()
    time.sleep(chaos.seconds(0, 5))
    chaos.server.start()


def sessions_cut(chaos: Chaos) -> None:
    assert chaos.server is not None
    chaos.server.cut_off()
    connections.close_all()


def foreign_write(chaos: Chaos) -> None:
    chaos.world.foreign(traffic=chaos.chance.choice(SPLITS))


def deployment_fails(chaos: Chaos) -> None:
    name = chaos.chance.choice(["blue", "green"])
    for state in ("Failed", "Succeeded"):
        chaos.world.azure.admin.foreign(f"{CHECKOUT}/deployments/{name}", state=state)
        time.sleep(chaos.seconds(0.5, 2))


def rollback(chaos: Chaos) -> None:
    """Somebody rolls back whatever is going on, and clicks twice."""
    targets = [target for target in rollback_targets(chaos.world.endpoint_id) if target.eligible]
    if not targets:
        return
    target = chaos.chance.choice(targets)
    first = chaos.world.roll_back(target.split, mirror=target.mirror)
    if chaos.world.roll_back(target.split, mirror=target.mirror) != first:
        raise AssertionError("two clicks made two rollbacks")


INJECTIONS: dict[str, Callable[[Chaos], None]] = {
    "killed": killed,
    "killed at a place": killed_at_a_place,
    "stopped": stopped,
    "wake-ups": wake_ups,
    "database killed": database_killed,
    "sessions cut": sessions_cut,
    "busy": for_a_while("status", status=409, code="Conflict"),
    "precondition failed": azure("status", status=412, code="PreconditionFailed"),
    "throttled": azure("status", status=429, code="TooManyRequests", retry_after=3),
    "server errors": azure("status", 1, 4, status=503),
    "answer lost": azure("reset_after"),
    "call lost": azure("reset_before"),
    "call hangs": azure("half_open"),
    "readings hang": azure("half_open", method="GET"),
    "operation fails": azure("failed_operation", code="InternalError"),
    "foreign write": foreign_write,
    "deployment fails": deployment_fails,
    "token refused": azure("status", status=401, code="ExpiredAuthenticationToken"),
    "rollback": rollback,
}
"""What can be thrown, by name."""
OWN_SERVER = frozenset({"database killed", "sessions cut"})
