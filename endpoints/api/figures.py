"""Business figures of an endpoint: define one, send its values, read them, end it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api.fields import NAME, Number, StrictBody, Text, Whole
from endpoints.api.metrics import WindowQuery
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_PAGE, NumberedQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field
from endpoints.api.view import ApiView
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.metrics import selectors, services
from endpoints.metrics.figures import MOST_AT_ONCE, Definition, Kind, Value
from endpoints.metrics.selectors import FigureRow
from endpoints.metrics.windows import Window, window

_OFFSET = re.compile(r"(Z|z|[+-]\d\d:?\d\d)$")


class Moment(serializers.DateTimeField):
    """A JSON string with a time and its offset: without one, nobody knows which minute is meant."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _OFFSET.search(value):
            raise serializers.ValidationError(["Give a time with its offset, such as 2026-11-25T12:34:00Z."])
        return super().to_internal_value(value)


class ValueIn(StrictBody):
    """One figure of one deployment in one minute."""

    figure = Text(max_length=63)
    deployment = Text(max_length=255)
    minute = Moment(help_text="When the minute begins.")
    count = Whole(help_text="How many observations there were.")
    total = Number(help_text="Of a rate, how many of them were so; of a mean, their sum.")


class BatchIn(StrictBody):
    """Values that belong to one endpoint; all are taken, or none is."""

    figures = ValueIn(many=True, min_length=1, max_length=MOST_AT_ONCE)  # type: ignore[call-arg]  # for the list


class DefinitionIn(StrictBody):
    """What the values of a figure mean."""

    label = Text(max_length=80)  # type: ignore[assignment]  # the field of this name
    kind = serializers.ChoiceField(
        choices=list(Kind), help_text="rate: total of count, shown in percent; mean: total over count."
    )
    unit = Text(max_length=20, required=False, default="", allow_blank=True)


class SentQuery(WindowQuery):
    """Query of a figure's values."""

    deployment = serializers.RegexField(NAME.pattern, required=False, help_text="Only of this one.")
    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_PAGE, default=50, help_text="How many at most."
    )
    cursor = serializers.RegexField(
        r"^[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10}\.[a-z0-9_-]{1,255}$",
        required=False,
        help_text="Where the page begins, and in which stretch; `next` has it.",
    )


class FigureOut(Shape):
    """A figure. `newest` null: nothing was sent of it, or it is not kept any more. `ended_at` null: it is taken."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    kind = serializers.ChoiceField(choices=list(Kind))
    unit = serializers.CharField()
    defined_by = ActorOut()
    defined_at = serializers.DateTimeField()
    ended_by = ActorOut(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    newest = serializers.DateTimeField(allow_null=True)


class FigureListOut(Shape):
    """A page of figures, the newest first."""

    items = FigureOut(many=True)
    next = next_field()


class TakenOut(Shape):
    """Of `values` that were sent, `changed` were new or replaced another one; the rest was there already."""

    values = serializers.IntegerField()
    changed = serializers.IntegerField()


class SentOut(Shape):
    """A minute's value: total over count, null without an observation."""

    minute = serializers.DateTimeField()
    deployment = serializers.CharField()
    count = serializers.IntegerField()
    total = serializers.FloatField()
    value = serializers.FloatField(allow_null=True)


class SentListOut(Shape):
    """A page of values, oldest first. A minute that is not listed is unknown."""

    figure = FigureOut()
    items = SentOut(many=True)
    next = next_field()


class Figures(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/figures`."""

    @operation(
        on_workspace(Action.VIEW),
        name="figures_list",
        summary="Business figures of an endpoint",
        query=NumberedQuery,
        answers={200: FigureListOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Which there are, those that were ended among them."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        found = selectors.figures(endpoint_id, before=call.query.get("before"), limit=call.query["limit"])
        names = named(ref for row in found.rows for ref in (row.made_by, row.ended_by) if ref)
        items = [_figure(row, names) for row in found.rows]
        return Response(page(call.request, items, before=found.next_before))

    @operation(
        on_workspace(Action.VIEW, then=Action.FIGURES_WRITE),
        name="figures_write",
        summary="Send business figures",
        body=BatchIn,
        answers={200: TakenOut},
        is_throttled=False,
        example={
            "figures": [
                {
                    "figure": "click-through",
                    "deployment": "green",
                    "minute": "2026-11-25T12:34:00Z",
                    "count": 1204,
                    "total": 87,
                }
            ]
        },
    )
    def post(self, call: Call, name: str) -> Response:
        """The same minute sent again replaces what was there, and adds nothing: who is not sure sends it again."""
        values = [Value(**each) for each in call.body["figures"]]
        taken = services.write_figures(
            principal=call.principal, endpoint_id=_about(call, name), values=values
        )
        return Response({"values": taken.values, "changed": taken.changed})


class Figure(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/figures/{figure}`."""

    @operation(
        on_workspace(Action.VIEW),
        name="figure_values",
        summary="Values of a business figure",
        query=SentQuery,
        answers={200: SentListOut},
    )
    def get(self, call: Call, name: str, figure: str) -> Response:
        """Minute by minute as they were sent; those around changes are kept for good, others as long as minutes."""
        row = selectors.figure_named(endpoint_id_by_name(call.workspace.id, name), figure)
        chosen, after = _place(call)
        found = selectors.sent_minutes(
            row.id,
            chosen.since,
            chosen.until,
            deployment=call.query.get("deployment", ""),
            after=after,
            limit=call.query["limit"],
        )
        items = [
            {
                "minute": one.minute,
                "deployment": one.deployment,
                "count": one.count,
                "total": one.total,
                "value": one.value,
            }
            for one in found.rows
        ]
        names = named(ref for ref in (row.made_by, row.ended_by) if ref)
        cursor = _cursor(chosen, found.next_after)
        return Response({"figure": _figure(row, names)} | page(call.request, items, cursor=cursor))

    @operation(
        on_workspace(Action.VIEW, then=Action.FIGURES_WRITE),
        name="figure_define",
        summary="Define a business figure",
        body=DefinitionIn,
        answers={200: FigureOut, 201: FigureOut},
        problems=(409,),
        example={"label": "Click-through", "kind": "rate"},
    )
    def put(self, call: Call, name: str, figure: str) -> Response:
        """201: it is new; 200: it was there with this very meaning. To mean something else, it must be ended first."""
        wanted = Definition(figure, call.body["label"], Kind(call.body["kind"]), call.body["unit"])
        endpoint_id = _about(call, name)
        made = services.define_figure(principal=call.principal, endpoint_id=endpoint_id, wanted=wanted)
        row = selectors.figure_named(endpoint_id, figure)
        return Response(_figure(row, named([row.made_by])), status=201 if made.is_new else 200)

    @operation(
        on_workspace(Action.VIEW, then=Action.FIGURES_WRITE),
        name="figure_end",
        summary="End a business figure",
        answers={204: None},
    )
    def delete(self, call: Call, name: str, figure: str) -> Response:
        """No more values are taken of it, and gates on it can't be read any more. What was sent stays."""
        services.end_figure(principal=call.principal, endpoint_id=_about(call, name), name=figure)
        return Response(status=204)


def _about(call: Call, name: str) -> int:
    """The endpoint's number, on which the call is from now on."""
    endpoint_id = endpoint_id_by_name(call.workspace.id, name)
    ref = f"endpoint:{endpoint_id}"
    call.about = About(ref, call.workspace.id, ref)
    return endpoint_id


def _place(call: Call) -> tuple[Window, tuple[datetime, str] | None]:
    """The stretch, and after which value the page begins."""
    if "cursor" not in call.query:
        query = call.query
        return window(
            db_now(), name=query.get("range", ""), since=query.get("since"), until=query.get("until")
        ), None
    *numbers, name = call.query["cursor"].split(".")
    since, until, after = (datetime.fromtimestamp(int(number), UTC) for number in numbers)
    if since >= until:
        raise Invalid({"cursor": ["This page of the list does not exist; start at the first one."]})
    return Window(since, until), (after, name)


def _cursor(chosen: Window, after: tuple[datetime, str] | None) -> str | None:
    if after is None:
        return None
    since, until, minute = (int(moment.timestamp()) for moment in (chosen.since, chosen.until, after[0]))
    return f"{since}.{until}.{minute}.{after[1]}"


def _figure(row: FigureRow, names: Refs) -> dict[str, Any]:
    return {
        "name": row.name,
        "label": row.label,
        "kind": row.kind,
        "unit": row.unit,
        "defined_by": actor(row.made_by, names),
        "defined_at": row.made_at,
        "ended_by": actor(row.ended_by, names) if row.ended_by else None,
        "ended_at": row.ended_at,
        "newest": row.newest,
    }
