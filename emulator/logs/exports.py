"""Which endpoint's logs go to which Log Analytics workspace, and since when: what its diagnostic settings say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from emulator import names
from emulator.cloud import Cloud
from emulator.fold import Resource
from emulator.monitor.catalogue import LOG_CATEGORIES
from emulator.values import Json, guid

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)


class ExportError(ValueError):
    """A diagnostic setting that can't be understood; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an endpoint logged in [since, until) went to `workspace`, the ARM id of a Log Analytics workspace."""

    endpoint: Resource
    workspace: str
    since: datetime
    until: datetime


def exports(cloud: Cloud, category: str) -> Iterator[Export]:
    """Of endpoints that still stand. A workspace keeps what came in before a setting ended."""
    for key, settings in cloud.workload.diagnostics.items():
        endpoint = cloud.control.world.find(key)
        if endpoint is None:
            continue
        for told in settings:
            if category in told["logs"] and told["workspace"]:
                since, until = told.get("since") or _ALWAYS, told.get("until") or _FOR_EVER
                yield Export(endpoint, str(told["workspace"]), since, until)


def in_force(told: Json, now: datetime) -> bool:
    until = told.get("until")
    return until is None or until > now


def replace(cloud: Cloud, order: Json) -> None:
    """End the settings of an endpoint and, where `logs` names any, begin another one."""
    unknown = set(order) - {"endpoint", "logs", "workspace"}
    if unknown:
        raise ExportError(f"Unknown: {', '.join(sorted(unknown))}; known: endpoint, logs, workspace.")
    endpoint = cloud.control.world.find(str(order.get("endpoint", "")))
    logs = order.get("logs")
    if endpoint is None or endpoint.kind != "endpoint":
        raise ExportError(f"There is no endpoint {order.get('endpoint')!r}.")
    if not isinstance(logs, list) or not set(logs) <= set(LOG_CATEGORIES):
        raise ExportError(f"logs are some of {', '.join(LOG_CATEGORIES)}, not {logs!r}.")
    settings = cloud.workload.diagnostics.setdefault(names.key(endpoint.id), [])
    workspace = order.get("workspace") or next((told["workspace"] for told in reversed(settings)), None)
    if logs and not workspace:
        raise ExportError("There is no Log Analytics workspace of before: name one.")
    now = cloud.control.clock()
    ended = [{**told, "until": now} if in_force(told, now) else told for told in settings]
    begun = {"name": "to-log-analytics", "workspace": workspace, "logs": logs, "metrics": False, "since": now}
    cloud.workload.diagnostics[names.key(endpoint.id)] = [*ended, begun] if logs else ended


def workspace_guid(cloud: Cloud, workspace: str) -> str:
    """By which the query API knows a workspace; its `customerId` in ARM."""
    return guid(cloud.settings.seed, "log analytics", names.key(workspace))


def workspaces(cloud: Cloud) -> dict[str, str]:
    """Every Log Analytics workspace that a setting ever named, by the key of its ARM id."""
    return {
        names.key(told["workspace"]): str(told["workspace"])
        for settings in cloud.workload.diagnostics.values()
        for told in settings
        if told["workspace"]
    }
