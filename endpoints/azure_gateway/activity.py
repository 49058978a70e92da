"""The activity log: what may be asked of it, and its events to records. Pure.

It says who wrote to which resource, minutes late and for 90 days, and not what was written. Azure answers only
a few forms of filter, and none by operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.azure_gateway import arm
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import ActivityRecord

_PROVIDER = "Microsoft.MachineLearningServices"
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def log_path(subscription: str) -> str:
    head = arm.subscription_path(subscription)
    return f"{head}/providers/Microsoft.Insights/eventtypes/management/values"


def log_filter(subscription: str, since: datetime, until: datetime, resource_id: str) -> str:
    """What to ask for: one workspace, endpoint or deployment, or "" for all of Azure Machine Learning.

    The times are widened to whole seconds. ValueError for what can't be asked.
    """
    if since.tzinfo is None or until.tzinfo is None or since > until:
        raise ValueError("The activity log is read from one time of known zone to a later one.")
    about = f"resourceProvider eq {_quoted(_PROVIDER)}"
    if resource_id:
        path = arm.resource_path(resource_id)
        if arm.subscription_of(path) != subscription.lower():
            raise ValueError(f"{resource_id!r} is not in the subscription {subscription}.")
        about = f"resourceUri eq {_quoted(path)}"
    end = until + timedelta(microseconds=-until.microsecond % 1_000_000)
    return f"eventTimestamp ge {_moment(since)} and eventTimestamp le {_moment(end)} and {about}"


def event(document: Any) -> ActivityRecord:
    """One event; Malformed when it does not say what was done, to what and when."""
    if not isinstance(document, Mapping):
        raise Malformed("event", "it is not an object")
    request, claims = _map(document, "httpRequest"), _map(document, "claims")
    return ActivityRecord(
        event_id=_needed(document, "eventDataId"),
        at=_time(_needed(document, "eventTimestamp")),
        caller=_text(document, "caller"),
        operation=_needed(document, "operationName"),
        status=_text(document, "status"),
        resource_id=_resource(document),
        correlation_id=_text(document, "correlationId"),
        client_request_id=_text(request, "clientRequestId"),
        app_id=_text(claims, "appid"),
        object_id=_text(claims, _OBJECT_ID) or _text(claims, "oid"),
    )


def _resource(document: Mapping[str, Any]) -> str:
    """Where the field is missing, the event's own id begins with it."""
    named = _text(document, "resourceId") or _text(document, "id").partition("/events/")[0]
    if not named.startswith("/"):
        raise Malformed("event", "it names no resource")
    return named.rstrip("/").lower()


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("event", f"eventTimestamp is {text[:40]!r}, not a time") from None


def _needed(document: Mapping[str, Any], name: str) -> str:
    text = _text(document, name)
    if not text:
        raise Malformed("event", f"it has no {name}")
    return text


def _text(document: Mapping[str, Any], name: str) -> str:
    """A text, or the `value` of a localizable one."""
    value = document.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is not None and not isinstance(value, str):
        raise Malformed("event", f"{name} is {type(value).__name__}, not a text")
    return value or ""


def _map(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise Malformed("event", f"{name} is {type(value).__name__}, not an object")
    return value or {}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _moment(moment: datetime) -> str:
    return _quoted(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
