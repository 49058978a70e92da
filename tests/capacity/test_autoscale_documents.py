"""Autoscale settings that are made here have no fault, are as Azure wants them, and change only what is wrong."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from emulator.autoscale.documents import Plan, checked, planned
from endpoints.capacity.autoscale import faults, setting_of
from endpoints.capacity.autoscale_documents import DAYS, by_load, put_right, scheduled
from endpoints.capacity.causes import Rules
from endpoints.capacity.windows_zones import _BY_IANA, windows_zone
from endpoints.changes.autoscale_shape import shape_problems

TARGET = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/w/x/e/deployments/d"
BERLIN = ZoneInfo("Europe/Berlin")
rules = some.builds(
    Rules,
    test_tags=some.just({}),
    zone=some.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]).map(ZoneInfo),
    day_begins=some.integers(0, 11),
    day_ends=some.integers(12, 24),
    weekend=some.frozensets(some.integers(0, 6), max_size=6),
)


def sound(document: dict[str, Any]) -> None:
    assert faults(setting_of(document["properties"])) == ()
    assert setting_of(document["properties"]).readable
    assert shape_problems(document, most=100) == []
    assert checked(document)["properties"]["profiles"]


@given(instances=some.integers(2, 40), working=rules)
def test_schedule__by_any_working_hours__is_sound_and_holds_the_number_while_people_work(
    instances: int, working: Rules
) -> None:
    document = scheduled(TARGET, "westeurope", instances=instances, rules=working)
    if document is None:
        assert (working.day_begins, working.day_ends) == (0, 24)
        assert not working.weekend
        return
    sound(document)
    starts: dict[tuple[int, int], int] = {}
    for profile in document["properties"]["profiles"]:
        when = profile["recurrence"]["schedule"]
        for day in when["days"]:
            starts[DAYS.index(day), when["hours"][0]] = int(profile["capacity"]["default"])
    now = [starts[max(starts)]]  # what began last in the week before
    for day in range(7):
        for hour in range(24):
            now.append(starts.get((day, hour), now[-1]))
            works = day not in working.weekend and working.day_begins <= hour < working.day_ends
            assert now[-1] == (instances if works else 1), (day, hour)


def test_schedule__in_a_zone_that_azure_has_no_known_name_for__is_not_made() -> None:
    usual = Rules({}, ZoneInfo("Pacific/Chatham"))
    assert scheduled(TARGET, "westeurope", instances=4, rules=usual) is None
    assert scheduled(TARGET, "westeurope", instances=1, rules=Rules({}, BERLIN)) is None


def test_zones__that_have_a_name__are_zones() -> None:
    assert set(_BY_IANA) <= available_timezones()
    assert windows_zone("Europe/Berlin") == "W. Europe Standard Time"


@given(some.integers(1, 5), some.integers(6, 40))
def test_autoscale__by_load__is_sound_and_goes_to_the_most_when_blind(least: int, most: int) -> None:
    document = by_load(TARGET, "westeurope", least=least, most=most)
    sound(document)
    assert document["properties"]["profiles"][0]["capacity"] == {
        "minimum": str(least), "maximum": str(most), "default": str(most)
    }  # fmt: skip


def test_fix__of_the_sample_that_scales_out_under_little_load__turns_one_word() -> None:
    wrong = planned(Plan(1, 5, 1, scales_in=False), TARGET, "westeurope")
    right = put_right(wrong)
    assert right == planned(Plan(1, 5, 1), TARGET, "westeurope")
    sound(right or {})


def test_fix__of_what_never_scales_in__adds_the_counterpart_alone() -> None:
    wrong = planned(Plan(1, 5, 1), TARGET, "westeurope")
    (profile,) = wrong["properties"]["profiles"]
    outward, inward = profile["rules"]
    profile["rules"] = [outward]
    right = put_right(wrong)
    assert right is not None
    sound(right)
    assert right["properties"]["profiles"][0]["rules"] == [outward, inward | {
        "metricTrigger": inward["metricTrigger"] | {"threshold": 30}
    }]  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        planned(Plan(1, 5, 1), TARGET, "westeurope"),  # nothing is wrong
        planned(Plan(3, 3, 3), TARGET, "westeurope"),  # which bound is meant nobody knows
        {"properties": {"profiles": "none"}},
        {},
    ],
)
def test_fix__of_what_cannot_be_told__is_none(document: dict[str, Any]) -> None:
    assert put_right(document) is None
