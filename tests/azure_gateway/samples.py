"""Documents as Azure sends them, for tests that need one and change a field or two."""

from __future__ import annotations

from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
)
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/checkout-risk"
DEPLOYMENT = f"{ENDPOINT}/deployments/blue"
ASSIGNED = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/scorer"
)
OPERATION_PATH = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices"
    "/locations/eastus2/mfeOperationsStatus/oeidp:guid:guid"
)


def endpoint(arm_id: str = ENDPOINT, **properties: Any) -> dict[str, Any]:
    return {
        "id": arm_id,
        "name": arm_id.rsplit("/", 1)[-1],
        "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        "location": "eastus2",
        "kind": "Managed",
        "tags": {"owner": "risk", "cost": "42"},
        "identity": {
            "type": "SystemAssigned,UserAssigned",
            "principalId": "p",
            "tenantId": "t",
            "userAssignedIdentities": {ASSIGNED: {"principalId": "x", "clientId": "y"}},
        },
        "systemData": {
            "createdAt": "2026-04-17T16:55:44.738923+00:00",
            "createdBy": "Ada",
            "lastModifiedAt": "2026-04-18T16:55:44.7389231Z",
            "lastModifiedBy": "Grace",
        },
        "properties": {
            "authMode": "Key",
            "description": "scores checkouts",
            "provisioningState": "Succeeded",
            "scoringUri": "https://checkout-risk.eastus2.inference.ml.azure.com/score",
            "swaggerUri": "https://checkout-risk.eastus2.inference.ml.azure.com/swagger.json",
            "publicNetworkAccess": "Enabled",
            "traffic": {"Blue": 90, "green": 10, "red": 0},
            "mirrorTraffic": {"shadow": 20},
            "keys": None,
            "compute": None,
            "properties": {
                "team": "risk",
                "azureml.onlineendpointid": arm_id.lower(),
                "AzureAsyncOperationUri": f"https://management.azure.com{OPERATION_PATH}?t=1&s=signed",
                "createdBy": "Ada",
            },
            **properties,
        },
    }


def deployment(arm_id: str = DEPLOYMENT, **properties: Any) -> dict[str, Any]:
    return {
        "id": arm_id,
        "name": arm_id.rsplit("/", 1)[-1],
        "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
        "location": "eastus2",
        "kind": "Managed",
        "tags": {},
        "sku": {"name": "Default", "tier": "Standard", "capacity": 3},
        "systemData": {"createdAt": "2026-04-17T16:55:44Z", "lastModifiedAt": "2026-04-17T16:55:44Z"},
        "properties": {
            "endpointComputeType": "Managed",
            "model": f"{WORKSPACE}/models/risk/versions/7",
            "modelMountPath": "/var/model",
            "environmentId": f"{WORKSPACE}/environments/sk/versions/3",
            "codeConfiguration": {"codeId": f"{WORKSPACE}/codes/c/versions/1", "scoringScript": "score.py"},
            "environmentVariables": {"API_TOKEN": "very-secret", "MODE": "fast"},
            "instanceType": "Standard_DS3_v2",
            "provisioningState": "Succeeded",
            "scaleSettings": {"scaleType": "Default"},
            "requestSettings": {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1},
            "livenessProbe": {"period": "PT10S"},
            "appInsightsEnabled": False,
            "egressPublicNetworkAccess": "Enabled",
            "properties": {"AzureAsyncOperationUri": "https://management.azure.com/x"},
            **properties,
        },
    }
