"""Whether a rollback of an endpoint would work now."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.change_shapes import VerdictOut
from endpoints.api.operation import Call, operation
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import Shape, SplitOut
from endpoints.api.view import ApiView
from endpoints.changes.selectors import readiness_of
from endpoints.changes.verdict import Outcome
from endpoints.inventory.selectors import endpoint_id_by_name


class ReadinessOut(Shape):
    """The worst of `reasons`. `target`: where a rollback would go, null: nowhere.

    `seconds` from click to confirmed here, the median of `rollbacks`, and `seconds_p95` what 95 in 100 took at most;
    `observed_seconds` until requests followed. Null: none was timed. `not_drillable` empty: a drill can be ordered.
    """

    outcome = serializers.ChoiceField(choices=list(Outcome))
    words = serializers.CharField()
    reasons = VerdictOut(many=True)
    target = SplitOut(allow_null=True)
    at = serializers.DateTimeField()
    not_drillable = serializers.CharField(source="drillable")
    seconds = serializers.FloatField(allow_null=True)
    seconds_p95 = serializers.FloatField(allow_null=True)
    observed_seconds = serializers.FloatField(allow_null=True)
    rollbacks = serializers.IntegerField()
    last_drill = serializers.DateTimeField(allow_null=True)


class Readiness(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/readiness`."""

    @operation(
        on_workspace(Action.VIEW),
        name="readiness",
        summary="Whether a rollback would work",
        answers={200: ReadinessOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Looked at now, out of what was read from Azure last."""
        light = readiness_of(endpoint_id_by_name(call.workspace.id, name))
        return Response(ReadinessOut(light).data)
