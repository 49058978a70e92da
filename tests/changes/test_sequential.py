"""The tests behind gates: their mean without harm, their false alarms however often one looks, and what they find."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.changes.gatespec import gate
from endpoints.changes.sequential import (
    SHIFTS,
    Count,
    ExcessTest,
    correlation,
    design_effect,
    interval,
    moved,
    pair_evidence,
    rate_evidence,
)
from tests.changes.gate_series import Latency, Traffic, binomial
from tests.changes.gate_study import told, watched

RATES = st.floats(1e-4, 0.9)


def _chance(of: int, bad: int, rate: float) -> float:
    return math.comb(of, bad) * rate**bad * (1 - rate) ** (of - bad)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.floats(1e-4, 0.95), st.floats(0, 1))
def test_the_evidence__of_any_rate_within_the_limit__has_a_mean_of_at_most_one(of, limit, part):
    rate = limit * part
    mean = sum(
        _chance(of, bad, rate) * math.exp(rate_evidence(Count(of, bad), limit)) for bad in range(of + 1)
    )
    assert mean <= 1 + 1e-9


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.floats(1e-4, 0.95), st.floats(0, 1))
def test_the_evidence__for_safety_at_any_rate_over_the_limit__has_a_mean_of_at_most_one(of, limit, part):
    rate = limit + (1 - limit) * part
    mean = sum(
        _chance(of, bad, rate) * math.exp(rate_evidence(Count(of, bad), limit, harm=False))
        for bad in range(of + 1)
    )
    assert mean <= 1 + 1e-9


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 12),
    RATES,
    st.floats(0, 0.4),
    st.sampled_from(SHIFTS),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_evidence__of_any_pair_that_is_allowed__has_a_mean_of_at_most_one(
    candidates, stables, guess, allowed, shift, where, part
):
    """Also where the guess of the stable's rate is wrong: exact, over every outcome."""
    stable = where * (1 - allowed)
    candidate = part * (stable + allowed)
    mean = sum(
        _chance(candidates, bad, candidate)
        * _chance(stables, beside, stable)
        * math.exp(pair_evidence(Count(candidates, bad), Count(stables, beside), guess, allowed, shift))
        for bad in range(candidates + 1)
        for beside in range(stables + 1)
    )
    assert mean <= 1 + 1e-6


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 12),
    RATES,
    st.floats(0.001, 0.3),
    st.sampled_from(SHIFTS),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_evidence__for_safety_of_any_pair_beyond__has_a_mean_of_at_most_one(
    candidates, stables, guess, allowed, shift, where, part
):
    stable = where * (1 - allowed)
    candidate = stable + allowed + part * (1 - stable - allowed)
    mean = sum(
        _chance(candidates, bad, candidate)
        * _chance(stables, beside, stable)
        * math.exp(pair_evidence(Count(candidates, bad), Count(stables, beside), guess, allowed, -shift))
        for bad in range(candidates + 1)
        for beside in range(stables + 1)
    )
    assert mean <= 1 + 1e-6


@given(st.integers(1, 5000), st.floats(0.001, 0.5))
def test_the_evidence__of_one_more_bad_request__grows(of, limit):
    found = [rate_evidence(Count(of, bad), limit) for bad in range(0, of + 1, max(1, of // 20))]
    assert all(one < other for one, other in pairwise(found))


@settings(deadline=None)
@given(st.integers(1, 20_000), st.floats(0, 1))
def test_an_interval__of_any_count__holds_the_rate_and_is_wider_when_surer(of, share):
    count = Count(of, round(of * share))
    low, high = interval(count, 0.05)
    assert 0 <= low <= count.bad / of <= high <= 1
    surer = interval(count, 0.001)
    assert surer[0] <= low and high <= surer[1]


def test_an_interval__of_nothing__says_nothing():
    assert interval(Count(0, 0), 0.01) == (0.0, 1.0)


def test_an_interval__looked_at_after_every_minute__misses_the_rate_as_seldom_as_stated():
    rng, missed = random.Random(11), 0
    for _ in range(100):
        count, out = Count(0, 0), False
        for _ in range(20):
            count = Count(count.of + 60, count.bad + binomial(rng, 60, 0.02))
            low, high = interval(count, 0.05)
            out = out or not low <= 0.02 <= high
        missed += out
    # Each end may miss it in 5 of 100: 20 and more would be seen in 1 of 500 studies.
    assert missed < 20


def test_the_excess_test__of_minutes_without_traffic_on_a_side__learns_nothing():
    test = ExcessTest(0.005)
    test.feed(Count(50, 50), Count(0, 0))
    test.feed(Count(0, 0), Count(50, 50))
    assert test.harm == pytest.approx(0)
    assert test.safe == pytest.approx(0)


def test_the_excess_test__of_equals__becomes_sure_that_they_are():
    test = ExcessTest(0.02)
    for _ in range(60):
        test.feed(Count(100, 1), Count(1000, 10))
    assert test.safe > math.log(100)
    assert test.harm < 0


def test_a_rate__moved_by_log_odds__stays_a_rate():
    assert moved(0.5, 0) == pytest.approx(0.5)
    assert 0 < moved(1e-9, -6.4) < moved(0.01, 0.1) < moved(0.99, 6.4) < 1


# Clumps


def test_the_correlation__of_independent_requests__is_next_to_nothing():
    rng = random.Random(5)
    minutes = [Count(500, binomial(rng, 500, 0.02)) for _ in range(300)]
    assert correlation(minutes) == pytest.approx(0, abs=0.0005)


@pytest.mark.parametrize("alike", [0.01, 0.05])
def test_the_correlation__of_clumps__is_found(alike):
    rng = random.Random(6)
    size = 1 / alike - 1
    minutes = [Count(500, binomial(rng, 500, rng.betavariate(0.05 * size, 0.95 * size))) for _ in range(600)]
    assert correlation(minutes) == pytest.approx(alike, rel=0.25)


@pytest.mark.parametrize(
    "minutes", [[], [Count(10, 1)] * 14, [Count(10, 0)] * 60, [Count(10, 10)] * 60, [Count(1, 1)] * 60]
)
def test_the_correlation__of_too_little__is_unknown(minutes):
    assert correlation(minutes) is None


def test_the_design_effect__of_one_request__is_one():
    assert design_effect(1, 0.3) == design_effect(0, 0.3) == 1
    assert design_effect(101, 0.02) == pytest.approx(3)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(2, 6), st.floats(0.001, 0.5))
def test_the_evidence__of_clumps_divided_by_their_size__has_a_mean_of_at_most_one(clumps, size, limit):
    mean = sum(
        _chance(clumps, bad, limit)
        * math.exp(rate_evidence(Count(clumps * size, bad * size).divided(size), limit))
        for bad in range(clumps + 1)
    )
    assert mean <= 1 + 1e-9


# A small version of the study in docs/explanation/gates.md; `dev.py bench gates` is the whole

LOOSE = 0.05
"""With a false-alarm rate of 1 in 20, 100 series tell something: more than 14 would be seen in 1 of 5,000 studies."""


@pytest.mark.parametrize(
    ("kind", "traffic"),
    [
        ("errors", Traffic(name="at the limit", candidate=0.01, stable=0.01, times=1)),
        ("errors", Traffic(name="swinging", candidate=0.01, stable=0.01, rhythm=0.6, times=1)),
        ("errors_vs_stable", Traffic(name="equal", candidate=0.01, stable=0.01)),
        ("errors_vs_stable", Traffic(name="just allowed", candidate=0.015, stable=0.01)),
        ("errors_vs_stable", Traffic(name="outages", candidate=0.002, stable=0.002, outages=0.02)),
        ("p95_vs_stable", Latency(name="equal")),
    ],
    ids=lambda given: getattr(given, "name", given),
)
def test_a_gate__looked_at_every_minute_of_a_harmless_hour__keeps_its_false_alarm_rate(kind, traffic):
    found = watched(gate(kind, alpha=LOOSE), traffic, range(100))
    assert told(found.gate).alarms <= 14


def test_a_z_test__looked_at_every_minute__does_not():
    traffic = Traffic(name="at the limit", candidate=0.01, stable=0.01, times=1)
    found = told(watched(gate("errors", alpha=LOOSE), traffic, range(100)).naive)
    assert found.rate > 2 * LOOSE


@pytest.mark.parametrize("kind", ["errors", "errors_vs_stable"])
def test_a_gate__on_three_times_the_limit__misses_next_to_nothing_and_is_soon(kind):
    harmed = Traffic(name="harmed", candidate=0.03, stable=0.005)
    found = told(watched(gate(kind), harmed, range(40)).gate)
    assert found.rate >= 0.95
    assert found.soon <= 15


def test_a_gate__on_clumps_that_the_stable_showed_before__takes_them_into_account():
    traffic = Traffic(name="clumps", candidate=0.01, stable=0.01, clumped=0.05)
    as_found = told(watched(gate("errors", alpha=LOOSE), traffic, range(100)).gate)
    as_one = told(watched(gate("errors", alpha=LOOSE, design_effect=1.0), traffic, range(100)).gate)
    assert as_found.alarms <= 14 < as_one.alarms
