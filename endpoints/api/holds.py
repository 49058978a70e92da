"""Freezes and stops: what holds forward steps, making and ending them. Rollbacks are never held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api.fields import StrictBody, Text
from endpoints.api.hold_shapes import (
    FreezeListOut,
    FreezeOut,
    HoldsOut,
    ImportedOut,
    StopListOut,
    StopOut,
    freeze,
    freezes,
    hold,
    imported,
    stop,
    stops,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID, PageQuery, page
from endpoints.api.rules import narrowed_to, on_object, on_workspace
from endpoints.api.view import ApiView
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.holds import selectors, services
from endpoints.holds.calendar import Schedule
from endpoints.holds.ics import MOST_BYTES
from endpoints.holds.scope import Scope
from endpoints.inventory.selectors import endpoint_id_by_name

_CLOCK = "What the zone's clock shows, such as 2026-12-24T16:00; no offset."


class ScopeIn(StrictBody):
    """Whom it holds. Each field that is given narrows it."""

    workspace = Text(max_length=63, allow_null=True, help_text="Its short name; null is all workspaces.")
    name_pattern = Text(
        max_length=64,
        required=False,
        default="",
        allow_blank=True,
        help_text="* and ? stand for any letters of an endpoint's name.",
    )
    owner = Text(max_length=256, required=False, default="", allow_blank=True)
    tag = Text(
        max_length=256, required=False, default="", allow_blank=True, help_text="`name` or `name=value`."
    )


class FreezeIn(ScopeIn):
    """A freeze. It holds by the zone's clock, also after a night in which that is changed."""

    title = Text(max_length=120)
    reason = Text(max_length=2000)
    zone = Text(max_length=64, help_text="A time zone, such as Europe/Zurich.")
    starts = Text(max_length=19, help_text=_CLOCK)
    ends = Text(max_length=19, help_text=_CLOCK)
    rule = Text(
        max_length=300,
        required=False,
        default="",
        allow_blank=True,
        help_text="An RRULE by days or longer, such as FREQ=WEEKLY;BYDAY=FR.",
    )


class ImportIn(ScopeIn):
    """A calendar file whose events become freezes."""

    zone = Text(
        max_length=64, help_text="The clock of events that name none, and of those that last all day."
    )
    reason = Text(max_length=2000)
    calendar = Text(max_length=MOST_BYTES, help_text="The text of an .ics file.", trim_whitespace=False)


class ReasonIn(StrictBody):
    """Why it is ended or lifted."""

    reason = Text(max_length=2000)


class StopIn(StrictBody):
    """What to stop: an endpoint, a workspace, or (workspace null) everything."""

    workspace = Text(max_length=63, allow_null=True, help_text="Its short name; null is all workspaces.")
    endpoint = Text(max_length=255, required=False, default="", allow_blank=True)
    reason = Text(max_length=2000)


class FreezesQuery(PageQuery):
    """Query of the freezes."""

    show = serializers.ChoiceField(choices=["standing", "past"], default="standing")
    cursor = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="Where the page begins; `next` has it."
    )


class StopsQuery(PageQuery):
    """Query of the stops."""

    show = serializers.ChoiceField(choices=["standing", "lifted"], default="standing")
    before = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="Only lifted ones with a smaller number; `next` has it.",
    )


class Freezes(ApiView):
    """`/holds/freezes`."""

    @operation(
        narrowed_to(Action.HOLDS_VIEW),
        name="freezes_list",
        summary="List freezes",
        query=FreezesQuery,
        answers={200: FreezeListOut},
    )
    def get(self, call: Call) -> Response:
        """Those that hold now or will, soonest first; or those that are over or were ended, newest first."""
        seen, at, cursor = selectors.reach(call.principal), db_now(), call.query.get("cursor")
        if call.query["show"] == "past":
            rows, following = selectors.past_freezes(seen, at, before=cursor, limit=call.query["limit"])
        else:
            found = selectors.standing_freezes(seen, at, begin=cursor or 0, limit=call.query["limit"])
            rows, following = found.rows, found.next
        return Response(page(call.request, freezes(rows), cursor=following))

    @operation(
        on_object(Action.FREEZE_MANAGE),
        name="freezes_make",
        summary="Make a freeze",
        body=FreezeIn,
        answers={201: FreezeOut},
        problems=(409,),
        example={
            "workspace": "mlw-prod-weu",
            "title": "Weekends",
            "reason": "Nobody is here to look after a rollout.",
            "zone": "Europe/Zurich",
            "starts": "2026-12-04T16:00",
            "ends": "2026-12-07T08:00",
            "rule": "FREQ=WEEKLY;BYDAY=FR",
        },
    )
    def post(self, call: Call) -> Response:
        """Hold forward steps on these endpoints at these times. It can't be changed: end it and make another."""
        number = services.make_freeze(
            principal=call.principal,
            scope=_scope(call),
            schedule=_schedule(call.body),
            title=call.body["title"],
            reason=call.body["reason"],
            source="api",
        )
        return Response(
            _freeze(call, number), status=201, headers={"Location": f"/api/v1/holds/freezes/{number}"}
        )


class Freeze(ApiView):
    """`/holds/freezes/{number}`."""

    @operation(
        on_object(Action.HOLDS_VIEW), name="freezes_get", summary="One freeze", answers={200: FreezeOut}
    )
    def get(self, call: Call, number: int) -> Response:
        """One freeze, also when it is over."""
        return Response(_freeze(call, number))


class FreezeEnd(ApiView):
    """`/holds/freezes/{number}/end`."""

    @operation(
        on_object(Action.FREEZE_MANAGE),
        name="freezes_end",
        summary="End a freeze",
        body=ReasonIn,
        answers={200: FreezeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """End it before it is over. It stays on record."""
        row = selectors.freeze_row(selectors.reach(call.principal), number, db_now())
        call.about = About(f"freeze:{number}", row.scope.workspace_id)
        services.end_freeze(principal=call.principal, freeze_id=number, reason=call.body["reason"])
        return Response(_freeze(call, number))


class FreezeImport(ApiView):
    """`/holds/freezes/import`."""

    @operation(
        on_object(Action.FREEZE_MANAGE),
        name="freezes_import",
        summary="Import a calendar",
        body=ImportIn,
        answers={200: ImportedOut},
        problems=(409,),
    )
    def post(self, call: Call) -> Response:
        """Make a freeze of each event that can be read. What stands already is not made twice."""
        found = services.import_ics(
            principal=call.principal,
            scope=_scope(call),
            zone=call.body["zone"],
            data=call.body["calendar"].encode(),
            reason=call.body["reason"],
        )
        return Response(imported(found))


class Stops(ApiView):
    """`/holds/stops`."""

    @operation(
        narrowed_to(Action.HOLDS_VIEW),
        name="stops_list",
        summary="List stops of the line",
        query=StopsQuery,
        answers={200: StopListOut},
    )
    def get(self, call: Call) -> Response:
        """Those in force, all on one page; or those that were lifted, newest first."""
        seen = selectors.reach(call.principal)
        if call.query["show"] == "standing":
            return Response(page(call.request, stops(selectors.standing_stops(seen)), before=None))
        rows, before = selectors.lifted_stops(
            seen, before=call.query.get("before"), limit=call.query["limit"]
        )
        return Response(page(call.request, stops(rows), before=before))

    @operation(
        on_object(Action.STOP_LINE),
        name="stops_make",
        summary="Stop the line",
        body=StopIn,
        answers={200: StopOut, 201: StopOut},
        problems=(409,),
        example={"workspace": "mlw-prod-weu", "endpoint": "", "reason": "Payments are failing."},
    )
    def post(self, call: Call) -> Response:
        """No change starts and no step goes on until it is lifted. 200 when it was stopped already."""
        made = services.stop_the_line(
            principal=call.principal, reason=call.body["reason"], **_what_to_stop(call)
        )
        headers = {"Location": f"/api/v1/holds/stops/{made.stop_id}"}
        return Response(_stop(call, made.stop_id), status=201 if made.is_new else 200, headers=headers)


class Stop(ApiView):
    """`/holds/stops/{number}`."""

    @operation(on_object(Action.HOLDS_VIEW), name="stops_get", summary="One stop", answers={200: StopOut})
    def get(self, call: Call, number: int) -> Response:
        """One stop, also when it was lifted."""
        return Response(_stop(call, number))


class StopLift(ApiView):
    """`/holds/stops/{number}/lift`."""

    @operation(
        on_object(Action.STOP_LINE),
        name="stops_lift",
        summary="Lift a stop",
        body=ReasonIn,
        answers={200: StopOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """What it held may go on at once, unless something else holds it too."""
        row = selectors.stop_row(selectors.reach(call.principal), number)
        call.about = About(f"stop:{number}", row.workspace_id)
        services.lift_stop(principal=call.principal, stop_id=number, reason=call.body["reason"])
        return Response(_stop(call, number))


class EndpointHolds(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/holds`."""

    @operation(
        on_workspace(Action.VIEW),
        name="endpoint_holds",
        summary="What holds an endpoint now",
        answers={200: HoldsOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Everything in force, and when forward steps are free again. An empty list: nothing holds it."""
        endpoint_id, at = endpoint_id_by_name(call.workspace.id, name), db_now()
        window = selectors.next_window(endpoint_id, at)
        body = {
            "at": at,
            "holds": [hold(each) for each in selectors.in_force(endpoint_id, at)],
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
        }
        return Response(dict(HoldsOut(body).data))


def _scope(call: Call) -> Scope:
    """Whom the body names; NotFound for a workspace that is hidden."""
    body = call.body
    return Scope(_workspace_id(call), body["name_pattern"], body["owner"], body["tag"])


def _workspace_id(call: Call) -> int | None:
    slug = call.body["workspace"]
    if slug is None:
        return None
    workspace_id = selectors.workspace_in_reach(call.principal, slug).id
    call.about = About(f"workspace:{workspace_id}", workspace_id)
    return workspace_id


def _what_to_stop(call: Call) -> dict[str, int]:
    workspace_id, name = _workspace_id(call), call.body["endpoint"]
    if workspace_id is None:
        if name:
            raise Invalid({"endpoint": ["Name the endpoint's workspace too. Nothing was stopped."]})
        return {}
    if not name:
        return {"workspace_id": workspace_id}
    endpoint_id = endpoint_id_by_name(workspace_id, name)
    call.about = About(f"endpoint:{endpoint_id}", workspace_id, f"endpoint:{endpoint_id}")
    return {"endpoint_id": endpoint_id}


def _schedule(body: Any) -> Schedule:
    return Schedule(body["zone"], _shown(body, "starts"), _shown(body, "ends"), body["rule"])


def _shown(body: Any, field: str) -> datetime:
    """What a clock shows: without an offset, which the zone has."""
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return datetime.strptime(body[field], form)  # noqa: DTZ007 - what a clock shows
        except ValueError:
            continue
    raise Invalid({field: ["Give a day and a time without an offset, such as 2026-12-24T16:00."]})


def _freeze(call: Call, number: int) -> dict[str, Any]:
    return freeze(selectors.freeze_row(selectors.reach(call.principal), number, db_now()))


def _stop(call: Call, number: int) -> dict[str, Any]:
    return stop(selectors.stop_row(selectors.reach(call.principal), number))
