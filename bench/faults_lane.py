"""One lane of the faults: `python -m bench.faults_lane PACE FAULTS SEED …`, one line of JSON per world."""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import stage as bench_stage
from bench.rollback_lane import Lane, times


@dataclass(frozen=True, kw_only=True)
class Life:
    """One world: what was thrown at it, how many changes and calls came of it, and what rule it broke."""

    seed: int
    thrown: dict[str, int] = field(default_factory=dict)
    met: int = 0
    changes: int = 0
    rollbacks: int = 0
    calls: int = 0
    trouble: str = ""


def main(arguments: Sequence[str]) -> None:
    bench_stage.prepare()
    pace, faults = float(arguments[0]), int(arguments[1])
    with Lane(pace).open() as lane:
        for seed in map(int, arguments[2:]):
            sys.stdout.write(json.dumps(asdict(live(lane, faults, seed))) + "\n")
            sys.stdout.flush()


def live(lane: Lane, faults: int, seed: int) -> Life:
    """Throw `faults` at a world of its own; every other one has a PostgreSQL that can be killed."""
    from tests.support import databases

    servers = lane.own_server() if seed % 2 else lane.servers
    database = databases.clone(servers, databases.build_template(servers))
    with databases.default_database(database.url):
        life = _lived(lane, faults, seed, database)
    databases.drop(servers, database.name)
    return life


def _lived(lane: Lane, faults: int, seed: int, database: object) -> Life:
    from bench.faults_chaos import Chaos
    from endpoints.changes.models import Attempt, Change
    from tests.flows.judge import judge
    from tests.flows.stage import back_to_the_start, stage

    chance, trouble = random.Random(seed), ""
    back_to_the_start(lane.azure, update_seconds=chance.uniform(0.5, 4) * lane.pace)
    logs = Path(tempfile.mkdtemp(dir=lane.folder))
    with stage(lane.azure, lane.executors, database, logs, times=times(lane.pace)) as world:  # type: ignore[arg-type]
        chaos = Chaos(world, chance, lane.own if seed % 2 else None, lane.pace)
        try:
            chaos.run(faults)
            world.stop()
            judge(world)
        except Exception as error:  # noqa: BLE001 - the other worlds go on
            trouble = f"{type(error).__name__}: {error}\n{world.logs()[-3000:]}"
        return Life(
            seed=seed,
            thrown=chaos.thrown,
            met=chaos.met,
            changes=Change.objects.count(),
            rollbacks=Change.objects.filter(kind="rollback").count(),
            calls=Attempt.objects.count(),
            trouble=trouble,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
