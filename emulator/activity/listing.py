"""`GET …/Microsoft.Insights/eventtypes/management/values`: the activity log, in pages, newest first."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from urllib.parse import urlencode

from emulator.activity import filters
from emulator.activity.events import Event, document
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import SUBSCRIPTION, Route, Table, at
from emulator.cloud import Cloud
from emulator.monitor.listing import InsightsError
from emulator.values import Json, moment, stamp


def values(cloud: Cloud, call: Call) -> Reply:
    _let_through(cloud, call)
    if call.named[0].lower() != "management":
        raise InsightsError(404, "NotFound", f"There are no events of the type '{call.named[0]}' here.")
    asked = {name.lower(): value for name, value in call.query.items()}
    now, settings = cloud.control.clock(), cloud.settings
    try:
        wanted = filters.parse(asked.get("$filter"), now)
    except filters.FilterError as error:
        raise InsightsError(400, "BadRequest", str(error)) from None
    after = _position(asked.get("$skiptoken"))
    found = cloud.activity.find(
        call.subscription,
        wanted,
        now=now,
        soonest=settings.activity_delay_min,
        latest=settings.activity_delay_max,
    )
    if after is not None:
        found = [item for item in found if item.order < after]
    size = settings.behaviour.activity_page_size
    answer: Json = {"value": [_shown(cloud, item, asked.get("$select")) for item in found[:size]]}
    if len(found) > size:
        answer["nextLink"] = _next(call, found[size - 1])
    return reply(answer)


def _let_through(cloud: Cloud, call: Call) -> None:
    limit = int(cloud.settings.activity_queries)
    if limit <= 0:
        return
    passes, _, resets = cloud.activity_quota.take(call.identity.object_id, limit)
    if not passes:
        raise InsightsError(
            429,
            "TooManyRequests",
            f"More than {limit} queries of the activity log within {cloud.activity_quota.seconds} seconds.",
            headers={"Retry-After": str(max(resets, 1))},
        )


def _shown(cloud: Cloud, found: Event, select: str | None) -> Json:
    settings = cloud.settings
    told = document(
        found,
        seed=settings.seed,
        app_caller=settings.behaviour.activity_app_caller,
        submitted=found.appears(settings.activity_delay_min, settings.activity_delay_max),
    )
    if not select:
        return told
    wanted = {name.strip().lower() for name in select.split(",")}
    unknown = wanted - {name.lower() for name in told}
    if unknown:
        raise InsightsError(400, "BadRequest", f"$select knows no {', '.join(sorted(unknown))}.")
    return {name: value for name, value in told.items() if name.lower() in wanted}


def _next(call: Call, last: Event) -> str:
    """A link that begins after the last event of this page, whatever has come in since."""
    token = base64.urlsafe_b64encode(json.dumps([stamp(last.at), last.id]).encode()).decode()
    path = f"/subscriptions/{call.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    kept = {name: value for name, value in call.query.items() if name.lower() != "$skiptoken"}
    return f"{call.base}{path}?{urlencode({**kept, '$skiptoken': token})}"


def _position(token: str | None) -> tuple[datetime, str] | None:
    if token is None:
        return None
    try:
        at_text, identity = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        return moment(at_text), str(identity)
    except (ValueError, TypeError):
        raise InsightsError(400, "BadRequest", "The skip token is not one of ours.") from None


ROUTES: Table = {
    at("GET", SUBSCRIPTION, "eventtypes/*/values"): Route(values, "Microsoft.Insights/eventtypes/values/Read")
}
