"""Every setting for what was never seen of the real service turns what it says it turns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from emulator.behaviour import Behaviour
from emulator.cli import parser
from emulator.faults import KINDS
from emulator.settings import Durations
from tests.emulator.arm import CHECKOUT, PHOTO, PROD_WORKSPACE, ROOT, SHADOWED, Arm

REFERENCE = (ROOT / "docs/reference/emulator.md").read_text(encoding="utf-8")
GREEN = f"{CHECKOUT}/deployments/green"


def turned(arm: Arm, **behaviour: Any) -> None:
    arm.cloud.settings.change({"behaviour": behaviour})


@pytest.mark.parametrize(
    "name", [item.name for item in fields(Behaviour)] + [item.name for item in fields(Durations)]
)
def test_setting__of_the_emulator__is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_fault_kind__is_in_the_reference(kind: str) -> None:
    assert f"`{kind}`" in REFERENCE


@pytest.mark.parametrize("flag", [a.option_strings[-1] for a in parser()._actions if a.dest != "help"])
def test_flag__of_the_command_line__is_in_the_reference(flag: str) -> None:
    assert f"`{flag}" in REFERENCE


@pytest.mark.asyncio
async def test_update_status__of_an_existing_endpoint__is_turned(arm: Arm) -> None:
    turned(arm, update_status=200)

    found = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    assert found.status == 200
    assert "Azure-AsyncOperation" in found.headers


@pytest.mark.asyncio
async def test_busy__status_and_code__are_turned(arm: Arm) -> None:
    turned(arm, busy_status=400, busy_code="UserError")
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    found = await arm.put_traffic(CHECKOUT, {"blue": 80, "green": 20})

    assert (found.status, found.code) == (400, "UserError")


@pytest.mark.asyncio
async def test_operation__status_word_and_signature__are_turned(arm: Arm) -> None:
    turned(arm, running_status="InProgress", signed_operation_urls=False)
    put = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    url = put.headers["Azure-AsyncOperation"]

    assert len(url) < 400
    assert (await arm.get("/" + url.split("/", 3)[3]))["status"] == "InProgress"


@pytest.mark.asyncio
async def test_scaling__state_and_retry_after__are_turned(arm: Arm) -> None:
    turned(arm, scaling_state="Updating", patch_retry_after=7)
    patched = await arm("PATCH", GREEN, {"sku": {"capacity": 5}})

    assert patched.headers["Retry-After"] == "7"
    assert (await arm.get(GREEN))["properties"]["provisioningState"] == "Updating"


@pytest.mark.asyncio
async def test_reported_split__while_updating__is_turned(arm: Arm) -> None:
    turned(arm, reported_while_updating="requested")
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == {"blue": 90, "green": 10}


@pytest.mark.asyncio
async def test_reported_split__visible_late__is_old_after_the_operation_and_then_new(arm: Arm) -> None:
    turned(arm, traffic_visible_after=5)
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    arm.clock.tick(1)
    ended = (await arm.get(CHECKOUT))["properties"]
    arm.clock.tick(5)
    later = (await arm.get(CHECKOUT))["properties"]

    assert (ended["provisioningState"], ended["traffic"]) == ("Succeeded", {"blue": 100})
    assert later["traffic"] == {"blue": 90, "green": 10}


@pytest.mark.asyncio
async def test_target__that_has_not_succeeded__is_turned(arm: Arm) -> None:
    turned(arm, target_must_have_succeeded=False)

    assert (await arm.put_traffic(PHOTO, {"main": 90, "broken": 10})).status == 201


@pytest.mark.asyncio
async def test_stored_spelling__of_a_put__is_turned(arm: Arm) -> None:
    turned(arm, traffic_key_case="as_deployed", zero_weights="dropped")
    await arm.put_traffic(CHECKOUT, {"BLUE": 100, "green": 0})
    arm.clock.tick(1)

    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == {"blue": 100}


@pytest.mark.asyncio
async def test_delete_of_a_live_deployment__status_and_code__are_turned(arm: Arm) -> None:
    turned(arm, delete_live_status=409, delete_live_code="Conflict")

    found = await arm("DELETE", f"{CHECKOUT}/deployments/blue")

    assert (found.status, found.code) == (409, "Conflict")


@pytest.mark.asyncio
async def test_page_sizes__are_turned(arm: Arm) -> None:
    turned(arm, endpoint_page_size=1, deployment_page_size=2)

    assert len((await arm.get(f"{PROD_WORKSPACE}/onlineEndpoints"))["value"]) == 1
    assert len((await arm.get(f"{PHOTO}/deployments"))["value"]) == 2


@pytest.mark.asyncio
async def test_scoring__status_for_an_unknown_deployment_and_invalid_id__are_turned(arm: Arm) -> None:
    turned(arm, unknown_deployment_header_status=400, client_id_header_invalid="dropped")
    token = (await arm("POST", f"{SHADOWED}/token")).body["accessToken"]
    headers = {
        "Authorization": f"Bearer {token}",
        "azureml-model-deployment": "nothing",
        "x-ms-client-request-id": "not valid",
    }
    found = await arm.client.post("/scoring/westeurope/shadowed/score", headers=headers)

    assert found.status == 400
    assert "x-ms-client-request-id" not in found.headers
