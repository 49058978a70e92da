"""The observed split: an order that traffic follows is hardly ever said to differ, and one that it doesn't is found."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from endpoints.metrics.observed import (
    FALSE_ALARMS,
    Comparison,
    Stretch,
    Verdict,
    compare,
    divergence,
    interval,
)


def of(weights: dict[str, int], mirror: dict[str, int] | None = None, **requests: float) -> Stretch:
    return Stretch(weights, mirror or {}, requests)


def routed(chance: random.Random, weights: dict[str, int], count: int) -> Stretch:
    """Requests that are sent as Azure does: each drawn by itself."""
    drawn = chance.choices(list(weights), list(weights.values()), k=count)
    return Stretch(weights, {}, {name: float(drawn.count(name)) for name in weights})


def share_of(found: Comparison, name: str) -> float | None:
    return next(each.share for each in found.deployments if each.name == name)


def test_split__that_traffic_follows__is_the_same() -> None:
    found = compare([of({"blue": 90, "green": 10}, blue=9030, green=970)])
    assert found.verdict is Verdict.SAME
    assert found.requests == 10_000
    assert share_of(found, "green") == pytest.approx(0.097)


def test_split__half_of_what_was_ordered__differs_and_says_which() -> None:
    found = compare([of({"blue": 90, "green": 10}, blue=9500, green=500)])
    assert found.verdict is Verdict.DIFFERS
    assert "should get" in found.reason
    assert "1,000" in found.reason


def test_split__of_some_requests__is_too_few_and_not_the_same() -> None:
    found = compare([of({"blue": 50, "green": 50}, blue=30, green=20)])
    assert found.verdict is Verdict.TOO_FEW
    assert "50 requests are too few" in found.reason


def test_split__of_no_request__is_too_few() -> None:
    found = compare([of({"blue": 50, "green": 50}, blue=0, green=0)])
    assert (found.verdict, share_of(found, "blue")) == (Verdict.TOO_FEW, None)
    assert found.reason == "No request was routed."


@pytest.mark.parametrize("stretches", [[], [of({"blue": 50, "green": 50}, blue=900)]])
def test_split__with_requests_of_a_deployment_unknown__is_unknown(stretches: list[Stretch]) -> None:
    assert compare(stretches).verdict is Verdict.UNKNOWN


def test_requests__at_weight_0__are_certainly_addressed_by_header_and_no_part_of_the_split() -> None:
    found = compare([of({"blue": 100}, blue=5000, green=12)])
    green = next(each for each in found.deployments if each.name == "green")
    assert (green.direct, green.ordered, green.direct_estimate) == (12, None, None)
    assert (found.verdict, found.requests, found.direct) == (Verdict.SAME, 5000, 12)


def test_requests__all_at_weight_0__are_not_said_to_follow_the_order() -> None:
    found = compare([of({"blue": 100}, blue=0, green=800)])
    assert (found.verdict, found.direct) == (Verdict.TOO_FEW, 800)


def test_requests__beyond_a_share__are_an_estimate_of_those_addressed_by_header() -> None:
    """1,000 of 10,000 routed ones, and 600 by header."""
    found = compare([of({"blue": 90, "green": 10}, blue=9000, green=1600)])
    estimates = {each.name: each.direct_estimate for each in found.deployments}
    assert found.verdict is Verdict.DIFFERS
    assert estimates == {"blue": 0, "green": pytest.approx(600)}
    assert found.direct == 0


def test_requests__that_follow_the_order__have_no_estimate() -> None:
    found = compare([of({"blue": 90, "green": 10}, blue=9030, green=970)])
    assert {each.direct_estimate for each in found.deployments} == {None}


def test_mirrored_requests__are_compared_apart_and_are_not_by_header() -> None:
    found = compare([of({"blue": 100}, {"green": 20}, blue=10_000, green=2010)])
    (mirror,) = found.mirrored
    assert (mirror.name, mirror.ordered, mirror.verdict) == ("green", 0.2, Verdict.SAME)
    assert (found.verdict, found.requests, found.direct) == (Verdict.SAME, 10_000, 0)


def test_mirrored_requests__fewer_than_ordered__differ_and_the_live_split_does_not() -> None:
    found = compare([of({"blue": 100}, {"green": 20}, blue=10_000, green=1000)])
    assert (found.mirrored[0].verdict, found.verdict) == (Verdict.DIFFERS, Verdict.SAME)


def test_split__changed_in_the_window__is_held_against_each_of_its_times() -> None:
    """90 % and then 50 %: all together 70 %, which none of them is."""
    before = of({"blue": 90, "green": 10}, blue=9000, green=1000)
    after = of({"blue": 50, "green": 50}, blue=5000, green=5000)
    found = compare([before, after])
    assert found.verdict is Verdict.SAME
    assert [each.ordered for each in found.deployments] == [0.7, 0.3]
    assert compare([of({"blue": 90, "green": 10}, blue=14_000, green=6000)]).verdict is Verdict.DIFFERS


def test_deployment__with_weight_only_later__has_its_earlier_requests_counted_as_by_header() -> None:
    found = compare([of({"blue": 100}, blue=1000, green=5), of({"green": 100}, blue=7, green=2000)])
    assert {each.name: each.direct for each in found.deployments} == {"blue": 7, "green": 5}
    assert found.requests == 3000


WEIGHTS = some.lists(some.integers(1, 100), min_size=2, max_size=5).map(
    lambda parts: {f"d{n}": part for n, part in enumerate(_percents(parts))}
)


def _percents(parts: list[int]) -> list[int]:
    """Whole percents, none 0, that sum to 100."""
    whole = [max(1, part * 95 // sum(parts)) for part in parts]
    return [whole[0] + 100 - sum(whole), *whole[1:]]


@given(WEIGHTS, some.integers(0, 10**9), some.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_interval__of_any_split__holds_its_share_and_the_weight_unless_it_differs(
    weights: dict[str, int], count: int, chance: random.Random
) -> None:
    parts = [0.001 + chance.random() for _ in weights]
    requests = {
        name: float(int(count * part / sum(parts))) for name, part in zip(weights, parts, strict=True)
    }
    found = compare([Stretch(weights, {}, requests)])
    assert found.requests == sum(requests.values())
    for each in found.deployments:
        if each.share is None:
            continue
        assert each.low is not None and each.high is not None and each.ordered is not None
        assert 0 <= each.low <= each.share <= each.high <= 1
        inside = each.low - 1e-9 <= each.ordered <= each.high + 1e-9
        assert inside == (each.verdict is not Verdict.DIFFERS)
    shares = [each.share for each in found.deployments if each.share is not None]
    assert not shares or math.fsum(shares) == pytest.approx(1)


@given(some.floats(0, 1), some.floats(0, 1))
def test_divergence__of_two_shares__is_0_only_where_they_are_equal(one: float, other: float) -> None:
    assert divergence(one, other) >= -1e-12
    assert divergence(one, one) == pytest.approx(0, abs=1e-12)


def binomial(got: int, count: int, share: float) -> float:
    """The probability of exactly so many."""
    if share == 0:
        return float(got == 0)
    ways = math.lgamma(count + 1) - math.lgamma(got + 1) - math.lgamma(count - got + 1)
    return math.exp(ways + got * math.log(share) + (count - got) * math.log(1 - share))


@pytest.mark.parametrize(("count", "share"), [(40, 0.5), (400, 0.05), (4000, 0.01), (40, 0.0)])
def test_interval__holds_the_true_share__as_often_as_it_says(count: int, share: float) -> None:
    """By the exact binomial distribution: the probability of all counts whose interval leaves the true share out."""
    limit = math.log(2 * FALSE_ALARMS)
    missed = 0.0
    for got in range(count + 1):
        low, high = interval(got / count, count, limit)
        if not low <= share <= high:
            missed += binomial(got, count, share)
    assert missed <= 1 / FALSE_ALARMS


@pytest.mark.parametrize(
    "weights",
    [{"blue": 90, "green": 10}, {"blue": 99, "green": 1}, {"a": 40, "b": 30, "c": 20, "d": 10}],
)
def test_split__that_traffic_follows__is_said_to_differ_no_more_often_than_stated(
    weights: dict[str, int],
) -> None:
    """At a rate of 1 in 20, which a few thousand windows can show; sizes from some requests to thousands."""
    chance, windows, rate = random.Random(17), 3000, 20
    sizes = [chance.choice((5, 50, 400)) for _ in range(windows)]
    alarms = sum(
        compare([routed(chance, weights, size)], false_alarms=rate).verdict is Verdict.DIFFERS
        for size in sizes
    )
    assert alarms <= windows / rate


def test_split__that_changed__is_said_to_differ_no_more_often_than_stated() -> None:
    chance, windows, rate = random.Random(4), 2000, 20
    splits = [{"blue": 100 - part, "green": part} for part in (1, 10, 50)]
    alarms = sum(
        compare([routed(chance, split, 80) for split in splits], false_alarms=rate).verdict is Verdict.DIFFERS
        for _ in range(windows)
    )
    assert alarms <= windows / rate


def test_split__5_points_off__is_found_in_nearly_all_windows_of_4000_requests() -> None:
    chance, windows = random.Random(8), 200
    found = 0
    for _ in range(windows):
        stretch = routed(chance, {"blue": 85, "green": 15}, 4000)
        found += (
            compare([Stretch({"blue": 90, "green": 10}, {}, stretch.requests)]).verdict is Verdict.DIFFERS
        )
    assert found >= 0.99 * windows
