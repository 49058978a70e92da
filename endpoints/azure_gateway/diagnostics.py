"""Diagnostic settings to records: where a resource's logs and metrics are exported to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import DiagnosticSetting


def setting(document: Any) -> DiagnosticSetting:
    """One setting; Malformed when it can't be understood, since what is not exported must not seem to be."""
    properties = document.get("properties") if isinstance(document, Mapping) else None
    if not isinstance(properties, Mapping):
        raise Malformed("diagnostic setting", "it has no properties")
    logs, metrics = _enabled(properties, "logs"), _enabled(properties, "metrics")
    return DiagnosticSetting(
        name=str(document.get("name") or ""),
        log_categories=_names(logs, "category"),
        log_groups=_names(logs, "categoryGroup"),
        metrics=bool(metrics),
        workspace_id=str(properties.get("workspaceId") or ""),
    )


def _enabled(properties: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = properties.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
        raise Malformed("diagnostic setting", f"{name} is no list of categories")
    return [item for item in listed if item.get("enabled") is True]


def _names(items: Iterable[Mapping[str, Any]], field: str) -> tuple[str, ...]:
    return tuple(str(item[field]) for item in items if item.get(field))
