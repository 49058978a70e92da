"""Sizes, prices and quota: `vmSizes`, `usages`, and writes that find too little left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.compute import quota, sizes
from emulator.compute.market import Market
from emulator.compute.quota import Limit, reserved
from emulator.foreign import perform
from emulator.reading import ScenarioError
from emulator.scenario import parse
from emulator.throttle import Buckets
from tests.emulator.arm import CHECKOUT, DEPLOYMENTS_VERSION, PHOTO, PROD, TEST, Arm
from tests.emulator.metrics import Metrics
from tests.emulator.shape import misfits

_ML = "providers/Microsoft.MachineLearningServices"
SIZES = f"/subscriptions/{PROD}/{_ML}/locations/westeurope/vmSizes"
USAGES = f"/subscriptions/{PROD}/{_ML}/locations/westeurope/usages"
BLUE, GREEN = f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"
DSV2, T4 = "standardDSv2Family", "standardNCASv3_T4Family"


def limited(arm: Arm, family: str, cores: int) -> None:
    arm.cloud.market = Market((Limit(family, cores),))


async def families(arm: Arm, url: str = USAGES) -> dict[str, tuple[int, int]]:
    """What is used and allowed, by the label of the family."""
    rows = (await arm.get(url))["value"]
    return {
        row["name"]["value"]: (row["currentValue"], row["limit"])
        for row in rows
        if row["type"].endswith("/vmFamily/usages")
    }


async def scaled(arm: Arm, deployment: str, capacity: int) -> Any:
    answer = await arm(
        "PATCH", deployment, {"sku": {"name": "Default", "capacity": capacity}}, version=DEPLOYMENTS_VERSION
    )
    assert answer.status == 202
    return answer


@pytest.mark.parametrize(
    ("size", "instances", "cores"),
    [
        ("Standard_DS3_v2", 1, 8),
        ("Standard_DS3_v2", 4, 20),
        ("STANDARD_DS3_V2", 5, 24),
        ("Standard_DS3_v2", 10, 48),
        ("Standard_NC24ads_A100_v4", 2, 48),
    ],
)
def test_reserved__instances_of_a_size__are_a_fifth_more_unless_it_skips_that(
    size: str, instances: int, cores: int
) -> None:
    found = sizes.find(size)

    assert found is not None
    assert reserved(found, instances) == cores


def test_limit__told_more_than_once__is_the_last_that_fits() -> None:
    told = (Limit(DSV2, 10), Limit(DSV2, 20, region="westeurope"), Limit(DSV2, 30, PROD, "northeurope"))

    def of(subscription: str, region: str, family: str = DSV2) -> int:
        return quota.limit(told, subscription, region, family, 7)

    assert (of(PROD, "westeurope"), of(PROD, "northeurope"), of(TEST, "northeurope")) == (20, 30, 10)
    assert of(PROD, "westeurope", T4) == 7


@pytest.mark.contract
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "example"), [(SIZES, "VirtualMachineSize/list.json"), (USAGES, "Usage/list.json")]
)
async def test_answer__beside_microsofts_example__has_its_shape(
    facts: Path, arm: Arm, url: str, example: str
) -> None:
    text = (facts / "examples/2022-02-01-preview" / example).read_text(encoding="utf-8")
    wanted = json.loads(text)["responses"]["200"]["body"]

    found = await arm.get(url)

    assert found["value"]
    assert misfits(wanted, found, optional={"estimatedVMPrices", "nextLink"}) == []


@pytest.mark.contract
def test_sizes__beside_the_facts__agree_where_these_know_more(facts: Path) -> None:
    told = json.loads((facts / "facts/skus.json").read_text(encoding="utf-8"))["skus"]
    by_name = {item["name"].lower(): item for item in told}
    checked = 0
    for name, item in by_name.items():
        size = sizes.find(name)
        if size is None:
            continue
        checked += 1
        assert (size.family, size.vcpus, size.skips_reserve) == (
            item["family"],
            item["vCPUs"],
            item["skip20PercentReservation"],
        ), name
        assert item["memoryGB"] in {None, size.memory_gb}, name
        assert size.price == (item["usd_per_hour"] or {}).get("eastus"), name
    assert checked >= 20


@pytest.mark.asyncio
async def test_sizes__of_a_region__have_prices_or_say_nothing(arm: Arm) -> None:
    found = {item["name"]: item for item in (await arm.get(SIZES))["value"]}
    prices = {
        (item["osType"], item["vmTier"]): item["retailPrice"]
        for item in found["Standard_DS3_v2"]["estimatedVMPrices"]["values"]
    }

    assert prices["Linux", "Standard"] == pytest.approx(0.293 * 1.18, abs=1e-4)
    assert prices["Linux", "LowPriority"] < prices["Linux", "Standard"] < prices["Windows", "Standard"]
    assert "estimatedVMPrices" not in found["Standard_E4s_v3"]
    assert "MIR" not in found["Standard_DS1_v2"]["supportedComputeTypes"]
    assert "MIR" in found["Standard_NC4as_T4_v3"]["supportedComputeTypes"]
    assert "Standard_NC40ads_H100_v5" not in found


@pytest.mark.asyncio
async def test_sizes__told_to_be_without_a_price__have_none_in_either_form(arm: Arm) -> None:
    arm.cloud.market = Market(unpriced=frozenset({"standard_ds3_v2"}))
    absent = {item["name"]: item for item in (await arm.get(SIZES))["value"]}
    arm.cloud.settings.change({"behaviour": {"absent_prices": "empty"}})
    empty = {item["name"]: item for item in (await arm.get(SIZES))["value"]}

    assert "estimatedVMPrices" not in absent["Standard_DS3_v2"]
    assert "estimatedVMPrices" in absent["Standard_DS4_v2"]
    assert empty["Standard_DS3_v2"]["estimatedVMPrices"]["values"] == []


@pytest.mark.asyncio
@pytest.mark.parametrize("url", [SIZES, USAGES])
async def test_region__that_nobody_knows__is_refused_or_empty(arm: Arm, url: str) -> None:
    elsewhere = url.replace("westeurope", "atlantis")
    refused = await arm("GET", elsewhere)
    arm.cloud.settings.change({"behaviour": {"unknown_region": "empty"}})
    empty = await arm("GET", elsewhere)

    assert (refused.status, refused.code) == (404, "NoRegisteredProviderFound")
    assert "atlantis" in refused.message
    assert (empty.status, empty.body) == (200, {"value": []})


@pytest.mark.asyncio
async def test_sizes_and_usages__without_the_role__are_403(arm: Arm) -> None:
    arm.cloud.tokens.identities[0] = type(arm.cloud.tokens.identities[0])(
        arm.cloud.tokens.identities[0].client_id,
        arm.cloud.tokens.identities[0].object_id,
        "opsportal",
        actions=("*/onlineEndpoints/read",),
    )

    refused = [await arm("GET", url) for url in (SIZES, USAGES)]

    assert [item.status for item in refused] == [403, 403]
    assert "locations/vmSizes/read" in refused[0].message


@pytest.mark.asyncio
async def test_sizes__by_a_caller_whose_bucket_is_empty__are_429(arm: Arm) -> None:
    arm.cloud.settings.change({"arm_buckets": True})
    arm.cloud.buckets = Buckets(lambda: 0.0)
    found = [await arm("GET", SIZES) for _ in range(260)]

    refused = [item for item in found if item.status == 429]
    assert len(refused) == 10
    assert {item.headers["Retry-After"] for item in refused} == {"1"}


@pytest.mark.asyncio
async def test_usages__of_what_stands__are_reserved_cores(arm: Arm) -> None:
    limited(arm, DSV2, 100)

    found = await families(arm)

    # checkout-risk: 2 x 4 instances, shadowed: 2 x 2; photo-triage: 3 deployments of one and two instances.
    assert found["Standard DSv2 Family Cluster Dedicated vCPUs"] == (2 * 20 + 2 * 12 + 12, 100)
    assert found["Standard NCASv3 T4 Family Cluster Dedicated vCPUs"] == (2 * 8, 100_000)
    assert found["Standard DSv2 Family Cluster LowPriority vCPUs"] == (0, -1)


@pytest.mark.asyncio
async def test_usages__by_workspace__are_the_same_cores_again(arm: Arm) -> None:
    rows = (await arm.get(USAGES))["value"]
    by_type: dict[str, int] = {}
    for row in rows:
        kind = row["type"].split("/")[1]
        by_type[kind] = by_type.get(kind, 0) + row["currentValue"]

    assert by_type["dedicatedCores"] == by_type["vmFamily"] == by_type["workspaces"] > 0


@pytest.mark.asyncio
async def test_usages__in_pages__are_all_there_once(arm: Arm) -> None:
    whole = (await arm.get(USAGES))["value"]
    arm.cloud.settings.change({"behaviour": {"usage_page_size": 5}})
    url, rows = f"{USAGES}?api-version=2025-12-01", []
    while url:
        page = await arm.get("/" + url.split("/", 3)[3] if url.startswith("http") else url)
        rows += page["value"]
        assert len(page["value"]) <= 5
        url = page.get("nextLink", "")

    assert rows == whole
    assert (await arm("GET", f"{USAGES}?$skip=x")).status == 400


@pytest.mark.asyncio
async def test_usages__named_by_family__are_turned(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"usage_names": "family"}})

    assert (await families(arm))[DSV2][0] > 0


@pytest.mark.asyncio
async def test_scale_out__within_the_quota__takes_its_time_and_its_cores(arm: Arm) -> None:
    limited(arm, DSV2, 100)
    await scaled(arm, GREEN, 8)
    during = await arm.get(GREEN)
    taken = (await families(arm))["Standard DSv2 Family Cluster Dedicated vCPUs"]
    arm.clock.tick(1)
    after = await arm.get(GREEN)

    assert (during["properties"]["provisioningState"], during["sku"]["capacity"]) == ("Scaling", 4)
    assert taken == (96, 100)
    assert (after["properties"]["provisioningState"], after["sku"]["capacity"]) == ("Succeeded", 8)


@pytest.mark.asyncio
async def test_scale_out__beyond_the_quota__fails_its_operation_and_leaves_the_rest(arm: Arm) -> None:
    limited(arm, DSV2, 95)
    answer = await scaled(arm, BLUE, 8)
    taken = (await families(arm))["Standard DSv2 Family Cluster Dedicated vCPUs"]
    arm.clock.tick(1)
    operation = await arm.get("/" + answer.headers["Azure-AsyncOperation"].split("/", 3)[3])
    after = await arm.get(BLUE)

    assert (operation["status"], operation["error"]["code"]) == ("Failed", "OutOfQuota")
    assert "20 further cores of standardDSv2Family" in operation["error"]["message"]
    assert "19 are left" in operation["error"]["message"]
    assert (after["properties"]["provisioningState"], after["sku"]["capacity"]) == ("Failed", 4)
    assert taken == (76, 95)


@pytest.mark.asyncio
async def test_two_scale_outs__at_once__do_not_share_what_is_left(arm: Arm) -> None:
    limited(arm, DSV2, 100)
    await scaled(arm, BLUE, 8)
    await scaled(arm, GREEN, 8)
    arm.clock.tick(1)

    assert (await arm.get(BLUE))["sku"]["capacity"] == 8
    assert (await arm.get(GREEN))["sku"]["capacity"] == 4


@pytest.mark.asyncio
async def test_scale_in__with_a_full_quota__is_always_possible(arm: Arm) -> None:
    limited(arm, DSV2, 1)
    await scaled(arm, BLUE, 2)
    arm.clock.tick(1)

    assert (await arm.get(BLUE))["sku"]["capacity"] == 2


@pytest.mark.asyncio
async def test_creation__beyond_the_quota__fails_and_holds_no_cores(arm: Arm) -> None:
    limited(arm, T4, 20)
    body = {
        "location": "westeurope",
        "sku": {"name": "Default", "capacity": 1},
        "properties": {"endpointComputeType": "Managed", "instanceType": "STANDARD_NC4AS_T4_V3"},
    }
    label = "Standard NCASv3 T4 Family Cluster Dedicated vCPUs"
    await arm("PUT", f"{PHOTO}/deployments/more", body, version=DEPLOYMENTS_VERSION)
    during = (await families(arm))[label]
    arm.clock.tick(1)
    after = (await families(arm))[label]

    assert (await arm.get(f"{PHOTO}/deployments/more"))["properties"]["provisioningState"] == "Failed"
    assert (during, after) == ((16, 20), (16, 20))


@pytest.mark.asyncio
async def test_capacity__of_a_failed_scale_out__stays_ready_and_serves(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"metrics_lag_seconds": 0, "metrics_settle_seconds": 0}})
    limited(arm, DSV2, 80)
    await scaled(arm, BLUE, 8)
    arm.clock.tick(300)

    found = await Metrics(arm).one(BLUE, "DeploymentCapacity", "State eq '*'")
    requests = await Metrics(arm).one(BLUE, "RequestsPerMinute")

    assert list(found) == [("Ready",)]
    assert list(found["Ready",].values())[-1] == 4
    assert list(requests[()].values())[-1] > 0


@pytest.mark.asyncio
async def test_capacity__while_a_scale_out_runs__shows_what_comes_by_setting(arm: Arm) -> None:
    arm.cloud.settings.change(
        {
            "durations": {"deployment_scale": 600},
            "behaviour": {"metrics_lag_seconds": 0, "metrics_settle_seconds": 0},
        }
    )
    await scaled(arm, BLUE, 6)
    arm.clock.tick(300)
    metrics = Metrics(arm)

    silent = await metrics.one(BLUE, "DeploymentCapacity", "State eq '*'")
    arm.cloud.settings.change({"behaviour": {"coming_instances": "pending"}})
    told = await metrics.one(BLUE, "DeploymentCapacity", "State eq '*'")
    each = await metrics.one(BLUE, "DeploymentCapacity", "State eq '*' and instanceId eq '*'")

    assert list(silent) == [("Ready",)]
    assert {state: list(points.values())[-1] for (state,), points in told.items()} == {
        "Ready": 4,
        "Pending": 2,
    }
    assert sorted(state for state, _ in each) == ["Pending"] * 2 + ["Ready"] * 4


@pytest.mark.asyncio
async def test_foreign_write__beyond_the_quota__is_counted_all_the_same(arm: Arm) -> None:
    limited(arm, DSV2, 80)
    perform(arm.cloud.control, {"resource": BLUE, "capacity": 20})

    used, allowed = (await families(arm))["Standard DSv2 Family Cluster Dedicated vCPUs"]
    assert used > allowed == 80


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"quotas": {}}, "quotas is a list"),
        ({"quotas": [{"family": "standardXFamily", "limit": 1}]}, "quota 1: there is no family"),
        ({"quotas": [{"family": DSV2}]}, "quota 1: limit is missing"),
        ({"quotas": [{"family": DSV2, "limit": -1}]}, "quota 1: limit is a whole number"),
        ({"quotas": [{"family": DSV2, "limit": True}]}, "quota 1: limit is a whole number"),
        ({"unpriced": ["Standard_X"]}, "unpriced: there is no size Standard_X"),
    ],
)
def test_scenario__with_a_mistake_about_quota_or_prices__says_where(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        parse(told)


def test_scenario__quotas__know_short_names_and_spelt_regions() -> None:
    told = {
        "subscriptions": {"prod": PROD},
        "quotas": [{"family": DSV2, "limit": 5, "subscription": "prod", "region": "West Europe"}],
        "unpriced": ["standard_nc6s_V3"],
    }
    found = parse(told)

    assert found.limits == (Limit(DSV2, 5, PROD, "westeurope"),)
    assert found.unpriced == {"standard_nc6s_v3"}
