"""An endpoint's sample request, and direct requests to its deployments, past the split."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api.fields import Flag, StrictBody, Text
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import ActorOut, Shape, named, next_field, person
from endpoints.api.view import ApiView
from endpoints.changes.selectors import SampleView, probes, sample_of
from endpoints.changes.services.probe import probe_now
from endpoints.changes.services.sample import LONGEST_URI, MOST_BYTES, set_sample
from endpoints.changes.verdict import Outcome
from endpoints.inventory.selectors import endpoint_id_by_name


class SampleIn(StrictBody):
    """A request that somebody made up, and where the key to get in is kept."""

    body = Text(max_length=MOST_BYTES, help_text="JSON, as text: it is sent byte by byte.")
    synthetic = Flag(help_text="Your word that it holds nobody's data; without it nothing is stored.")
    secret_uri = Text(
        max_length=LONGEST_URI,
        required=False,
        default="",
        allow_blank=True,
        help_text="The address of a secret in a key vault; none: the portal's own identity asks.",
    )
    answer_schema = serializers.DictField(
        required=False, default=dict, help_text="A JSON schema that answers must keep to."
    )


class SampleOut(Shape):
    """The sample that counts. The key itself is neither taken nor kept."""

    id = serializers.IntegerField()
    body = serializers.CharField()
    secret_uri = serializers.CharField()
    answer_schema = serializers.DictField()
    set_by = ActorOut()
    at = serializers.DateTimeField()


class MaybeSampleOut(Shape):
    """`sample` null: none is set, and no deployment is asked."""

    sample = SampleOut(allow_null=True)


class ProbeOut(Shape):
    """A direct request. `shape` is that of the answer; the answer itself is not kept. `seconds` null: not known."""

    id = serializers.IntegerField()
    deployment = serializers.CharField()
    change = serializers.IntegerField(source="change_id", allow_null=True)
    outcome = serializers.ChoiceField(choices=list(Outcome))
    status = serializers.IntegerField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    shape = serializers.DictField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class ProbeListOut(Shape):
    """A page of probes, newest first."""

    items = ProbeOut(many=True)
    next = next_field()


class Sample(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/sample`."""

    @operation(
        on_workspace(Action.VIEW),
        name="sample_get",
        summary="Sample request of an endpoint",
        answers={200: MaybeSampleOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """What deployments are asked with."""
        return _answer(endpoint_id_by_name(call.workspace.id, name))

    @operation(
        on_workspace(Action.VIEW, then=Action.PROBE_SET),
        name="sample_set",
        summary="Set the sample request",
        body=SampleIn,
        answers={200: MaybeSampleOut},
        example={"body": '{"amount": 12.5, "country": "XX"}', "synthetic": True},
    )
    def put(self, call: Call, name: str) -> Response:
        """It replaces the one before, and every deployment is asked with it as soon as a worker is there."""
        endpoint_id = _about(call, name)
        set_sample(principal=call.principal, endpoint_id=endpoint_id, **call.body)
        return _answer(endpoint_id)

    @operation(
        on_workspace(Action.VIEW, then=Action.PROBE_SET),
        name="sample_end",
        summary="End the probing",
        answers={204: None},
    )
    def delete(self, call: Call, name: str) -> Response:
        """No deployment is asked any more. What came of earlier probes stays."""
        set_sample(principal=call.principal, endpoint_id=_about(call, name), body="")
        return Response(status=204)


class Probes(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/probes`."""

    @operation(
        on_workspace(Action.VIEW),
        name="probes_list",
        summary="Direct requests to deployments",
        query=NumberedQuery,
        answers={200: ProbeListOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """What was asked and what came of it, newest first."""
        found = probes(
            endpoint_id_by_name(call.workspace.id, name),
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
        items = [ProbeOut(row).data for row in found.rows]
        return Response(page(call.request, items, before=found.next_before))

    @operation(
        on_workspace(Action.VIEW, then=Action.PROBE_SET),
        name="probes_ask",
        summary="Ask every deployment now",
        answers={202: None},
        problems=(409,),
    )
    def post(self, call: Call, name: str) -> Response:
        """By a worker, as soon as one takes it; the list tells what came of it. 409 while no sample is set."""
        probe_now(principal=call.principal, endpoint_id=_about(call, name))
        return Response(status=202)


def _about(call: Call, name: str) -> int:
    """The endpoint's number, on which the call is from now on."""
    endpoint_id = endpoint_id_by_name(call.workspace.id, name)
    ref = f"endpoint:{endpoint_id}"
    call.about = About(ref, call.workspace.id, ref)
    return endpoint_id


def _answer(endpoint_id: int) -> Response:
    found = sample_of(endpoint_id)
    return Response({"sample": _shown(found) if found else None})


def _shown(sample: SampleView) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": sample.id,
        "body": sample.body,
        "secret_uri": sample.secret_uri,
        "answer_schema": sample.answer_schema,
        "set_by": person(sample.set_by_id, named(people={sample.set_by_id})),
        "at": sample.at,
    }
    return dict(SampleOut(fields).data)
