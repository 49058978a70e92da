"""Rows of the tables, made when somebody asks: from requests, from containers, and from what befell the instances."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from emulator import names
from emulator.arm.containerlogs import server_lines
from emulator.cloud import Cloud
from emulator.fold import Resource
from emulator.logs.exports import Export, exports, workspace_guid
from emulator.logs.kql import ARRIVED, Query, Rows
from emulator.logs.requests import Request, message
from emulator.logs.sampled import sampled
from emulator.logs.tables import CONSOLE, EVENTS, TRAFFIC
from emulator.monitor.history import Standing
from emulator.values import Json, chance, guid, moment

_REASONS = {
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "RequestTimeout",
    424: "FailedDependency",
    429: "TooManyRequests",
}
_BORN = ("Pulled", "Created", "Started")


def rows(cloud: Cloud, query: Query, scope: str) -> Rows:
    """What has come in of a table in `scope`: a Log Analytics workspace, or whatever wrote the logs."""
    now = cloud.control.clock()
    found = []
    for export in exports(cloud, query.table):
        if not _in_scope(export, scope):
            continue
        since, until = _stretch(cloud, query, export, now)
        if since <= until:
            found += [
                row
                for row in _MAKERS[query.table](cloud, export, since, until)
                if export.since <= row["TimeGenerated"] < export.until
            ]
    # Where two settings export the same, each workspace has it: whoever asks for the writer sees it once.
    unique = {row["$id"]: row for row in found if row[ARRIVED] <= now}
    return list(unique.values())


def _in_scope(export: Export, scope: str) -> bool:
    wanted = names.key(scope).rstrip("/")
    return names.key(export.workspace) == wanted or f"{names.key(export.endpoint.id)}/".startswith(
        f"{wanted}/"
    )


def _stretch(cloud: Cloud, query: Query, export: Export, now: datetime) -> tuple[datetime, datetime]:
    """When a row must have been generated to be asked about."""
    latest = timedelta(seconds=max(cloud.settings.logs_delay_max, cloud.settings.logs_delay_min))
    since = [export.since, moment(export.endpoint.created_at)]
    if query.generated[0] is not None:
        since.append(query.generated[0])
    if query.arrived[0] is not None:
        since.append(query.arrived[0] - latest)
    until = [now, *(end for end in (query.generated[1], query.arrived[1]) if end is not None)]
    return max(since), min(until)


def _traffic(cloud: Cloud, export: Export, since: datetime, until: datetime) -> Iterator[Json]:
    endpoint = export.endpoint
    workspace = endpoint.id.partition("/onlineEndpoints/")[0]
    place = cloud.control.world.find(workspace)
    common = {
        "Method": "POST",
        "Path": "/score",
        "SubscriptionId": names.subscription_of(endpoint.id),
        "AzureMLWorkspaceId": "" if place is None else place.body["properties"].get("workspaceId", ""),
        "AzureMLWorkspaceName": names.last(workspace),
        "EndpointName": names.last(endpoint.id),
        "Location": endpoint.body.get("location", ""),
        "OperationName": "InvokeOnlineEndpoint",
        "Protocol": "HTTP/1.1",
        "AuthType": endpoint.body["properties"]["authMode"],
        "IdentityData": "",
        "RequestThrottlingDelayMs": 0,
        "ResponseThrottlingDelayMs": 0,
    }
    for request in _requests(cloud, endpoint, since, until):
        yield {
            **_standard(cloud, export, TRAFFIC, request.at, request.request_id),
            **common,
            "DeploymentName": request.deployment,
            "ResponseCode": request.status,
            "ResponseCodeReason": _REASONS.get(request.status, ""),
            "ModelStatusCode": request.model_status,
            "ModelStatusReason": request.model_reason,
            "RequestPayloadSize": request.sent_bytes,
            "ResponsePayloadSize": request.answered_bytes,
            "UserAgent": request.user_agent[:70],
            "XRequestId": request.request_id,
            "XMSClientRequestId": request.client_id,
            "TotalDurationMs": round(request.took_ms),
            "RequestDurationMs": min(round(request.took_ms), 1),
            "ResponseDurationMs": round(request.took_ms),
        }


def _requests(cloud: Cloud, endpoint: Resource, since: datetime, until: datetime) -> Iterator[Request]:
    yield from cloud.sent.within(endpoint.id, since, until)
    yield from sampled(cloud.source, endpoint, since, until)


def _console(cloud: Cloud, export: Export, since: datetime, until: datetime) -> Iterator[Json]:
    for request in _requests(cloud, export.endpoint, since, until):
        if request.line is not None:
            text = message(request.line)
            yield _said(cloud, export, request.deployment, request.at, text, request.request_id)
    for deployment in cloud.control.world.below(export.endpoint.id):
        for at, text in server_lines(cloud, deployment):
            if since <= at <= until:
                yield _said(cloud, export, names.last(deployment.id), at, text, at.isoformat())


def _said(cloud: Cloud, export: Export, deployment: str, at: datetime, text: str, which: str) -> Json:
    return {
        **_standard(cloud, export, CONSOLE, at, f"{deployment} {which}"),
        "OperationName": "ConsoleLog",
        "InstanceId": _instance(names.deployment_id(export.endpoint.id, deployment), 0),
        "DeploymentName": deployment,
        "ContainerName": "inference-server",
        "Message": text,
    }


def _events(cloud: Cloud, export: Export, since: datetime, until: datetime) -> Iterator[Json]:
    life = cloud.source.history.life(export.endpoint.id)
    for name, standings in (life.standings if life is not None else {}).items():
        written = life.spelt.get(name, name) if life is not None else name
        before: Standing | None = None
        for standing in standings:
            at = datetime.fromtimestamp(standing.at, UTC)
            if since <= at <= until:
                yield from _befell(cloud, export, written, at, before, standing)
            before = standing


def _befell(
    cloud: Cloud, export: Export, name: str, at: datetime, before: Standing | None, now: Standing
) -> Iterator[Json]:
    """One change of a deployment, instance by instance."""
    stood = before.instances if before is not None else 0
    words = _BORN if now.serves else ("BackOff",) if now.exists else ("Killing",)
    touched = range(stood, now.instances) if now.exists else range(stood)
    resource = names.deployment_id(export.endpoint.id, name)
    for number in touched:
        for word in words:
            yield {
                **_standard(cloud, export, EVENTS, at, f"{name} {number} {word} {at.isoformat()}"),
                "OperationName": "ContainerEvent",
                "InstanceId": _instance(resource, number),
                "DeploymentName": name,
                "Name": word,
                "Message": f"{word} container inference-server",
            }


def _standard(cloud: Cloud, export: Export, table: str, at: datetime, which: str) -> Json:
    """The columns of every table, and when the row can be read: later for some than for others."""
    settings = cloud.settings
    spread = max(settings.logs_delay_max - settings.logs_delay_min, 0.0)
    late = settings.logs_delay_min + spread * chance("arrives", settings.seed, table, which)
    writer = export.endpoint.id
    if settings.behaviour.logs_resource == "workspace":
        writer = writer.partition("/onlineEndpoints/")[0]
    return {
        "$id": (table, names.key(export.endpoint.id), which),
        ARRIVED: at + timedelta(seconds=late),
        "TenantId": workspace_guid(cloud, export.workspace),
        "TimeGenerated": at,
        "_ResourceId": writer.lower(),
        "_SubscriptionId": names.subscription_of(writer),
        "_BilledSize": 512.0,
        "_IsBillable": "True",
        "SourceSystem": "Azure",
        "Type": table,
    }


def _instance(deployment: str, number: int) -> str:
    return guid("instance", deployment.lower(), number).replace("-", "")


_MAKERS = {TRAFFIC: _traffic, CONSOLE: _console, EVENTS: _events}
