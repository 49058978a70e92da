"""What one gate says of a step: harm, its absence, and everything that is neither."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.changes.evidence import FigureEvidence, MinuteSample, combined
from endpoints.changes.gates import Measurement, measure, measure_each
from endpoints.changes.gatespec import GateSpec, Kind, gate
from endpoints.changes.verdict import Outcome
from tests.changes.gate_evidence import cases, evidence, minutes, moment, spoken

ERRORS = gate("errors")
ALL_BUT_FIGURES = [gate(kind) for kind in Kind if kind is not Kind.FIGURE]
BAD = {
    Kind.ERRORS: {"errors": 3},
    Kind.ERRORS_VS_STABLE: {"errors": 3},
    Kind.THROTTLED: {"throttled": 3},
    Kind.P95_OVER_BUDGET: {"p95": 260.0},
    Kind.P95_VS_STABLE: {"p95": 150.0},
    Kind.CPU: {"cpu_max": 95.0},
    Kind.MEMORY: {"memory_max": 95.0},
    Kind.GPU: {"gpu_max": 99.0},
}


def says(spec: GateSpec, *args, **kwargs) -> Measurement:
    return measure(spec, evidence(*args, **kwargs))


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__on_a_calm_half_hour__passes(spec):
    found = says(spec, minutes(30))
    assert found.outcome is Outcome.PASS, found.reason
    assert not found.excused


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__on_a_harmed_candidate__fails_and_says_by_how_much(spec):
    found = says(spec, minutes(30, **BAD[spec.kind]))
    assert found.outcome is Outcome.FAIL
    assert "in 30" in spoken(found.reason) and "limit" in found.reason
    assert "at most 1 in 100 harmless candidates" in found.reason


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__on_minutes_of_which_nothing_is_known__is_inconclusive(spec):
    unknown = tuple(MinuteSample(moment(place)) for place in range(30))
    found = says(spec, unknown)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.value is None
    assert "Only 0 of 30 minutes are known" in spoken(found.reason)


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__without_any_minute__is_inconclusive(spec):
    assert says(spec, (), stable=()).reason == "No minute is over yet."
    late = says(spec, (), expected_minutes=20)
    assert late.outcome is Outcome.INCONCLUSIVE
    assert late.expected == 20


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__without_traffic__is_inconclusive(spec):
    found = says(spec, minutes(30, requests=0, p95=None))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert spoken(found.reason).endswith("o request reached the candidate in 30 minutes.")


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__whose_source_is_unreadable__is_an_error(spec):
    found = says(spec, minutes(30), unreadable="Azure Monitor refuses: 403.")
    assert found.outcome is Outcome.ERROR
    assert found.reason == "Azure Monitor refuses: 403."


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_gate__given_what_no_measurement_can_be__is_an_error(spec, value):
    for name in ("requests", "errors", "p95", "cpu_max"):
        found = says(spec, minutes(30, **{name: [value, *[1.0] * 29]}))
        assert found.outcome is Outcome.ERROR
        assert name in found.reason


def test_a_gate__given_the_same_minute_twice__is_an_error():
    assert says(ERRORS, (*minutes(30), *minutes(1))).outcome is Outcome.ERROR


def test_a_gate__given_minutes_out_of_order__says_the_same():
    ordered = minutes(30, errors=[place % 2 for place in range(30)])
    for spec in ALL_BUT_FIGURES:
        assert says(spec, tuple(reversed(ordered))) == says(spec, ordered)


def test_errors__more_than_requests__are_an_error_but_for_a_little():
    assert says(ERRORS, minutes(30, requests=60, errors=62)).outcome is Outcome.ERROR
    assert says(ERRORS, minutes(30, requests=60, errors=61)).outcome is Outcome.FAIL


def test_errors__within_the_limit__are_told_in_one_sentence():
    found = says(ERRORS, minutes(31, requests=600, errors=[2, 3] * 15 + [2]))
    assert spoken(found.reason) == (
        "0.41 % of 18,600 requests failed in 31 minutes (stable 0 %); limit 1 %; surely within it."
    )
    assert found.value == pytest.approx(77 / 18600)
    assert found.low < found.value < found.high < 0.01


def test_errors__few_requests_but_all_failing__fail_at_once():
    found = says(ERRORS, minutes(1, requests=10, errors=10))
    assert found.outcome is Outcome.FAIL


def test_errors__within_the_limit_of_too_few_requests__do_not_pass():
    found = says(ERRORS, minutes(10, requests=19))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "only 190 of at least 200 requests have come" in found.reason


def test_errors__enough_requests_in_too_few_minutes__do_not_pass():
    found = says(ERRORS, minutes(4, requests=600))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "only 4 minutes of at least 5" in spoken(found.reason)


def test_errors__with_a_quarter_of_the_minutes_unknown__do_not_pass():
    found = says(ERRORS, minutes(40, errors=[None, 0, 0, 0] * 10))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "only 30 of 40 minutes are known, and 80 % must be" in spoken(found.reason)


def test_errors__proven_by_the_few_minutes_that_are_known__fail():
    found = says(ERRORS, minutes(40, errors=[None, None, None, 30] * 10))
    assert found.outcome is Outcome.FAIL


def test_errors__over_the_limit_but_by_few__are_inconclusive():
    found = says(ERRORS, minutes(30, requests=20, errors=[1] * 8 + [0] * 22))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "beyond it, but that may still be chance" in found.reason


def test_errors__of_too_few_to_show_any_harm_that_matters__do_not_pass():
    few = replace(ERRORS, min_requests=30)
    found = says(few, minutes(10, requests=5))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "too few to tell" in found.reason
    assert found.detectable > 0.06


def test_errors__none_found_but_not_proven_absent__pass_and_say_what_would_have_shown():
    found = says(ERRORS, minutes(15, requests=20, errors=[1] + [0] * 14))
    assert found.outcome is Outcome.PASS
    assert f"{found.detectable * 100:.1f} % would have shown in 4 of 5 cases" in spoken(found.reason)


def test_errors__beside_a_stable_that_fails_alike__are_no_excess():
    beside = gate("errors_vs_stable")
    candidate, stable = minutes(30, errors=3), minutes(30, requests=1000, errors=50)
    assert says(beside, candidate, stable).outcome is not Outcome.FAIL
    found = says(beside, candidate, minutes(30, requests=1000, errors=5))
    assert found.outcome is Outcome.FAIL
    assert found.value == pytest.approx(0.045)
    assert "4.5 points more than 0.50 % of stable's 30,000" in spoken(found.reason)


def test_errors__beside_a_stable_without_traffic__are_inconclusive():
    found = says(gate("errors_vs_stable"), minutes(30), minutes(30, requests=0))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "only 0 of at least 200 requests came to the stable" in found.reason


def test_errors__beside_a_stable_that_is_unknown__are_inconclusive():
    for stable in ((), minutes(30, errors=None)):
        found = says(gate("errors_vs_stable"), minutes(30, errors=30), stable)
        assert found.outcome is Outcome.INCONCLUSIVE


def test_latency__without_a_budget__is_an_error():
    found = says(gate("p95_over_budget"), minutes(30), budget_ms=None)
    assert found.outcome is Outcome.ERROR
    assert "no latency budget" in found.reason


def test_latency__over_budget_in_three_minutes_of_three__fails():
    found = says(gate("p95_over_budget"), minutes(3, p95=251.0))
    assert found.outcome is Outcome.FAIL
    assert spoken(found.reason).startswith(
        "p95 was over the budget of 250 ms in 3 of 3 minutes (stable in 0 of 3)"
    )


def test_latency__of_minutes_with_few_requests__says_nothing():
    found = says(gate("p95_over_budget"), minutes(30, requests=19, p95=900.0))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.minutes == 0


def test_latency__in_a_minute_with_requests_but_no_p95__is_unknown():
    found = says(gate("p95_over_budget"), minutes(30, p95=[None] * 10 + [120.0] * 20))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "only 20 of 30 minutes are known" in spoken(found.reason)


def test_latency__slower_than_a_stable_that_slows_down_too__passes():
    slow = [100.0 + 20 * place for place in range(30)]
    found = says(gate("p95_vs_stable"), minutes(30, p95=slow), minutes(30, requests=1000, p95=slow))
    assert found.outcome is Outcome.PASS


def test_use__at_the_limit_and_not_over__is_no_bad_minute():
    assert says(gate("cpu"), minutes(30, cpu_max=90.0)).value == 0


# Red before the change


@pytest.mark.parametrize("kind", [Kind.ERRORS, Kind.THROTTLED, Kind.P95_OVER_BUDGET, Kind.CPU])
def test_a_gate__red_before_the_change_and_no_worse__is_excused(kind):
    before = minutes(60, first=-70, requests=1000, **_worse(kind, 50))
    found = says(
        gate(kind), minutes(30, **_worse(kind, 3)), minutes(30, requests=1000, **_worse(kind, 50)), before
    )
    assert found.excused
    assert found.outcome is Outcome.FAIL
    assert "excused, as it was" in found.reason and "not worse" in found.reason


@pytest.mark.parametrize("kind", [Kind.ERRORS, Kind.THROTTLED])
def test_a_gate__red_before_the_change_and_surely_worse__fails(kind):
    before = minutes(60, first=-70, requests=1000, **_worse(kind, 30))
    found = says(
        gate(kind), minutes(30, **_worse(kind, 20)), minutes(30, requests=1000, **_worse(kind, 30)), before
    )
    assert found.outcome is Outcome.FAIL
    assert not found.excused
    assert "also worse than before the change" in found.reason


def test_a_gate__red_before_with_nothing_beside_it_now__is_held_against_what_was():
    before = minutes(60, first=-70, requests=1000, errors=50)
    as_bad, worse = minutes(30, errors=3), minutes(30, errors=20)
    assert says(ERRORS, as_bad, (), before).excused
    assert not says(ERRORS, worse, (), before).excused


def test_a_gate__red_before_but_hardly_measured_since__is_inconclusive():
    before = minutes(60, first=-70, requests=1000, errors=200)
    found = says(ERRORS, minutes(3, errors=12), minutes(3, requests=1000, errors=200), before)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert not found.excused


def test_a_gate__green_before__excuses_nothing():
    before = minutes(60, first=-70, requests=1000, errors=2)
    found = says(ERRORS, minutes(30, errors=3), minutes(30, requests=1000, errors=50), before)
    assert found.outcome is Outcome.FAIL
    assert not found.excused


def _worse(kind: Kind, number: int) -> dict[str, float]:
    counted = {Kind.ERRORS: "errors", Kind.THROTTLED: "throttled"}
    return {counted[kind]: number} if kind in counted else BAD[kind]


# Business figures


def test_a_figure__rate_that_falls_under_its_limit__fails():
    spec = gate("figure", figure="clicks", limit=0.1, direction="under")
    low = _figure(spec, cases(30, of=100, total=6))
    assert low.outcome is Outcome.FAIL
    assert low.value == pytest.approx(0.06)
    assert spoken(low.reason).startswith("clicks was 6.0 % of 3,000 cases in 30 minutes; limit at least 10 %")
    assert _figure(spec, cases(30, of=100, total=14)).outcome is Outcome.PASS


def test_a_figure__rate_beside_the_stable__fails_for_the_difference_only():
    spec = gate("figure", figure="clicks", limit=0.02, direction="under", relative=True)
    alike = _figure(spec, cases(30, of=100, total=10), cases(30, of=1000, total=100))
    lower = _figure(spec, cases(30, of=100, total=4), cases(30, of=1000, total=100))
    assert (alike.outcome, lower.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert lower.value == pytest.approx(-0.06)


def test_a_figure__mean_over_the_stables__counts_minutes():
    spec = gate("figure", figure="score", figure_kind="mean", limit=5.0, relative=True)
    alike = _figure(spec, cases(30, of=100, total=-300.0), cases(30, of=1000, total=-3000.0))
    higher = _figure(spec, cases(30, of=100, total=400.0), cases(30, of=1000, total=-3000.0))
    assert (alike.outcome, higher.outcome) == (Outcome.PASS, Outcome.FAIL)


def test_a_figure__that_nobody_sends__is_an_error():
    spec = gate("figure", figure="clicks", limit=0.1)
    assert says(spec, minutes(30)).outcome is Outcome.ERROR


def test_a_figure__without_a_case__is_inconclusive():
    spec = gate("figure", figure="clicks", limit=0.1)
    assert _figure(spec, cases(30, of=0, total=0)).outcome is Outcome.INCONCLUSIVE
    assert _figure(spec, ()).outcome is Outcome.INCONCLUSIVE


def test_a_figure__with_more_than_there_are_cases__is_an_error():
    spec = gate("figure", figure="clicks", limit=0.1)
    assert _figure(spec, cases(30, of=10, total=11)).outcome is Outcome.ERROR


def _figure(spec, candidate, stable=()):
    figures = {spec.figure: FigureEvidence(tuple(candidate), tuple(stable))}
    return measure(spec, evidence(minutes(30), figures=figures))


# All of them


COUNTS = st.one_of(st.none(), st.integers(0, 200))
SAMPLES = st.lists(
    st.tuples(
        COUNTS, COUNTS, st.one_of(st.none(), st.floats(0, 1000)), st.one_of(st.none(), st.floats(0, 100))
    ),
    max_size=25,
)


def _samples(drawn, first=0):
    return tuple(
        MinuteSample(moment(first + place), requests, errors, errors, p95, used, used, used)
        for place, (requests, errors, p95, used) in enumerate(drawn)
    )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL_BUT_FIGURES), SAMPLES, SAMPLES, SAMPLES)
def test_a_gate__on_any_evidence__passes_only_what_is_known_and_within(spec, candidate, stable, before):
    found = says(spec, _samples(candidate), _samples(stable), _samples(before, first=-100))
    assert found.reason.endswith(".")
    if found.outcome is Outcome.PASS:
        assert found.requests >= spec.min_requests
        assert found.value is not None and found.value <= found.limit
    if found.outcome is Outcome.FAIL:
        assert found.evidence >= 1 / spec.alpha * (1 - 1e-9)
    if found.excused:
        assert found.outcome is not Outcome.PASS


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ALL_BUT_FIGURES), SAMPLES, SAMPLES)
def test_a_gate__measured_as_minutes_come__says_what_it_says_of_them_alone(spec, candidate, stable):
    whole = evidence(_samples(candidate), _samples(stable)[: len(candidate)])
    each = list(measure_each(spec, whole))
    assert len(each) == whole.expected_minutes
    if each and not any(one.outcome is Outcome.ERROR for one in each):
        assert each[-1] == measure(spec, whole)
        half = len(each) // 2
        if half:
            first = evidence(_samples(candidate)[:half], _samples(stable)[: min(half, len(candidate))])
            assert each[half - 1] == measure(spec, first)


def test_minutes__of_several_stable_deployments__add_up_and_the_slowest_counts():
    one = minutes(2, requests=10, errors=1, p95=100.0, cpu_max=30.0)
    other = minutes(2, requests=[5, 0], errors=[2, 0], p95=[200.0, None], cpu_max=60.0)
    first, second = combined([one, other])
    assert (first.requests, first.errors, first.p95, first.cpu_max) == (15, 3, 200.0, 60.0)
    assert (second.requests, second.p95) == (10, 100.0)


def test_minutes__unknown_of_one_stable_deployment__are_unknown_of_all():
    (found,) = combined([minutes(1), minutes(1, errors=None)])
    assert found.errors is None
    (found,) = combined([minutes(1), ()])
    assert (found.requests, found.p95) == (None, None)


# Specs


@pytest.mark.parametrize("spec", ALL_BUT_FIGURES, ids=lambda spec: spec.kind)
def test_a_spec__with_what_is_usual__is_sound_and_survives_storage(spec):
    assert spec.problems() == []
    assert GateSpec.from_json(spec.as_json()) == spec


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"limit": 0.0}, "share of requests"),
        ({"limit": math.nan}, "a limit is a number"),
        ({"share": 0.0}, "share of minutes"),
        ({"min_requests": 0}, "at least 1 request"),
        ({"min_minutes": 2000}, "minute"),
        ({"known_share": 0.1}, "half"),
        ({"failure_limit": -2}, "-1"),
        ({"consecutive_successes": -1}, "in a row"),
        ({"alpha": 0.5}, "false-alarm"),
        ({"design_effect": 0.5}, "design effect"),
        ({"figure": "clicks"}, "business figures"),
    ],
)
def test_a_spec__with_one_thing_wrong__says_what(wrong, words):
    (problem,) = replace(ERRORS, **wrong).problems()
    assert problem.startswith("Errors: ")
    assert words in problem


def test_a_spec__of_a_figure__needs_name_and_sense():
    assert gate("figure", figure="clicks", limit=0.1).problems() == []
    assert gate("figure", limit=0.1).problems()
    assert gate("figure", figure="clicks", limit=1.5).problems()
    assert gate("figure", figure="score", figure_kind="mean", limit=1.5).problems() == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "luck"},
        {"kind": "errors", "colour": 1},
        {"kind": "figure"},
        {"kind": "errors", "limit": "1 %"},
        {"kind": "errors", "limit": True},
        {"kind": "errors", "min_minutes": 1.5},
        {"kind": "errors", "dry_run": 1},
        {"kind": 7},
        {"kind": "errors", "limit": None},
    ],
)
def test_a_spec__that_this_version_does_not_know__is_refused(data):
    with pytest.raises(ValueError):
        GateSpec.from_json(data)


def test_specs__of_one_thing__have_one_name():
    assert gate("errors", limit=0.02).name == gate("errors").name
    assert len({spec.name for spec in ALL_BUT_FIGURES}) == len(ALL_BUT_FIGURES)
