"""From a record to the state that counts: one projection, equal for equal states. Pure.

State is what somebody decided, or Azure decided about it: traffic, access, sizes, code, provisioning state.
Not state: when and by whom it was last touched, the link to the last operation, principals that Azure fills
in by itself, ids that repeat the resource's own. Null, absent and empty are one, because Azure and its SDKs
send all three. A property that this table does not know is kept under `other`: a later API version must not
make changes invisible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.azure_gateway.records import DeploymentRecord, EndpointRecord, Identity
from endpoints.core.ids import arm_key
from endpoints.inventory.canonical import Json, digest

_SHARED = ("kind", "location", "provisioning_state", "description", "tags")
_ENDPOINT = (
    *_SHARED,
    "traffic",
    "mirror_traffic",
    "auth_mode",
    "public_network_access",
    "scoring_uri",
    "swagger_uri",
    "compute",
)
_DEPLOYMENT = (
    *_SHARED,
    "compute_type",
    "model",
    "model_mount_path",
    "environment",
    "code_id",
    "scoring_script",
    "environment_variable_names",
    "instance_type",
    "instance_count",
    "sku_name",
    "sku_tier",
    "scale_settings",
    "request_settings",
    "liveness_probe",
    "readiness_probe",
    "startup_probe",
    "container_resources",
    "app_insights_enabled",
    "egress_public_network_access",
    "data_collector",
)
# Azure and its SDK write some of these in capitals and some not, and in both ways for one resource.
_WITHOUT_CASE = frozenset({"location", "sku_name"})
# What the records' own fields already say; `properties` is read apart.
_ENDPOINT_WIRE = frozenset(
    {
        "authMode",
        "compute",
        "description",
        "keys",
        "mirrorTraffic",
        "properties",
        "provisioningState",
        "publicNetworkAccess",
        "scoringUri",
        "swaggerUri",
        "traffic",
    }
)
_DEPLOYMENT_WIRE = frozenset(
    {
        "appInsightsEnabled",
        "codeConfiguration",
        "containerResourceRequirements",
        "dataCollector",
        "description",
        "egressPublicNetworkAccess",
        "endpointComputeType",
        "environmentId",
        "environmentVariables",
        "instanceType",
        "livenessProbe",
        "model",
        "modelMountPath",
        "properties",
        "provisioningState",
        "readinessProbe",
        "requestSettings",
        "scaleSettings",
        "startupProbe",
    }
)
_SYSTEM_PROPERTIES = frozenset({"azureml.onlineendpointid", "azureasyncoperationuri"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One resource as a reading showed it: what identifies it, and its state."""

    name: str
    arm_id: str
    created_at: datetime | None
    state: Json
    state_hash: str

    @property
    def key(self) -> str:
        return arm_key(self.arm_id)


def endpoint(record: EndpointRecord) -> Seen:
    """`traffic` and `mirror_traffic` are always there; empty when nothing is routed."""
    state = _state(record, _ENDPOINT, _ENDPOINT_WIRE)
    return _seen(record, {"traffic": {}, "mirror_traffic": {}} | state)


def deployment(record: DeploymentRecord) -> Seen:
    """`instance_count` is missing when Azure did not say: that is unknown, not zero."""
    return _seen(record, _state(record, _DEPLOYMENT, _DEPLOYMENT_WIRE))


def storable(document: Mapping[str, Any]) -> Json:
    """The document as it may be kept: without the signature that lets anybody read its last operation."""
    properties = document.get("properties")
    own = properties.get("properties") if isinstance(properties, Mapping) else None
    if not isinstance(properties, Mapping) or not isinstance(own, Mapping):
        return dict(document)
    unsigned = {name: _unsigned(name, value) for name, value in own.items()}
    return {**document, "properties": {**properties, "properties": unsigned}}


def _unsigned(name: str, value: Any) -> Any:
    if name.lower() == "azureasyncoperationuri" and isinstance(value, str):
        return value.partition("?")[0]
    return value


def _seen(record: EndpointRecord | DeploymentRecord, state: Json) -> Seen:
    return Seen(record.name, record.arm_id, record.created_at, state, digest(state))


def _state(record: EndpointRecord | DeploymentRecord, fields: tuple[str, ...], known: frozenset[str]) -> Json:
    state = {name: _plain(getattr(record, name), name) for name in fields}
    state["identity"] = _identity(record.identity)
    state["properties"] = {
        name: value for name, value in record.properties.items() if name.lower() not in _SYSTEM_PROPERTIES
    }
    properties = record.raw.get("properties") or {}
    state["other"] = {name: value for name, value in properties.items() if name not in known}
    return _without_empty(state)


def _plain(value: Any, name: str) -> Any:
    if name in _WITHOUT_CASE:
        return value.lower()
    return list(value) if isinstance(value, tuple) else value


def _identity(identity: Identity | None) -> Json:
    """Kind and assigned ids: principals appear after creation by themselves."""
    if identity is None or identity.type.lower() == "none":
        return {}
    return {"type": identity.type.replace(" ", ""), "assigned": list(identity.user_assigned)}


def _without_empty(value: Mapping[str, Any]) -> Json:
    """Without nulls, empty texts, lists and maps, at every depth of maps; zero and false stay."""
    kept: Json = {}
    for name, item in value.items():
        plain = _without_empty(item) if isinstance(item, Mapping) else item
        if plain is not None and plain != "" and plain != [] and plain != {}:
            kept[name] = plain
    return kept
