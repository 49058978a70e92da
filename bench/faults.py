"""Everything goes wrong at once: faults thrown at real processes, seeds of the simulation, and the model three deep.

`--faults N` (2000) are thrown at full waits, 40 to a world, in lanes side by side; each world's history is judged
by the rules of `tests/flows`. `--seeds N` (10000) are lives of `decide` in virtual time. The model of a rollout is
walked with three kinds of fault at a time, where the suite takes two.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench import stage
from bench.faults_lane import Life
from bench.figures import Figure

FAULTS, SEEDS, LANES, A_WORLD = 2000, 10_000, 8, 40


def measure(faults: int = FAULTS, seeds: int = SEEDS, pace: float = 1.0) -> list[Figure]:
    stage.prepare()
    worlds = list(range(-(-faults // A_WORLD)))
    each = min(A_WORLD, faults)
    lanes = [worlds[n::LANES] for n in range(LANES) if worlds[n::LANES]]
    with ThreadPoolExecutor(len(lanes)) as pool:
        lives = [
            life for lane in pool.map(lambda one: list(run_lane(one, each, pace)), lanes) for life in lane
        ]
    for line in (*told(lives), ""):
        sys.stdout.write(line + "\n")
    broken = broken_seeds(seeds)
    found = model_three_deep()
    return [
        Figure(name="faults thrown", value=thrown(lives), bar=faults, unit="", more_is_better=True),
        Figure(name="worlds that broke a rule", value=sum(bool(one.trouble) for one in lives), bar=0, unit=""),
        Figure(name="simulated lives", value=seeds, bar=1, unit="", more_is_better=True),
        Figure(name="simulated lives that broke a rule", value=broken, bar=0, unit=""),
        Figure(name="states of the model in which a rule breaks", value=found, bar=0, unit=""),
    ]  # fmt: skip


def run_lane(seeds: Sequence[int], faults: int, pace: float) -> Iterator[Life]:
    command = [sys.executable, "-m", "bench.faults_lane", str(pace), str(faults), *map(str, seeds)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=stage.ROOT, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            life = Life(**json.loads(line))
            sys.stderr.write(
                f"world {life.seed}: {life.trouble.splitlines()[0] if life.trouble else 'kept'}\n"
            )
            yield life
        if process.wait():
            said.seek(0)
            sys.stderr.write(said.read()[-4000:])


def thrown(lives: Sequence[Life]) -> int:
    return sum(sum(life.thrown.values()) for life in lives)


def told(lives: Sequence[Life]) -> list[str]:
    """What was thrown, by name, and what every broken world has to say."""
    by_name = Counter[str]()
    for life in lives:
        by_name.update(life.thrown)
    changes, rollbacks = sum(one.changes for one in lives), sum(one.rollbacks for one in lives)
    calls = sum(one.calls for one in lives)
    lines = [f"{name:<22} {number:>5}" for name, number in by_name.most_common()]
    lines.append(f"{sum(one.met for one in lives)} of Azure's own faults met a request")
    lines.append(f"{len(lives)} worlds, {changes} changes ({rollbacks} of them rollbacks), {calls} calls")
    return lines + [f"\nworld {life.seed}: {life.trouble}" for life in lives if life.trouble]


def broken_seeds(seeds: int) -> int:
    """How many lives break a rule: a change, crashes, a rollback, and in every other one a foreign writer."""
    return sum(_breaks(seed) for seed in range(seeds))


def _breaks(seed: int) -> bool:
    from endpoints.changes.lifecycle import State
    from tests.changes.deciding import BASE
    from tests.changes.simulation import END, Run

    rng = random.Random(seed)
    moment = rng.uniform(0, 200)
    foreign_at = moment + rng.uniform(-20, 2) if seed % 2 else None
    try:
        run = Run(seed, rollback_at=moment, foreign_at=foreign_at).go()
    except AssertionError as error:
        sys.stdout.write(f"seed {seed}: {error}\n")
        return True
    run.azure.pass_to(END * 5)
    return run.order.state is not State.SUCCEEDED or run.azure.split != BASE


def model_three_deep() -> int:
    """How many of the walks meet a state in which a rule breaks, or a life that never comes to rest."""
    from tests.model import rules
    from tests.model.explorer import explore, fair_cycle
    from tests.model.rollout import FAIR, Rules, World, moves

    broken = 0
    for faults in (
        {"crashes": 1, "pauses": 1, "losses": 1},
        {"crashes": 1, "pauses": 1, "failures": 1},
        {"pauses": 1, "losses": 1, "holds": 1},
    ):
        graph = explore(World(**faults), partial(moves, rules=Rules()), rules.breaks_a_rule)
        broken += graph.found is not None or fair_cycle(graph, rules.unsettled, FAIR) is not None
        sys.stdout.write(f"model with {faults}: {len(graph.states)} states\n")
    return broken
