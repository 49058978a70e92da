"""How many instances a split takes, and whether quota has room for them."""

from __future__ import annotations

import pytest

from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.plan import patch_capacity, put_split
from endpoints.changes.scaling import MOST_INSTANCES, Room, check, scale_first
from endpoints.changes.verdict import Outcome

ALL_BLUE = put_split({"blue": 100}, {})
PEAK = Peak(1000.0, "yesterday")
REPLICAS = {"blue": Replicas(1, 500.0), "green": Replicas(4, 500.0)}
ROOMS = {"blue": Room("DSv2", 4, 20), "green": Room("DSv2", 4, 20)}


def up(name="blue", instances=3):
    return patch_capacity(name, instances, {"green": 100}, {})


def test_scale_first__a_target_that_is_too_small__is_brought_to_a_comfortable_size():
    found = scale_first(ALL_BLUE, PEAK, REPLICAS, ROOMS)
    assert found.instances == {"blue": 3}  # 1000 / (500 x 80 %)
    assert "3 would carry it" in found.words
    assert found.quota is not None and found.quota.passed


def test_scale_first__a_target_that_carries_it__needs_none():
    found = scale_first(put_split({"green": 100}, {}), PEAK, REPLICAS, ROOMS)
    assert (found.instances, found.words, found.quota) == ({}, "", None)


@pytest.mark.parametrize(
    ("peak", "replicas"), [(Peak(None, ""), REPLICAS), (PEAK, {"blue": Replicas(1, None)}), (PEAK, {})]
)
def test_scale_first__nothing_known__proposes_nothing(peak, replicas):
    assert scale_first(ALL_BLUE, peak, replicas, ROOMS).instances == {}


def test_scale_first__more_than_azure_gives__stops_there():
    assert scale_first(ALL_BLUE, Peak(1e6, ""), REPLICAS, ROOMS).instances == {"blue": MOST_INSTANCES}


def test_quota__with_the_reserve_of_upgrades__is_counted_from_what_stands():
    verdict = check([up()], REPLICAS, ROOMS)
    assert verdict.passed
    assert "8 of the 20 cores" in verdict.reason  # ceil(3.6) x 4 - ceil(1.2) x 4


def test_quota__of_one_family__is_taken_together():
    steps = [up(), up("green", 6)]  # 8 + (ceil(7.2) - ceil(4.8)) x 4 = 20
    assert check(steps, REPLICAS, ROOMS).passed
    short = check([up(), up("green", 7)], REPLICAS, ROOMS)
    assert short.outcome is Outcome.FAIL and short.blocks
    assert "20 cores left and 24 are needed" in short.reason


def test_quota__the_most_that_the_plan_ever_asks__counts():
    assert check([up(instances=20), up(instances=2)], REPLICAS, ROOMS).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("replicas", "rooms", "words"),
    [
        (REPLICAS, {}, "not known"),
        (REPLICAS, {"blue": Room("", None, None, words="Quota was never read here.")}, "never read"),
        (REPLICAS, {"blue": Room("DSv2", 4, None)}, "not known"),
        ({"blue": Replicas(None, 500.0)}, ROOMS, "how many instances"),
    ],
)
def test_quota__not_known__can_be_accepted_and_is_no_pass(replicas, rooms, words):
    verdict = check([up()], replicas, rooms)
    assert (verdict.outcome, verdict.acceptable) == (Outcome.INCONCLUSIVE, True)
    assert words in verdict.reason


def test_quota__without_a_limit__has_room():
    assert check([up(instances=40)], REPLICAS, {"blue": Room("DSv2", 4, None, limited=False)}).passed


def test_quota__fewer_instances__need_none():
    assert check([up("green", 1)], REPLICAS, {}).passed
