"""What answers say of a rollout: terms, bake, gates, overrides, quorum, what holds it, the review afterwards."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from endpoints.api.shapes import ActorOut, Refs, Shape, next_field, person
from endpoints.changes.gatespec import Kind as GateKind
from endpoints.changes.lifecycle import Hold
from endpoints.changes.quorum import Quorum
from endpoints.changes.selectors import AfterReviewView, ChangeDetail, Measured, Rollout
from endpoints.changes.terms import OnFailure
from endpoints.changes.verdict import Outcome
from endpoints.holds.selectors import Hold as HoldRow
from endpoints.holds.selectors import Kind as HoldKind


class GateSpecOut(Shape):
    """A gate of the plan, with what was filled in for its kind."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=list(GateKind))
    limit = serializers.FloatField()
    share = serializers.FloatField()
    min_requests = serializers.IntegerField()
    min_minutes = serializers.IntegerField()
    known_share = serializers.FloatField()
    minute_requests = serializers.IntegerField()
    failure_limit = serializers.IntegerField()
    consecutive_successes = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    alpha = serializers.FloatField()
    design_effect = serializers.FloatField(allow_null=True)
    figure = serializers.CharField()
    figure_kind = serializers.CharField()
    relative = serializers.BooleanField()
    direction = serializers.CharField()


class TermsOut(Shape):
    """Under which terms the plan is walked. `watch` and `longest` are seconds, `warm` hours; 0: none."""

    gates = GateSpecOut(many=True)
    watch = serializers.IntegerField()
    longest = serializers.IntegerField()
    warm = serializers.IntegerField()
    on_failure = serializers.ChoiceField(choices=list(OnFailure))


class BakeOut(Shape):
    """Seconds. `ends_at` null: nothing counts now. `watch`: the watch after the last step is part of it."""

    wanted = serializers.FloatField()
    baked = serializers.FloatField()
    ends_at = serializers.DateTimeField(allow_null=True)
    watch = serializers.BooleanField()


class GateOut(Shape):
    """A gate as it was measured last in the step at work. `outcome` null: not yet."""

    name = serializers.CharField()
    kind = serializers.CharField()
    dry_run = serializers.BooleanField()
    outcome = serializers.ChoiceField(choices=list(Outcome), allow_null=True)
    reason = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    limit = serializers.FloatField(allow_null=True)
    requests = serializers.FloatField(allow_null=True)
    minutes = serializers.IntegerField()
    excused = serializers.BooleanField()
    overridden_by = ActorOut(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class OverrideOut(Shape):
    """A person's word against a gate."""

    gate = serializers.CharField()
    step = serializers.IntegerField()
    by = ActorOut()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class RolloutOut(Shape):
    """Where the plan stands. `step` is the one at work, counted from 0; `gates_outcome` all gates together."""

    step = serializers.IntegerField()
    bake = BakeOut(allow_null=True)
    hold = serializers.ChoiceField(choices=list(Hold), allow_null=True)
    hold_reason = serializers.CharField()
    hold_wanted = serializers.BooleanField()
    held_at = serializers.DateTimeField(allow_null=True)
    needs_person = serializers.BooleanField()
    gates = GateOut(many=True)
    gates_outcome = serializers.ChoiceField(choices=list(Outcome), allow_null=True)
    gates_reason = serializers.CharField()
    next_measurement = serializers.DateTimeField(allow_null=True)
    overrides = OverrideOut(many=True)
    emergency = serializers.BooleanField()
    start_at = serializers.DateTimeField(allow_null=True)
    scheduled_by = ActorOut(allow_null=True)
    warm_until = serializers.DateTimeField(allow_null=True)


class QuorumOut(Shape):
    """Where approvals stand. `missing` says what each unmet rule still wants; `until`: when age undoes it."""

    needed = serializers.IntegerField()
    given = serializers.IntegerField()
    met = serializers.BooleanField()
    missing = serializers.ListField(child=serializers.CharField())
    accepted = serializers.ListField(child=serializers.CharField())
    until = serializers.DateTimeField(allow_null=True)


class StandsAgainstOut(Shape):
    """A freeze, stop or protection that stands against a start now. `until` null: until a person ends it."""

    kind = serializers.ChoiceField(choices=list(HoldKind))
    ref = serializers.CharField()
    title = serializers.CharField()
    reason = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    overridable = serializers.BooleanField()
    deployment = serializers.CharField()


class AfterReviewOut(Shape):
    """The review of an emergency. `sound` null: nobody said anything yet."""

    number = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    overdue = serializers.BooleanField()
    reviewer = ActorOut(allow_null=True)
    sound = serializers.BooleanField(allow_null=True)
    words = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class AfterReviewListOut(Shape):
    """A page of emergencies that nobody has judged yet, what is due first."""

    items = AfterReviewOut(many=True)
    next = next_field()


class MeasurementOut(Shape):
    """What a gate said. `until`: up to which minute it looked; `detail` holds the numbers behind it."""

    id = serializers.IntegerField()
    step = serializers.IntegerField()
    gate = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    limit = serializers.FloatField(allow_null=True)
    requests = serializers.FloatField(allow_null=True)
    excused = serializers.BooleanField()
    dry_run = serializers.BooleanField()
    until = serializers.DateTimeField()
    at = serializers.DateTimeField()
    detail = serializers.DictField()


class MeasurementListOut(Shape):
    """A page of measurements, newest first."""

    items = MeasurementOut(many=True)
    next = next_field()


def rollout_people(detail: ChangeDetail) -> set[int | None]:
    """Everybody whose name the rollout's part needs."""
    rollout = detail.rollout
    review = detail.after_review
    by = {one.by_id for one in rollout.overrides} | {gate.overridden_by for gate in rollout.gates}
    return by | {rollout.scheduled_by, review.reviewer_id if review else None}


def rollout_shown(detail: ChangeDetail, names: Refs) -> dict[str, Any]:
    """The rollout's part of a change as answered."""
    terms = detail.rollout.terms
    return {
        "terms": {name: getattr(terms, name) for name in ("gates", "watch", "longest", "warm", "on_failure")},
        "rollout": _rollout(detail.rollout, names),
        "quorum": _quorum(detail.quorum) if detail.quorum else None,
        "holds": [_hold(hold) for hold in detail.holds],
        "after_review": after_review(detail.after_review, names) if detail.after_review else None,
    }


def after_review(view: AfterReviewView, names: Refs) -> dict[str, Any]:
    """The review of an emergency as answered."""
    return {
        "number": view.change_id,
        "due_at": view.due_at,
        "overdue": view.overdue,
        "reviewer": _maybe(view.reviewer_id, names),
        "sound": view.sound,
        "words": view.words,
        "at": view.at,
    }


def measurement(row: Measured) -> dict[str, Any]:
    """A measurement as answered."""
    return dict(MeasurementOut(row).data)


def _maybe(user_id: int | None, names: Refs) -> dict[str, str] | None:
    return None if user_id is None else person(user_id, names)


_PLAIN = (
    "step", "bake", "hold", "hold_reason", "hold_wanted", "held_at", "needs_person", "gates_outcome",
    "gates_reason", "next_measurement", "emergency", "start_at", "warm_until",
)  # fmt: skip
_OF_GATE = (
    "name", "kind", "dry_run", "outcome", "reason", "value", "limit", "requests", "minutes", "excused", "at",
)  # fmt: skip


def _rollout(rollout: Rollout, names: Refs) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(rollout, name) for name in _PLAIN}
    fields["scheduled_by"] = _maybe(rollout.scheduled_by, names)
    fields["gates"] = [
        {name: getattr(gate, name) for name in _OF_GATE}
        | {"overridden_by": _maybe(gate.overridden_by, names)}
        for gate in rollout.gates
    ]
    fields["overrides"] = [
        {
            "gate": one.gate,
            "step": one.step,
            "by": person(one.by_id, names),
            "reason": one.reason,
            "at": one.at,
        }
        for one in rollout.overrides
    ]
    return fields


def _quorum(found: Quorum) -> dict[str, Any]:
    return {
        "needed": found.needed,
        "given": found.given,
        "met": found.met,
        "missing": list(found.missing),
        "accepted": sorted(found.accepted),
        "until": found.until,
    }


def _hold(hold: HoldRow) -> dict[str, Any]:
    names = ("kind", "ref", "title", "reason", "since", "until", "overridable", "deployment")
    return {name: getattr(hold, name) for name in names}
