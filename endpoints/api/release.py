"""What a change left behind, and an endpoint against the YAML files of a repository."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.change_shapes import DecisionOut
from endpoints.api.fields import StrictBody, Text
from endpoints.api.operation import Call, operation
from endpoints.api.rollout_shapes import MeasurementOut, measurement
from endpoints.api.rules import on_object, on_workspace
from endpoints.api.shapes import ActorOut, Shape, SplitOut, named, person
from endpoints.api.view import ApiView
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.selectors import release_of
from endpoints.changes.selectors.kept import kept_files
from endpoints.inventory import selectors as inventory
from endpoints.inventory.declared import Outcome
from endpoints.inventory.selectors.declared import MOST_FILES, compared
from endpoints.inventory.yamlfile import MOST_BYTES


class ReleaseVersionOut(Shape):
    """What one deployment ran; empty where Azure did not say. `weight` null: the split is not certain."""

    deployment = serializers.CharField()
    weight = serializers.IntegerField(allow_null=True)
    model = serializers.CharField()
    environment = serializers.CharField()
    code = serializers.CharField()
    instance_type = serializers.CharField()
    instance_count = serializers.IntegerField(allow_null=True)


class ReleaseFileOut(Shape):
    """A file that `az ml` takes. `left_out` says what of the state is not in it."""

    name = serializers.CharField()
    text = serializers.CharField()
    left_out = serializers.ListField(child=serializers.CharField())


class ReleaseOut(Shape):
    """A change that reached Azure and ended, with the state that it left as it was read at `read_at`.

    `kept` are files of what it deleted, as it stood before. `unsure` says which files are missing, and why; `traffic`
    null: the split is not certain.
    """

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=list(Kind))
    state = serializers.ChoiceField(choices=list(State))
    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    author = ActorOut()
    emergency = serializers.BooleanField()
    content_hash = serializers.CharField()
    ended_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField()
    traffic = SplitOut(allow_null=True)
    mirror_traffic = SplitOut(allow_null=True)
    versions = ReleaseVersionOut(many=True)
    files = ReleaseFileOut(many=True)
    kept = ReleaseFileOut(many=True)
    unsure = serializers.ListField(child=serializers.CharField())
    command = serializers.CharField(
        help_text="Brings the split about by hand; empty where it is not certain."
    )
    decisions = DecisionOut(many=True)
    measurements = MeasurementOut(many=True)


class Release(ApiView):
    """`/changes/{number}/release`."""

    @operation(
        on_object(Action.VIEW),
        name="changes_release",
        summary="What a change left behind",
        answers={200: ReleaseOut},
        problems=(409,),
    )
    def get(self, call: Call, number: int) -> Response:
        """The release record: files, versions, gates and approvals. 409 while there is none."""
        found = release_of(call.principal, number)
        change = found.change
        names = named(people={change.author_id, *(one.reviewer_id for one in change.decided)})
        plain = ("kind", "state", "workspace", "endpoint", "emergency", "content_hash", "ended_at")
        body: dict[str, Any] = {name: getattr(change, name) for name in plain}
        own = ("read_at", "traffic", "mirror_traffic", "versions", "files", "unsure", "command")
        body |= {name: getattr(found, name) for name in own}
        body |= {
            "number": change.id,
            "kept": kept_files(change.id),
            "author": person(change.author_id, names),
            "decisions": [
                {
                    "reviewer": person(one.reviewer_id, names),
                    "approved": one.approved,
                    "at": one.at,
                    "current": one.current,
                    "accepted": list(one.accepted),
                }
                for one in change.decided
            ],
            "measurements": [measurement(one) for one in change.measured],
        }
        return Response(ReleaseOut(body).data)


class DeclaredFileIn(StrictBody):
    """A YAML file as it stands in a repository. Its name helps where it names no deployment."""

    name = Text(max_length=120)
    text = Text(max_length=MOST_BYTES, allow_blank=True, trim_whitespace=False)


class CompareIn(StrictBody):
    """Files to hold against what is live."""

    files = serializers.ListField(child=DeclaredFileIn(), min_length=1, max_length=MOST_FILES)


class ComparedFieldOut(Shape):
    """One field that a file declares. `reason`: why it can't be told, or how it was compared."""

    field = serializers.CharField()
    declared = serializers.CharField()
    live = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = serializers.CharField()


class ComparisonOut(Shape):
    """One document. `kind` empty: it is neither an endpoint's nor a deployment's. `problems`: what was not read."""

    file = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=list(Outcome))
    lines = ComparedFieldOut(many=True)
    problems = serializers.ListField(child=serializers.CharField())


class ComparisonListOut(Shape):
    """Every document of every file, in their order. Not paged: the files are bounded."""

    items = ComparisonOut(many=True)


class Compare(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/compare`."""

    @operation(
        on_workspace(Action.VIEW),
        name="endpoints_compare",
        summary="Compare YAML files with an endpoint",
        body=CompareIn,
        answers={200: ComparisonListOut},
    )
    def post(self, call: Call, name: str) -> Response:
        """Field by field against what Azure reported last. Nothing is stored, and nothing is sent to Azure."""
        shown = inventory.endpoint_page(call.workspace.id, name)
        files = [(one["name"], one["text"]) for one in call.body["files"]]
        return Response({"items": ComparisonOut(compared(shown, files), many=True).data})
