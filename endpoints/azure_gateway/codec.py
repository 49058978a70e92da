"""Azure's documents to records. Pure, and tolerant of what it does not know: states, fields, absences.

A document that can't be understood raises Malformed for itself; `parse_all` sets it aside and goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import (
    UNKNOWN,
    DeploymentRecord,
    Document,
    EndpointRecord,
    Identity,
    OperationStatus,
    Permission,
    Unreadable,
    WorkspaceRecord,
)
from endpoints.core import traffic

T = TypeVar("T")

# Azure and its SDK write these into `properties.properties` beside people's own values; they change with
# every write, so they are no state of the endpoint.
_SYSTEM_PROPERTIES = frozenset(
    {"azureasyncoperationuri", "createdby", "createdat", "lastmodifiedat", "lastmodifiedby"}
)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEPLOYMENT_TAIL = re.compile(r"/deployments/[^/]+$", re.IGNORECASE)


def parse_all(
    documents: Iterable[Any], parse: Callable[[Document], T], *, where: str
) -> tuple[list[T], list[Unreadable]]:
    """Every document parsed, and those that can't be with the reason."""
    items: list[T] = []
    unreadable: list[Unreadable] = []
    for index, document in enumerate(documents):
        try:
            items.append(parse(document))
        except Malformed as error:
            item = error.item if error.item.startswith("/") else f"item {index} of {where}"
            unreadable.append(Unreadable(item=item, reason=error.reason))
    return items, unreadable


def workspace(document: Document) -> WorkspaceRecord:
    read = _Reader(document)
    return WorkspaceRecord(
        arm_id=read.arm_id,
        name=read.name(),
        location=read.text("location"),
        kind=read.text("kind"),
        workspace_guid=read.prop_text("workspaceId"),
        friendly_name=read.prop_text("friendlyName"),
        description=read.prop_text("description"),
        provisioning_state=read.prop_text("provisioningState") or UNKNOWN,
        public_network_access=read.prop_text("publicNetworkAccess"),
        tags=read.tags(),
        identity=read.identity(),
        raw=document,
    )


def endpoint(document: Document) -> EndpointRecord:
    read = _Reader(document)
    return EndpointRecord(
        arm_id=read.arm_id,
        name=read.name(),
        location=read.text("location"),
        kind=read.text("kind"),
        auth_mode=read.prop_text("authMode"),
        provisioning_state=read.prop_text("provisioningState") or UNKNOWN,
        traffic=read.split("traffic"),
        mirror_traffic=read.split("mirrorTraffic"),
        scoring_uri=read.prop_text("scoringUri"),
        swagger_uri=read.prop_text("swaggerUri"),
        public_network_access=read.prop_text("publicNetworkAccess"),
        identity=read.identity(),
        tags=read.tags(),
        description=read.prop_text("description"),
        properties=read.custom_properties(),
        compute=read.prop_text("compute"),
        created_at=read.moment("createdAt"),
        created_by=read.system_text("createdBy"),
        last_modified_at=read.moment("lastModifiedAt"),
        last_modified_by=read.system_text("lastModifiedBy"),
        operation_uri=read.operation_uri(),
        raw=without_secrets(document),
    )


def deployment(document: Document) -> DeploymentRecord:
    read = _Reader(document)
    code, sku = read.prop_map("codeConfiguration"), read.map("sku")
    tail = _DEPLOYMENT_TAIL.search(read.arm_id)
    return DeploymentRecord(
        arm_id=read.arm_id,
        name=read.name(),
        endpoint_arm_id=read.arm_id[: tail.start()] if tail else "",
        location=read.text("location"),
        kind=read.text("kind"),
        compute_type=read.prop_text("endpointComputeType"),
        model=read.prop_text("model"),
        model_mount_path=read.prop_text("modelMountPath"),
        environment=read.prop_text("environmentId"),
        code_id=str(code.get("codeId") or ""),
        scoring_script=str(code.get("scoringScript") or ""),
        environment_variable_names=tuple(sorted(read.prop_map("environmentVariables"))),
        instance_type=read.prop_text("instanceType"),
        instance_count=read.count(sku.get("capacity")),
        sku_name=str(sku.get("name") or ""),
        sku_tier=str(sku.get("tier") or ""),
        scale_settings=read.prop_map("scaleSettings"),
        request_settings=read.prop_map("requestSettings"),
        liveness_probe=read.prop_map("livenessProbe"),
        readiness_probe=read.prop_map("readinessProbe"),
        startup_probe=read.prop_map("startupProbe"),
        container_resources=read.prop_map("containerResourceRequirements"),
        app_insights_enabled=read.prop_flag("appInsightsEnabled"),
        egress_public_network_access=read.prop_text("egressPublicNetworkAccess"),
        data_collector=read.prop_map("dataCollector"),
        provisioning_state=read.prop_text("provisioningState") or UNKNOWN,
        identity=read.identity(),
        tags=read.tags(),
        description=read.prop_text("description"),
        properties=read.custom_properties(),
        created_at=read.moment("createdAt"),
        created_by=read.system_text("createdBy"),
        last_modified_at=read.moment("lastModifiedAt"),
        last_modified_by=read.system_text("lastModifiedBy"),
        operation_uri=read.operation_uri(),
        raw=without_secrets(document),
    )


def operation(document: Any, *, retry_after: float | None, azure_request_id: str) -> OperationStatus:
    """A status document. Anything without a status is Malformed: unknown must not read as done."""
    if not isinstance(document, Mapping) or not isinstance(document.get("status"), str):
        raise Malformed("operation", "the status document has no status")
    error = document.get("error")
    error = error if isinstance(error, Mapping) else {}
    percent = document.get("percentComplete")
    return OperationStatus(
        status=document["status"],
        percent=float(percent) if isinstance(percent, (int, float)) else None,
        error_code=str(error.get("code") or ""),
        error_message=str(error.get("message") or ""),
        retry_after=retry_after,
        azure_request_id=azure_request_id,
    )


def result(status: int, *, retry_after: float | None, azure_request_id: str) -> OperationStatus:
    """How an operation stands whose result was asked for: there is one, or 202. A failed one has an error."""
    return OperationStatus(
        status="InProgress" if status == 202 else "Succeeded",
        percent=None,
        error_code="",
        error_message="",
        retry_after=retry_after,
        azure_request_id=azure_request_id,
    )


def permission(document: Any) -> Permission:
    if not isinstance(document, Mapping):
        raise Malformed("permission", "it is not an object")

    def patterns(name: str) -> tuple[str, ...]:
        return tuple(str(pattern) for pattern in document.get(name) or ())

    return Permission(
        actions=patterns("actions"),
        not_actions=patterns("notActions"),
        data_actions=patterns("dataActions"),
        not_data_actions=patterns("notDataActions"),
    )


def storable(parse: Callable[[Document], T]) -> Callable[[Document], T]:
    """The parser, refusing documents with characters that no database column and no page can hold."""

    def parse_storable(document: Document) -> T:
        text = json.dumps(document, ensure_ascii=False, default=str)
        if _NUL.search(text) or _SURROGATE.search(text):
            item = document.get("id") if isinstance(document, Mapping) else None
            raise Malformed(
                str(item or "item").encode(errors="replace").decode(), "it holds a NUL or half a character"
            )
        return parse(document)

    return parse_storable


def storable_text(text: str) -> bool:
    """Whether a database column and a page can hold it."""
    return "\x00" not in text and not _SURROGATE.search(text)


def without_secrets(document: Document) -> Document:
    """The document less keys and less the values of environment variables, whose names stay."""
    properties = document.get("properties")
    if not isinstance(properties, Mapping):
        return document
    variables = properties.get("environmentVariables")
    if "keys" not in properties and not variables:
        return document
    kept = {name: value for name, value in properties.items() if name != "keys"}
    if isinstance(variables, Mapping):
        kept["environmentVariables"] = dict.fromkeys(variables)
    return {**document, "properties": kept}


class _Reader:
    """Typed access to one document. Null and absent are the same; a wrong type is Malformed."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise Malformed("item", "it is not an object")
        identifier = document.get("id")
        if not isinstance(identifier, str) or not identifier:
            raise Malformed("item", "it has no id")
        self.arm_id = identifier
        self._document = document
        self._properties = self._of(document, "properties", Mapping)
        if self._properties is None:
            raise Malformed(identifier, "it has no properties")
        self._system: Document = self._of(document, "systemData", Mapping) or {}
        self._own: Document = self._of(self._properties, "properties", Mapping) or {}

    def _of(self, container: Document, name: str, kind: type) -> Any:
        value = container.get(name)
        if value is not None and not isinstance(value, kind):
            raise Malformed(self.arm_id, f"{name} is {type(value).__name__}, not {kind.__name__}")
        return value

    def name(self) -> str:
        return self.text("name") or self.arm_id.rsplit("/", 1)[-1]

    def text(self, name: str) -> str:
        return self._of(self._document, name, str) or ""

    def map(self, name: str) -> Document:
        return self._of(self._document, name, Mapping) or {}

    def prop_text(self, name: str) -> str:
        return self._of(self._properties, name, str) or ""

    def prop_map(self, name: str) -> Document:
        return self._of(self._properties, name, Mapping) or {}

    def prop_flag(self, name: str) -> bool | None:
        value: bool | None = self._of(self._properties, name, bool)
        return value

    def system_text(self, name: str) -> str:
        return self._of(self._system, name, str) or ""

    def tags(self) -> dict[str, str]:
        return {str(name): str(value or "") for name, value in self.map("tags").items()}

    def custom_properties(self) -> dict[str, Any]:
        return {name: value for name, value in self._own.items() if name.lower() not in _SYSTEM_PROPERTIES}

    def operation_uri(self) -> str:
        return str(self._own.get("AzureAsyncOperationUri") or "")

    def split(self, name: str) -> traffic.Split:
        weights = self.prop_map(name)
        for deployment_name, weight in weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int):
                raise Malformed(self.arm_id, f"{name} gives {deployment_name} {weight!r}, not a whole number")
        if len({deployment_name.lower() for deployment_name in weights}) < len(weights):
            raise Malformed(self.arm_id, f"{name} names one deployment twice")
        return traffic.normalise(weights)

    def count(self, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise Malformed(self.arm_id, f"the capacity is {value!r}, not a whole number")
        return value

    def moment(self, name: str) -> datetime | None:
        text = self.system_text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Malformed(self.arm_id, f"{name} is {text!r}, not a time") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def identity(self) -> Identity | None:
        identity = self.map("identity")
        if not identity:
            return None
        assigned = self._of(identity, "userAssignedIdentities", Mapping) or {}
        return Identity(
            type=str(identity.get("type") or UNKNOWN),
            principal_id=str(identity.get("principalId") or ""),
            tenant_id=str(identity.get("tenantId") or ""),
            user_assigned=tuple(sorted(name.lower() for name in assigned)),
        )
