"""The simulation of a plan: of a change as it is written down, or of one that somebody is still thinking about."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.operation import Call, operation
from endpoints.api.rollout_inputs import WantedIn, draft_of
from endpoints.api.rules import on_object, on_workspace
from endpoints.api.shapes import Shape, SplitOut
from endpoints.api.view import ApiView
from endpoints.changes.forecast import Forecast, StepForecast
from endpoints.changes.selectors import base_to_ask_on, change_forecast
from endpoints.changes.selectors.forecast import forecast_draft
from endpoints.changes.services.request import planned_steps
from endpoints.core.money import Money, plain
from endpoints.inventory.selectors import endpoint_id_by_name


class RangeOut(Shape):
    """From low to high, with what is typical."""

    low = serializers.FloatField()
    typical = serializers.FloatField()
    high = serializers.FloatField()


class LoadOut(Shape):
    """A deployment's part of the peak load. `share` of what its replicas can carry; null: not known."""

    deployment = serializers.CharField()
    requests = serializers.FloatField(allow_null=True)
    instances = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True)
    words = serializers.CharField()


class LatencyOut(Shape):
    """The p95 of the candidate's recent minutes at about such a load, in ms."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    words = serializers.CharField()


class PowerOut(Shape):
    """What a gate can find. `detectable`: the smallest rate, or share of bad minutes, that it finds in 4 of 5 cases.

    `blind`: its silence says nothing; `weight` or `bake_minutes`, either alone, would be enough, null: none is.
    """

    gate = serializers.CharField()
    requests = serializers.FloatField()
    minutes = serializers.IntegerField()
    detectable = serializers.FloatField(allow_null=True)
    excess = serializers.FloatField(allow_null=True)
    blind = serializers.BooleanField()
    reason = serializers.CharField()
    weight = serializers.IntegerField(allow_null=True)
    bake_minutes = serializers.IntegerField(allow_null=True)


class StepForecastOut(Shape):
    """One step. `exposed`: requests that candidates answer in its `minutes`; null: not known, which is not zero."""

    number = serializers.IntegerField()
    split = SplitOut()
    mirror = SplitOut()
    minutes = serializers.IntegerField()
    exposed = RangeOut(allow_null=True)
    loads = LoadOut(many=True)
    latency = LatencyOut(allow_null=True)
    gates = PowerOut(many=True)
    words = serializers.CharField()


class CostOut(Shape):
    """An amount as decimal text."""

    amount = serializers.CharField()
    currency = serializers.CharField()


class ForecastOut(Shape):
    """The whole plan. `seconds` at least; `cost` of what runs only because of it, null: not known, or nothing."""

    steps = StepForecastOut(many=True)
    seconds = serializers.IntegerField()
    cost = CostOut(allow_null=True)
    cost_words = serializers.CharField()
    traffic_words = serializers.CharField()


class OfChange(ApiView):
    """`/changes/{number}/forecast`."""

    @operation(
        on_object(Action.VIEW),
        name="changes_forecast",
        summary="Simulate a change",
        answers={200: ForecastOut},
    )
    def get(self, call: Call, number: int) -> Response:
        """What its content would do from now on, step by step, with what each gate could find."""
        return Response(_shown(change_forecast(call.principal, number)))


class OfPlan(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/forecast`."""

    @operation(
        on_workspace(Action.VIEW),
        name="forecast",
        summary="Simulate a plan",
        body=WantedIn,
        answers={200: ForecastOut},
        is_throttled=False,
        example={"plan": {"candidate": "green", "steps": [{"weight": 10, "bake": 900}]}},
    )
    def post(self, call: Call, name: str) -> Response:
        """The same for a plan on the traffic that is live now. Nothing is stored or asked for."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        base = base_to_ask_on(call.principal, endpoint_id, "")
        draft = draft_of(call.principal, call.workspace.id, base, call.body)
        planned_steps(endpoint_id, base, draft)  # Invalid for what could be no plan
        return Response(_shown(forecast_draft(endpoint_id, draft)))


def _shown(found: Forecast) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "steps": [_step(step) for step in found.steps],
        "seconds": found.seconds,
        "cost": _cost(found.cost),
        "cost_words": found.cost_words,
        "traffic_words": found.traffic_words,
    }
    return dict(ForecastOut(fields).data)


def _cost(cost: Money | None) -> dict[str, str] | None:
    return None if cost is None else {"amount": plain(round(cost.amount, 2)), "currency": cost.currency}


def _step(step: StepForecast) -> dict[str, Any]:
    """Counted from 0, as everywhere in the API."""
    names = ("number", "split", "mirror", "minutes", "exposed", "loads", "latency", "gates", "words")
    return {name: getattr(step, name) for name in names}
