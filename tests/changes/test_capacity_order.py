"""What can be asked for of capacity: the steps that it becomes, and every reason why it can't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.autoscale_shape import shape_problems
from endpoints.changes.capacity_order import CapacityOrder, Known, Want, problems, spell, steps_of, without
from endpoints.changes.plan import (
    LONGEST_BAKE,
    Base,
    content_hash,
    delete_deployment,
    delete_endpoint,
    patch_capacity,
    put_split,
    steps_from_json,
)
from endpoints.core import traffic
from tests.changes.capacities import AUTOSCALE, DELETE, DELETE_ENDPOINT, SCALE, SETTING, document
from tests.changes.desk import ALL_BLUE, HALF

BASE = Base(ALL_BLUE, {}, "h")
KNOWN = Known("checkout-risk", BASE, {"blue": 2, "green": 2}, {"blue": "blue", "green": "green"})


def told(order: CapacityOrder, known: Known = KNOWN) -> dict[str, list[str]]:
    return problems(order, known)


@pytest.mark.parametrize("order", [SCALE, AUTOSCALE, DELETE, DELETE_ENDPOINT], ids=lambda order: order.want)
def test_order__that_is_sound__has_no_problems_and_steps_that_can_be_stored(order: CapacityOrder) -> None:
    assert told(order) == {}
    steps = steps_of(order, BASE, KNOWN.instances)
    assert steps_from_json([step.as_json() for step in steps]) == steps


def test_scale__becomes_one_step_that_knows_what_was_before() -> None:
    assert steps_of(SCALE, BASE, KNOWN.instances) == (patch_capacity("blue", 4, ALL_BLUE, {}, was=2),)


def test_was__not_known__leaves_the_hash_of_older_plans_alone() -> None:
    step = patch_capacity("blue", 4, ALL_BLUE, {})
    assert "was" not in step.as_json()
    hashes = {
        content_hash(change_id=1, number=1, steps=(one,), base=BASE) for one in (step, replace(step, was=2))
    }
    assert len(hashes) == 2


def test_delete__takes_its_share_and_its_mirror_away_first_and_screams_there() -> None:
    base = Base({"blue": 60, "green": 30, "red": 10}, {}, "h")
    steps = steps_of(replace(DELETE, scream=600), base)
    left = {"blue": 86, "red": 14}
    assert steps == (put_split(left, {}, bake=600), delete_deployment("green", left, {}))
    mirrored = steps_of(DELETE, Base(ALL_BLUE, {"green": 10}, "h"))
    assert [step.mirror for step in mirrored] == [{}, {}]


def test_delete__without_weight_already__orders_the_split_in_force() -> None:
    assert steps_of(DELETE, BASE)[0] == put_split(ALL_BLUE, {})


def test_delete_endpoint__switches_it_off_first() -> None:
    assert steps_of(replace(DELETE_ENDPOINT, scream=60), BASE) == (
        put_split({}, {}, bake=60),
        delete_endpoint(),
    )


@pytest.mark.parametrize("count", [0, -1, 51, None])
def test_scale__to_a_count_that_azure_does_not_take__says_which_it_takes(count: int | None) -> None:
    assert told(replace(SCALE, instances=count)) == {
        "instances": ["From 1 to 50 instances can be asked for."]
    }


def test_scale__to_what_it_has__would_change_nothing() -> None:
    assert "Nothing would change" in told(replace(SCALE, instances=2))["instances"][0]
    assert told(replace(SCALE, instances=2), replace(KNOWN, instances={"blue": None})) == {}


@pytest.mark.parametrize("order", [SCALE, AUTOSCALE, DELETE], ids=lambda order: order.want)
def test_order__for_a_deployment_that_is_not_there__says_so_alone(order: CapacityOrder) -> None:
    assert told(replace(order, deployment="red")) == {
        "deployment": ["red is no deployment of this endpoint."]
    }
    assert told(replace(order, deployment="")) == {"deployment": ["Say which deployment."]}


def test_delete__of_what_carries_everything__is_refused_and_the_endpoint_named() -> None:
    refused = told(replace(DELETE, deployment="blue", typed="blue"))
    assert list(refused) == ["deployment"]
    assert "delete the endpoint" in refused["deployment"][0]


def test_delete__of_an_endpoint_switched_off__takes_any_deployment() -> None:
    off = replace(KNOWN, base=Base({}, {}, "h"))
    assert told(replace(DELETE, deployment="blue", typed="blue"), off) == {}


@pytest.mark.parametrize("typed", ["", "Green", "green ", "blue"])
def test_delete__name_not_typed_exactly__is_refused(typed: str) -> None:
    assert told(replace(DELETE, typed=typed)) == {
        "typed": ["Type green to confirm that it is deleted. Nothing was stored."]
    }


def test_delete__name_is_typed_as_azure_spells_it() -> None:
    known = replace(KNOWN, spelled={"green": "Green"})
    assert told(replace(DELETE, typed="Green"), known) == {}
    assert "Type Green" in told(DELETE, known)["typed"][0]


def test_delete_endpoint__wants_the_endpoints_name() -> None:
    assert "Type checkout-risk" in told(replace(DELETE_ENDPOINT, typed="green"))["typed"][0]


@pytest.mark.parametrize(
    ("seconds", "sound"), [(3599, False), (3600, True), (LONGEST_BAKE, True), (LONGEST_BAKE + 1, False)]
)
def test_scream_test__shorter_or_longer_than_is_allowed__is_refused(seconds: int, sound: bool) -> None:
    found = told(replace(DELETE, scream=seconds), replace(KNOWN, least_scream=3600))
    assert (found == {}) is sound
    assert sound or "from 1\u00a0h to 14\u00a0days" in found["scream"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"setting": ""}, "Say which"),
        ({"document": document(4)}, "like this already"),
        ({"document": None, "previous": None}, "no such"),
        ({"document": document(51)}, "1 to 50"),
        ({"document": document(2, least=3)}, "3 to 2"),
        ({"document": {"properties": {"profiles": []}}}, "at least one profile"),
        ({"document": {"properties": {"profiles": [{"name": "p"}]}}}, "whole numbers"),
        ({"document": {"properties": "odd"}}, "at least one profile"),
    ],
)
def test_autoscale__that_azure_would_not_take__says_why(change: dict[str, Any], words: str) -> None:
    assert words in told(replace(AUTOSCALE, **change))["document"][0]


def test_autoscale__taken_away__is_sound() -> None:
    assert told(CapacityOrder(Want.AUTOSCALE, "blue", setting=SETTING, previous=document())) == {}


def test_shape__default_outside_its_bounds__is_told_with_the_profiles_name() -> None:
    profile = {"name": "nights", "capacity": {"minimum": "1", "default": "9", "maximum": "4"}}
    assert shape_problems({"profiles": [profile]}, most=50) == [
        "nights: its default of 9 is not between 1 and 4."
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (90, "90 s"), (120, "2 min"), (86_400, "24 h"), (172_800, "2 days")]
)
def test_spell__in_the_largest_unit_that_fits(seconds: int, words: str) -> None:
    assert spell(seconds).replace("\u00a0", " ") == words


SPLITS = st.dictionaries(
    st.sampled_from(["blue", "green", "red", "grey"]), st.integers(1, 100), min_size=2
).map(lambda parts: {name: weight for name, weight in _to_100(parts).items() if weight})


def _to_100(parts: dict[str, int]) -> dict[str, int]:
    total, left = sum(parts.values()), 100
    found = {}
    for name in sorted(parts)[:-1]:
        found[name] = min(left, parts[name] * 100 // total)
        left -= found[name]
    return {**found, sorted(parts)[-1]: left}


@given(SPLITS)
def test_without__any_deployment_of_any_split__leaves_a_legal_split_in_which_nobody_loses(
    split: dict[str, int],
) -> None:
    for name in split:
        left = without(name, split)
        if len(split) == 1:
            continue
        assert name not in left
        assert traffic.problems(left, split) == []
        assert all(left.get(other, 0) >= split[other] for other in split if other != name)


def test_half__without_one__is_all_of_the_other() -> None:
    assert without("blue", HALF) == {"green": 100}
