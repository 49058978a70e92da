"""What people say about money: plans, values of predictions, and agreements on prices. Read, and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.access.services import About
from endpoints.api.capacity_inputs import PlaceQuery, reach
from endpoints.api.fields import Exact, StrictBody, Text
from endpoints.api.money_shapes import (
    AgreementListOut,
    AgreementOut,
    PlanListOut,
    ValueListOut,
    agreement,
    plan,
    value,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import page
from endpoints.api.rules import narrowed_to, on_object, on_workspace
from endpoints.api.shapes import named
from endpoints.api.view import ApiView
from endpoints.capacity import services
from endpoints.capacity.selectors import money as room
from endpoints.core.errors import Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.inventory.selectors import endpoint_id_by_name

Row = TypeVar("Row", bound=room.PlanRow | room.ValueRow | room.AgreementRow)


class SpendPlanIn(StrictBody):
    """So much may be spent each month; null takes the plan back."""

    team = Text(max_length=200, required=False, default="", allow_blank=True, help_text="Empty: in all.")
    amount = Exact(allow_null=True)
    currency = Text(max_length=3)
    reason = Text(max_length=2000)


class PredictionValueIn(StrictBody):
    """What one prediction is worth; null: it is not said any more."""

    amount = Exact(allow_null=True)
    currency = Text(max_length=3)
    reason = Text(max_length=2000)


class AgreementIn(StrictBody):
    """A share off list prices; an empty size or region is all of them."""

    sku = Text(max_length=100, required=False, default="", allow_blank=True)
    region = Text(max_length=100, required=False, default="", allow_blank=True)
    share = Exact(help_text="0.15 is 15 percent off.")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)
    reason = Text(max_length=2000)


class AgreementEndIn(StrictBody):
    """Why it ends."""

    reason = Text(max_length=2000)


class Plans(ApiView):
    """`/capacity/plans`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_plans",
        summary="What may be spent a month",
        query=PlaceQuery,
        answers={200: PlanListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """The newest of each workspace, team and currency."""
        rows, following = _part(call, room.plans(reach(call)))
        names = _names(rows)
        return Response(page(call.request, [plan(row, names) for row in rows], cursor=following))


class PlanOf(ApiView):
    """`/workspaces/{ws}/capacity-plans`."""

    @operation(
        on_workspace(Action.CAPACITY_VIEW, then=Action.CAPACITY_RULES),
        name="capacity_plans_set",
        summary="Set what may be spent a month",
        body=SpendPlanIn,
        answers={201: PlanListOut},
        problems=(409,),
        example={"amount": "12000", "currency": "EUR", "reason": "The budget of the year, by twelve."},
    )
    def post(self, call: Call) -> Response:
        """Of the workspace in all, or of one team of it. An alert is raised before a plan is passed, and after."""
        services.set_plan(principal=call.principal, workspace_id=call.workspace.id, **call.body)
        rows = room.plans([call.workspace.id])
        names = _names(rows)
        return Response(page(call.request, [plan(row, names) for row in rows], cursor=None), status=201)


class Values(ApiView):
    """`/capacity/values`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_values",
        summary="What predictions are worth",
        query=PlaceQuery,
        answers={200: ValueListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """The newest of each endpoint."""
        rows, following = _part(call, room.values(reach(call)))
        names = _names(rows)
        return Response(page(call.request, [value(row, names) for row in rows], cursor=following))


class ValueOf(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/prediction-value`."""

    @operation(
        on_workspace(Action.CAPACITY_VIEW, then=Action.CAPACITY_RULES),
        name="capacity_values_set",
        summary="Say what a prediction is worth",
        body=PredictionValueIn,
        answers={201: ValueListOut},
        problems=(404, 409),
        example={
            "amount": "0.004",
            "currency": "EUR",
            "reason": "Fraud that was stopped last year, by checks.",
        },
    )
    def post(self, call: Call, name: str) -> Response:
        """Unit costs then tell a margin."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        services.set_value(principal=call.principal, endpoint_id=endpoint_id, **call.body)
        rows = [row for row in room.values([call.workspace.id]) if row.endpoint_id == endpoint_id]
        names = _names(rows)
        return Response(page(call.request, [value(row, names) for row in rows], cursor=None), status=201)


class Agreements(ApiView):
    """`/capacity/agreements`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_agreements",
        summary="Agreements on prices",
        query=PlaceQuery,
        answers={200: AgreementListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Newest first, those that are over too."""
        rows, following = _part(call, room.agreements(reach(call)))
        names = _names(rows)
        return Response(page(call.request, [agreement(row, names) for row in rows], cursor=following))


class AgreementOf(ApiView):
    """`/workspaces/{ws}/price-agreements`."""

    @operation(
        on_workspace(Action.CAPACITY_VIEW, then=Action.CAPACITY_RULES),
        name="capacity_agreements_make",
        summary="Tell of an agreement on prices",
        body=AgreementIn,
        answers={201: AgreementOut},
        example={"share": "0.15", "since": "2026-01-01T00:00:00Z", "reason": "The three-year contract."},
    )
    def post(self, call: Call) -> Response:
        """The best that covers a size counts. Days of the ledger that it touches are made anew."""
        number = services.agree(principal=call.principal, workspace_id=call.workspace.id, **call.body)
        return Response(_one_agreement(number, [call.workspace.id]), status=201)


class AgreementEnd(ApiView):
    """`/capacity/agreements/{number}/end`."""

    @operation(
        on_object(Action.CAPACITY_RULES),
        name="capacity_agreements_end",
        summary="End an agreement on prices",
        body=AgreementEndIn,
        answers={200: AgreementOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """It counts for no time after now."""
        ids = visible_workspaces(call.principal, Action.CAPACITY_VIEW)
        row = _find(number, ids)
        call.about = About(ref("agreement", number), row.workspace_id, "")
        services.end_agreement(principal=call.principal, agreement_id=number, reason=call.body["reason"])
        return Response(_one_agreement(number, ids))


def _find(number: int, ids: Any) -> room.AgreementRow:
    found = [row for row in room.agreements(ids) if row.id == number]
    if not found:
        raise NotFound("There is no such agreement, or not for you.")
    return found[0]


def _one_agreement(number: int, ids: Any) -> dict[str, Any]:
    row = _find(number, ids)
    return agreement(row, _names([row]))


def _names(rows: Sequence[Any]) -> Any:
    return named({row.made_by for row in rows})


def _part(call: Call, rows: Sequence[Row]) -> tuple[Sequence[Row], str | None]:
    """A page of a list that is short enough to be read whole."""
    cursor = call.query["cursor"]
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Invalid("This page of the list does not exist; start at the first one.")
    begin = int(cursor or 0)
    end = begin + call.query["limit"]
    return rows[begin:end], str(end) if end < len(rows) else None
