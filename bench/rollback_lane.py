"""One lane of the measurement of rollbacks: a process with an Azure and executors of its own, run after run.

`python -m bench.rollback_lane PACE KIND:SEED …`, one line of JSON per run on standard output.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import stage as bench_stage

if TYPE_CHECKING:
    from bench.rollback_kinds import Scene
    from emulator.launch import Emulator
    from opsportal.embedded.throwaway import Servers
    from tests.flows.nursery import Nursery
    from tests.flows.server import Server

_SCALED = (
    "lease_seconds",
    "lease_renew_seconds",
    "in_flight_bound_seconds",
    "remote_call_seconds",
    "executor_poll_seconds",
    "second_read_seconds",
    "poll_scale",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One rollback, in seconds. `confirmed` is from the click to the reading that shows the target for good.

    `refused`: of those, the seconds in which nothing was to be had. `operation`: Azure's own time for the call.
    """

    kind: str
    seed: int
    confirmed: float | None = None
    refused: float = 0.0
    sent: float | None = None
    operation: float | None = None
    trouble: str = ""

    @property
    def net(self) -> float:
        return float("inf") if self.confirmed is None else self.confirmed - self.refused

    @property
    def added(self) -> float | None:
        """What the portal added to Azure's own operation."""
        if self.confirmed is None or self.operation is None:
            return None
        return self.confirmed - self.operation


def main(arguments: Sequence[str]) -> None:
    bench_stage.prepare()
    pace = float(arguments[0])
    wanted = [(kind, int(seed)) for kind, _, seed in (one.rpartition(":") for one in arguments[1:])]
    with Lane(pace).open() as lane:
        for kind, seed in wanted:
            sys.stdout.write(json.dumps(asdict(lane.run(kind, seed))) + "\n")
            sys.stdout.flush()


class Lane:
    """What stays from run to run: an emulated Azure, a process to fork executors from, and servers."""

    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.azure: Emulator
        self.executors: Nursery
        self.servers: Servers
        self.own: Server | None = None

    @contextmanager
    def open(self) -> Iterator[Lane]:
        from emulator.launch import launch
        from opsportal.embedded.throwaway import Lease
        from tests.flows.nursery import nursery

        with tempfile.TemporaryDirectory() as name, nursery() as self.executors:
            self.folder = Path(name)
            self.folder.chmod(0o755)
            lease = Lease(bench_stage.ROOT / ".var" / "test")
            self.servers = lease.servers
            try:
                with launch(self.folder / "azure", scenario="small") as self.azure:
                    os.environ.update(self.azure.environment())
                    yield self
            finally:
                if self.own:
                    self.own.child.stop()
                lease.close()

    def run(self, kind: str, seed: int) -> Run:
        """One rollback in a database of its own; whatever goes wrong is told and not raised."""
        from bench.rollback_kinds import OWN_SERVER
        from tests.support import databases

        servers = self.own_server() if kind in OWN_SERVER else self.servers
        database = databases.clone(servers, databases.build_template(servers))
        try:
            with databases.default_database(database.url):
                return self._measured(kind, seed, database)
        except Exception as error:  # noqa: BLE001 - the other runs go on
            return Run(kind=kind, seed=seed, trouble=f"{type(error).__name__}: {str(error)[-2000:]}")
        finally:
            databases.drop(servers, database.name)

    def own_server(self) -> Servers:
        from tests.flows.server import Server

        if self.own is None:
            self.own = Server(self.folder / "own")
        return self.own.servers

    def _measured(self, kind: str, seed: int, database: Any) -> Run:
        from bench.rollback_kinds import KINDS, OWN_SERVER, PATIENCE, Scene
        from tests.flows.judge import judge
        from tests.flows.stage import back_to_the_start, stage

        chance = random.Random(f"{kind}:{seed}")
        back_to_the_start(self.azure, update_seconds=chance.uniform(1, 6) * self.pace)
        logs = Path(tempfile.mkdtemp(dir=self.folder))
        with stage(self.azure, self.executors, database, logs, times=times(self.pace)) as world:
            scene = Scene(world, chance, self.own if kind in OWN_SERVER else None, self.pace)
            try:
                KINDS[kind](scene)
                world.until(scene.rollback_id, "succeeded", seconds=PATIENCE)
            finally:
                scene.go_on()
            time.sleep(scene.seconds(2))  # in which whoever was stopped could do harm
            if world.live() != {"blue": 100}:
                raise AssertionError(f"the rollback is done, and Azure serves {world.live()}")
            world.stop()
            judge(world)
            return _told(kind, seed, scene)


def times(pace: float) -> dict[str, str]:
    """The executors' waits as they are by default, times `pace`."""
    from opsportal.config import Config

    return {f"OPSPORTAL_{name.upper()}": f"{Config.model_fields[name].default * pace:g}" for name in _SCALED}


def _told(kind: str, seed: int, scene: Scene) -> Run:
    """The measured times, by the database's clock and by the log of what reached Azure."""
    change, clicked = scene.world.change(scene.rollback_id), scene.clicked_at
    assert clicked is not None
    assert change.confirmed_at is not None
    ids = [attempt.request_id for attempt in scene.world.attempts(change.pk)]
    reached = [one for one in scene.world.sent() if one["client_request_id"] in ids]
    ran = _operations(scene, ids)
    return Run(
        kind=kind,
        seed=seed,
        confirmed=(change.confirmed_at - clicked).total_seconds(),
        refused=sum(_within(span, clicked, change.confirmed_at) for span in scene.refused),
        sent=(_moment(reached[0]["started"]) - clicked).total_seconds() if reached else None,
        operation=ran[-1] if ran else None,
    )


def _operations(scene: Scene, ids: list[str]) -> list[float]:
    """How long Azure itself took for the rollback's calls."""
    begun: dict[str, datetime] = {}
    ran = []
    for record in scene.world.azure.admin.log():
        if record["request_id"] in ids and record["phase"] == "begun":
            begun[record["operation"]] = _moment(record["at"])
        elif record["operation"] in begun and record["phase"] == "applied":
            ran.append((_moment(record["at"]) - begun[record["operation"]]).total_seconds())
    return ran


def _within(span: tuple[datetime, datetime], since: datetime, until: datetime) -> float:
    return max(0.0, (min(span[1], until) - max(span[0], since)).total_seconds())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    main(sys.argv[1:])
