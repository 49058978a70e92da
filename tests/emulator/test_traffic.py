"""Azure's rules for traffic, and the split."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.behaviour import Behaviour
from emulator.traffic import Deployed, TrafficError, check, parse, pick, positive, spelt
from emulator.values import chance

DEPLOYED = [Deployed("blue", "Succeeded"), Deployed("Green", "Succeeded"), Deployed("bad", "Failed")]


def checked(live: dict[str, int], mirror: dict[str, int] | None = None, **options: Any) -> None:
    told = {"before": {}, "deployed": DEPLOYED, "managed": True, "behaviour": Behaviour(), **options}
    check(live, mirror or {}, **told)


@pytest.mark.parametrize(
    ("live", "mirror"),
    [
        ({}, {}),
        ({"blue": 100}, {}),
        ({"blue": 0}, {}),
        ({"BLUE": 60, "green": 40}, {}),
        ({"blue": 100}, {"green": 50}),
        ({"blue": 100}, {"blue": 0}),
    ],
)
def test_check__split_within_the_rules__is_taken(live: dict[str, int], mirror: dict[str, int]) -> None:
    checked(live, mirror)


@pytest.mark.parametrize(
    ("live", "mirror", "rule"),
    [
        ({"blue": 99}, {}, "sum to 0 or 100, these sum to 99"),
        ({"blue": 100, "green": 1}, {}, "these sum to 101"),
        ({"red": 100}, {}, "'red', which does not exist"),
        ({"blue": 100}, {"red": 10}, "Mirror traffic names deployment 'red'"),
        ({"blue": 100}, {"green": 51}, "can't exceed 50"),
        ({"blue": 100}, {"green": 10, "bad": 10}, "one deployment only"),
        ({"blue": 50, "green": 50}, {"GREEN": 10}, "live and mirrored traffic at once"),
        ({"bad": 100}, {}, "'bad' is Failed"),
    ],
)
def test_check__split_that_breaks_a_rule__is_refused_by_name(
    live: dict[str, int], mirror: dict[str, int], rule: str
) -> None:
    with pytest.raises(TrafficError, match=rule):
        checked(live, mirror)


def test_check__failed_deployment_losing_traffic__is_taken() -> None:
    checked({"blue": 95, "bad": 5}, before={"BAD": 10, "blue": 90})


def test_check__mirror_on_kubernetes__is_refused() -> None:
    with pytest.raises(TrafficError, match="managed endpoints only"):
        checked({"blue": 100}, {"green": 10}, managed=False)


@pytest.mark.parametrize(
    "value", [[], "blue=100", {"blue": "100"}, {"blue": 50.5}, {"blue": True}, {"blue": -1}]
)
def test_parse__anything_but_whole_percentages__is_refused(value: Any) -> None:
    with pytest.raises(TrafficError):
        parse(value, "Traffic")


def test_parse__one_deployment_in_two_spellings__is_refused() -> None:
    with pytest.raises(TrafficError, match="twice"):
        parse({"blue": 50, "BLUE": 50}, "Traffic")


@pytest.mark.parametrize(
    ("setting", "stored"),
    [
        ({}, {"BLUE": 100, "green": 0}),
        ({"zero_weights": "dropped"}, {"BLUE": 100}),
        ({"traffic_key_case": "lower"}, {"blue": 100, "green": 0}),
        ({"traffic_key_case": "as_deployed"}, {"blue": 100, "Green": 0}),
    ],
)
def test_spelt__by_setting__stores_names_and_zeros(setting: dict[str, Any], stored: dict[str, int]) -> None:
    assert spelt({"BLUE": 100, "green": 0}, DEPLOYED, replace(Behaviour(), **setting)) == stored


def test_pick__nothing_with_a_weight__picks_nothing() -> None:
    assert pick({}, 0.5) is None
    assert pick({"blue": 0}, 0.5) is None


def test_pick__ten_thousand_requests__follow_the_weights() -> None:
    counted = Counter(pick({"blue": 90, "green": 10}, chance(1, "route", i)) for i in range(10_000))

    assert 850 <= counted["green"] <= 1150
    assert counted.total() == 10_000


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 100), min_size=1),
    st.floats(0, 1, exclude_max=True),
)
def test_pick__any_split__never_picks_a_zero(split: dict[str, int], roll: float) -> None:
    found = pick(split, roll)

    assert (found is None) == (not positive(split))
    assert found is None or split[found] > 0
