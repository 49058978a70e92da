"""Lists of capacity as files of any length: CSV, JSON, and cost rows in the shape of FOCUS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from endpoints.access.policies import Action
from endpoints.api.capacity_inputs import (
    DayFields,
    FindingFields,
    period,
    reach,
    wanted_days,
    wanted_findings,
)
from endpoints.api.operation import Call, operation
from endpoints.api.rules import narrowed_to
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView
from endpoints.capacity import focus
from endpoints.capacity.selectors import exports
from endpoints.core.sheets import begun, csv_pieces, json_pieces
from endpoints.dispatch import db_now
from endpoints.dispatch.pieces import in_pieces

CSV = "text/csv; charset=utf-8"


class ExportQuery(FindingFields, DayFields):
    """The filters of the list that is asked for; those of another one change nothing."""

    what = serializers.ChoiceField(choices=["days", "findings", "savings", "unit-costs"])


class ExportOut(Shape):
    """The list. `filters` are those that were asked for."""

    what = serializers.CharField()
    exported_at = serializers.DateTimeField()
    filters = serializers.DictField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.DictField())
    count = serializers.IntegerField()


class AsCsv(ApiView):
    """`/capacity/export.csv`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_export_csv",
        summary="A list of capacity as CSV",
        query=ExportQuery,
        answers={(200, "text/csv"): OpenApiTypes.STR},
        problems=(404,),
    )
    def get(self, call: Call) -> HttpResponseBase:
        """RFC 4180 in UTF-8, times in UTC. It is sent while it is read, however long it is."""
        columns, rows = _asked(call)
        return _sent(call, csv_pieces(columns, rows), f"capacity-{call.query['what']}.csv", CSV)


class AsJson(ApiView):
    """`/capacity/export.json`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_export_json",
        summary="A list of capacity as one JSON document",
        query=ExportQuery,
        answers={200: ExportOut},
        problems=(404,),
    )
    def get(self, call: Call) -> HttpResponseBase:
        """The same rows, after the filters. `count` stands at the end: a document without it is not whole."""
        _, rows = _asked(call)
        what = call.query["what"]
        filters = {name: given for name, given in call.request.query_params.items() if name != "what"}
        head = {"what": what, "exported_at": db_now(), "filters": filters}
        return _sent(call, json_pieces(head, rows), f"capacity-{what}.json", "application/json")


class FocusQuery(DayFields):
    """The ledger's rows that are asked for."""


class AsFocus(ApiView):
    """`/capacity/export-focus.csv`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_export_focus",
        summary="Cost rows in the shape of FOCUS 1.2",
        query=FocusQuery,
        answers={(200, "text/csv"): OpenApiTypes.STR},
        problems=(404,),
    )
    def get(self, call: Call) -> HttpResponseBase:
        """Estimates from list prices and agreements; no invoice is read. Empty is null."""
        rows = exports.focus_for_file(wanted_days(call))
        return _sent(call, csv_pieces(focus.HEADER, rows, mark=""), "capacity-focus.csv", CSV)


def _asked(call: Call) -> tuple[tuple[str, ...], Iterator[dict[str, Any]]]:
    """Columns and rows of the list that is asked for."""
    if call.query["what"] == "days":
        return exports.DAYS, exports.days_for_file(wanted_days(call))
    if call.query["what"] == "savings":
        return exports.SAVINGS, exports.savings_for_file(reach(call))
    if call.query["what"] == "unit-costs":
        return exports.UNIT_COSTS, exports.unit_costs_for_file(reach(call), *period(call))
    return exports.FINDINGS, exports.findings_for_file(wanted_findings(call))


def _sent(call: Call, pieces: Iterator[str], name: str, kind: str) -> HttpResponseBase:
    waiting = hasattr(call.request._request, "scope")
    answer = StreamingHttpResponse(in_pieces(begun(pieces), waiting=waiting), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
