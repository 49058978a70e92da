"""Diagnostic settings of an endpoint: which logs and metrics go where. Told by the scenario or the admin port."""

from __future__ import annotations

from emulator import names
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import ANY_SCOPE, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import not_found
from emulator.logs.exports import in_force
from emulator.monitor.catalogue import LOG_CATEGORIES
from emulator.values import Json

_READ = "Microsoft.Insights/diagnosticSettings/read"


def list_all(cloud: Cloud, call: Call) -> Reply:
    return reply({"value": _of(cloud, call)})


def get(cloud: Cloud, call: Call) -> Reply:
    for item in _of(cloud, call):
        if str(item["name"]).lower() == call.named[0].lower():
            return reply(item)
    raise not_found(call.scope)


def _of(cloud: Cloud, call: Call) -> list[Json]:
    owner = call.scope.lower().partition("/providers/microsoft.insights/")[0]
    resource = cloud.control.world.find(owner)
    if resource is None:
        raise not_found(owner)
    now = cloud.control.clock()
    told = cloud.workload.diagnostics.get(names.key(resource.id), [])
    return [_document(resource.id, item) for item in told if in_force(item, now)]


def _document(resource_id: str, told: Json) -> Json:
    kept = {"enabled": False, "days": 0}
    logs = [
        {"category": name, "categoryGroup": None, "enabled": name in told["logs"], "retentionPolicy": kept}
        for name in LOG_CATEGORIES
    ]
    metrics = [
        {"category": name, "enabled": told["metrics"], "retentionPolicy": kept}
        for name in ("Resource", "Traffic")
    ]
    return {
        "id": f"{resource_id}/providers/microsoft.insights/diagnosticSettings/{told['name']}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": told["name"],
        "location": None,
        "kind": None,
        "tags": None,
        "identity": None,
        "properties": {
            "storageAccountId": None,
            "serviceBusRuleId": None,
            "workspaceId": told["workspace"],
            "eventHubAuthorizationRuleId": None,
            "eventHubName": None,
            "logAnalyticsDestinationType": "Dedicated",
            "logs": logs,
            "metrics": metrics,
        },
    }


ROUTES: Table = {
    at("GET", ANY_SCOPE, "diagnosticSettings"): Route(list_all, _READ),
    at("GET", ANY_SCOPE, "diagnosticSettings/*"): Route(get, _READ),
}
