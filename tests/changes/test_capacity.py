"""Whether replicas can carry what a plan gives them: known, tight, too much, unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.capacity import NAME, Peak, Replicas, check, loads
from endpoints.changes.plan import Base, Step, patch_capacity, put_split
from endpoints.changes.verdict import Outcome, Verdict

BASE = Base({"blue": 100}, {}, "")
PEAK = Peak(1000.0, "Tuesday 11:40\u00a0UTC")
# Blue carries 1,500 a minute, green 600.
STANDING = {"blue": Replicas(3, 500.0, "from CPU"), "green": Replicas(2, 300.0, "from CPU")}


def judged(
    *steps: Step, peak: Peak = PEAK, replicas: dict[str, Replicas] | None = None, base: Base = BASE
) -> Verdict:
    return check(base, steps, peak, STANDING if replicas is None else replicas)


def to_green(percent: int, mirror: int = 0) -> Step:
    rest = {"blue": 100 - percent} if percent < 100 else {}
    return put_split({**rest, "green": percent}, {"green": mirror} if mirror else {})


@pytest.mark.parametrize(
    ("percent", "outcome"),
    [(5, Outcome.PASS), (48, Outcome.PASS), (49, Outcome.WARN), (60, Outcome.WARN), (61, Outcome.FAIL)],
)
def test_check__candidate_with_two_replicas__is_judged_at_the_measured_peak(
    percent: int, outcome: Outcome
) -> None:
    verdict = judged(to_green(percent))
    assert (verdict.name, verdict.outcome) == (NAME, outcome)
    assert verdict.blocks is (outcome is Outcome.FAIL)
    assert verdict.needs_acceptance is (outcome is Outcome.WARN)


def test_check__words__name_deployment_share_replicas_and_peak() -> None:
    said = judged(to_green(100)).reason
    for part in ("green at 100\u00a0%", "167\u00a0%", "2 replicas", "1,000 requests a minute", "Tuesday"):
        assert part in said


def test_check__any_step_of_the_plan__counts() -> None:
    assert judged(to_green(5), to_green(100)).outcome is Outcome.FAIL


def test_check__remaining_share_of_others__counts_too() -> None:
    base = Base({"blue": 50, "green": 50}, {}, "")
    replicas = {"blue": Replicas(1, 500.0), "green": Replicas(9, 300.0), "red": Replicas(9, 300.0)}
    kept = put_split({"blue": 60, "red": 40}, {})
    assert judged(kept, base=base, replicas=replicas).outcome is Outcome.FAIL


def test_check__what_only_loses_traffic__never_blocks_a_repair() -> None:
    weak = {"blue": Replicas(1, 100.0), "green": Replicas(9, 300.0)}
    verdict = judged(to_green(20), replicas=weak)
    assert verdict.outcome is Outcome.WARN
    assert "blue at 80\u00a0%" in verdict.reason


@pytest.mark.parametrize(
    "green", [Replicas(2, None, "no load yet"), Replicas(None, 300.0, "Azure gives no capacity")]
)
def test_check__unknown_of_what_gains__is_no_pass_and_can_be_accepted(green: Replicas) -> None:
    verdict = judged(to_green(5), replicas=STANDING | {"green": green})
    assert (verdict.outcome, verdict.acceptable, verdict.passed) == (Outcome.INCONCLUSIVE, True, False)
    assert green.source in verdict.reason


def test_check__unknown_of_what_loses__holds_nothing_up() -> None:
    replicas = STANDING | {"blue": Replicas(3, None, "no load yet")}
    assert judged(to_green(5), replicas=replicas).outcome is Outcome.PASS


def test_check__no_load_was_ever_measured__is_no_pass() -> None:
    verdict = judged(to_green(5), peak=Peak(None, "Metrics are not read yet."))
    assert (verdict.outcome, verdict.needs_acceptance) == (Outcome.INCONCLUSIVE, True)


def test_check__zero_load__passes_for_it_is_known() -> None:
    assert judged(to_green(100), peak=Peak(0.0, "two weeks")).outcome is Outcome.PASS


def test_check__instances_that_the_plan_adds_first__carry_the_share() -> None:
    scaled = patch_capacity("green", 5, {"blue": 100}, {})
    assert judged(scaled, to_green(100)).outcome is Outcome.PASS
    assert judged(to_green(100), scaled).outcome is Outcome.FAIL


def test_check__plan_that_takes_instances_away__is_judged() -> None:
    assert judged(patch_capacity("blue", 1, {"blue": 100}, {})).outcome is Outcome.FAIL


def test_loads__mirrored_requests__are_carried_too() -> None:
    (blue, green) = loads(to_green(0, mirror=50), 1000.0, STANDING)
    assert (blue.deployment, blue.requests) == ("blue", 1000.0)
    assert (green.requests, green.share) == (500.0, pytest.approx(500 / 600))


def test_loads__figure_of_another_deployment__is_said_to_be_borrowed() -> None:
    borrowed = STANDING | {"green": Replicas(2, 500.0, "", borrowed="blue")}
    assert "by blue's figure" in loads(to_green(5), 1000.0, borrowed)[1].words


@given(
    st.integers(1, 100),
    st.floats(0, 1e6),
    st.integers(1, 50),
    st.one_of(st.none(), st.floats(0.1, 1e5)),
)
def test_check__whatever_is_known__passes_only_what_fits(
    percent: int, peak: float, instances: int, per_replica: float | None
) -> None:
    replicas = {"blue": Replicas(50, 1e9), "green": Replicas(instances, per_replica)}
    verdict = judged(to_green(percent), peak=Peak(peak, ""), replicas=replicas)
    if verdict.passed:
        assert per_replica is not None
        assert peak * percent / 100 <= 0.8 * instances * per_replica * (1 + 1e-9)
