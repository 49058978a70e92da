"""The retail price list: nobody signs in, filters are strict, and a size has more rows than one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.compute.market import Market
from emulator.compute.retail import PATH
from emulator.reading import ScenarioError
from emulator.scenario import parse
from tests.emulator.arm import PROD, Answer, Arm, answer
from tests.emulator.shape import misfits

DS3 = (
    "serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope' and armSkuName eq 'Standard_DS3_v2'"
    " and priceType eq 'Consumption'"
)


async def ask(arm: Arm, filter: str = DS3, **more: str) -> Answer:
    """Without a token."""
    query = {"api-version": "2023-01-01-preview", "$filter": filter, **more}
    return await answer(await arm.client.get(PATH, params=query))


async def listed_price(arm: Arm) -> float:
    url = f"/subscriptions/{PROD}/providers/Microsoft.MachineLearningServices/locations/westeurope/vmSizes"
    found = next(item for item in (await arm.get(url))["value"] if item["name"] == "Standard_DS3_v2")
    values = found["estimatedVMPrices"]["values"]
    return next(
        float(v["retailPrice"]) for v in values if (v["osType"], v["vmTier"]) == ("Linux", "Standard")
    )


def plain(found: Answer) -> dict[str, Any]:
    """The one row of an ordinary machine on Linux."""
    (row,) = [
        item
        for item in found.body["Items"]
        if not item["productName"].endswith("Windows") and item["skuName"] == "DS3 v2"
    ]
    return dict(row)


@pytest.mark.asyncio
async def test_prices__of_a_size__have_rows_that_must_not_be_taken_beside_the_one(arm: Arm) -> None:
    found = await ask(arm)
    everything = await ask(arm, DS3.replace(" and priceType eq 'Consumption'", ""))

    assert found.body["Count"] == len(found.body["Items"]) == 6
    kinds = {item["type"] for item in everything.body["Items"]}
    assert kinds == {"Consumption", "DevTestConsumption", "Reservation"}
    assert plain(found)["retailPrice"] == await listed_price(arm)


@pytest.mark.contract
@pytest.mark.asyncio
async def test_prices__beside_microsofts_sample__have_its_shape(arm: Arm, facts: Path) -> None:
    sample = json.loads((facts / "facts/retail_prices_sample.json").read_text(encoding="utf-8"))["response"]
    found = (await ask(arm)).body

    assert misfits(found["Items"][0], sample["Items"][0]) == []
    assert set(sample) == set(found)


@pytest.mark.asyncio
async def test_prices__with_values_in_another_case__are_none(arm: Arm) -> None:
    assert (await ask(arm, DS3.replace("Standard_DS3_v2", "standard_ds3_v2"))).body["Items"] == []


@pytest.mark.parametrize(
    "filter",
    [
        "armSkuName",
        "armSkuName ne 'x'",
        "price eq 'x'",
        "armSkuName eq 'x' or armSkuName eq 'y'",
        f"{DS3} and ",
    ],
)
@pytest.mark.asyncio
async def test_prices__with_a_filter_that_nobody_understands__are_400(arm: Arm, filter: str) -> None:
    assert (await ask(arm, filter)).status == 400


@pytest.mark.asyncio
async def test_prices__in_other_currencies__are_times_a_rate_or_refused(arm: Arm) -> None:
    dollars, euros = plain(await ask(arm)), plain(await ask(arm, currencyCode="'EUR'"))
    assert (euros["currencyCode"], euros["retailPrice"]) == (
        "EUR",
        pytest.approx(0.9 * dollars["retailPrice"]),
    )
    assert (await ask(arm, currencyCode="XXX")).status == 400


@pytest.mark.asyncio
async def test_prices__in_pages__are_all_there_once(arm: Arm) -> None:
    whole = (await ask(arm)).body["Items"]
    arm.cloud.settings.change({"behaviour": {"retail_page_size": 4}})
    first = (await ask(arm)).body
    rest = (await answer(await arm.client.get("/" + first["NextPageLink"].split("/", 3)[3]))).body

    assert first["Items"] + rest["Items"] == whole
    assert (first["Count"], rest["NextPageLink"]) == (4, None)


@pytest.mark.asyncio
async def test_prices__that_a_scenario_makes_differ__differ_by_its_factor(arm: Arm) -> None:
    arm.cloud.market = Market(retail={"standard_ds3_v2": 1.1})
    assert plain(await ask(arm))["retailPrice"] == pytest.approx(1.1 * await listed_price(arm))


@pytest.mark.asyncio
async def test_prices__too_often_asked_for__are_429_with_the_time_to_wait(arm: Arm) -> None:
    arm.cloud.faults.add(
        {"kind": "status", "match": {"plane": "retail"}, "status": 429, "retry_after": 30, "times": 1}
    )
    refused = await ask(arm)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
    assert (await ask(arm)).status == 200


@pytest.mark.parametrize("told", [{"Standard_X": 1.1}, {"Standard_DS3_v2": -1}, {"Standard_DS3_v2": True}])
def test_a_factor__that_can_not_be__is_a_mistake_of_the_scenario(told: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match="retail"):
        parse({"retail": told})
