"""Deployments over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.arm import CHECKOUT, DEPLOYMENTS_VERSION, PHOTO, SHADOWED, Arm

pytestmark = pytest.mark.asyncio
BLUE, GREEN = f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"


def new(capacity: Any = 2) -> dict[str, Any]:
    properties = {"endpointComputeType": "Managed", "model": "m", "instanceType": "Standard_DS3_v2"}
    return {
        "location": "westeurope",
        "sku": {"name": "Default", "capacity": capacity},
        "properties": properties,
    }


async def test_list__in_pages__follows_top_and_skip(arm: Arm) -> None:
    first = await arm.get(f"{PHOTO}/deployments?$top=2&api-version={DEPLOYMENTS_VERSION}")
    second = await arm.get(f"{PHOTO}/deployments?$top=2&$skip=2&api-version={DEPLOYMENTS_VERSION}")

    assert [item["name"] for item in first["value"] + second["value"]] == ["main", "next", "broken"]
    assert "nextLink" in first
    assert "nextLink" not in second


async def test_get__deployment__shows_count_in_sku_and_full_ids(arm: Arm) -> None:
    found = await arm.get(BLUE)

    assert found["sku"] == {"name": "Default", "capacity": 4}
    assert found["properties"]["model"].endswith("/workspaces/mlw-prod-weu/models/delivery-risk/versions/23")
    assert found["properties"]["requestSettings"]["requestTimeout"] == "PT5S"
    assert found["properties"]["readinessProbe"]["failureThreshold"] == 30
    assert "/odidp:" in found["properties"]["properties"]["AzureAsyncOperationUri"]


async def test_get__failed_deployment__its_operation_tells_why(arm: Arm) -> None:
    found = await arm.get(f"{PHOTO}/deployments/broken")
    url = found["properties"]["properties"]["AzureAsyncOperationUri"]
    operation = await arm.get("/" + url.split("/", 3)[3])

    assert found["properties"]["provisioningState"] == "Failed"
    assert (operation["status"], operation["error"]["code"]) == ("Failed", "ImageBuildFailure")


async def test_put__new_deployment__is_created_without_traffic(arm: Arm) -> None:
    made = await arm("PUT", f"{CHECKOUT}/deployments/red", new())
    arm.clock.tick(1)

    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert (await arm.get(f"{CHECKOUT}/deployments/red"))["properties"]["provisioningState"] == "Succeeded"
    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == {"blue": 100}


@pytest.mark.parametrize("capacity", [0, 51, "3", True, None])
async def test_put__instance_count_out_of_range__is_refused(arm: Arm, capacity: Any) -> None:
    found = await arm("PUT", f"{CHECKOUT}/deployments/red", new(capacity))

    assert found.status == 400
    assert "from 1 to 50" in found.message


async def test_put__twenty_first_deployment__is_refused(arm: Arm) -> None:
    for i in range(18):
        assert (await arm("PUT", f"{CHECKOUT}/deployments/more-{i}", new())).status == 201

    found = await arm("PUT", f"{CHECKOUT}/deployments/too-many", new())

    assert (found.status, found.code) == (400, "QuotaExceeded")


@pytest.mark.parametrize(("blocks", "status"), [(True, 409), (False, 201)])
async def test_put__while_the_endpoint_updates__is_refused_by_setting(
    arm: Arm, blocks: bool, status: int
) -> None:
    arm.cloud.settings.change({"behaviour": {"endpoint_busy_blocks_deployments": blocks}})
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    assert (await arm("PUT", f"{CHECKOUT}/deployments/red", new())).status == status


@pytest.mark.parametrize(("blocks", "status"), [(True, 409), (False, 201)])
async def test_endpoint_put__while_a_deployment_changes__is_refused_by_setting(
    arm: Arm, blocks: bool, status: int
) -> None:
    arm.cloud.settings.change({"behaviour": {"deployment_busy_blocks_endpoint": blocks}})
    await arm("PATCH", GREEN, {"sku": {"capacity": 5}})

    assert (await arm.put_traffic(CHECKOUT, {"blue": 100})).status == status


async def test_patch__capacity__scales_and_keeps_all_fields(arm: Arm) -> None:
    before = await arm.get(BLUE)
    patched = await arm("PATCH", BLUE, {"sku": {"capacity": 7}}, version=DEPLOYMENTS_VERSION)
    during = await arm.get(BLUE)
    arm.clock.tick(1)
    after = await arm.get(BLUE)

    assert (patched.status, patched.body) == (202, None)
    assert (during["properties"]["provisioningState"], during["sku"]["capacity"]) == ("Scaling", 4)
    assert after["sku"] == {"name": "Default", "capacity": 7}
    assert after["properties"]["model"] == before["properties"]["model"]
    assert after["tags"] == before["tags"]


async def test_delete__live_deployment__is_refused(arm: Arm) -> None:
    found = await arm("DELETE", BLUE)

    assert found.status == 400
    assert "receives 100 percent" in found.message
    assert (await arm("GET", BLUE)).status == 200


@pytest.mark.parametrize(("blocks", "status"), [(True, 400), (False, 202)])
async def test_delete__mirrored_deployment__is_refused_by_setting(
    arm: Arm, blocks: bool, status: int
) -> None:
    arm.cloud.settings.change({"behaviour": {"mirror_blocks_delete": blocks}})

    assert (await arm("DELETE", f"{SHADOWED}/deployments/shadow")).status == status


async def test_delete__idle_deployment__is_gone_when_the_operation_ends(arm: Arm) -> None:
    deleted = await arm("DELETE", GREEN)
    arm.clock.tick(1)

    assert (deleted.status, deleted.body) == (202, None)
    assert (await arm("GET", GREEN)).status == 404
    assert (await arm("DELETE", GREEN)).status == 204


async def test_results__of_an_operation__are_202_then_the_resource(arm: Arm) -> None:
    patched = await arm("PATCH", BLUE, {"sku": {"capacity": 7}})
    path = "/" + patched.headers["Location"].split("/", 3)[3]
    running = await arm("GET", path)
    arm.clock.tick(1)
    ended = await arm("GET", path)

    assert (running.status, ended.status) == (202, 200)
    assert ended.body["sku"]["capacity"] == 7


async def test_operation__unknown__is_404(arm: Arm) -> None:
    path = CHECKOUT.split("/resourceGroups/")[0] + "/providers/Microsoft.MachineLearningServices"

    found = await arm("GET", f"{path}/locations/westeurope/mfeOperationsStatus/oeidp:a:b")

    assert (found.status, found.code) == (404, "OperationNotFound")


@pytest.mark.parametrize(("tail", "lines"), [(1, 1), (2, 2), (0, 0), (None, 3)])
async def test_logs__with_a_tail__are_that_many_lines(arm: Arm, tail: int | None, lines: int) -> None:
    found = await arm("POST", f"{BLUE}/getLogs", {"containerType": "InferenceServer", "tail": tail})

    assert len(found.body["content"].splitlines()) == lines


async def test_logs__of_a_failed_image__tell_why(arm: Arm) -> None:
    found = await arm("POST", f"{PHOTO}/deployments/broken/getLogs", {"containerType": "InferenceServer"})

    assert "ImageBuildFailure" in found.body["content"]


async def test_logs__of_an_unknown_container__are_refused(arm: Arm) -> None:
    assert (await arm("POST", f"{BLUE}/getLogs", {"containerType": "Other"})).status == 400
