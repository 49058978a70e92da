"""Whether somebody carries out what was approved."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.api.operation import Call, operation
from endpoints.api.rules import SIGNED_IN
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView
from endpoints.changes.selectors import executor_state
from endpoints.changes.selectors.executor import SILENT_AFTER_SECONDS


class ExecutorOut(Shape):
    """`silent_seconds` null: no executor ever said that it lives."""

    alive = serializers.BooleanField()
    silent_seconds = serializers.FloatField(allow_null=True)
    silent_after_seconds = serializers.FloatField(help_text="From here on it is taken for dead.")


class Executor(ApiView):
    """`/executor`."""

    @operation(SIGNED_IN, name="executor", summary="Pulse of the executor", answers={200: ExecutorOut})
    def get(self, call: Call) -> Response:
        """Without an executor nothing that was approved, and no rollback, reaches Azure."""
        state = executor_state()
        fields = {
            "alive": state.alive,
            "silent_seconds": state.age,
            "silent_after_seconds": SILENT_AFTER_SECONDS,
        }
        return Response(ExecutorOut(fields).data)
