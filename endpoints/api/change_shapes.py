"""What answers say of changes, and what asks for one."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from endpoints.api.fields import StrictBody, Text
from endpoints.api.rollout_shapes import (
    AfterReviewOut,
    QuorumOut,
    RolloutOut,
    StandsAgainstOut,
    TermsOut,
    rollout_people,
    rollout_shown,
)
from endpoints.api.shapes import ActorOut, Refs, Shape, SplitOut, actor, next_field, person
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.plan import VERBS
from endpoints.changes.progress import Mark
from endpoints.changes.selectors import ChangeDetail, ChangeRow
from endpoints.changes.verdict import Outcome


class ChangeItemOut(Shape):
    """A change in a list. `before` and `after` are live splits: of its base, and of its last step.

    `origin` names what it was asked for by, as "finding:7"; empty: a person asked by themselves.
    """

    number = serializers.IntegerField(source="id")
    kind = serializers.ChoiceField(choices=list(Kind))
    state = serializers.ChoiceField(choices=list(State))
    version = serializers.IntegerField(help_text="Counts the moves that it made.")
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    author = ActorOut()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    reverts = serializers.IntegerField(source="reverts_id", allow_null=True)
    before = SplitOut()
    after = SplitOut()
    waiting_for = serializers.CharField()
    attention = serializers.CharField()
    origin = serializers.CharField()


class ChangeListOut(Shape):
    """A page of changes, newest first."""

    items = ChangeItemOut(many=True)
    next = next_field()


class StepOut(Shape):
    """One write to Azure, as complete maps. `bake`: seconds to be seen in force; `click`: then a person says go.

    The other verbs leave the split as it is: `patch_capacity` brings `deployment` from `was` (0: not known) to
    `instances`; `put_autoscale` makes `document` of `setting`, where `previous` stood (null: no setting);
    `delete_deployment` deletes `deployment`, `delete_endpoint` all of it.
    """

    verb = serializers.ChoiceField(choices=list(VERBS))
    split = SplitOut()
    mirror = SplitOut()
    bake = serializers.IntegerField()
    click = serializers.BooleanField()
    deployment = serializers.CharField()
    instances = serializers.IntegerField()
    was = serializers.IntegerField()
    setting = serializers.CharField(help_text="The ARM id of an autoscale setting.")
    document = serializers.DictField(allow_null=True)
    previous = serializers.DictField(allow_null=True)


class BaseOut(Shape):
    """The endpoint's state that the plan was written against."""

    split = SplitOut()
    mirror = SplitOut()
    state_hash = serializers.CharField()


class LiveOut(Shape):
    """What Azure reported last."""

    traffic = SplitOut()
    mirror_traffic = SplitOut()
    provisioning_state = serializers.CharField()
    state_hash = serializers.CharField()
    read_began = serializers.DateTimeField()
    read_ended = serializers.DateTimeField()


class WeightOut(Shape):
    """A deployment's percent now, at the plan's base, and at its end. `exists` false: there is none by that name."""

    name = serializers.CharField()
    live = serializers.IntegerField()
    base = serializers.IntegerField()
    after = serializers.IntegerField()
    exists = serializers.BooleanField()
    provisioning_state = serializers.CharField()
    model = serializers.CharField()


class VerdictOut(Shape):
    """What something says, with the reason."""

    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()


class CheckOut(VerdictOut):
    """An automatic check's verdict. `needs_acceptance`: a person must name it in `accept`; `blocks`: nobody can."""

    needs_acceptance = serializers.BooleanField()
    blocks = serializers.BooleanField()


class SaidOut(Shape):
    """A person's words."""

    kind = serializers.CharField()
    author = ActorOut()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class DecisionOut(Shape):
    """A reviewer's decision, with the warnings accepted. `current` false: an edit afterwards has voided it."""

    reviewer = ActorOut()
    approved = serializers.BooleanField()
    at = serializers.DateTimeField()
    current = serializers.BooleanField()
    accepted = serializers.ListField(child=serializers.CharField())


class MoveOut(Shape):
    """One move in the change's life. `before` empty: it was made."""

    before = serializers.CharField()
    after = serializers.ChoiceField(choices=list(State))
    step = serializers.IntegerField()
    actor = ActorOut()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class CallOut(Shape):
    """One call to Azure, of a step's `verb`. `instances`: what `deployment` is brought to by one that scales."""

    step = serializers.IntegerField()
    sent_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)
    split = SplitOut()
    azure_request_id = serializers.CharField()
    error = serializers.CharField()
    deployment = serializers.CharField()
    instances = serializers.IntegerField()
    verb = serializers.ChoiceField(choices=list(VERBS))


class ProgressOut(Shape):
    """A step of the way to Azure and back."""

    name = serializers.CharField()
    mark = serializers.ChoiceField(choices=list(Mark))
    at = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField()


class MayOut(Shape):
    """Whether the caller may do something with this change, and why not."""

    allowed = serializers.BooleanField()
    reason = serializers.CharField()


class ChangeOut(ChangeItemOut):
    """One change with all that a decision stands on. `content_hash` is what a decision must name."""

    revision = serializers.IntegerField()
    content_hash = serializers.CharField()
    cause = serializers.CharField()
    steps = StepOut(many=True)
    base = BaseOut()
    live = LiveOut(allow_null=True)
    drifted = serializers.BooleanField()
    weights = WeightOut(many=True)
    checks = CheckOut(many=True)
    said = SaidOut(many=True)
    decisions = DecisionOut(many=True)
    moves = MoveOut(many=True)
    calls = CallOut(many=True)
    progress = ProgressOut(many=True)
    editors = ActorOut(many=True)
    approval_expires_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    reverted_by = serializers.IntegerField(allow_null=True)
    terms = TermsOut()
    rollout = RolloutOut()
    quorum = QuorumOut(allow_null=True, help_text="While approvals count.")
    holds = StandsAgainstOut(many=True)
    after_review = AfterReviewOut(allow_null=True)
    may = serializers.DictField(child=MayOut())


class AcceptIn(StrictBody):
    """Which warnings the caller has seen and accepts."""

    accept = serializers.ListField(
        child=Text(max_length=120),
        required=False,
        default=list,
        max_length=50,
        help_text="Names of checks with `needs_acceptance`.",
    )


class ApprovalIn(AcceptIn):
    """Words beside an approval."""

    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class RejectionIn(StrictBody):
    """A rejection needs a reason that its author can act on."""

    comment = Text(max_length=2000)


def people_in(rows: list[ChangeRow]) -> set[int | None]:
    """Everybody whose name a list needs."""
    return {row.author_id for row in rows}


def item(row: ChangeRow, names: Refs) -> dict[str, Any]:
    """A row of a list as answered."""
    return dict(ChangeItemOut(_with_author(row, names)).data)


def _with_author(row: ChangeRow, names: Refs) -> dict[str, Any]:
    sources = {str(field.source) for field in ChangeItemOut().fields.values()} - {"author"}
    return {name: getattr(row, name) for name in sources} | {"author": person(row.author_id, names)}


def detail_people(detail: ChangeDetail) -> set[int | None]:
    """Everybody whose name the answer needs; actors of moves come as refs."""
    said = {said.author_id for said in detail.said}
    decided = {one.reviewer_id for one in detail.decided}
    return {detail.row.author_id, *detail.editors, *said, *decided, *rollout_people(detail)}


_PLAIN = (
    "revision", "content_hash", "cause", "steps", "base", "live", "drifted", "checks", "calls",
    "approval_expires_at", "confirmed_at", "reverted_by", "may",
)  # fmt: skip


def shown(detail: ChangeDetail, names: Refs) -> dict[str, Any]:
    """One change as answered."""
    fields: dict[str, Any] = {name: getattr(detail, name) for name in _PLAIN}
    fields |= _with_author(detail.row, names) | _told(detail, names) | rollout_shown(detail, names)
    return dict(ChangeOut(fields).data)


def _told(detail: ChangeDetail, names: Refs) -> dict[str, Any]:
    return {
        "weights": [_weight(weight) for weight in detail.weights],
        "said": [
            {"kind": one.kind, "author": person(one.author_id, names), "text": one.text, "at": one.at}
            for one in detail.said
        ],
        "decisions": [
            {
                "reviewer": person(one.reviewer_id, names),
                "approved": one.approved,
                "at": one.at,
                "current": one.current,
                "accepted": list(one.accepted),
            }
            for one in detail.decided
        ],
        "moves": [
            {
                "before": one.before,
                "after": one.after,
                "step": one.step,
                "actor": actor(one.actor, names),
                "reason": one.reason,
                "at": one.at,
            }
            for one in detail.moved
        ],
        "progress": detail.way,
        "editors": [person(editor, names) for editor in sorted(detail.editors)],
    }


def _weight(weight: Any) -> dict[str, Any]:
    facts = weight.deployment
    return {
        "name": weight.name,
        "live": weight.live,
        "base": weight.base,
        "after": weight.after,
        "exists": facts is not None,
        "provisioning_state": facts.provisioning_state if facts else "",
        "model": facts.model if facts else "",
    }
