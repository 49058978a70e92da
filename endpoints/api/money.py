"""What capacity costs this month, what acts saved, what predictions cost, and alerts."""

from __future__ import annotations

from datetime import UTC

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.capacity_inputs import (
    CursorFields,
    PeriodPageQuery,
    PlaceFields,
    period,
    reach,
    several,
)
from endpoints.api.capacity_shapes import exact
from endpoints.api.money_shapes import (
    AlertListOut,
    MonthOut,
    MonthsOut,
    SavingListOut,
    UnitCostListOut,
    alert,
    month,
    saving,
    sums,
    unit_cost,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import page
from endpoints.api.rules import narrowed_to
from endpoints.api.view import ApiView
from endpoints.capacity.savings import State
from endpoints.capacity.selectors import money as room
from endpoints.capacity.selectors.savings import savings
from endpoints.dispatch import db_now


class SavingsQuery(CursorFields, PlaceFields):
    """Savings: all that is given must hold."""

    state = several(State)


class AlertsQuery(CursorFields, PlaceFields):
    """Alerts that stand, or those that ended."""

    ended = serializers.BooleanField(default=False)


class MonthQuery(PlaceFields):
    """Query of the month."""


class Months(ApiView):
    """`/capacity/months`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_months",
        summary="This month: spent, expected, planned, saved",
        query=MonthQuery,
        answers={200: MonthsOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Of the UTC month that runs, by currency."""
        ids, today = reach(call), db_now().astimezone(UTC).date()
        texts = ("spent", "could_save_low", "could_save", "filed", "realised")
        return Response(
            {
                "items": [dict(MonthOut(month(row)).data) for row in room.month_of(ids, today)],
                "headline": [
                    {
                        "currency": row.currency,
                        "findings": row.findings,
                        "unpriced_findings": row.unpriced_findings,
                        **{name: exact(getattr(row, name)) for name in texts},
                    }
                    for row in room.headline(ids, today)
                ],
            }
        )


class Savings(ApiView):
    """`/capacity/savings`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_savings",
        summary="What acts really saved",
        query=SavingsQuery,
        answers={200: SavingListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Paid time after each act against the same calendar hours before it, newest act first."""
        query = call.query
        states = query["state"].split(",") if query.get("state") else ()
        found = savings(reach(call), states=states, cursor=query["cursor"], limit=query["limit"])
        rows = [saving(row) for row in found.rows]
        return Response(
            page(call.request, rows, cursor=found.next_cursor or None)
            | {"count": found.count, "sums": sums(found.sums)}
        )


class UnitCosts(ApiView):
    """`/capacity/unit-costs`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_unit_costs",
        summary="What a thousand predictions cost",
        query=PeriodPageQuery,
        answers={200: UnitCostListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """By endpoint, the dearest first; a value per prediction, where one was said, leaves a margin."""
        ids, (since, until) = reach(call), period(call)
        found = room.unit_costs(ids, since, until, cursor=call.query["cursor"], limit=call.query["limit"])
        rows = [unit_cost(row) for row in found.rows]
        told = {"since": since, "until": until, **page(call.request, rows, cursor=found.next_cursor or None)}
        return Response(dict(UnitCostListOut(told).data))


class Alerts(ApiView):
    """`/capacity/alerts`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_alerts",
        summary="What about money needs a person",
        query=AlertsQuery,
        answers={200: AlertListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Plans that are passed, capacity that is paid for twice, savings that did not last, sizes without a price."""
        query = call.query
        found = room.alerts(reach(call), ended=query["ended"], cursor=query["cursor"], limit=query["limit"])
        rows = [alert(row) for row in found.rows]
        return Response(page(call.request, rows, cursor=found.next_cursor or None) | {"count": found.count})
