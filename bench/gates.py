"""Gates on made-up traffic: false alarms, missed harm and how soon it is found, beside a z test that is peeked at.

Every series is an hour of minutes of a candidate with 60 requests a minute and of a stable deployment with 1,140.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bench.figures import Figure

if TYPE_CHECKING:
    from endpoints.changes.evidence import Evidence
    from endpoints.changes.gatespec import GateSpec
    from tests.changes.gate_series import Latency, Traffic
    from tests.changes.gate_study import Alarms, Told

ALPHA = 0.01
_CHUNK = 50


class _Case(NamedTuple):
    """`promised`: the stated rate of false alarms must hold here. `harmed`: an alarm is what is wanted."""

    spec: GateSpec
    traffic: Traffic | Latency
    series: int
    promised: bool = False
    harmed: bool = False


class _Row(NamedTuple):
    case: _Case
    gate: Told
    naive: Told


def measure() -> list[Figure]:
    rows = _studied(_cases())
    for line in _table(rows):
        sys.stdout.write(line + "\n")
    promised = [row for row in rows if row.case.promised]
    harmed = {
        row.case.traffic.name: row for row in rows if row.case.harmed and not row.case.spec.against_stable
    }
    plain = harmed["3 % fail"]
    return [
        Figure(
            name="series without harm",
            value=sum(r.gate.series for r in promised),
            bar=10_000,
            unit="series",
            more_is_better=True,
        ),
        Figure(
            name="false alarms at most (99 % bound, worst of all)",
            value=max(row.gate.most for row in promised),
            yardstick=max(row.naive.rate for row in promised),
            bar=ALPHA,
            unit="of series",
        ),
        Figure(
            name="harm of 3 % missed in an hour",
            value=1 - plain.gate.rate,
            yardstick=1 - plain.naive.rate,
            bar=0.01,
            unit="of series",
        ),
        Figure(
            name="minutes until 3 % is found, median",
            value=plain.gate.soon or 60,
            yardstick=plain.naive.soon,
            bar=12,
            unit="min",
        ),
        Figure(
            name="one gate measured on an hour, CPU", value=_milliseconds_of_measuring(), bar=20, unit="ms"
        ),
        Figure(name="one gate's power told, CPU", value=_milliseconds_of_forecasting(), bar=20, unit="ms"),
    ]


def _cases() -> list[_Case]:
    from endpoints.changes.gatespec import gate
    from tests.changes.gate_series import Latency, Traffic

    errors, beside = gate("errors", alpha=ALPHA), gate("errors_vs_stable", alpha=ALPHA)
    slower = gate("p95_vs_stable", alpha=ALPHA)
    as_one = gate("errors", alpha=ALPHA, design_effect=1.0)
    beside_as_one = gate("errors_vs_stable", alpha=ALPHA, design_effect=1.0)
    at_limit = Traffic(name="1 % fail, the limit", candidate=0.01, stable=0.01)
    swinging = Traffic(name="up to 1 %, day rhythm", candidate=0.01, stable=0.01, rhythm=0.6)
    equal = Traffic(name="equal, 1 %", candidate=0.01, stable=0.01)
    outages = Traffic(name="equal, shared outages", candidate=0.002, stable=0.002, outages=0.02)
    clumped = Traffic(name="equal, clumps of 0.02", candidate=0.01, stable=0.01, clumped=0.02)
    more_clumped = Traffic(name="equal, clumps of 0.1", candidate=0.01, stable=0.01, clumped=0.1)
    hiccups = Traffic(name="equal, replicas hiccup", candidate=0.002, stable=0.002, hiccups=0.01)
    just = Traffic(name="just the allowed 0.5 points", candidate=0.015, stable=0.01)
    harms = [
        Traffic(name=f"{rate * 100:g} % fail", candidate=rate, stable=0.005)
        for rate in (0.015, 0.02, 0.03, 0.05, 0.2)
    ]
    return [
        _Case(errors, at_limit, 2500, promised=True),
        _Case(errors, swinging, 2500, promised=True),
        _Case(beside, equal, 2500, promised=True),
        _Case(beside, just, 2500, promised=True),
        _Case(beside, swinging, 2500, promised=True),
        _Case(beside, outages, 2500, promised=True),
        *(
            _Case(spec, shape, 1000)
            for shape in (clumped, more_clumped)
            for spec in (errors, as_one, beside, beside_as_one)
        ),
        *(
            _Case(spec, hiccups, 1000)
            for spec in (beside, gate("errors_vs_stable", alpha=ALPHA, design_effect=20.0))
        ),
        _Case(errors, outages, 1000),
        _Case(slower, Latency(name="p95 of equals"), 2500, promised=True),
        _Case(slower, Latency(name="p95 of equals, spread 1", spread=1.0), 1000),
        *(_Case(spec, shape, 500, harmed=True) for spec in (errors, beside) for shape in harms),
        *(
            _Case(slower, Latency(name=f"{times:g} times slower", slower=times), 500, harmed=True)
            for times in (1.2, 1.5, 2.0)
        ),
    ]


def _studied(cases: Sequence[_Case]) -> list[_Row]:
    from tests.changes.gate_study import told

    rows = []
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for case in cases:
            begins = range(0, case.series, _CHUNK)
            parts = list(pool.map(partial(_part, case), begins))
            ours = [minute for part in parts for minute in part.gate]
            theirs = [minute for part in parts for minute in part.naive]
            rows.append(_Row(case, told(ours), told(theirs)))
            sys.stderr.write(".")
            sys.stderr.flush()
    sys.stderr.write("\n")
    return rows


def _part(case: _Case, first: int) -> Alarms:
    from tests.changes.gate_study import watched

    return watched(case.spec, case.traffic, range(first, min(first + _CHUNK, case.series)))


def _table(rows: Sequence[_Row]) -> list[str]:
    """As docs/explanation/gates.md has it."""
    heading = [
        "| gate | candidate | series | called harmful | at most (99 %) | after | z test, peeked at | after |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return [*heading, *(_line(row) for row in rows), ""]


def _line(row: _Row) -> str:
    spec = row.case.spec
    effect = "" if spec.design_effect is None else f", design effect {spec.design_effect:g}"
    cells = [
        f"{spec.name}{effect}",
        row.case.traffic.name,
        f"{row.gate.series:,}",
        f"{row.gate.rate * 100:.2f} %",
        "" if row.case.harmed else f"{row.gate.most * 100:.2f} %",
        _after(row.gate.soon),
        f"{row.naive.rate * 100:.1f} %",
        _after(row.naive.soon),
    ]
    return f"| {' | '.join(cells)} |"


def _after(minutes: float | None) -> str:
    return "" if minutes is None else f"{minutes:g} min"


def _milliseconds_of_measuring() -> float:
    from endpoints.changes.gates import measure as ask
    from endpoints.changes.gatespec import gate

    spec = gate("errors_vs_stable", alpha=ALPHA)
    return _milliseconds(lambda number: ask(spec, _evidence(number)))


def _milliseconds_of_forecasting() -> float:
    from endpoints.changes.gatespec import gate
    from endpoints.changes.power import Plan, forecast

    spec = gate("errors_vs_stable", alpha=ALPHA)
    return _milliseconds(lambda number: forecast(spec, Plan(600 + number, 5, 95, 10, base_rate=0.005)))


def _milliseconds(work: Callable[[int], object]) -> float:
    spent = []
    for number in range(50):
        began = time.process_time()
        work(number)
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent)


def _evidence(number: int) -> Evidence:
    """Another one each time: nothing is remembered from the one before."""
    from endpoints.changes.evidence import Evidence, MinuteSample

    begin = datetime(2026, 3, 2, tzinfo=UTC)

    def minutes(requests: int, first: int, count: int) -> tuple[MinuteSample, ...]:
        return tuple(
            MinuteSample(begin + timedelta(minutes=first + place), requests + (place + number) % 7, place % 3)
            for place in range(count)
        )

    return Evidence(minutes(60, 0, 60), minutes(1140, 0, 60), minutes(1140, -120, 120), 60)
