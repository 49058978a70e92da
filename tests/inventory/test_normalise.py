"""Equal states have equal hashes, and nothing else does."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.azure_gateway import codec
from endpoints.inventory import normalise
from endpoints.inventory.normalise import storable

ENDPOINT: dict[str, Any] = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    "/onlineEndpoints/e",
    "name": "e",
    "location": "westeurope",
    "kind": "Managed",
    "tags": {"owner": "a", "team": "b"},
    "identity": {"type": "SystemAssigned"},
    "systemData": {"createdAt": "2025-01-01T00:00:00Z", "lastModifiedAt": "2025-01-01T00:00:00Z"},
    "properties": {
        "authMode": "Key",
        "provisioningState": "Succeeded",
        "traffic": {"blue": 90, "green": 10},
        "publicNetworkAccess": "Enabled",
        "description": "x",
        "properties": {"custom": "1"},
    },
}
DEPLOYMENT: dict[str, Any] = {
    "id": ENDPOINT["id"] + "/deployments/blue",
    "name": "blue",
    "location": "westeurope",
    "sku": {"name": "Default", "capacity": 2},
    "properties": {
        "provisioningState": "Succeeded",
        "model": "m:1",
        "environmentVariables": {"TOKEN": "secret"},
        "dataCollector": {"collections": {"model_inputs": {"samplingRate": 0.5}}},
        "properties": {},
    },
}


def endpoint_hash(document: dict[str, Any]) -> str:
    return normalise.endpoint(codec.endpoint(document)).state_hash


def deployment_hash(document: dict[str, Any]) -> str:
    return normalise.deployment(codec.deployment(document)).state_hash


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    *parents, last = path.split(".")
    place = copied
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return copied


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("systemData.lastModifiedAt", "2026-01-01T00:00:00Z"),
        ("systemData.lastModifiedBy", "somebody"),
        ("properties.properties.AzureAsyncOperationUri", "https://x?sig=1"),
        ("properties.properties", {"custom": "1", "azureml.onlineendpointid": "/the/id"}),
        ("properties.properties.createdBy", "the SDK copied this in"),
        ("properties.properties.createdAt", "2025-01-01T00:00:00.000000+0000"),
        ("properties.keys", {"primaryKey": "k"}),
        ("properties.traffic", {"Green": 10, "BLUE": 90, "red": 0}),
        ("properties.mirrorTraffic", {}),
        ("properties.compute", None),
        ("identity.principalId", "filled in by Azure"),
        ("location", "WestEurope"),
        ("properties.someday", None),
    ],
)
def test_endpoint__what_is_no_state_moves__keeps_its_hash(path, value):
    assert endpoint_hash(changed(ENDPOINT, path, value)) == endpoint_hash(ENDPOINT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties.traffic", {"blue": 100}),
        ("properties.mirrorTraffic", {"green": 10}),
        ("properties.authMode", "AMLToken"),
        ("properties.provisioningState", "Updating"),
        ("properties.publicNetworkAccess", "Disabled"),
        ("properties.description", "y"),
        ("properties.properties.custom", "2"),
        ("properties.someday", {"new": True}),
        ("tags.owner", "c"),
        ("identity.type", "UserAssigned"),
        ("identity.userAssignedIdentities", {"/x/y": {"principalId": "p"}}),
    ],
)
def test_endpoint__a_state_moves__has_another_hash(path, value):
    assert endpoint_hash(changed(ENDPOINT, path, value)) != endpoint_hash(ENDPOINT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sku.capacity", 3),
        ("sku.capacity", 0),
        ("properties.model", "m:2"),
        ("properties.environmentVariables", {"TOKEN": "secret", "MORE": "1"}),
        ("properties.startupProbe", {"period": "PT1S"}),
        ("properties.modelMountPath", "/m"),
        ("properties.dataCollector", {"collections": {"model_inputs": {"samplingRate": 1.0}}}),
        ("properties.requestSettings", {"requestTimeout": "PT90S"}),
        ("properties.appInsightsEnabled", False),
    ],
)
def test_deployment__a_state_moves__has_another_hash(path, value):
    assert deployment_hash(changed(DEPLOYMENT, path, value)) != deployment_hash(DEPLOYMENT)


def test_deployment__capacity_not_said__is_unknown_and_not_zero():
    seen = normalise.deployment(codec.deployment(changed(DEPLOYMENT, "sku", {"name": "Default"})))

    assert "instance_count" not in seen.state


def test_state__of_a_deployment_with_secrets__holds_names_only():
    seen = normalise.deployment(codec.deployment(DEPLOYMENT))

    assert "secret" not in json.dumps(seen.state)
    assert seen.state["environment_variable_names"] == ["TOKEN"]


@given(st.randoms(use_true_random=False))
def test_hash__keys_in_any_order__is_the_same(random):
    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = list(value)
        random.shuffle(names)
        return {name: shuffled(value[name]) for name in names}

    assert endpoint_hash(shuffled(ENDPOINT)) == endpoint_hash(ENDPOINT)


def test_document__holds_a_signed_link__is_kept_without_the_signature():
    signed = changed(ENDPOINT, "properties.properties.AzureAsyncOperationUri", "https://x/op?api=1&s=secret")

    assert storable(signed)["properties"]["properties"]["AzureAsyncOperationUri"] == "https://x/op"
    assert storable({"properties": None}) == {"properties": None}
