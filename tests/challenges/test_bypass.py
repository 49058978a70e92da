"""The estimate of requests by header: never more than there were but by rare chance, and nothing said out of little."""

from __future__ import annotations

import random

import pytest

from endpoints.challenges.bypass import FEWEST, estimate
from endpoints.core.traffic import Split

HALF = {"blue": 50, "green": 50}
CANARY = {"blue": 95, "green": 5}


def drawn(chance: random.Random, live: Split, count: int, by_header: float, to: str) -> dict[str, float]:
    """Requests as Azure would spread them: some by header, the others by weight."""
    got = dict.fromkeys({*live, to}, 0.0)
    names, weights = list(live), list(live.values())
    for _ in range(count):
        name = to if chance.random() < by_header else chance.choices(names, weights)[0]
        got[name] += 1
    return got


@pytest.mark.parametrize(
    ("live", "to"), [(HALF, "blue"), (CANARY, "green"), (CANARY, "violet"), (HALF, "green")]
)
@pytest.mark.parametrize("by_header", [0.0, 0.02, 0.2])
def test_estimate__of_many_draws__never_says_more_for_sure_than_there_was(
    live: Split, to: str, by_header: float
) -> None:
    chance = random.Random(7)
    for _ in range(40):
        got = drawn(chance, live, 2000, by_header, to)
        found = estimate(got, live, {})
        assert found.share is not None
        assert found.at_least is not None
        # Those that reach a deployment without weight are counted, and their share is drawn, too.
        drawn_share = got["violet"] / 2000 if to == "violet" else by_header
        assert found.at_least <= max(by_header, drawn_share) + 1e-9
        assert found.at_least <= found.share + 1e-9


def test_estimate__of_a_fifth_by_header__is_near_it() -> None:
    got = drawn(random.Random(7), CANARY, 20_000, 0.2, "green")
    found = estimate(got, CANARY, {})
    assert found.share == pytest.approx(0.2, abs=0.02)
    assert found.at_least is not None
    assert 0.15 < found.at_least <= 0.2


def test_estimate__where_all_traffic_goes_to_one__counts_only_what_is_proven() -> None:
    found = estimate({"blue": 900.0, "green": 100.0}, {"blue": 100}, {})
    assert (found.requests, found.proven, found.share, found.at_least) == (1000, 100, pytest.approx(0.1), 0.1)


def test_estimate__of_copies__does_not_count_them() -> None:
    found = estimate({"blue": 1000.0, "green": 200.0}, {"blue": 100}, {"green": 20})
    assert (found.requests, found.proven, found.share) == (1000, 0, 0.0)


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ({"blue": FEWEST / 2, "green": FEWEST / 4}, "too few to estimate it"),
        ({"blue": 5000.0}, "The requests of green are not known."),
        ({}, "The requests of blue, green are not known."),
        ({"blue": 0.0, "green": 0.0}, "too few to estimate it"),
    ],
)
def test_estimate__out_of_too_little__is_none_with_the_reason(
    requests: dict[str, float], reason: str
) -> None:
    found = estimate(requests, HALF, {})
    assert (found.share, found.at_least) == (None, None)
    assert reason in found.reason
