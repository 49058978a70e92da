"""Autoscale settings of deployments: which of a list are theirs, to records, and back to Azure. Pure.

Azure Monitor keeps settings of everything that scales side by side; whether a setting is right is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from endpoints.azure_gateway import arm
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import AutoscaleRecord, Document

_READ_ONLY = frozenset({"id", "name", "type", "systemData", "etag"})
_CAPACITY = ("minimum", "default", "maximum")
_GROUP = re.compile(r"[-\w.()]{1,90}")


def list_path(subscription: str, group: str = "") -> str:
    """Where the settings of a subscription, or of one of its resource groups, are listed."""
    head = arm.subscription_path(subscription)
    if group and not _GROUP.fullmatch(group):
        raise ValueError(f"{group!r} is not the name of a resource group.")
    return (
        f"{head}{f'/resourceGroups/{group}' if group else ''}/providers/Microsoft.Insights/autoscalesettings"
    )


def of_deployment(document: Any) -> bool:
    """Whether a setting scales a deployment of a realtime endpoint; one that names no target may."""
    target = _target(document)
    return not target or "/onlineendpoints/" in target.lower()


def setting(document: Any) -> AutoscaleRecord:
    """One setting; Malformed when it does not say what it scales."""
    if not isinstance(document, Mapping) or not isinstance(document.get("id"), str):
        raise Malformed("autoscale setting", "it has no id")
    identifier, target = document["id"], _target(document)
    if not target:
        raise Malformed(identifier, "it does not say what it scales")
    properties = document["properties"]
    enabled = properties.get("enabled", True)
    if not isinstance(enabled, bool):
        raise Malformed(identifier, f"enabled is {str(enabled)[:40]!r}, not true or false")
    return AutoscaleRecord(
        arm_id=identifier,
        name=str(document.get("name") or identifier.rsplit("/", 1)[-1]),
        location=str(document.get("location") or ""),
        target=target.rstrip("/"),
        enabled=enabled,
        raw=document,
    )


def body(document: Document) -> dict[str, Any]:
    """The PUT body: the whole setting, with capacities as the strings that Azure wants.

    ValueError, before anything is sent, for bounds that do not follow each other or a missing target.
    """
    if not _target(document):
        raise ValueError("The setting does not say what it scales; nothing was sent.")
    properties = dict(document["properties"])
    profiles = properties.get("profiles")
    if not isinstance(profiles, list) or not profiles:
        raise ValueError("The setting has no profiles; nothing was sent.")
    properties["profiles"] = [_profile(one) for one in profiles]
    kept = {name: value for name, value in document.items() if name not in _READ_ONLY and value is not None}
    return {**kept, "properties": properties}


def _profile(profile: Any) -> dict[str, Any]:
    bounds = profile.get("capacity") if isinstance(profile, Mapping) else None
    if not isinstance(bounds, Mapping):
        raise ValueError("A profile has no capacity; nothing was sent.")
    least, usual, most = (_whole(bounds.get(name), name) for name in _CAPACITY)
    if not least <= usual <= most:
        raise ValueError(
            f"minimum {least}, default {usual} and maximum {most} do not follow each other; nothing was sent."
        )
    return {**profile, "capacity": {"minimum": str(least), "maximum": str(most), "default": str(usual)}}


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).isdecimal():
        raise ValueError(f"{name} is {value!r}, not a whole number; nothing was sent.")
    return int(value)


def _target(document: Any) -> str:
    properties = document.get("properties") if isinstance(document, Mapping) else None
    target = properties.get("targetResourceUri") if isinstance(properties, Mapping) else None
    return target if isinstance(target, str) else ""
