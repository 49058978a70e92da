"""Whether a sent document has the shape that the handlers rely on. What it means is judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.errors import bad_request
from emulator.values import Json

_AUTH_MODES = {"key", "amltoken", "aadtoken"}
_ACCESS = {"enabled", "disabled"}
_TOP = {"tags": dict, "identity": dict, "sku": dict, "properties": dict, "location": str, "kind": str}
_PROPERTIES = {
    "properties": dict,
    "livenessProbe": dict,
    "readinessProbe": dict,
    "requestSettings": dict,
    "scaleSettings": dict,
    "codeConfiguration": dict,
    "authMode": str,
    "publicNetworkAccess": str,
    "compute": str,
    "model": str,
    "instanceType": str,
    "endpointComputeType": str,
}


def check(sent: Json) -> None:
    """Raise ARM's 400 for a field of the wrong type or an unknown word where the schema lists them."""
    _types(sent, _TOP, "")
    properties = sent.get("properties") or {}
    _types(properties, _PROPERTIES, "properties.")
    _words(properties, "authMode", _AUTH_MODES)
    _words(properties, "publicNetworkAccess", _ACCESS)
    _concurrency(properties.get("requestSettings") or {})
    for name, value in (sent.get("tags") or {}).items():
        if not isinstance(value, str):
            raise bad_request(f"tags.{name} is a string, not {value!r}.", "InvalidRequestContent")


def _types(fields: Json, wanted: Mapping[str, type], prefix: str) -> None:
    for name, kind in wanted.items():
        value = fields.get(name)
        if value is not None and not isinstance(value, kind):
            word = "an object" if kind is dict else "a string"
            raise bad_request(f"{prefix}{name} is {word}, not {value!r}.", "InvalidRequestContent")


def _words(properties: Json, name: str, known: set[str]) -> None:
    value = properties.get(name)
    if value is not None and value.lower() not in known:
        raise bad_request(f"properties.{name} has no value {value!r}.")


def _concurrency(settings: Json) -> None:
    value: Any = settings.get("maxConcurrentRequestsPerInstance")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise bad_request(f"maxConcurrentRequestsPerInstance is a whole number above 0, not {value!r}.")
    timeout: Any = settings.get("requestTimeout")
    if timeout is not None and not isinstance(timeout, str):
        raise bad_request(f"requestTimeout is a duration such as PT5S, not {timeout!r}.")
