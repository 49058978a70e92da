"""Rollback drills of an endpoint: order one, and what they measured."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.change_answers import answer
from endpoints.api.change_shapes import ChangeOut
from endpoints.api.fields import StrictBody, Text, Whole
from endpoints.api.headers import IDEMPOTENCY_KEY
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import Shape, SplitOut, next_field
from endpoints.api.view import ApiView
from endpoints.changes.lifecycle import State
from endpoints.changes.selectors.drills import DrillView, drill_report
from endpoints.changes.services.drills import BAKE, LONGEST_BAKE, MOST_WEIGHT, order_drill
from endpoints.changes.verdict import Outcome
from endpoints.inventory.selectors import endpoint_id_by_name


class DrillIn(StrictBody):
    """A small shift that is rolled back as soon as it came off."""

    deployment = Text(max_length=255, help_text="Which gets more traffic for a while.")
    weight = Whole(min_value=1, max_value=MOST_WEIGHT, help_text="Percent more than it has.")
    bake = Whole(
        min_value=0, max_value=LONGEST_BAKE, default=BAKE, help_text="Seconds that the shift stands."
    )
    reason = Text(max_length=2000)


class DrillOut(Shape):
    """A drill. `outcome` null: not over yet, or metrics have not told.

    `seconds` from the order of the rollback to the first reading that showed the split, `observed_seconds` to the
    minute in which requests followed; null: not known.
    """

    number = serializers.IntegerField(source="change_id")
    state = serializers.ChoiceField(choices=list(State))
    base = SplitOut()
    shifted = SplitOut()
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    rollback = serializers.IntegerField(source="rollback_id", allow_null=True)
    ordered_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    observed_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    observed_seconds = serializers.FloatField(allow_null=True)
    outcome = serializers.ChoiceField(choices=list(Outcome), allow_null=True)
    reason = serializers.CharField()


class DrillListOut(Shape):
    """A page of drills, newest first."""

    items = DrillOut(many=True)
    next = next_field()


class Drills(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/drills`."""

    @operation(
        on_workspace(Action.VIEW),
        name="drills_list",
        summary="Rollback drills of an endpoint",
        query=NumberedQuery,
        answers={200: DrillListOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """From the order to confirmed to observed, and how each ended."""
        found = drill_report(
            endpoint_id_by_name(call.workspace.id, name),
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
        items = [_shown(row) for row in found.rows]
        return Response(page(call.request, items, before=found.next_before))

    @operation(
        on_workspace(Action.VIEW, then=Action.DRILL),
        name="drills_order",
        summary="Order a rollback drill",
        body=DrillIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={201: ChangeOut},
        problems=(409,),
        example={"deployment": "green", "weight": 5, "reason": "Quarterly drill."},
    )
    def post(self, call: Call, name: str) -> Response:
        """A change of its own, reviewed and started or scheduled as any; then the executor rolls it back by itself."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        ref = f"endpoint:{endpoint_id}"
        call.about = About(ref, call.workspace.id, ref)
        number = order_drill(
            principal=call.principal,
            endpoint_id=endpoint_id,
            idempotency_key=headers.idempotency_key(call.request),
            **call.body,
        )
        return answer(call, number, status=201)


def _shown(row: DrillView) -> dict[str, Any]:
    return dict(DrillOut(row).data)
