"""Ask for other capacity: instances, an autoscale setting, a delete. What follows is as with any change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.change_answers import answer
from endpoints.api.change_shapes import ChangeOut
from endpoints.api.fields import StrictBody, Text, Whole
from endpoints.api.headers import IDEMPOTENCY_KEY
from endpoints.api.operation import Call, operation
from endpoints.api.rules import on_workspace
from endpoints.api.view import ApiView
from endpoints.capacity.selectors import Scaled, autoscale_of
from endpoints.changes.capacity_order import DELETING, CapacityOrder, Want
from endpoints.changes.plan import LONGEST_BAKE
from endpoints.changes.scaling import MOST_INSTANCES
from endpoints.changes.services.request_capacity import request_capacity
from endpoints.core.errors import Invalid
from endpoints.inventory.selectors import DeploymentState, deployment_states, endpoint_id_by_name

_SETTING = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f-]{1,64})/resourceGroups/[-\w.()]{1,90}"
    r"/providers/Microsoft\.Insights/autoscalesettings/[-\w.()]{1,260}",
    re.IGNORECASE,
)


class CapacityIn(StrictBody):
    """One wish. Only what belongs to `want` may be given."""

    want = serializers.ChoiceField(choices=list(Want))
    deployment = Text(max_length=255, required=False, help_text="Of all but `delete-endpoint`.")
    instances = Whole(
        min_value=1, max_value=MOST_INSTANCES, required=False, help_text="Of `scale`: how many it shall have."
    )
    setting = Text(max_length=600, required=False, help_text="Of `autoscale`: the setting's ARM id.")
    document = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="Of `autoscale`: the whole setting as Azure takes it; null: none shall stand.",
    )
    previous = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="Of `autoscale`: what stands now, null for none. By default what was read last.",
    )
    scream = Whole(
        min_value=0,
        max_value=LONGEST_BAKE,
        required=False,
        help_text="Of deletes: seconds at weight 0 before. By default the shortest that is allowed.",
    )
    typed = Text(max_length=255, required=False, help_text="Of deletes: the name of what is deleted, again.")
    reason = Text(max_length=2000)


_FIELDS: Mapping[Want, tuple[str, ...]] = {
    Want.SCALE: ("deployment", "instances"),
    Want.AUTOSCALE: ("deployment", "setting", "document", "previous"),
    Want.DELETE: ("deployment", "scream", "typed"),
    Want.DELETE_ENDPOINT: ("scream", "typed"),
}
_MAY_BE_LEFT_OUT = frozenset({"previous", "scream"})


class CapacityChanges(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/capacity-changes`."""

    @operation(
        on_workspace(Action.VIEW, then=Action.CREATE_CAPACITY),
        name="capacity_changes_request",
        summary="Ask for a capacity change",
        body=CapacityIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={201: ChangeOut},
        problems=(404, 409),
        example={
            "want": "scale",
            "deployment": "blue",
            "instances": 2,
            "reason": "Its four instances are busy for 9 % of what they can carry.",
        },
    )
    def post(self, call: Call, name: str) -> Response:
        """The change is checked at once and waits for a reviewer, or is held with the reason (`check_failed`).

        Sent again with the same Idempotency-Key it answers with the change that it made the first time.
        """
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        endpoint = f"endpoint:{endpoint_id}"
        call.about = About(endpoint, call.workspace.id, endpoint)
        number = request_capacity(
            principal=call.principal,
            endpoint_id=endpoint_id,
            order=_order(endpoint_id, call.body),
            reason=call.body["reason"],
            idempotency_key=headers.idempotency_key(call.request),
        )
        return answer(call, number, status=201)


def _order(endpoint_id: int, body: Mapping[str, Any]) -> CapacityOrder:
    want = Want(body["want"])
    _only_its_fields(want, body)
    told = {name: body[name] for name in _FIELDS[want] if name in body}
    if want in DELETING:
        told.setdefault("scream", settings.OPSPORTAL.scream_test_seconds)
    if want is Want.AUTOSCALE:
        told |= _setting(endpoint_id, told)
    return CapacityOrder(want, **told)


def _only_its_fields(want: Want, body: Mapping[str, Any]) -> None:
    """Nothing is guessed, and nothing that was sent is passed over."""
    wanted = set(_FIELDS[want])
    wrong = {
        name: [f"Not with `{want}`, which takes {', '.join(_FIELDS[want])}."]
        for name in sorted(set(body) - wanted - {"want", "reason"})
    }
    wrong |= {name: [f"`{want}` needs it."] for name in sorted(wanted - set(body) - _MAY_BE_LEFT_OUT)}
    if wrong:
        raise Invalid(wrong)


def _setting(endpoint_id: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the order says of a setting that is this deployment's, with what stands there by the last reading."""
    name = told["deployment"].lower()
    one = next((each for each in deployment_states(endpoint_id) if each.name.lower() == name), None)
    if one is None:
        return {"previous": None}  # the service says that there is no such deployment
    wrong = {
        "setting": _setting_problems(told["setting"], one),
        "document": _target_problems(told["document"], one),
    }
    if any(wrong.values()):
        raise Invalid({field: texts for field, texts in wrong.items() if texts})
    return {"previous": told["previous"] if "previous" in told else _read_last(one)}


def _setting_problems(setting: str, one: DeploymentState) -> list[str]:
    """The portal's identity may reach more than this workspace: only its subscription's settings are meant."""
    found = _SETTING.fullmatch(setting)
    if found is None:
        return ["Give the ARM id of an autoscale setting: /subscriptions/…/autoscalesettings/<name>."]
    if not one.arm_id.lower().startswith(f"/subscriptions/{found['subscription'].lower()}/"):
        return [f"It is in another subscription than {one.name}."]
    return []


def _target_problems(document: Mapping[str, Any] | None, one: DeploymentState) -> list[str]:
    """A setting scales what its target names, whatever it is called."""
    if document is None:
        return []
    properties = document.get("properties")
    target = properties.get("targetResourceUri") if isinstance(properties, Mapping) else None
    if not isinstance(target, str) or target.rstrip("/").lower() != one.arm_id.lower():
        return [f"`properties.targetResourceUri` must be the ARM id of {one.name}: {one.arm_id}."]
    return []


def _read_last(one: DeploymentState) -> Mapping[str, Any] | None:
    found = autoscale_of([one.id])[one.id]
    if found.state is Scaled.UNKNOWN:
        raise Invalid({"previous": [f"What stands there is not known: {found.reason} Give it yourself."]})
    return found.document
