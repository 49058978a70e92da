"""What answers say of a moment of the past: each possible state with how sure it is, known then beside known now."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from endpoints.api.change_shapes import (
    BaseOut,
    CallOut,
    CheckOut,
    DecisionOut,
    MoveOut,
    SaidOut,
    StepOut,
)
from endpoints.api.fields import StrictQuery
from endpoints.api.rollout_shapes import MeasurementOut, OverrideOut, QuorumOut, TermsOut
from endpoints.api.shapes import ActorOut, Shape, SplitOut, next_field
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.selectors import ActiveThen
from endpoints.inventory.selectors import DeploymentBoth, FleetRowThen
from endpoints.inventory.selectors.asof import Answer
from endpoints.inventory.timeline import Certainty, Gap
from endpoints.metrics.selectors import BudgetRow


class MomentQuery(StrictQuery):
    """Which moment is asked for, and by which knowledge."""

    at = serializers.DateTimeField(
        required=False, help_text="Answers as of this moment of the past, in the shape for that."
    )
    known = serializers.DateTimeField(
        required=False,
        help_text="With `at`: as known at this later moment. What is known now stands beside it.",
    )


class StateThenOut(Shape):
    """A state that began between `earliest` (null: nothing was read before) and `latest`. `deleted`: it was gone."""

    state = serializers.JSONField(
        help_text="Azure's fields as the portal compares them, without keys and secrets."
    )
    deleted = serializers.BooleanField()
    earliest = serializers.DateTimeField(allow_null=True)
    latest = serializers.DateTimeField()
    known_at = serializers.DateTimeField(allow_null=True, help_text="When the portal had it on record.")
    cause = serializers.CharField(help_text='"change:42", "drift" or "".')


class WhyOut(Shape):
    """Why nothing is said. `moment`: when Azure made it, it was first read, or the last reading began."""

    gap = serializers.ChoiceField(choices=list(Gap))
    moment = serializers.DateTimeField(allow_null=True)


class AnswerOut(Shape):
    """`states`: one when certain, the older and the newer when one of two, none when unknown; then `why` says why."""

    certainty = serializers.ChoiceField(choices=list(Certainty))
    gone = serializers.BooleanField(source="is_gone", help_text="It certainly was not there.")
    states = StateThenOut(many=True)
    why = WhyOut(allow_null=True)


class ActiveThenOut(Shape):
    """The change that was at work."""

    number = serializers.IntegerField(source="id")
    kind = serializers.ChoiceField(choices=list(Kind))
    started_at = serializers.DateTimeField()


class BudgetThenOut(Shape):
    """The budget that was in force."""

    p95_ms = serializers.FloatField(allow_null=True)
    failure_share = serializers.FloatField(allow_null=True)
    since = serializers.DateTimeField()
    set_by = serializers.CharField()
    confirmed_by = serializers.CharField()


class ThenOut(Shape):
    """`then` as known at `known`, `now_known` as known now (null where no `known` was given).

    `corrected`: the two say different things.
    """

    name = serializers.CharField()
    then = AnswerOut()
    now_known = AnswerOut(allow_null=True)
    corrected = serializers.BooleanField()


class DeploymentThenOut(ThenOut):
    """A deployment that was, or may have been there."""

    at = serializers.DateTimeField()
    known = serializers.DateTimeField(allow_null=True)


class DeploymentListThenOut(Shape):
    """The deployments that were, or may have been there, by name; `others` counts those that certainly were not."""

    at = serializers.DateTimeField()
    known = serializers.DateTimeField(allow_null=True)
    items = ThenOut(many=True)
    others = serializers.IntegerField()


class EndpointThenOut(ThenOut):
    """An endpoint as of `at`."""

    at = serializers.DateTimeField()
    known = serializers.DateTimeField(allow_null=True)
    workspace = serializers.CharField()
    environment = serializers.CharField()
    arm_id = serializers.CharField()
    azure_created_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    deployments = ThenOut(many=True)
    others = serializers.IntegerField(help_text="Deployments that certainly were not there.")
    active_change = ActiveThenOut(allow_null=True)
    last_change = serializers.IntegerField(allow_null=True, help_text="Completed last by then.")
    budget = BudgetThenOut(allow_null=True)


class DeploymentBriefThenOut(Shape):
    """A deployment in a list of endpoints."""

    name = serializers.CharField()
    then = AnswerOut(source="*")


class EndpointItemThenOut(ThenOut):
    """An endpoint in a list. Its deployments are as known at `known`."""

    workspace = serializers.CharField()
    environment = serializers.CharField()
    deployments = DeploymentBriefThenOut(many=True)
    active_change = ActiveThenOut(allow_null=True)
    budget = BudgetThenOut(allow_null=True)


class EndpointListThenOut(Shape):
    """A page of the fleet as of `at`, by name. It may hold fewer than `limit`: only `next` null is the end."""

    at = serializers.DateTimeField()
    known = serializers.DateTimeField(allow_null=True)
    items = EndpointItemThenOut(many=True)
    next = next_field()


class CouldApproveOut(Shape):
    """Somebody with a role on the workspace then. `reason`: why they could not have approved; empty: they could."""

    person = ActorOut()
    roles = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()


class ChangeThenOut(Shape):
    """A change as of `at`. What a change was is its own record: later knowledge can't differ."""

    at = serializers.DateTimeField()
    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=list(Kind))
    state = serializers.ChoiceField(choices=list(State))
    step = serializers.IntegerField()
    version = serializers.IntegerField()
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    author = ActorOut()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    reverts = serializers.IntegerField(allow_null=True)
    emergency = serializers.BooleanField()
    revision = serializers.IntegerField()
    content_hash = serializers.CharField()
    before = SplitOut()
    after = SplitOut()
    base = BaseOut()
    steps = StepOut(many=True)
    terms = TermsOut()
    editors = ActorOut(many=True)
    checks = CheckOut(many=True)
    said = SaidOut(many=True)
    decisions = DecisionOut(many=True)
    moves = MoveOut(many=True)
    calls = CallOut(many=True)
    measurements = MeasurementOut(many=True)
    overrides = OverrideOut(many=True)
    could_approve = CouldApproveOut(many=True)
    quorum = QuorumOut(allow_null=True)
    quorum_unknown = serializers.CharField(help_text="Why nobody can tell, where approvals counted.")
    endpoint_then = AnswerOut()


def both(name: str, then: Answer, now_known: Answer, *, corrected: bool, asked: bool) -> dict[str, Any]:
    """What a `ThenOut` is made of. `asked`: whether a `known` was given."""
    return {"name": name, "then": then, "now_known": now_known if asked else None, "corrected": corrected}


def deployment(one: DeploymentBoth, *, asked: bool) -> dict[str, Any]:
    """What a `ThenOut` is made of."""
    return both(one.name, one.then, one.now_known, corrected=one.corrected, asked=asked)


def item(
    row: FleetRowThen, active: ActiveThen | None, budget: BudgetRow | None, *, asked: bool
) -> dict[str, Any]:
    """What an `EndpointItemThenOut` is made of."""
    return both(row.name, row.then, row.now_known, corrected=row.corrected, asked=asked) | {
        "workspace": row.workspace,
        "environment": row.environment,
        "deployments": row.deployments,
        "active_change": active,
        "budget": budget,
    }
