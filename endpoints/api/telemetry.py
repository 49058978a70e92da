"""How well endpoints can be seen, who reads their metrics, and how the reading of the past gets on."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID, NumberedQuery, PageQuery, page
from endpoints.api.rules import narrowed_to
from endpoints.api.shapes import ActorOut, Shape, actor, named, next_field, shape_names
from endpoints.api.view import ApiView
from endpoints.metrics.selectors import HealthRow, backfills, collectors, health
from endpoints.metrics.telemetry import State


class HealthOut(Shape):
    """What of one endpoint Azure delivers, and why not more.

    `lag_seconds` is how far behind the newest value was when it was read; `age_seconds` how old it is now.
    `log_categories` null: its diagnostic settings were never read, or could not be (`diagnostics_reason`).
    """

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    region = serializers.CharField()
    state = serializers.ChoiceField(choices=list(State))
    reason = serializers.CharField()
    minute = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    lag_seconds = serializers.FloatField(allow_null=True)
    diagnostics_read_at = serializers.DateTimeField(allow_null=True)
    diagnostics_reason = serializers.CharField()
    log_categories = serializers.ListField(child=serializers.CharField(), allow_null=True)


class HealthListOut(Shape):
    """A page of endpoints, worst seen first; `counts` by state are of all that match the text."""

    items = HealthOut(many=True)
    next = next_field()
    counts = serializers.DictField(child=serializers.IntegerField())


class CollectorOut(Shape):
    """Who reads a subscription's metrics in a region, and the newest run, all of which is null before the first.

    `complete_until`: every minute before it was read at least once. `retry_at`: Azure asked to wait until then.
    `batch_refused_at`: reads one by one since then. Azure's own words (`error`) and request id are told to those only
    who see every workspace of the subscription.
    """

    id = serializers.IntegerField()
    subscription = serializers.CharField()
    region = serializers.CharField()
    due_at = serializers.DateTimeField()
    is_reading = serializers.BooleanField()
    cadence_seconds = serializers.FloatField(allow_null=True)
    cadence_reason = serializers.CharField()
    failures = serializers.IntegerField()
    retry_at = serializers.DateTimeField(allow_null=True)
    complete_until = serializers.DateTimeField(allow_null=True)
    batch_refused_at = serializers.DateTimeField(allow_null=True)
    batch_refused_reason = serializers.CharField()
    outcome = serializers.CharField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    calls = serializers.IntegerField(allow_null=True)
    points = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    rows_changed = serializers.IntegerField(allow_null=True)
    lag_seconds = serializers.FloatField(allow_null=True)
    unreadable = serializers.IntegerField(allow_null=True)
    truncated = serializers.IntegerField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    azure_request_id = serializers.CharField(allow_null=True)


class CollectorListOut(Shape):
    """A page of collectors."""

    items = CollectorOut(many=True)
    next = next_field()


class BackfillOut(Shape):
    """An order to read the past, newest first: done from `until` down to `cursor`. `progress` is 0 to 1."""

    id = serializers.IntegerField()
    collector = serializers.IntegerField()
    subscription = serializers.CharField()
    region = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    cursor = serializers.DateTimeField()
    progress = serializers.FloatField()
    state = serializers.ChoiceField(choices=["waiting", "reading", "done", "cancelled"])
    asked_by = ActorOut()
    asked_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    failures = serializers.IntegerField()
    points = serializers.IntegerField()
    rows = serializers.IntegerField()
    error = serializers.CharField()
    ended_at = serializers.DateTimeField(allow_null=True)


class BackfillListOut(Shape):
    """A page of back-fills, newest first."""

    items = BackfillOut(many=True)
    next = next_field()


class TelemetryQuery(PageQuery):
    """Query of the health of telemetry."""

    state = serializers.ChoiceField(choices=list(State), required=False, default="")
    q = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=255,
        help_text="A part of the endpoint's name.",
    )
    cursor = serializers.CharField(
        required=False, default="", max_length=300, help_text="Where the page begins; `next` has it."
    )


class CollectorsQuery(PageQuery):
    """Query of collectors."""

    after = serializers.IntegerField(
        min_value=0,
        max_value=LARGEST_ID,
        default=0,
        help_text="Only those with a larger number; `next` has it.",
    )


class Telemetry(ApiView):
    """`/telemetry`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="telemetry_list",
        summary="How well endpoints can be seen",
        query=TelemetryQuery,
        answers={200: HealthListOut},
    )
    def get(self, call: Call) -> Response:
        """Of every endpoint that the caller may see, what Azure delivers and how late, worst first."""
        query = call.query
        found = health(
            visible_workspaces(call.principal),
            state=query["state"],
            text=query["q"],
            cursor=query["cursor"],
            limit=query["limit"],
        )
        body = page(call.request, [_health(row) for row in found.rows], cursor=found.next_cursor or None)
        return Response(body | {"counts": found.counts})


class Collectors(ApiView):
    """`/collectors`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="collectors_list",
        summary="Who reads metrics",
        query=CollectorsQuery,
        answers={200: CollectorListOut},
    )
    def get(self, call: Call) -> Response:
        """The collectors of the subscriptions in which the caller may see a workspace."""
        found = collectors(
            visible_workspaces(call.principal), after=call.query["after"], limit=call.query["limit"]
        )
        items = [dict(CollectorOut(row).data) for row in found.rows]
        return Response(page(call.request, items, after=found.next_after))


class Backfills(ApiView):
    """`/backfills`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="backfills_list",
        summary="Readings of the past",
        query=NumberedQuery,
        answers={200: BackfillListOut},
    )
    def get(self, call: Call) -> Response:
        """The back-fills of the same collectors, ended ones too."""
        found = backfills(
            visible_workspaces(call.principal), before=call.query.get("before"), limit=call.query["limit"]
        )
        names = named({row.asked_by for row in found.rows})
        plain = shape_names(BackfillOut) - {"asked_by", "collector"}
        items: list[dict[str, Any]] = [
            {name: getattr(row, name) for name in plain}
            | {"collector": row.collector_id, "asked_by": actor(row.asked_by, names)}
            for row in found.rows
        ]
        return Response(page(call.request, items, before=found.next_before))


def _health(row: HealthRow) -> dict[str, Any]:
    plain = shape_names(HealthOut) - {"endpoint"}
    return {name: getattr(row, name) for name in plain} | {"endpoint": row.name}
