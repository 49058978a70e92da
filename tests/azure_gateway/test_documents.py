"""What goes back to Azure: everything that was read, with only the split changed."""

from __future__ import annotations

import json

import pytest

from endpoints.azure_gateway import documents
from tests.azure_gateway import samples


def test_endpoint_body__new_split__changes_traffic_and_nothing_else() -> None:
    document = samples.endpoint(someFutureField={"a": 1})
    before = json.dumps(document)
    body = documents.endpoint_body(document, traffic={"blue": 60, "green": 40, "red": 0})
    assert json.dumps(document) == before
    assert body == {
        "location": "eastus2",
        "kind": "Managed",
        "tags": {"owner": "risk", "cost": "42"},
        "identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {samples.ASSIGNED: {}}},
        "properties": {
            "authMode": "Key",
            "description": "scores checkouts",
            "publicNetworkAccess": "Enabled",
            "traffic": {"Blue": 60, "green": 40},
            "mirrorTraffic": {"shadow": 20},
            "someFutureField": {"a": 1},
            "properties": {
                "team": "risk",
                "azureml.onlineendpointid": samples.ENDPOINT.lower(),
                "createdBy": "Ada",
            },
        },
    }


def test_endpoint_body__deployment_new_to_the_split__goes_by_the_name_given() -> None:
    body = documents.endpoint_body(samples.endpoint(), traffic={"BLUE": 50, "Amber": 50})
    assert body["properties"]["traffic"] == {"Blue": 50, "Amber": 50}


def test_endpoint_body__all_zero__sends_an_empty_map() -> None:
    body = documents.endpoint_body(samples.endpoint(), traffic={"blue": 0, "green": 0})
    assert body["properties"]["traffic"] == {}


def test_endpoint_body__mirror_given__replaces_the_mirror() -> None:
    body = documents.endpoint_body(samples.endpoint(), traffic={"blue": 100}, mirror_traffic={})
    assert body["properties"]["mirrorTraffic"] == {}


def test_endpoint_body__sku_and_compute_in_the_document__go_back() -> None:
    document = samples.endpoint(compute="/k8s")
    document["sku"] = {"name": "Default", "capacity": 1}
    body = documents.endpoint_body(document, traffic={"blue": 100})
    assert body["sku"] == {"name": "Default", "capacity": 1}
    assert body["properties"]["compute"] == "/k8s"


def test_capacity_body__negative__is_refused() -> None:
    with pytest.raises(ValueError, match="can't be had"):
        documents.capacity_body(-1)
