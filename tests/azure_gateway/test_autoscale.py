"""Autoscale settings: whose they are, what goes back, and through the emulator and its TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import arm, autoscale, errors
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.credentials import TokenCache
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings

SUBSCRIPTION = "5b0a1c52-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml-prod/providers"
SETTING = f"{GROUP}/microsoft.insights/autoscalesettings/as-blue"
BLUE = (
    f"{GROUP}/Microsoft.MachineLearningServices/workspaces/mlw-prod-weu/onlineEndpoints/checkout-risk"
    "/deployments/blue"
)


def document(target: str = BLUE, **capacity: Any) -> dict[str, Any]:
    bounds = {"minimum": 2, "maximum": "5", "default": "2", **capacity}
    return {
        "id": SETTING,
        "name": "as-blue",
        "type": "Microsoft.Insights/autoscaleSettings",
        "location": "westeurope",
        "properties": {
            "targetResourceUri": target,
            "enabled": True,
            "profiles": [{"name": "all day", "capacity": bounds, "rules": []}],
        },
    }


def test_a_setting__sent_back__has_strings_and_nothing_that_only_azure_writes() -> None:
    sent = autoscale.body(document())

    assert set(sent) == {"location", "properties"}
    assert sent["properties"]["profiles"][0] == {
        "name": "all day",
        "capacity": {"minimum": "2", "maximum": "5", "default": "2"},
        "rules": [],
    }


@pytest.mark.parametrize("capacity", [{"minimum": 3}, {"default": 6}, {"maximum": "many"}, {"minimum": True}])
def test_a_setting__whose_bounds_can_not_be__is_not_sent(capacity: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="nothing was sent"):
        autoscale.body(document(**capacity))


def test_settings__of_something_else__are_left_out_and_without_a_target_unreadable() -> None:
    scale_set = f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/web"
    assert autoscale.of_deployment(document()) and not autoscale.of_deployment(document(scale_set))
    lost = document("")
    assert autoscale.of_deployment(lost)
    with pytest.raises(errors.Malformed, match="does not say what it scales"):
        autoscale.setting(lost)
    assert autoscale.setting(document()).target == BLUE


@pytest.mark.parametrize("odd", [f"{SETTING}/../x", BLUE, "as-blue", f"{SETTING}?x=1"])
def test_an_id__that_names_no_setting__is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="not the ARM id of an autoscale setting"):
        arm.autoscale_path(odd)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        yield emulator


@pytest.mark.processes
@pytest.mark.asyncio
async def test_a_setting__written_read_and_deleted__is_what_azure_keeps(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    own = CloudSettings(name="EmulatedCloud", resource_manager=cloud.arm, ca_bundle=str(cloud.ca_file))
    settings = GatewaySettings(cloud=own)
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as azure:
        assert (await azure.put_autoscale(SETTING, document(), request_id="attempt-1")).status == 201
        (listed,) = await azure.list_autoscale(SUBSCRIPTION)
        (beside,) = await azure.list_autoscale(SUBSCRIPTION, "rg-ml-prod")
        one = (await azure.get_autoscale(SETTING)).value
        assert listed == beside == one
        assert (one.target, one.enabled, one.name) == (BLUE, True, "as-blue")
        again = await azure.put_autoscale(SETTING, {**one.raw, "tags": {"owner": "risk"}})
        assert again.status == 200
        assert (await azure.get_autoscale(SETTING)).value.raw["tags"] == {"owner": "risk"}
        with pytest.raises(errors.Rejected, match="was not found"):
            await azure.put_autoscale(SETTING, document(f"{BLUE}-lost"))
        assert [(await azure.delete_autoscale(SETTING)).status for _ in range(2)] == [200, 204]
        assert len(await azure.list_autoscale(SUBSCRIPTION)) == 0
        with pytest.raises(errors.NotFoundInAzure):
            await azure.get_autoscale(SETTING)
