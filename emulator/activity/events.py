"""A record of the world log as events: a beginning and an end, each a document of its own. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from emulator import names
from emulator.activity import callers
from emulator.fold import Record
from emulator.values import Json, chance, correlation_id, guid, moment

Status = Literal["Started", "Succeeded", "Failed"]
_TYPES = {
    "workspace": names.WORKSPACE_TYPE,
    "endpoint": names.ENDPOINT_TYPE,
    "deployment": names.DEPLOYMENT_TYPE,
    "autoscale": names.AUTOSCALE_TYPE,
}
_ACTIONS = {"put": "write", "patch": "write", "delete": "delete", "regenerate_keys": "regenerateKeys/action"}
_METHODS = {"put": "PUT", "patch": "PATCH", "delete": "DELETE", "regenerate_keys": "POST"}
_TICKS_BEFORE_1970 = 621_355_968_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """One event and where it stands among others; its document is made when somebody reads it."""

    at: datetime
    id: str
    status: Status
    record: Record
    roll: float
    """How late it is, from 0 (as soon as can be) to 1 (as late as can be)."""

    @property
    def correlation(self) -> str:
        return correlation_id(self.record.operation or self.record.n)

    @property
    def order(self) -> tuple[datetime, str]:
        return self.at, self.id

    def appears(self, soonest: float, latest: float) -> datetime:
        """When it can be read, between so many seconds after it happened."""
        return self.at + timedelta(seconds=soonest + max(latest - soonest, 0.0) * self.roll)


def event(record: Record, status: Status, *, seed: int) -> Event:
    identity = guid(seed, "event", record.n, status)
    return Event(moment(record.at), identity, status, record, chance(seed, "late", identity))


def operation_name(record: Record) -> str:
    return f"{_TYPES[record.kind]}/{_ACTIONS[record.verb]}"


def provider(record: Record) -> str:
    return _TYPES[record.kind].partition("/")[0]


def document(found: Event, *, seed: int, app_caller: str, submitted: datetime) -> Json:
    """The event as the API shows it. Azure's own sample leaves the sent body empty: so does this."""
    record = found.record
    operation, resource, tenant = operation_name(record), record.resource, guid(seed, "tenant")
    group = resource.split("/")[4]
    told = _outcome(found)
    return {
        "authorization": {"action": operation, "scope": resource},
        "caller": callers.caller(record.who, app_caller=app_caller),
        "category": _word("Administrative"),
        "channels": "Operation",
        "claims": callers.claims(record.who, tenant=tenant),
        "correlationId": found.correlation,
        "description": "",
        "eventDataId": found.id,
        "eventName": {"value": "BeginRequest", "localizedValue": "Begin request"}
        if found.status == "Started"
        else {"value": "EndRequest", "localizedValue": "End request"},
        "eventTimestamp": stamp(found.at),
        "httpRequest": {
            "clientRequestId": record.request_id or guid(seed, "client request", found.correlation),
            "clientIpAddress": callers.address(record.who),
            "method": _METHODS[record.verb],
        },
        "id": f"{resource}/events/{found.id}/ticks/{_ticks(found.at)}",
        "level": "Error" if found.status == "Failed" else "Informational",
        "operationId": found.correlation,
        "operationName": _word(operation),
        "properties": {
            **told,
            "serviceRequestId": guid(seed, "service request", found.correlation),
            "entity": resource,
            "message": operation,
            "eventCategory": "Administrative",
        },
        "resourceGroupName": group,
        "resourceId": resource,
        "resourceProviderName": _word(provider(record)),
        "resourceType": _word(_TYPES[record.kind]),
        "status": _word(found.status),
        "subStatus": _sub_status(told.get("statusCode")),
        "submissionTimestamp": stamp(submitted),
        "subscriptionId": names.subscription_of(resource),
        "tenantId": tenant,
    }


def _outcome(found: Event) -> dict[str, str]:
    if found.status == "Started":
        return {}
    if found.status == "Succeeded":
        return {"statusCode": "OK"}
    error = found.record.error or {}
    return {
        "statusCode": "Conflict",
        "statusMessage": json.dumps({"error": {name: error.get(name) for name in ("code", "message")}}),
    }


def _sub_status(code: str | None) -> Json:
    numbers = {"OK": 200, "Conflict": 409}
    if code is None:
        return {"value": "", "localizedValue": ""}
    return {"value": code, "localizedValue": f"{code} (HTTP Status Code: {numbers[code]})"}


def _word(value: str) -> Json:
    return {"value": value, "localizedValue": value}


def stamp(at: datetime) -> str:
    """Seven digits of a second and a Z, as the service writes them."""
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')}0Z"


def _ticks(at: datetime) -> int:
    return _TICKS_BEFORE_1970 + 10 * ((at - _EPOCH) // timedelta(microseconds=1))
