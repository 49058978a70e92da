"""A mirrored state as `az ml` writes it in YAML files, and what such a file can't say. Pure.

Azure's documents and the CLI's files name and measure the same things differently: `requestTimeout: PT5S` there is
`request_timeout_ms: 5000` here. What this module can't turn is named in `left_out`, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMAS = "https://azuremlschemas.azureedge.net/latest/"
_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")
_AUTH = {"key": "key", "amltoken": "aml_token", "aadtoken": "aad_token"}
_PROBE = {"initialDelay": "initial_delay", "period": "period", "timeout": "timeout"}
_THRESHOLDS = {"failureThreshold": "failure_threshold", "successThreshold": "success_threshold"}


@dataclass(slots=True)
class Body:
    """A file's content by its keys, and in sentences what of the state is not in it."""

    values: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any) -> None:
        """Keep what is there; absent, null and empty are one."""
        if value is not None and value != "" and value != {} and value != []:
            self.values[name] = value


def is_kubernetes(state: Mapping[str, Any]) -> bool:
    """Whether it runs on a cluster of somebody's own."""
    kinds = (state.get("compute_type") or "", state.get("kind") or "")
    return any(str(kind).lower() == "kubernetes" for kind in kinds)


def endpoint(name: str, state: Mapping[str, Any]) -> Body:
    """An endpoint's file. Traffic is in it, as percent by deployment."""
    body = Body()
    kind = "kubernetes" if is_kubernetes(state) or state.get("compute") else "managed"
    body.put("$schema", f"{SCHEMAS}{kind}OnlineEndpoint.schema.json")
    body.put("name", name)
    auth = str(state.get("auth_mode") or "").lower()
    body.put("auth_mode", _AUTH.get(auth))
    if auth and auth not in _AUTH:
        body.left_out.append(f"The authentication {state['auth_mode']}: the CLI has no word for it.")
    _common(body, state)
    body.put("compute", asset(str(state.get("compute") or "")))
    if kind == "managed":
        body.put("public_network_access", str(state.get("public_network_access") or "").lower())
    _identity(body, state)
    body.put("traffic", dict(state.get("traffic") or {}))
    body.put("mirror_traffic", dict(state.get("mirror_traffic") or {}))
    _others(body, state)
    return body


def deployment(endpoint_name: str, name: str, state: Mapping[str, Any]) -> Body:
    """A deployment's file. Values of environment variables are not kept, so they are not in it."""
    body = Body()
    kubernetes = is_kubernetes(state)
    kind = "kubernetes" if kubernetes else "managed"
    body.put("$schema", f"{SCHEMAS}{kind}OnlineDeployment.schema.json")
    body.put("name", name)
    body.put("endpoint_name", endpoint_name)
    body.put("type", "kubernetes" if kubernetes else None)
    _common(body, state)
    for key in ("model", "environment"):
        body.put(key, asset(str(state.get(key) or "")))
    body.put("model_mount_path", state.get("model_mount_path"))
    code = Body()
    code.put("code", asset(str(state.get("code_id") or "")))
    code.put("scoring_script", state.get("scoring_script"))
    body.put("code_configuration", code.values)
    _size(body, state, kubernetes)
    body.put("request_settings", _request_settings(body, state.get("request_settings") or {}))
    for name_of in ("liveness_probe", "readiness_probe"):
        body.put(name_of, _probe(body, name_of, state.get(name_of) or {}))
    body.put("app_insights_enabled", state.get("app_insights_enabled"))
    if not kubernetes:
        body.put("egress_public_network_access", str(state.get("egress_public_network_access") or "").lower())
    _data_collector(body, state.get("data_collector") or {})
    _left_out(body, state)
    _others(body, state)
    return body


def asset(text: str) -> str:
    """An asset as a file names it: an ARM id with `azureml:` before it, all else as it is."""
    return f"azureml:{text}" if text.startswith("/") else text


def seconds(text: Any) -> float | None:
    """`PT1M30S` is 90.0; None for what is no duration."""
    found = _DURATION.match(text) if isinstance(text, str) and text != "P" else None
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + rest


def _common(body: Body, state: Mapping[str, Any]) -> None:
    body.put("description", state.get("description"))
    body.put("tags", dict(state.get("tags") or {}))
    body.put("properties", dict(state.get("properties") or {}))


def _identity(body: Body, state: Mapping[str, Any]) -> None:
    identity = state.get("identity") or {}
    kind, assigned = str(identity.get("type") or ""), list(identity.get("assigned") or ())
    if not kind:
        return
    if kind.lower() == "systemassigned":
        body.put("identity", {"type": "system_assigned"})
    elif kind.lower() == "userassigned" and len(assigned) == 1:
        named = [{"resource_id": assigned[0]}]
        body.put("identity", {"type": "user_assigned", "user_assigned_identities": named})
    else:
        body.left_out.append(f"The identity {kind} with {len(assigned)} assigned: the CLI's files hold one.")


def _size(body: Body, state: Mapping[str, Any], kubernetes: bool) -> None:
    body.put("instance_type", state.get("instance_type"))
    body.put("instance_count", state.get("instance_count"))
    if "instance_count" not in state:
        body.left_out.append("The number of instances: Azure did not report it.")
    scale = state.get("scale_settings") or {}
    kind = str(scale.get("scaleType") or "")
    if kind.lower() == "default":
        body.put("scale_settings", {"type": "default"})
    elif kind.lower() == "targetutilization":
        settings = Body({"type": "target_utilization"})
        interval = seconds(scale.get("pollingInterval"))
        settings.put("polling_interval", None if interval is None else int(interval))
        settings.put("target_utilization_percentage", scale.get("targetUtilizationPercentage"))
        settings.put("min_instances", scale.get("minInstances"))
        settings.put("max_instances", scale.get("maxInstances"))
        body.put("scale_settings", settings.values)
    elif kind:
        body.left_out.append(f"The scale settings {kind}: the CLI has no word for them.")
    if kubernetes:
        _resources(body, state.get("container_resources") or {})


def _resources(body: Body, wire: Mapping[str, Any]) -> None:
    found = Body()
    for ours, theirs in (("requests", "containerResourceRequests"), ("limits", "containerResourceLimits")):
        found.put(
            ours, {name: str(value) for name, value in (wire.get(theirs) or {}).items() if value is not None}
        )
    body.put("resources", found.values)


def _request_settings(body: Body, wire: Mapping[str, Any]) -> dict[str, Any]:
    found = Body()
    for ours, theirs in (("request_timeout_ms", "requestTimeout"), ("max_queue_wait_ms", "maxQueueWait")):
        if theirs in wire:
            length = seconds(wire[theirs])
            found.put(ours, None if length is None else round(length * 1000))
            if length is None:
                body.left_out.append(f"{theirs} {wire[theirs]!r}: it is no duration.")
    found.put("max_concurrent_requests_per_instance", wire.get("maxConcurrentRequestsPerInstance"))
    return found.values


def _probe(body: Body, name: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    found = Body()
    for theirs, ours in _PROBE.items():
        if theirs in wire:
            length = seconds(wire[theirs])
            found.put(ours, None if length is None else int(length))
            if length is None or length != int(length):
                body.left_out.append(f"{name}, {theirs} {wire[theirs]!r}: a file holds whole seconds.")
    for theirs, ours in _THRESHOLDS.items():
        found.put(ours, wire.get(theirs))
    return found.values


def _data_collector(body: Body, wire: Mapping[str, Any]) -> None:
    collections = {
        name: {"enabled": str(str(one.get("dataCollectionMode", "")).lower() == "enabled")}
        for name, one in (wire.get("collections") or {}).items()
        if isinstance(one, Mapping)
    }
    if not collections:
        return
    found = Body({"collections": collections})
    rates = {one.get("samplingRate") for one in wire["collections"].values() if isinstance(one, Mapping)}
    if len(rates) == 1:
        found.put("sampling_rate", rates.pop())
    else:
        body.left_out.append("The sampling rates of data collections: they differ, and a file holds one.")
    found.put("rolling_rate", str(wire.get("rollingRate") or "").lower())
    headers = (wire.get("requestLogging") or {}).get("captureHeaders")
    found.put("request_logging", {"capture_headers": list(headers)} if headers else None)
    body.put("data_collector", found.values)


def _left_out(body: Body, state: Mapping[str, Any]) -> None:
    names = state.get("environment_variable_names") or ()
    if names:
        body.left_out.append(
            f"The values of environment variables, which the portal does not keep: {', '.join(names)}."
        )
    if state.get("startup_probe"):
        body.left_out.append("The startup probe: the CLI's files have no place for it.")


def _others(body: Body, state: Mapping[str, Any]) -> None:
    others = state.get("other") or {}
    if others:
        body.left_out.append(f"Properties that the portal does not know: {', '.join(sorted(others))}.")
