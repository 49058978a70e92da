"""Metrics on ARM: `{resource}/providers/Microsoft.Insights/metrics`, metricDefinitions, metricNamespaces."""

from __future__ import annotations

import json

from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import ANY_SCOPE, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import ArmError, not_found
from emulator.fold import Resource
from emulator.monitor import answer, catalogue, query
from emulator.monitor.catalogue import Namespace
from emulator.values import Json


class InsightsError(ArmError):
    """Refusals of the metrics provider on ARM are not wrapped in `error`."""

    def body(self) -> Json:
        return {"code": self.code, "message": self.message}


def metrics(cloud: Cloud, call: Call) -> Reply:
    resource, own = _subject(cloud, call)
    asked = {name.lower().removeprefix("$"): value for name, value in call.query.items()}
    now = cloud.control.clock()
    behaviour = cloud.settings.behaviour
    try:
        space = query.namespace(asked.get("metricnamespace"), own)
        parsed = query.parse(asked, space, query.listed_span(asked.get("timespan"), now), behaviour)
    except ArmError as error:
        raise InsightsError(error.status, error.code, error.message) from None
    frame = answer.frame(
        parsed,
        now=now.timestamp(),
        lag=behaviour.metrics_lag_seconds,
        settle=behaviour.metrics_settle_seconds,
    )
    measured = cloud.source.measured(resource, frame.window)
    value = answer.metrics(frame, resource.id, measured, cloud.faults.blemishes(resource.id))
    head = {
        "cost": max(frame.window.count * len(parsed.metrics) - 1, 0),
        "timespan": f"{parsed.span.starttime}/{parsed.span.endtime}",
        "interval": parsed.interval,
        "namespace": space.name,
        "resourceregion": resource.body.get("location", ""),
    }
    return Reply(body=f'{json.dumps(head)[:-1]},"value":{value}}}'.encode())


def metric_definitions(cloud: Cloud, call: Call) -> Reply:
    resource, own = _subject(cloud, call)
    return reply({"value": catalogue.definitions(own, resource.id)})


def metric_namespaces(cloud: Cloud, call: Call) -> Reply:
    resource, own = _subject(cloud, call)
    item = {
        "id": f"{resource.id}/providers/microsoft.insights/metricNamespaces/{own.name.replace('/', '-')}",
        "type": "Microsoft.Insights/metricNamespaces",
        "name": own.name.replace("/", "-"),
        "classification": "Platform",
        "properties": {"metricNamespaceName": own.name},
    }
    return reply({"value": [item]})


def _subject(cloud: Cloud, call: Call) -> tuple[Resource, Namespace]:
    resource = cloud.control.world.find(call.scope)
    if resource is None:
        raise not_found(call.scope)
    own = catalogue.of_kind(resource.kind)
    if own is None:
        raise InsightsError(
            400, "BadRequest", f"Resource type of {resource.id} has no platform metrics here."
        )
    return resource, own


ROUTES: Table = {
    at("GET", ANY_SCOPE, "metrics"): Route(metrics, "Microsoft.Insights/metrics/read"),
    at("GET", ANY_SCOPE, "metricDefinitions"): Route(
        metric_definitions, "Microsoft.Insights/metricDefinitions/read"
    ),
    at("GET", ANY_SCOPE, "metricNamespaces"): Route(
        metric_namespaces, "Microsoft.Insights/metricNamespaces/read"
    ),
}
