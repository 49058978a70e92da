"""Gates run over the past stop where they would have stopped."""

from __future__ import annotations

import time

from endpoints.changes.backtesting import backtest
from endpoints.changes.gates import measure
from endpoints.changes.gatespec import gate
from endpoints.changes.verdict import Outcome
from tests.changes.gate_evidence import evidence, minutes

SPECS = (gate("errors"), gate("errors_vs_stable"), gate("p95_over_budget"), gate("cpu"))


def test_a_backtest__of_a_calm_bake__passes_at_its_end():
    past = evidence(minutes(30))
    found = backtest(SPECS, past)
    assert (found.stopped_after, found.by, found.minutes) == (None, "", 30)
    assert found.end.passed
    assert found.measurements == tuple(measure(spec, past) for spec in SPECS)


def test_a_backtest__of_harm_from_the_tenth_minute_on__stops_soon_after_and_says_why():
    found = backtest(SPECS, evidence(minutes(60, errors=[0] * 10 + [12] * 50)))
    assert 10 < found.stopped_after <= 13
    assert found.by == "Errors against stable"
    assert "requests failed" in found.end.reason
    assert found.end.outcome is Outcome.FAIL


def test_a_backtest__of_a_dry_run__does_not_stop():
    dry = tuple(gate(spec.kind, dry_run=True) for spec in SPECS)
    found = backtest(dry, evidence(minutes(30, errors=20)))
    assert found.stopped_after is None
    assert any(one.outcome is Outcome.FAIL for one in found.standings)


def test_a_backtest__of_two_tolerated_failures__stops_two_minutes_later():
    past = evidence(minutes(30, errors=20))
    first = backtest((gate("errors"),), past).stopped_after
    assert backtest((gate("errors", failure_limit=2),), past).stopped_after == first + 2


def test_a_backtest__without_metrics__would_have_held():
    found = backtest(SPECS, evidence((), expected_minutes=20))
    assert found.stopped_after is None
    assert found.end.outcome is Outcome.INCONCLUSIVE


def test_a_backtest__of_a_value_that_can_not_be__is_an_error_from_then_on():
    past = evidence(minutes(20, errors=[20] * 10 + [-1] + [0] * 9))
    assert backtest((gate("errors"),), past).stopped_after is not None
    calm = evidence(minutes(20, errors=[0] * 19 + [-1]))
    found = backtest((gate("errors"),), calm)
    assert found.stopped_after is None
    assert found.end.outcome is Outcome.ERROR


def test_a_backtest__of_no_gates__decides_nothing():
    found = backtest((), evidence(minutes(5)))
    assert (found.stopped_after, found.end.outcome) == (None, Outcome.INCONCLUSIVE)


def test_a_backtest__of_a_day__takes_seconds_at_most():
    began = time.process_time()
    backtest(SPECS, evidence(minutes(1440)))
    assert time.process_time() - began < 20
