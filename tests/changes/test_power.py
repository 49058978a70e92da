"""What a gate is said to find, held against what it does find."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace

import pytest

from endpoints.changes.detecting import POWER, chance, detectable_beside, detectable_rate
from endpoints.changes.gatespec import gate
from endpoints.changes.power import Plan, forecast
from endpoints.changes.sequential import Count, rate_evidence
from tests.changes.gate_evidence import spoken
from tests.changes.gate_series import Traffic, binomial
from tests.changes.gate_study import told, watched

ERRORS, BESIDE = gate("errors"), gate("errors_vs_stable")
PLAN = Plan(requests=1200, weight=5, stable_weight=95, minutes=60, base_rate=0.005)


@pytest.mark.parametrize(
    ("of", "bad", "rate"), [(50, 3, 0.05), (2000, 30, 0.012), (10, 10, 0.9), (1, 1, 0.2)]
)
def test_a_chance__of_so_many_bad_ones__is_the_binomial_one(of, bad, rate):
    exact = sum(
        math.exp(math.log(math.comb(of, k)) + k * math.log(rate) + (of - k) * math.log1p(-rate))
        for k in range(bad, of + 1)
    )
    assert chance(of, bad, rate) == pytest.approx(exact, rel=1e-9)


def test_a_chance__of_very_many__is_near_the_exact_one():
    assert chance(100_000, 400, 0.0042) == pytest.approx(chance(100_000, 401, 0.0042), abs=0.02)


@pytest.mark.parametrize(
    ("needed", "rate", "expected"), [(None, 0.5, 0), (0, 0.5, 1), (11, 0.5, 0), (3, 0.0, 0), (3, 1.0, 1)]
)
def test_a_chance__at_the_ends__is_sure(needed, rate, expected):
    assert chance(10, needed, rate) == expected


def test_the_detectable_rate__found_so_often_as_it_says_at_the_last_look():
    rate, rng, found = detectable_rate(2000, 0.01, 0.01), random.Random(3), 0
    for _ in range(2000):
        found += rate_evidence(Count(2000, binomial(rng, 2000, rate)), 0.01) >= math.log(100)
    assert found / 2000 == pytest.approx(POWER, abs=0.04)


def test_the_detectable_rate__of_more_requests__is_smaller():
    found = [detectable_rate(of, 0.01, 0.01) for of in (100, 1000, 10_000, 1_000_000)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.011
    assert detectable_rate(1, 0.5, 0.01) is None


def test_the_detectable_rate__beside_a_large_stable__is_near_that_against_a_limit():
    beside = detectable_beside(3000, 3_000_000, 0.005, 0.005, 0.01)
    assert beside == pytest.approx(detectable_rate(3000, 0.01, 0.01), rel=0.05)
    assert detectable_beside(3000, 1500, 0.005, 0.005, 0.01) > beside
    assert detectable_beside(3000, 0, 0.005, 0.005, 0.01) is None


@pytest.mark.parametrize("spec", [ERRORS, BESIDE], ids=lambda spec: spec.kind)
def test_a_forecast__held_against_simulated_bakes__is_found_in_four_of_five(spec):
    promised = forecast(spec, PLAN)
    harmed = Traffic(name=spec.kind, candidate=promised.detectable, stable=0.005)
    found = told(watched(spec, harmed, range(100)).gate)
    # Earlier looks add to the chance at the end, which is what is promised.
    assert 0.72 <= found.rate <= 0.97


def test_a_forecast__with_enough_traffic__says_what_is_found():
    found = forecast(ERRORS, PLAN)
    assert not found.blind
    assert (found.weight, found.bake_minutes) == (None, None)
    assert found.requests == pytest.approx(3600)
    assert found.excess == pytest.approx(found.detectable - 0.005)
    assert spoken(found.reason).startswith(
        "At 5 % for 60 minutes this gate sees about 3,600 requests. It finds 1.9 %"
    )


@pytest.mark.parametrize("kind", ["errors", "errors_vs_stable", "p95_over_budget", "cpu", "throttled"])
def test_a_forecast__of_a_blind_gate__proposes_what_is_just_enough(kind):
    spec, poor = gate(kind), Plan(requests=100, weight=5, stable_weight=95, minutes=10, base_rate=0.002)
    found = forecast(spec, poor)
    assert found.blind
    assert "too little" in found.reason
    for better, less in _proposals(poor, found):
        assert not forecast(spec, better).blind
        assert forecast(spec, less).blind


def _proposals(plan, found):
    ways = []
    if found.weight:
        ways += [(_weighing(plan, found.weight), _weighing(plan, found.weight - 1))]
    if found.bake_minutes:
        ways += [(replace(plan, minutes=found.bake_minutes), replace(plan, minutes=found.bake_minutes - 1))]
    assert ways
    return ways


def _weighing(plan, weight):
    return replace(plan, weight=weight, stable_weight=100 - weight)


def test_a_forecast__beside_nothing__is_blind():
    found = forecast(BESIDE, replace(PLAN, weight=100, stable_weight=0))
    assert found.blind
    assert "nothing to compare it with" in found.reason


def test_a_forecast__without_traffic__is_blind_and_proposes_nothing():
    for spec in (ERRORS, BESIDE, gate("p95_over_budget"), gate("cpu")):
        found = forecast(spec, replace(PLAN, requests=0))
        assert (found.blind, found.weight, found.bake_minutes) == (True, None, None)


def test_a_forecast__of_requests_that_fare_alike__finds_less():
    assert forecast(ERRORS, replace(PLAN, correlation=0.05)).detectable > forecast(ERRORS, PLAN).detectable


def test_a_forecast__of_latency_at_too_few_requests_a_minute__says_so():
    found = forecast(gate("p95_over_budget"), replace(PLAN, requests=100))
    assert found.detectable is None
    assert "of fewer than 20 a minute's p95 says nothing" in found.reason


def test_a_forecast__of_a_figure_that_must_not_fall__is_told_as_that_figure():
    spec = gate("figure", figure="clicks", limit=0.1, direction="under")
    found = forecast(spec, replace(PLAN, base_rate=None))
    assert 0.05 < found.detectable < 0.1


def test_forecasts__of_five_gates__take_next_to_no_time():
    specs = [ERRORS, BESIDE, gate("p95_over_budget"), gate("p95_vs_stable"), gate("cpu")]
    began = time.process_time()
    for number in range(10):
        for spec in specs:
            forecast(spec, Plan(90 + number, 5, 95, 10, 0.004))
    assert (time.process_time() - began) / 50 < 0.04


def test_a_forecast__of_what_is_no_failure__takes_nothing_from_the_rate_of_failures():
    for kind in ("throttled", "p95_over_budget", "cpu"):
        spec = gate(kind)
        assert forecast(spec, PLAN) == forecast(spec, replace(PLAN, base_rate=0.3))
    figure = gate("figure", figure="clicks", limit=0.05, relative=True)
    assert forecast(figure, PLAN) == forecast(figure, replace(PLAN, base_rate=0.3, correlation=0.2))
