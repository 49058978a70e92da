"""What gates would have done with past changes of a workspace, from the minutes that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.fields import StrictBody, Text, Whole
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID
from endpoints.api.rollout_inputs import GateIn, template_here
from endpoints.api.rollout_shapes import GateSpecOut
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.lifecycle import State
from endpoints.changes.selectors.backtest import MOST_WATCH, WATCH, Backtested, StepBacktest, backtest_in
from endpoints.changes.terms import MOST_GATES
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Invalid
from endpoints.inventory.selectors import endpoint_id_by_name, endpoint_names

MOST_AT_ONCE = 20


class BacktestIn(StrictBody):
    """Which gates, given or out of a template, and on which changes. Each is judged minute by minute."""

    gates = GateIn(many=True, required=False, min_length=1, max_length=MOST_GATES)  # type: ignore[call-arg]  # for the list
    template = Whole(min_value=1, max_value=LARGEST_ID, required=False)
    endpoint = Text(max_length=255, required=False, help_text="Only changes of this one.")
    before = Whole(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="Only changes with a smaller number; `next_before` of the answer has it.",
    )
    limit = Whole(min_value=1, max_value=MOST_AT_ONCE, default=10, help_text="How many changes at most.")
    watch = Whole(
        min_value=1,
        max_value=MOST_WATCH,
        default=WATCH,
        help_text="Minutes for which the last step is looked at.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("gates" in attrs) == ("template" in attrs):
            raise ValidationError({"gates": ["Give either gates or a template."]})
        gates = attrs.get("gates", [])
        if len({gate.name for gate in gates}) < len(gates):
            raise ValidationError({"gates": ["Two gates measure the same; each can be given once."]})
        return attrs


class GateSaidOut(Shape):
    """What one gate would have said at the end of the step, or when it was stopped."""

    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()
    excused = serializers.BooleanField()
    dry_run = serializers.BooleanField()


class StepBacktestOut(Shape):
    """A step, of the minutes in which it was in force. `stopped_after` null: nothing would have stopped it.

    `left_out`: gates that nothing could be compared with.
    """

    step = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    minutes = serializers.IntegerField()
    stopped_after = serializers.IntegerField(allow_null=True)
    by = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()
    gates = GateSaidOut(many=True)
    left_out = serializers.ListField(child=serializers.CharField())


class StoppedAtOut(Shape):
    """In which step, counted from 0, and after how many of its minutes."""

    step = serializers.IntegerField()
    minutes = serializers.IntegerField()


class BacktestedOut(Shape):
    """A past change: how it really ended, and what the gates would have done. What they can't judge is no pass.

    `rolled_back`: what for, empty: it was not. `stopped_at` null: they would not have stopped it.
    """

    number = serializers.IntegerField()
    endpoint = serializers.CharField()
    state = serializers.ChoiceField(choices=list(State))
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    rolled_back = serializers.CharField()
    stopped_at = StoppedAtOut(allow_null=True)
    by = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()
    steps = StepBacktestOut(many=True)


class BacktestOut(Shape):
    """Changes, newest first. `next_before` goes into the next call as `before`; null: these were the last."""

    gates = GateSpecOut(many=True)
    items = BacktestedOut(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class Backtest(ApiView):
    """`/workspaces/{ws}/backtest`."""

    @operation(
        on_workspace(Action.VIEW),
        name="backtest",
        summary="Run gates over past changes",
        body=BacktestIn,
        answers={200: BacktestOut},
        is_throttled=False,
        example={"gates": [{"kind": "errors", "limit": 0.02}], "limit": 10},
    )
    def post(self, call: Call) -> Response:
        """As if they had been live, read as it happened. Nothing is stored."""
        body, gates = call.body, _gates(call)
        endpoint = body.get("endpoint")
        found = backtest_in(
            {call.workspace.id},
            gates,
            endpoint_id=endpoint_id_by_name(call.workspace.id, endpoint) if endpoint else None,
            before=body.get("before"),
            limit=body["limit"],
            watch=body["watch"],
        )
        names = endpoint_names({row.endpoint_id for row in found.rows})
        fields: dict[str, Any] = {
            "gates": gates,
            "items": [_change(row, names.get(row.endpoint_id, "")) for row in found.rows],
            "next_before": found.next_before,
        }
        return Response(BacktestOut(fields).data)


def _gates(call: Call) -> Sequence[GateSpec]:
    if "gates" in call.body:
        return tuple(call.body["gates"])
    row = template_here(call.principal, call.workspace.id, call.body["template"])
    if not row.terms.gates:
        raise Invalid({"template": [f"The template {row.name} has no gates."]})
    return row.terms.gates


def _change(row: Backtested, endpoint: str) -> dict[str, Any]:
    return {
        "number": row.change_id,
        "endpoint": endpoint,
        "state": row.state,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "rolled_back": row.rolled_back,
        "stopped_at": {"step": row.stopped_at[0], "minutes": row.stopped_at[1]} if row.stopped_at else None,
        "by": row.by,
        "outcome": row.outcome,
        "reason": row.reason,
        "steps": [_step(step) for step in row.steps],
    }


def _step(step: StepBacktest) -> dict[str, Any]:
    result = step.result
    return {
        "step": step.step,
        "since": step.since,
        "until": step.until,
        "minutes": result.minutes,
        "stopped_after": result.stopped_after,
        "by": result.by,
        "outcome": result.end.outcome,
        "reason": result.end.reason,
        "gates": result.standings,
        "left_out": step.left_out,
    }
