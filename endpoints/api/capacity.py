"""What paid capacity costs: the ledger's sums, the rows that they are made of, and the formula of one row."""

from __future__ import annotations

from datetime import date

from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.api.capacity_inputs import DaysQuery, HeatQuery, PeriodQuery, period, reach, wanted_days
from endpoints.api.capacity_shapes import (
    DayListOut,
    FormulaOut,
    HeatmapOut,
    LedgersOut,
    day,
    formula,
    heat,
    ledger,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import page
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.view import ApiView
from endpoints.capacity.selectors import fleet_ledger
from endpoints.capacity.selectors.daily import page_of
from endpoints.capacity.selectors.day_rows import price_lines
from endpoints.capacity.selectors.heatmap import heatmap


class Ledger(ApiView):
    """`/capacity/ledger`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_ledger",
        summary="What capacity costs",
        query=PeriodQuery,
        answers={200: LedgersOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Sums by currency, and of each its causes, owners and days, which add up to it."""
        ids, (since, until) = reach(call), period(call)
        found = fleet_ledger(ids, since=since, until=until)
        told = {"since": since, "until": until, "ledgers": [ledger(one) for one in found]}
        return Response(dict(LedgersOut(told).data))


class Days(ApiView):
    """`/capacity/days`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_days",
        summary="Rows of the ledger",
        query=DaysQuery,
        answers={200: DayListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Deployments' days, newest first: what every sum is made of."""
        found = page_of(wanted_days(call), cursor=call.query["cursor"], limit=call.query["limit"])
        return Response(
            page(call.request, [day(row) for row in found.rows], cursor=found.next_cursor or None)
        )


class Formula(ApiView):
    """`/capacity/days/{number}/{day}`."""

    @operation(
        on_object(Action.CAPACITY_VIEW),
        name="capacity_day_formula",
        summary="The formula of one row of the ledger",
        answers={200: FormulaOut},
    )
    def get(self, call: Call, number: int, day: date) -> Response:
        """Stretches of hours, instances times price each, worked out anew and compared with the row."""
        seen = visible_workspaces(call.principal, Action.CAPACITY_VIEW)
        return Response(formula(price_lines(number, day, workspace_ids=seen)))


class Heatmap(ApiView):
    """`/capacity/heatmap`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_heatmap",
        summary="When capacity is idle",
        query=HeatQuery,
        answers={200: HeatmapOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """For each hour of the week the share of paid time that served, by the clock of a zone."""
        ids, (since, until), zone = reach(call), period(call), call.query["zone"]
        found = heatmap(ids, since, until, zone=zone, limit=call.query["limit"])
        told = {"since": since, "until": until, "zone": zone, "items": [heat(row) for row in found]}
        return Response(dict(HeatmapOut(told).data))
