"""Autoscale settings: kept, listed, judged as Azure Monitor judges them, seeded by the scenario."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from emulator.autoscale.documents import plan
from emulator.build import build
from emulator.cli import SCENARIOS
from emulator.reading import ScenarioError
from emulator.scenario import load
from tests.emulator.arm import CHECKOUT, PROD, PROD_WORKSPACE, TEST, Arm
from tests.emulator.shape import misfits

VERSION = "2022-10-01"
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-ml-prod/providers/Microsoft.Insights/autoscalesettings"
ALL = f"/subscriptions/{PROD}/providers/Microsoft.Insights/autoscalesettings"
BLUE, GREEN = f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"


def rule(operator: str, direction: str) -> dict[str, Any]:
    return {
        "metricTrigger": {
            "metricName": "CpuUtilizationPercentage",
            "metricResourceUri": BLUE,
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT5M",
            "timeAggregation": "Average",
            "operator": operator,
            "threshold": 70,
            "dividePerInstance": False,
        },
        "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
    }


def setting(target: str = BLUE, **bounds: Any) -> dict[str, Any]:
    capacity = {"minimum": "2", "maximum": "5", "default": "2", **bounds}
    rules = [rule("GreaterThan", "Increase"), rule("LessThan", "Decrease")]
    return {
        "location": "westeurope",
        "properties": {
            "targetResourceUri": target,
            "enabled": True,
            "profiles": [{"name": "default", "capacity": capacity, "rules": rules}],
        },
    }


async def put(arm: Arm, name: str, document: dict[str, Any]) -> Any:
    return await arm("PUT", f"{GROUP}/{name}", document, version=VERSION)


@pytest.mark.asyncio
async def test_a_setting__put_read_and_deleted__is_there_and_gone(arm: Arm) -> None:
    created = await put(arm, "as-blue", setting())
    updated = await put(arm, "AS-BLUE", setting(maximum="9"))
    read = await arm.get(f"{GROUP}/as-blue")

    assert (created.status, updated.status) == (201, 200)
    assert read == updated.body
    assert read["properties"]["profiles"][0]["capacity"]["maximum"] == "9"
    assert [item["name"] for item in (await arm.get(ALL))["value"]] == ["as-blue"]
    assert [item["name"] for item in (await arm.get(GROUP))["value"]] == ["as-blue"]
    assert (await arm.get(ALL.replace(PROD, TEST)))["value"] == []
    gone = [(await arm("DELETE", f"{GROUP}/as-blue", version=VERSION)).status for _ in range(2)]
    assert gone == [200, 204]
    assert (await arm("GET", f"{GROUP}/as-blue", version=VERSION)).status == 404


@pytest.mark.contract
@pytest.mark.asyncio
async def test_a_setting__beside_microsofts_example__has_its_shape(arm: Arm, facts: Path) -> None:
    await put(arm, "as-blue", setting())
    example = json.loads((facts / "examples/monitor/getAutoscaleSetting.json").read_text(encoding="utf-8"))
    shown = await arm.get(f"{GROUP}/as-blue")
    example = example["responses"]["200"]["body"]

    assert (
        misfits(
            shown["properties"]["profiles"][0]["rules"][0], example["properties"]["profiles"][0]["rules"][0]
        )
        == []
    )
    assert shown["id"].split("/")[5:8] == example["id"].split("/")[5:8]
    assert shown["type"].lower() == example["type"].lower()


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"minimum": 2}, "minimum of 'default' is a whole number as a string, not 2"),
        ({"default": "6"}, "minimum 2 <= default 6 <= maximum 5"),
        ({"minimum": "3"}, "minimum 3 <= default 2"),
        ({"maximum": "many"}, "maximum of 'default'"),
    ],
)
@pytest.mark.asyncio
async def test_a_setting__whose_bounds_can_not_be__is_refused(
    arm: Arm, bounds: dict[str, Any], words: str
) -> None:
    refused = await put(arm, "as-blue", setting(**bounds))

    assert (refused.status, refused.code) == (400, "InvalidAutoscaleSetting")
    assert words in refused.message
    assert (await arm.get(ALL))["value"] == []


@pytest.mark.asyncio
async def test_a_setting__with_a_rule_that_nobody_understands__is_refused(arm: Arm) -> None:
    for place, name, value in (
        ("metricTrigger", "operator", "Roughly"),
        ("metricTrigger", "threshold", "70"),
        ("scaleAction", "direction", "Up"),
        ("scaleAction", "value", 1),
    ):
        document = copy.deepcopy(setting())
        document["properties"]["profiles"][0]["rules"][1][place][name] = value
        refused = await put(arm, "as-blue", document)
        assert refused.status == 400 and name in refused.message


@pytest.mark.asyncio
async def test_a_setting__for_what_is_not_there_or_has_one__is_refused(arm: Arm) -> None:
    missing = await put(arm, "as-lost", setting(f"{CHECKOUT}/deployments/lost"))
    endpoint = await put(arm, "as-endpoint", setting(CHECKOUT))
    await put(arm, "as-blue", setting())
    second = await put(arm, "as-other", setting(BLUE.upper()))

    assert (missing.status, endpoint.status, second.status) == (400, 400, 409)
    assert "as-blue" in second.message


@pytest.mark.asyncio
async def test_settings__without_the_role__are_403(arm: Arm) -> None:
    arm.identity = "reader"
    assert (await arm("GET", ALL)).status == 200
    refused = await put(arm, "as-blue", setting())
    assert refused.status == 403
    assert "Microsoft.Insights/autoscaleSettings/write" in refused.message


@pytest.mark.asyncio
async def test_settings__in_pages__are_all_there_once(arm: Arm) -> None:
    await put(arm, "as-blue", setting())
    await put(arm, "as-green", setting(GREEN))
    arm.cloud.settings.change({"behaviour": {"autoscale_page_size": 1}})
    first = await arm.get(ALL)
    rest = await arm.get("/" + first["nextLink"].split("/", 3)[3])

    assert [item["name"] for item in first["value"] + rest["value"]] == ["as-blue", "as-green"]
    assert rest["nextLink"] is None


@pytest.mark.asyncio
async def test_settings__beside_the_fleet__are_taken_for_nothing_else(arm: Arm) -> None:
    await put(arm, "as-blue", setting())
    head = f"/subscriptions/{PROD}/providers/Microsoft.MachineLearningServices"

    assert [item["id"] for item in (await arm.get(f"{head}/workspaces"))["value"]] == [PROD_WORKSPACE]
    assert (await arm.get(f"{head}/locations/westeurope/usages"))["value"]
    query = {"query": "resources | count", "subscriptions": [PROD]}
    counted = await arm("POST", "/providers/Microsoft.ResourceGraph/resources", query)
    assert counted.status == 200


def test_settings__of_a_scenario__are_seeded_and_stand_after_a_restart(tmp_path: Path) -> None:
    def settings() -> dict[str, Any]:
        cloud = build(load(SCENARIOS / "demo.yaml"), state=tmp_path)
        found = {
            item.id.rpartition("/")[2]: item.body["properties"]["profiles"][0]
            for item in cloud.control.world.resources.values()
            if item.kind == "autoscale"
        }
        cloud.control.log.close()
        return found

    first = settings()
    directions = {
        name: [item["scaleAction"]["direction"] for item in profile["rules"]]
        for name, profile in first.items()
    }
    assert directions == {
        "as-basket-upsell-blue": ["Increase", "Increase"],
        "as-fraud-cards-champion": ["Increase", "Decrease"],
        "as-review-toxicity-blue": ["Increase", "Decrease"],
        "as-search-rank-stable": ["Increase", "Decrease"],
    }
    assert first["as-review-toxicity-blue"]["capacity"] == {"minimum": "2", "maximum": "2", "default": "2"}
    assert settings() == first


@pytest.mark.parametrize(
    "told",
    [
        {"minimum": 2},
        {"minimum": 3, "maximum": 2},
        {"minimum": "2", "maximum": 3},
        {"minimum": 1, "maximum": 2, "rules": 1},
    ],
)
def test_a_plan__that_can_not_be__is_a_mistake_of_the_scenario(told: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match="autoscale of deployment blue"):
        plan(told, "deployment blue")
