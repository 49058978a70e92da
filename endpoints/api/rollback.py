"""Roll an endpoint's traffic back: the targets that the server issues, and the order for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.change_shapes import MayOut, VerdictOut
from endpoints.api.fields import MOST_DEPLOYMENTS, NAME, StrictBody, Text, Whole
from endpoints.api.headers import IDEMPOTENCY_KEY
from endpoints.api.operation import Call, operation
from endpoints.api.problems import clean
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import Shape, SplitOut
from endpoints.api.view import ApiView
from endpoints.changes.scaling import MOST_INSTANCES, ScaleFirst
from endpoints.changes.selectors import rollback_offer
from endpoints.changes.services import roll_back
from endpoints.changes.services.rollback import REASONS
from endpoints.changes.targets import Target
from endpoints.inventory.selectors import endpoint_id_by_name


class ScaleFirstOut(Shape):
    """What deployments of a target should be scaled to before, and whether quota has room; null: nothing asks it."""

    instances = serializers.DictField(child=serializers.IntegerField())
    words = serializers.CharField()
    quota = VerdictOut(allow_null=True)


class TargetOut(Shape):
    """A split that may be ordered by its key. `refusal` says why not, `warning` why to look twice.

    `undoes`: the change that it takes back; `beside` in words what it puts back beside the split, `instances` of it.
    """

    key = serializers.CharField()
    split = SplitOut()
    mirror = SplitOut()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    eligible = serializers.BooleanField()
    refusal = serializers.CharField()
    warning = serializers.CharField()
    preselected = serializers.BooleanField()
    undoes = serializers.IntegerField(allow_null=True)
    beside = serializers.CharField()
    instances = serializers.DictField(child=serializers.IntegerField())
    scale_first = ScaleFirstOut(allow_null=True, help_text="Null: none is needed, or it is not known.")


class OfferOut(Shape):
    """What a rollback could be right now. `active` is the change that it would supersede."""

    traffic = SplitOut()
    mirror_traffic = SplitOut()
    read_ended = serializers.DateTimeField()
    targets = TargetOut(many=True)
    active = serializers.IntegerField(allow_null=True)
    active_is_rollback = serializers.BooleanField()
    may = MayOut()


class InstancesField(serializers.DictField):
    """Instances by deployment."""

    child = Whole(min_value=1, max_value=MOST_INSTANCES)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        if isinstance(data, Mapping):
            if len(data) > MOST_DEPLOYMENTS:
                raise ValidationError([f"At most {MOST_DEPLOYMENTS} deployments; these are {len(data)}."])
            if wrong := [name for name in data if not NAME.match(str(name))]:
                raise ValidationError([f"{clean(str(wrong[0]), 60)!r} can't be the name of a deployment."])
        return super().to_internal_value(data)


class RollbackIn(StrictBody):
    """Which of the issued targets, and why in one word."""

    target = Text(max_length=64, help_text="The `key` of a target.")
    reason = serializers.ChoiceField(choices=list(REASONS), default="errors")
    comment = Text(max_length=2000, required=False, default="", allow_blank=True)
    scale_first = InstancesField(
        required=False,
        default=dict,
        help_text="Instances that deployments of the target are brought to first. The rollback does not depend "
        "on it: what can't be scaled in time gets its traffic all the same.",
    )


class ReceiptOut(Shape):
    """The rollback that is under way or done. `created` false: somebody was first."""

    number = serializers.IntegerField()
    created = serializers.BooleanField()


class Rollback(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/rollback`."""

    @operation(
        on_workspace(Action.VIEW),
        name="rollback_targets",
        summary="Where a rollback may go",
        answers={200: OfferOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """Made from rows alone: it needs neither Azure nor a worker."""
        offer = rollback_offer(
            call.principal, endpoint_id_by_name(call.workspace.id, name), call.workspace.id
        )
        fields: dict[str, Any] = {
            "traffic": offer.live.traffic,
            "mirror_traffic": offer.live.mirror_traffic,
            "read_ended": offer.live.read_ended,
            "targets": [_target(target, offer.scale_first.get(target.key)) for target in offer.targets],
            "active": offer.active,
            "active_is_rollback": offer.active_is_rollback,
            "may": offer.decision,
        }
        return Response(OfferOut(fields).data)

    @operation(
        on_workspace(Action.VIEW, then=Action.ROLL_BACK),
        name="rollback_order",
        summary="Roll back",
        body=RollbackIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={200: ReceiptOut, 201: ReceiptOut},
        problems=(409,),
        is_throttled=False,
        example={"target": "5f1d0c3a9b2e4d67", "reason": "errors", "comment": "p95 doubled after CR-413"},
    )
    def post(self, call: Call, name: str) -> Response:
        """Needs no approval, and supersedes a change at work. Asked twice, or by two people, it is one rollback."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        call.about = About(f"endpoint:{endpoint_id}", call.workspace.id, f"endpoint:{endpoint_id}")
        receipt = roll_back(
            principal=call.principal,
            endpoint_id=endpoint_id,
            target_key=call.body["target"],
            reason=call.body["reason"],
            comment=call.body["comment"],
            idempotency_key=headers.idempotency_key(call.request),
            scale_first=call.body["scale_first"],
        )
        return Response(
            ReceiptOut({"number": receipt.change_id, "created": receipt.created}).data,
            status=201 if receipt.created else 200,
            headers={"Location": f"/api/v1/changes/{receipt.change_id}"},
        )


_OF_TARGET = (
    "key", "split", "mirror", "source", "eligible", "refusal", "warning", "preselected", "undoes", "instances",
)  # fmt: skip


def _target(target: Target, scale_first: ScaleFirst | None) -> dict[str, Any]:
    shown = {name: getattr(target, name) for name in _OF_TARGET}
    return shown | {"beside": target.beside.words, "scale_first": scale_first}
