"""Rollbacks while everything goes wrong: real executors, PostgreSQL and an emulated Azure, at full waits.

`--runs N` (200) are spread over the kinds of `rollback_kinds.py` and over lanes that run side by side. Time in
which PostgreSQL or Azure refused every call is taken off; every history is judged by the rules of `tests/flows`.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

from bench import stage
from bench.figures import Figure
from bench.rollback_lane import Run

RUNS, LANES = 200, 8
HEALTHY, ANY_MOMENT = "healthy", "in mid-change"


def measure(runs: int = RUNS, pace: float = 1.0) -> list[Figure]:
    stage.prepare()
    from bench.rollback_kinds import KINDS, OWN_SERVER

    plan = list(islice(cycle(KINDS), runs))
    wanted = [(kind, seed) for seed, kind in enumerate(plan)]
    # A lane that has to kill its PostgreSQL keeps one of its own, so those kinds share a lane.
    own = [one for one in wanted if one[0] in OWN_SERVER]
    shared = [one for one in wanted if one[0] not in OWN_SERVER]
    lanes = [one for one in (own, *(shared[n :: LANES - 1] for n in range(LANES - 1))) if one]
    with ThreadPoolExecutor(len(lanes)) as pool:
        done = [run for lane in pool.map(lambda lane: list(run_lane(lane, pace)), lanes) for run in lane]
    for line in (*table_of(done), *troubles(done), ""):
        sys.stdout.write(line + "\n")
    return figures(done, runs)


def run_lane(wanted: Sequence[tuple[str, int]], pace: float) -> Iterator[Run]:
    """The lane's runs as they come in. A lane that dies has told fewer than were wanted."""
    command = [sys.executable, "-m", "bench.rollback_lane", str(pace)]
    command += [f"{kind}:{seed}" for kind, seed in wanted]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=stage.ROOT, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            run = Run(**json.loads(line))
            sys.stderr.write(
                f"{run.kind}: {run.trouble.splitlines()[0] if run.trouble else f'{run.net:.1f} s'}\n"
            )
            yield run
        if process.wait():
            said.seek(0)
            sys.stderr.write(said.read()[-4000:])


def table_of(runs: Sequence[Run]) -> list[str]:
    """A line per kind: how many, how long with what was refused taken off, how many went wrong."""
    lines = [f"{'kind':<30} {'runs':>4} {'median':>8} {'worst':>8}  wrong"]
    for kind in dict.fromkeys(run.kind for run in runs):
        of_kind = [run for run in runs if run.kind == kind]
        net = sorted(run.net for run in of_kind)
        wrong = sum(1 for run in of_kind if run.trouble)
        lines.append(f"{kind:<30} {len(net):>4} {rank(net, 50):>6.1f} s {net[-1]:>6.1f} s  {wrong}")
    return lines


def troubles(runs: Sequence[Run]) -> list[str]:
    return [f"\n{run.kind}:{run.seed}: {run.trouble}" for run in runs if run.trouble]


def figures(runs: Sequence[Run], wanted: int) -> list[Figure]:
    net = sorted(run.net for run in runs)
    good = [run for run in runs if run.kind == HEALTHY]
    added = [math.inf if run.added is None else run.added for run in good]
    sent = [math.inf if run.sent is None else run.sent * 1000 for run in good]
    return [
        Figure(name="click to confirmed, median", value=rank(net, 50), bar=120),
        Figure(name="click to confirmed, p99", value=rank(net, 99), bar=120),
        Figure(name="click to confirmed, worst", value=rank(net, 100), bar=300),
        Figure(name="healthy: beyond Azure's operation, worst", value=worst(added), bar=1.0),
        Figure(name="healthy: click to call, worst", value=worst(sent), bar=300, unit="ms"),
        Figure(name="broke a rule or never ended", value=sum(bool(r.trouble) for r in runs), bar=0, unit=""),
        Figure(name="rollbacks measured", value=len(runs), bar=wanted, unit="", more_is_better=True),
    ]  # fmt: skip


def rank(ordered: Sequence[float], percent: float) -> float:
    """The nearest rank; not a number where there is nothing to rank."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def worst(values: Iterable[float]) -> float:
    return max(values, default=math.nan)
