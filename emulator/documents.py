"""The codec between ARM documents and what the world keeps: read-only fields are dropped, and added again.

`stored` and `rendered` are inverse for everything that a client may write; tests send Microsoft's own
examples through both.
"""

from __future__ import annotations

import copy

from emulator import names
from emulator.behaviour import Behaviour
from emulator.fold import Resource
from emulator.values import Json, guid

_TOP = ("location", "kind", "sku", "tags", "identity")
_OPERATION_URI = "AzureAsyncOperationUri"
_ENDPOINT_ID = "azureml.onlineendpointid"
_READ_ONLY = {
    "endpoint": {"provisioningState", "scoringUri", "swaggerUri", "keys"},
    "deployment": {"provisioningState"},
    "workspace": {"provisioningState"},
}
_PROBE = {
    "initialDelay": "PT10S",
    "period": "PT10S",
    "timeout": "PT2S",
    "successThreshold": 1,
    "failureThreshold": 30,
}
_REQUEST = {"requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT0.5S"}


def stored(kind: str, body: Json) -> Json:
    """What the world keeps of a document that a client sent, defaults filled in as the service does."""
    document = {name: copy.deepcopy(body[name]) for name in _TOP if body.get(name) is not None}
    document.setdefault("tags", {})
    document.setdefault("kind", "Managed")
    properties = copy.deepcopy(body.get("properties") or {})
    for name in _READ_ONLY[kind]:
        properties.pop(name, None)
    custom = dict(properties.get("properties") or {})
    custom.pop(_OPERATION_URI, None)
    custom.pop(_ENDPOINT_ID, None)
    properties["properties"] = custom
    document["properties"] = properties
    _identity(document)
    _DEFAULTS[kind](document)
    return document


def _identity(document: Json) -> None:
    identity = document.get("identity")
    if isinstance(identity, dict):
        document["identity"] = {n: v for n, v in identity.items() if n not in {"principalId", "tenantId"}}


def _endpoint_defaults(document: Json) -> None:
    document.setdefault("identity", {"type": "SystemAssigned"})
    properties = document["properties"]
    properties.setdefault("authMode", "Key")
    properties.setdefault("publicNetworkAccess", "Enabled")
    for name in ("traffic", "mirrorTraffic"):
        properties[name] = properties.get(name) or {}


def _deployment_defaults(document: Json) -> None:
    sku = document.setdefault("sku", {"name": "Default"})
    sku.setdefault("capacity", 1)
    properties = document["properties"]
    properties.setdefault("endpointComputeType", "Managed")
    if not properties.get("scaleSettings"):
        properties["scaleSettings"] = {"scaleType": "Default"}
    for name, default in (
        ("livenessProbe", _PROBE),
        ("readinessProbe", _PROBE),
        ("requestSettings", _REQUEST),
    ):
        properties[name] = {**default, **(properties.get(name) or {})}
    properties.setdefault("appInsightsEnabled", False)
    if properties["endpointComputeType"] == "Managed":
        properties.setdefault("instanceType", "Standard_F4s_v2")
        properties.setdefault("egressPublicNetworkAccess", "Enabled")


def _workspace_defaults(document: Json) -> None:
    document.setdefault("identity", {"type": "SystemAssigned"})
    document.setdefault("sku", {"name": "Basic", "tier": "Basic"})


_DEFAULTS = {
    "endpoint": _endpoint_defaults,
    "deployment": _deployment_defaults,
    "workspace": _workspace_defaults,
}
_TYPES = {
    "endpoint": names.ENDPOINT_TYPE,
    "deployment": names.DEPLOYMENT_TYPE,
    "workspace": names.WORKSPACE_TYPE,
}


def merged(kind: str, before: Json, sent: Json, behaviour: Behaviour) -> Json:
    """The document after a PUT on something that exists, by the settings for unsent fields."""
    if behaviour.unsent_fields == "kept":
        sent = {**before, **_sent(sent)}
        sent["properties"] = {**before["properties"], **_sent(sent.get("properties") or {})}
    document = stored(kind, sent)
    document["location"] = before.get("location", document.get("location"))
    if behaviour.properties_only_grow:
        custom = document["properties"]["properties"]
        document["properties"]["properties"] = {**custom, **before["properties"]["properties"]}
    return document


def _sent(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def rendered(resource: Resource, body: Json, *, base: str, seed: int) -> Json:
    """The ARM document of a resource with `body` as its content; URLs point at `base`."""
    document: Json = {
        "id": resource.id,
        "name": names.last(resource.id),
        "type": _TYPES[resource.kind],
        "location": body.get("location", ""),
        "tags": body["tags"],
        "kind": body["kind"],
    }
    if "sku" in body:
        document["sku"] = body["sku"]
    if "identity" in body:
        document["identity"] = _shown_identity(resource, body["identity"], seed)
    document["systemData"] = system_data(resource)
    if resource.kind == "workspace":
        document["etag"] = None
        document["properties"] = {**body["properties"], "provisioningState": resource.state}
    else:
        document["properties"] = _properties(resource, body, base, seed)
    return document


def _properties(resource: Resource, body: Json, base: str, seed: int) -> Json:
    properties = {**body["properties"], "provisioningState": resource.state}
    custom = dict(properties["properties"])
    location = str(body.get("location", ""))
    if resource.operation is not None:
        custom[_OPERATION_URI] = operation_url(resource, resource.operation, location, base=base, seed=seed)
    if resource.kind == "endpoint":
        custom[_ENDPOINT_ID] = names.key(resource.id)
        properties["keys"] = None
        scoring = None if resource.state == "Creating" else scoring_base(location, resource.id, base)
        properties["scoringUri"] = scoring and f"{scoring}/score"
        properties["swaggerUri"] = scoring and f"{scoring}/swagger.json"
    properties["properties"] = custom
    return properties


def scoring_base(location: str, endpoint: str, base: str) -> str:
    return f"{base}/scoring/{location}/{names.last(endpoint)}"


def system_data(resource: Resource) -> Json:
    return {
        "createdAt": resource.created_at,
        "createdBy": resource.created_by.name,
        "createdByType": resource.created_by.type,
        "lastModifiedAt": resource.modified_at,
        "lastModifiedBy": resource.modified_by.name,
        "lastModifiedByType": resource.modified_by.type,
    }


def _shown_identity(resource: Resource, identity: Json, seed: int) -> Json:
    shown = dict(identity)
    if "SystemAssigned" in str(identity.get("type")):
        shown["principalId"] = guid(seed, "principal", names.key(resource.id))
        shown["tenantId"] = guid(seed, "tenant")
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, dict):
        shown["userAssignedIdentities"] = {
            name: {"principalId": guid(seed, "principal", name), "clientId": guid(seed, "client", name)}
            for name in assigned
        }
    return shown


def operation_name(resource: Resource, operation: str, seed: int) -> str:
    """`oeidp:{workspace}:{operation}` for endpoints, `odidp:` for deployments, as the service writes them."""
    workspace = resource.id.split("/onlineEndpoints/")[0]
    prefix = "odidp" if resource.kind == "deployment" else "oeidp"
    return f"{prefix}:{workspace_guid(workspace, seed)}:{operation}"


def workspace_guid(workspace: str, seed: int) -> str:
    return guid(seed, "workspace", names.key(workspace))


def operation_url(
    resource: Resource, operation: str, location: str, *, base: str, seed: int, results: bool = False
) -> str:
    version = "2023-04-01-preview" if resource.kind == "deployment" else "2022-02-01-preview"
    collection = "mfeOperationResults" if results else "mfeOperationsStatus"
    name = operation_name(resource, operation, seed)
    return (
        f"{base}/subscriptions/{names.subscription_of(resource.id)}/providers/{names.NAMESPACE}"
        f"/locations/{location}/{collection}/{name}?api-version={version}"
    )
