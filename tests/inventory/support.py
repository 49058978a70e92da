"""Workspaces, documents and readings for the tests of this room."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.access.models import Workspace
from endpoints.azure_gateway import codec
from endpoints.azure_gateway.records import DeploymentRecord, EndpointRecord, Reading

# Some moment that the database's clock has certainly passed.
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def make_workspace(slug: str = "", subscription: str = "00000000-0000-4000-8000-000000000001") -> Workspace:
    slug = slug or f"mlw-{next(_numbers)}"
    arm_id = (
        f"/subscriptions/{subscription}/resourceGroups/rg-ml"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{slug}"
    )
    return Workspace.objects.create(
        slug=slug,
        arm_id=arm_id,
        arm_key=arm_id.lower(),
        subscription_id=subscription,
        resource_group="rg-ml",
        name=slug,
        region="westeurope",
        environment=Workspace.Environment.PRODUCTION,
    )


def endpoint_document(workspace: Workspace, name: str = "checkout-risk", **changes: Any) -> dict[str, Any]:
    """An endpoint as the API shows it; `changes` go into `properties`, or to the top where they belong there."""
    top = {name: changes.pop(name) for name in ("tags", "identity", "kind", "location") if name in changes}
    created = changes.pop("created_at", "2025-11-03T09:12:44.1234567Z")
    properties = {
        "authMode": "Key",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
        "scoringUri": f"https://{name}.westeurope.inference.ml.azure.com/score",
        "swaggerUri": f"https://{name}.westeurope.inference.ml.azure.com/swagger.json",
        "traffic": {"blue": 100},
        "mirrorTraffic": {},
        "keys": None,
        "properties": {"azureml.onlineendpointid": f"{workspace.arm_key}/onlineendpoints/{name}"},
    }
    return {
        "id": f"{workspace.arm_id}/onlineEndpoints/{name}",
        "name": name,
        "location": "westeurope",
        "kind": "Managed",
        "identity": {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"},
        "tags": {"owner": "fraud"},
        "systemData": {"createdAt": created, "lastModifiedAt": created, "lastModifiedBy": "someone"},
        "properties": properties | changes,
    } | top


def deployment_document(endpoint: Mapping[str, Any], name: str = "blue", **changes: Any) -> dict[str, Any]:
    top = {name: changes.pop(name) for name in ("tags", "sku", "kind") if name in changes}
    created = changes.pop("created_at", "2025-11-03T09:20:00Z")
    properties = {
        "provisioningState": "Succeeded",
        "endpointComputeType": "Managed",
        "model": f"azureml://registries/fraud/models/risk/versions/{7 if name == 'blue' else 8}",
        "environmentId": "azureml://registries/fraud/environments/sklearn/versions/3",
        "instanceType": "Standard_DS3_v2",
        "scaleSettings": {"scaleType": "Default"},
        "properties": {},
    }
    return {
        "id": f"{endpoint['id']}/deployments/{name}",
        "name": name,
        "location": "westeurope",
        "kind": "Managed",
        "tags": {},
        "sku": {"name": "Default", "capacity": 2},
        "systemData": {"createdAt": created, "lastModifiedAt": created},
        "properties": properties | changes,
    } | top


def endpoint_reading(
    document: Mapping[str, Any], began: float, ended: float | None = None
) -> Reading[EndpointRecord]:
    """An answer whose reading lasted from `began` to `ended` seconds after START (half a second by default)."""
    return Reading(
        codec.endpoint(document), at(began), at(began + 0.5 if ended is None else ended), "azure-1"
    )


def deployment_reading(
    document: Mapping[str, Any], began: float, ended: float | None = None
) -> Reading[DeploymentRecord]:
    return Reading(
        codec.deployment(document), at(began), at(began + 0.5 if ended is None else ended), "azure-2"
    )
