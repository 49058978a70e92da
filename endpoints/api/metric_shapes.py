"""What answers say of metrics: values, how well they are known, budgets, and who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from endpoints.api.shapes import ActorOut, Refs, Shape, SplitOut, actor, next_field
from endpoints.metrics.budgets import Effect
from endpoints.metrics.columns import MINUTE
from endpoints.metrics.observed import Verdict
from endpoints.metrics.selectors import Brief, BudgetRow, ProposalRow, Share
from endpoints.metrics.telemetry import State
from endpoints.metrics.windows import Grain

_MINUTES = ("minutes", "request_minutes", "idle_minutes", "capacity_minutes")
UNITS: Mapping[str, str] = {
    **{column.name: column.unit for column in MINUTE},
    **dict.fromkeys(_MINUTES, "minutes"),
    **dict.fromkeys(("instance_minutes", "idle_instance_minutes"), "instance minutes"),
    **dict.fromkeys(("p95_max", "p99_max"), "ms"),
}


class ValuesOut(serializers.DictField):
    """A list of values for each column, one for each step; null: unknown, which is never zero."""

    child = serializers.ListField(child=serializers.FloatField(allow_null=True))


class RowValuesOut(serializers.DictField):
    """A value for each column; null: unknown."""

    child = serializers.FloatField(allow_null=True)


class DeploymentSeriesOut(Shape):
    """One deployment's values. In `known_minutes` of `of_minutes` that are over, any value is known.

    `deleted_at` null: it is there.
    """

    name = serializers.CharField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    known_minutes = serializers.IntegerField()
    of_minutes = serializers.IntegerField()
    values = ValuesOut()


class SeriesOut(Shape):
    """Step number n begins `n * step_seconds` after `start`. `known_until`: the end of the newest that has a value."""

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    grain = serializers.ChoiceField(choices=list(Grain))
    start = serializers.DateTimeField()
    step_seconds = serializers.IntegerField()
    count = serializers.IntegerField()
    known_until = serializers.DateTimeField(allow_null=True)
    units = serializers.DictField(child=serializers.CharField())
    deployments = DeploymentSeriesOut(many=True)


class RowOut(Shape):
    """One step of one deployment in which anything is known."""

    time = serializers.DateTimeField()
    deployment = serializers.CharField()
    values = RowValuesOut()


class RowListOut(Shape):
    """A page of rows, oldest first. What is not listed is unknown."""

    items = RowOut(many=True)
    next = next_field()
    grain = serializers.ChoiceField(choices=list(Grain))


class LatestItemOut(Shape):
    """A deployment's newest minute that has any value, null where there is none, and its last hour.

    Of that hour's 60 minutes `hour_minutes` have a value, and `over_budget` were over the budget in force.
    """

    deployment = serializers.CharField()
    weight = serializers.IntegerField(help_text="Percent of live traffic.")
    minute = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    requests = serializers.FloatField(allow_null=True)
    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)
    cpu_max = serializers.FloatField(allow_null=True)
    memory_max = serializers.FloatField(allow_null=True)
    gpu_max = serializers.FloatField(allow_null=True)
    instances = serializers.FloatField(allow_null=True)
    hour_minutes = serializers.IntegerField(allow_null=True)
    hour_requests = serializers.FloatField(allow_null=True)
    hour_failures = serializers.FloatField(allow_null=True)
    hour_throttled = serializers.FloatField(allow_null=True)
    hour_p95_max = serializers.FloatField(allow_null=True)
    over_budget = serializers.IntegerField(allow_null=True)


class BriefOut(Shape):
    """An endpoint's newest minute; every figure is null where it is unknown. Budgets null: there is none.

    `over_budget` are minutes of the last hour, `spark` the requests of the last 24 whole hours, oldest first.
    """

    state = serializers.ChoiceField(choices=list(State))
    reason = serializers.CharField()
    minute = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    requests = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    failure_share = serializers.FloatField(allow_null=True)
    over_budget = serializers.IntegerField(allow_null=True)
    budget_p95 = serializers.FloatField(allow_null=True)
    budget_failure_share = serializers.FloatField(allow_null=True)
    spark = serializers.ListField(child=serializers.FloatField(allow_null=True))


class LatestOut(Shape):
    """The endpoint as a whole, and each living deployment, those with most traffic first."""

    endpoint = BriefOut()
    items = LatestItemOut(many=True)


class ShareOut(Shape):
    """Minutes over budget of a deployment: from `over_at_least` to `over_at_most`, equal where counted exactly.

    Of `minutes`, the latency is known and a budget was in force in `known_minutes`; `idle_minutes` had no request.
    `worst_grain` hour: only the hour of the worst minute is known.
    """

    deployment = serializers.CharField()
    minutes = serializers.IntegerField()
    known_minutes = serializers.IntegerField()
    idle_minutes = serializers.IntegerField()
    over_at_least = serializers.IntegerField()
    over_at_most = serializers.IntegerField()
    worst_minute = serializers.DateTimeField(allow_null=True)
    worst_p95_ms = serializers.FloatField(allow_null=True)
    worst_grain = serializers.ChoiceField(choices=list(Grain))


class LimitsOut(Shape):
    """Limits in force in some time; null: none on that figure. `until` null: still."""

    p95_ms = serializers.FloatField(allow_null=True)
    failure_share = serializers.FloatField(allow_null=True)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    set_by = ActorOut()
    confirmed_by = ActorOut(allow_null=True)
    reason = serializers.CharField()


class ProposalOut(Shape):
    """Limits that wait for a decision."""

    id = serializers.IntegerField()
    p95_ms = serializers.FloatField(allow_null=True)
    failure_share = serializers.FloatField(allow_null=True)
    effect = serializers.ChoiceField(choices=list(Effect), help_text="On what is in force now.")
    proposed_by = ActorOut()
    proposed_at = serializers.DateTimeField()
    reason = serializers.CharField()


class OverBudgetOut(Shape):
    """What was held against which limits."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    budgets = LimitsOut(many=True)
    items = ShareOut(many=True)


class ObservedItemOut(Shape):
    """A deployment's share of the routed requests, 0 to 1. `low` to `high`: the shares that the count allows.

    `direct_requests` came at weight 0, so by header; `direct_estimate` is an excess where it had weight, and no more
    than an estimate.
    """

    deployment = serializers.CharField()
    requests = serializers.FloatField()
    ordered = serializers.FloatField(allow_null=True)
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(choices=list(Verdict))
    direct_requests = serializers.FloatField()
    direct_estimate = serializers.FloatField(allow_null=True)


class ObservedOut(Shape):
    """Whether requests went where the split sends them.

    Where they do, at most one of `false_alarms` windows is said to differ. Left out are `changing_minutes`, in which
    the split was being changed or is not known, and `unknown_minutes`, in which requests are not.
    """

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    verdict = serializers.ChoiceField(choices=list(Verdict))
    reason = serializers.CharField()
    requests = serializers.FloatField()
    ordered = SplitOut(allow_null=True, help_text="The newest split that is certain.")
    used_minutes = serializers.IntegerField()
    changing_minutes = serializers.IntegerField()
    unknown_minutes = serializers.IntegerField()
    false_alarms = serializers.IntegerField()
    deployments = ObservedItemOut(many=True)
    mirrored = ObservedItemOut(many=True)


def brief(row: Brief) -> dict[str, Any]:
    """An endpoint's figures. By hand: lists are made of many."""
    return {
        "state": row.state,
        "reason": row.reason,
        "minute": row.minute,
        "age_seconds": row.age_seconds,
        "requests": row.requests,
        "p95": row.p95,
        "failure_share": row.failure_share,
        "over_budget": row.over_budget,
        "budget_p95": row.budget_p95,
        "budget_failure_share": row.budget_failure_share,
        "spark": row.spark,
    }


def limits(row: BudgetRow, names: Refs) -> dict[str, Any]:
    """A budget."""
    return {
        "p95_ms": row.p95_ms,
        "failure_share": row.failure_share,
        "since": row.since,
        "until": row.until,
        "set_by": actor(row.set_by, names),
        "confirmed_by": actor(row.confirmed_by, names) if row.confirmed_by else None,
        "reason": row.reason,
    }


def proposal(row: ProposalRow, effect: Effect, names: Refs) -> dict[str, Any]:
    """A proposal, with what it would do."""
    return {
        "id": row.id,
        "p95_ms": row.p95_ms,
        "failure_share": row.failure_share,
        "effect": effect,
        "proposed_by": actor(row.proposed_by, names),
        "proposed_at": row.proposed_at,
        "reason": row.reason,
    }


def share(deployment: str, row: Share) -> dict[str, Any]:
    """A deployment's minutes over budget."""
    return {
        "deployment": deployment,
        "minutes": row.minutes,
        "known_minutes": row.known_minutes,
        "idle_minutes": row.idle_minutes,
        "over_at_least": row.over_at_least,
        "over_at_most": row.over_at_most,
        "worst_minute": row.worst_minute,
        "worst_p95_ms": row.worst_value,
        "worst_grain": row.worst_grain,
    }
