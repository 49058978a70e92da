"""Every answer about endpoints and deployments validates against Microsoft's schemas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.arm import (
    CHECKOUT,
    DEPLOYMENTS_VERSION,
    EMPTY,
    ENDPOINTS_VERSION,
    PHOTO,
    PROD_WORKSPACE,
    SHADOWED,
    Answer,
    Arm,
)
from tests.emulator.contract import Contract

pytestmark = [pytest.mark.contract, pytest.mark.asyncio]
ENDPOINTS = f"{PROD_WORKSPACE}/onlineEndpoints"
NEW_ENDPOINT = {
    "location": "westeurope",
    "tags": {"team": "payments"},
    "identity": {"type": "SystemAssigned"},
    "properties": {"authMode": "Key", "properties": {"custom": "1"}, "traffic": {}, "mirrorTraffic": {}},
}
NEW_DEPLOYMENT = {
    "location": "westeurope",
    "sku": {"name": "Default", "capacity": 2},
    "properties": {"endpointComputeType": "Managed", "model": "m", "scaleSettings": {"scaleType": "Default"}},
}
Ask = Callable[[Arm], Awaitable[Answer]]


def asking(method: str, path: str, body: Any = None, version: str = ENDPOINTS_VERSION) -> Ask:
    async def ask(arm: Arm) -> Answer:
        return await arm(method, path, body, version=version)

    return ask


ANSWERS: dict[str, tuple[str, Ask]] = {
    "list of endpoints": ("OnlineEndpoints_List.200", asking("GET", ENDPOINTS)),
    "page of endpoints": (
        "OnlineEndpoints_List.200",
        asking("GET", f"{ENDPOINTS}?count=1&api-version={ENDPOINTS_VERSION}"),
    ),
    "endpoint": ("OnlineEndpoints_Get.200", asking("GET", CHECKOUT)),
    "mirrored endpoint": ("OnlineEndpoints_Get.200", asking("GET", SHADOWED)),
    "endpoint without anything": ("OnlineEndpoints_Get.200", asking("GET", EMPTY)),
    "endpoint created": (
        "OnlineEndpoints_CreateOrUpdate.201",
        asking("PUT", f"{ENDPOINTS}/fresh", NEW_ENDPOINT),
    ),
    "endpoint patched": ("OnlineEndpoints_Update.200", asking("PATCH", CHECKOUT, {"tags": {"a": "b"}})),
    "missing endpoint": ("OnlineEndpoints_Get.default", asking("GET", f"{ENDPOINTS}/missing")),
    "keys": ("OnlineEndpoints_ListKeys.200", asking("POST", f"{CHECKOUT}/listKeys")),
    "token": ("OnlineEndpoints_GetToken.200", asking("POST", f"{SHADOWED}/token")),
    "refused split": (
        "OnlineEndpoints_CreateOrUpdate.default",
        asking(
            "PUT",
            CHECKOUT,
            {"location": "westeurope", "properties": {"authMode": "Key", "traffic": {"blue": 1}}},
        ),
    ),
    "list of deployments": ("OnlineDeployments_List.200", asking("GET", f"{PHOTO}/deployments")),
    "deployment": ("OnlineDeployments_Get.200", asking("GET", f"{CHECKOUT}/deployments/blue")),
    "failed deployment": ("OnlineDeployments_Get.200", asking("GET", f"{PHOTO}/deployments/broken")),
    "deployment created": (
        "OnlineDeployments_CreateOrUpdate.201",
        asking("PUT", f"{CHECKOUT}/deployments/red", NEW_DEPLOYMENT),
    ),
    "deployment patched": (
        "OnlineDeployments_Update.200",
        asking("PATCH", f"{CHECKOUT}/deployments/blue", {"tags": {"a": "b"}}),
    ),
    "missing deployment": ("OnlineDeployments_Get.default", asking("GET", f"{CHECKOUT}/deployments/missing")),
    "logs": (
        "OnlineDeployments_GetLogs.200",
        asking(
            "POST", f"{CHECKOUT}/deployments/blue/getLogs", {"containerType": "InferenceServer", "tail": 5}
        ),
    ),
    "skus": ("OnlineDeployments_ListSkus.200", asking("GET", f"{CHECKOUT}/deployments/blue/skus")),
}


@pytest.mark.parametrize("version", [ENDPOINTS_VERSION, DEPLOYMENTS_VERSION])
@pytest.mark.parametrize("what", ANSWERS)
async def test_answer__of_every_kind__validates_against_the_schema(
    facts: Path, arm: Arm, what: str, version: str
) -> None:
    operation, ask = ANSWERS[what]

    found = await ask(arm)

    assert Contract(facts, version).errors(operation, found.body) == []


@pytest.mark.parametrize("settings", [{"reported_while_updating": "requested"}, {"zero_weights": "dropped"}])
async def test_endpoint__while_updating__validates_against_the_schema(
    facts: Path, arm: Arm, settings: dict[str, str]
) -> None:
    arm.cloud.settings.change({"behaviour": settings})
    contract = Contract(facts, ENDPOINTS_VERSION)

    put = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    during = await arm("GET", CHECKOUT)

    assert (put.status, during.body["properties"]["provisioningState"]) == (201, "Updating")
    assert contract.errors("OnlineEndpoints_CreateOrUpdate.201", put.body) == []
    assert contract.errors("OnlineEndpoints_Get.200", during.body) == []


async def test_deployment__while_scaling__validates_against_the_schema(facts: Path, arm: Arm) -> None:
    await arm("PATCH", f"{CHECKOUT}/deployments/blue", {"sku": {"name": "Default", "capacity": 7}})

    during = await arm("GET", f"{CHECKOUT}/deployments/blue")

    assert during.body["properties"]["provisioningState"] == "Scaling"
    assert Contract(facts, DEPLOYMENTS_VERSION).errors("OnlineDeployments_Get.200", during.body) == []
