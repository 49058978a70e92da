"""What asks for a plan: splits, weights of one deployment or a template, with bakes, gates and terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from endpoints.access.policies import Principal
from endpoints.api.fields import Flag, Number, SplitField, StrictBody, Text, Whole
from endpoints.api.paging import LARGEST_ID
from endpoints.changes.draft import Draft, DraftStep, shift, walk
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.gatespec import Kind as GateKind
from endpoints.changes.plan import Base
from endpoints.changes.selectors import TemplateRow, template
from endpoints.changes.services.request import MOST_STEPS
from endpoints.changes.terms import MOST_GATES, OnFailure, Terms
from endpoints.core.errors import Invalid, NotFound

LARGEST_SECONDS = 10**9
WAYS = ("split", "plan", "template")


class GateIn(StrictBody):
    """A gate. What is not given is as usual for its kind."""

    kind = serializers.ChoiceField(choices=list(GateKind))
    limit = Number(required=False, help_text="What it means depends on the kind; a figure's gate needs it.")
    share = Number(required=False, help_text="0.01 to 0.9, of the minutes that may be bad.")
    min_requests = Whole(required=False)
    min_minutes = Whole(required=False)
    known_share = Number(required=False, help_text="0.5 to 1, of the minutes that must be known.")
    minute_requests = Whole(required=False, help_text="With fewer a minute says nothing of latency.")
    failure_limit = Whole(
        required=False, help_text="Failing measurements that are tolerated; -1: any number."
    )
    consecutive_successes = Whole(required=False)
    dry_run = Flag(required=False, help_text="It is measured and shown, and never blocks.")
    alpha = Number(required=False, help_text="The chance, at most, of a false alarm.")
    design_effect = Number(required=False, allow_null=True)
    figure = Text(required=False, max_length=80, help_text="A business figure's name.")
    figure_kind = serializers.ChoiceField(choices=["rate", "mean"], required=False)
    relative = Flag(required=False, help_text="The limit is how far it may be from the stable's.")
    direction = serializers.ChoiceField(choices=["over", "under"], required=False)

    def validate(self, attrs: dict[str, Any]) -> Any:
        """The gate itself, which knows what is wrong with it."""
        try:
            spec = GateSpec.from_json({**attrs, "kind": str(attrs["kind"])})
        except ValueError as error:
            raise ValidationError([str(error)]) from error
        if wrong := spec.problems():
            raise ValidationError(wrong)
        return spec


class TermsIn(StrictBody):
    """Under which terms the plan is walked."""

    gates = GateIn(many=True, required=False, max_length=MOST_GATES)  # type: ignore[call-arg]  # for the list
    watch = Whole(required=False, help_text="Seconds for which gates go on after the last step.")
    longest = Whole(required=False, help_text="Seconds after which it is held; 0: no such limit.")
    warm = Whole(
        required=False, help_text="Hours for which deployments that lost their traffic are to be kept."
    )
    on_failure = serializers.ChoiceField(
        choices=list(OnFailure), required=False, help_text="What the portal does by itself when a gate fails."
    )


class PlanStepIn(StrictBody):
    """One step: a complete split, or the percent of the plan's candidate."""

    split = SplitField(required=False)
    weight = Whole(
        min_value=0, max_value=100, required=False, help_text="Others keep their proportions of the rest."
    )
    mirror = SplitField(required=False, allow_null=True, help_text="Absent: as the step before left it.")
    bake = Whole(
        min_value=0,
        max_value=LARGEST_SECONDS,
        default=0,
        help_text="Seconds to be seen in force and healthy.",
    )
    click = Flag(default=False, help_text="Then a person must say go.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("split" in attrs) == ("weight" in attrs):
            raise ValidationError({"split": ["Give either the split or the candidate's weight."]})
        return attrs


class PlanIn(StrictBody):
    """A plan, walked step by step."""

    candidate = Text(max_length=255, required=False, help_text="Whose weights steps give.")
    steps = PlanStepIn(many=True, min_length=1, max_length=MOST_STEPS)  # type: ignore[call-arg]  # for the list
    terms = TermsIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        weighted = any("weight" in step for step in attrs["steps"])
        if weighted and "candidate" not in attrs:
            raise ValidationError({"candidate": ["Say whose weights these are."]})
        return attrs


class WantedIn(StrictBody):
    """What is wanted: `split`, `plan`, or `template` with `candidate`; one of them."""

    split = SplitField(
        required=False, help_text="Percent by deployment; those not named get 0. The sum is 100, or 0."
    )
    mirror = SplitField(
        required=False, allow_null=True, help_text="Beside `split`: mirrored percent; absent: as it is now."
    )
    plan = PlanIn(required=False)
    template = Whole(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="The number of a rollout template."
    )
    candidate = Text(max_length=255, required=False, help_text="Beside `template`: who gets the traffic.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in WAYS if name in attrs]
        if len(given) != 1:
            said = f"{' and '.join(given)} are given" if given else "none is given"
            raise ValidationError({"split": [f"Give one of split, plan and template; {said}."]})
        if attrs.get("mirror") is not None and "split" not in attrs:
            raise ValidationError({"mirror": ["Only beside split; in a plan each step has its own."]})
        if ("template" in attrs) != ("candidate" in attrs):
            raise ValidationError({"candidate": ["Give template and candidate together."]})
        return attrs


class ContentIn(WantedIn):
    """A change's content and the reason for it."""

    reason = Text(max_length=2000, help_text="Why, for whoever reviews it and whoever looks back.")


class RequestIn(ContentIn):
    """A traffic change that is asked for."""

    workspace = Text(max_length=63)
    endpoint = Text(max_length=255)


def draft_of(principal: Principal, workspace_id: int, base: Base, body: Mapping[str, Any]) -> Draft:
    """The draft that a body asks for; weights and templates are turned into splits of `base`."""
    if "template" in body:
        row = template_here(principal, workspace_id, body["template"])
        return walk(base.split, body["candidate"], row.steps, row.terms)
    if "plan" in body:
        return _plan(base, body["plan"])
    return Draft.single(body["split"], body.get("mirror"))


def terms_of(given: Mapping[str, Any]) -> Terms:
    """Terms as sent; what is not given is as usual."""
    known = {name: value for name, value in given.items() if name not in ("gates", "on_failure")}
    return Terms(
        gates=tuple(given.get("gates", ())),
        on_failure=OnFailure(given.get("on_failure", OnFailure.ROLL_BACK)),
        **known,
    )


def _plan(base: Base, plan: Mapping[str, Any]) -> Draft:
    candidate = plan.get("candidate", "")
    steps = tuple(
        DraftStep(
            step["split"] if "split" in step else shift(base.split, candidate, step["weight"]),
            step.get("mirror"),
            step["bake"],
            step["click"],
        )
        for step in plan["steps"]
    )
    return Draft(steps, terms_of(plan.get("terms", {})))


def template_here(principal: Principal, workspace_id: int, number: int) -> TemplateRow:
    """A template that this workspace offers; Invalid for any other number."""
    try:
        row = template(principal, number)
    except NotFound:
        row = None
    if row is None or row.workspace_id != workspace_id:
        raise Invalid({"template": ["This workspace has no template of that number."]})
    if row.ended_at is not None:
        raise Invalid({"template": [f"The template {row.name} was ended; it is offered no more."]})
    return row
