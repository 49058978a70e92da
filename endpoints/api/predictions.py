"""What is known of requests: sent by programs in batches, and found by an id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action, visible_workspaces
from endpoints.access.services import About
from endpoints.api.fields import Flag, Number, StrictBody, StrictQuery, Text, Whole
from endpoints.api.figures import Moment
from endpoints.api.operation import Call, operation
from endpoints.api.parsing import StrictJsonParser, one_value
from endpoints.api.rules import narrowed_to, on_workspace
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView
from endpoints.challenges.recorded import FIELDS, Source
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors import lookup
from endpoints.challenges.services import matches, send
from endpoints.challenges.services.reads import note_read
from endpoints.inventory.selectors import endpoint_id_by_name

MOST_BYTES = 5 * 1_048_576
_SENDERS = (str(Source.CALLER), str(Source.MODEL))


class BatchTooLarge(APIException):
    status_code = 413
    default_detail = "The body is larger than 5 MiB. Send fewer records at once."


class BatchParser(StrictJsonParser):
    """`application/json` of a batch."""

    most_bytes = MOST_BYTES
    too_large = BatchTooLarge


class LinesParser(BatchParser):
    """`application/x-ndjson`: a record on each line; empty lines are none."""

    media_type = "application/x-ndjson"

    def parse(
        self,
        stream: IO[bytes] | None,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        lines = self.read(stream).split(b"\n")
        return {"records": [_line(place, line) for place, line in enumerate(lines, 1) if line.strip()]}


def _line(place: int, line: bytes) -> Any:
    try:
        return one_value(line)
    except ValueError as error:
        raise ParseError(f"Line {place} is not JSON that can be used: {error}.") from error


class RecordIn(StrictBody):
    """What is said of one request; what is not known is left out. There is no field for what was asked or answered."""

    at = Moment(help_text="When the request was made.")
    request_id = Text(
        max_length=255, required=False, help_text="Azure's x-request-id. This or the next is needed."
    )
    client_id = Text(max_length=255, required=False, help_text="The x-ms-client-request-id.")
    deployment = Text(max_length=255, required=False)
    model_version = Text(max_length=120, required=False, help_text="As the model names itself: `triage:7`.")
    app_version = Text(max_length=120, required=False, help_text="Of the calling application.")
    status = Whole(required=False, min_value=0, max_value=999, help_text="As the caller got it.")
    model_status = Whole(required=False, min_value=0, max_value=999, help_text="As the model gave it.")
    duration_ms = Number(required=False, min_value=0)
    request_bytes = Whole(required=False, min_value=0)
    response_bytes = Whole(required=False, min_value=0)
    confidence = Number(required=False, min_value=0, max_value=1)
    high_risk = Flag(required=False)
    scores = serializers.DictField(child=Number(), required=False, help_text="At most 20, by name.")
    pinned = Flag(required=False, help_text="The deployment was named by header, past the split.")
    body_sha256 = Text(
        max_length=64,
        required=False,
        help_text="SHA-256 of the request's body as sent; kept as a keyed hash.",
    )


class RecordsIn(StrictBody):
    """Records of one endpoint; all are taken, or none is."""

    records = RecordIn(many=True)

    def to_internal_value(self, data: Any) -> Any:
        """Only the batch itself: thousands of records are read by the room, faster than fields would."""
        if not isinstance(data, Mapping) or set(data) != {"records"} or not isinstance(data["records"], list):
            raise ValidationError({"": ['Send {"records": […]}, or one record on each line.']})
        return {"records": data["records"]}


class SourceQuery(StrictQuery):
    """Who speaks."""

    source = serializers.ChoiceField(  # type: ignore[assignment]  # the field of this name
        choices=_SENDERS, default=_SENDERS[0], help_text="The calling application, or the model's own code."
    )


class LookupQuery(StrictQuery):
    """What somebody has of a request."""

    id = serializers.CharField(max_length=300, help_text="Azure's request id, or the client's.")
    near = Moment(required=False, help_text="About when it was made: the nearest come first.")
    body_sha256 = serializers.RegexField(
        r"^[0-9a-fA-F]{64}$",
        required=False,
        help_text="SHA-256 of its body, to prove that it is this request.",
    )


class RecordsTakenOut(Shape):
    """Of the `records` sent: new ones, those merged into one that was there, and those that said nothing new."""

    records = serializers.IntegerField()
    new = serializers.IntegerField()
    merged = serializers.IntegerField()
    same = serializers.IntegerField()


class SourceOut(Shape):
    """Who spoke of the request, and since when that is known."""

    source = serializers.CharField()  # type: ignore[assignment]  # as above
    known_at = serializers.DateTimeField()


class SeenOut(Shape):
    """A record of a request. Empty and null: nobody said it. `day` and `key` are its address within the endpoint.

    `origin` names the source of each field, `conflicts` what others said instead. `has_fingerprint`: the hash of its
    body is kept; `body_matches` is null when none is, or none was asked about.
    """

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    day = serializers.DateField()
    key = serializers.CharField()
    at = serializers.DateTimeField()
    request_id = serializers.CharField()
    client_id = serializers.CharField()
    deployment = serializers.CharField()
    model_version = serializers.CharField()
    app_version = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)
    model_status = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    request_bytes = serializers.IntegerField(allow_null=True)
    response_bytes = serializers.IntegerField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    high_risk = serializers.BooleanField(allow_null=True)
    scores = serializers.DictField(child=serializers.FloatField(), allow_null=True)
    pinned = serializers.BooleanField(allow_null=True)
    has_fingerprint = serializers.BooleanField()
    body_matches = serializers.BooleanField(allow_null=True)
    sources = SourceOut(many=True)
    origin = serializers.DictField(child=serializers.CharField())
    conflicts = serializers.JSONField()


class LookupOut(Shape):
    """The records with this id: more than one when the client used it again, or sources could not be joined.

    `is_cut`: there are still more; name a time `near` it.
    """

    request_id = serializers.CharField()
    client_id = serializers.CharField()
    items = SeenOut(many=True)
    is_cut = serializers.BooleanField()


class Predictions(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/predictions`."""

    parser_classes = (BatchParser, LinesParser)

    @operation(
        on_workspace(Action.PREDICTIONS_WRITE),
        name="predictions_send",
        summary="Send records of requests",
        query=SourceQuery,
        body=RecordsIn,
        answers={200: RecordsTakenOut},
        is_throttled=False,
        example={
            "records": [
                {
                    "at": "2026-11-25T12:34:56.789Z",
                    "request_id": "8d0a6d6e-1a3c-4b7e-9f37-6f3d2a6b9c11",
                    "client_id": "order-4711",
                    "deployment": "green",
                    "status": 200,
                    "duration_ms": 81.5,
                    "confidence": 0.62,
                    "high_risk": False,
                }
            ]
        },
    )
    def post(self, call: Call, name: str) -> Response:
        """At most 5,000 records and 5 MiB. The same sent again changes nothing: who is not sure sends it again."""
        endpoint_id = endpoint_id_by_name(call.workspace.id, name)
        ref = f"endpoint:{endpoint_id}"
        call.about = About(ref, call.workspace.id, ref)
        items = call.body["records"]
        taken = send(
            principal=call.principal,
            endpoint_id=endpoint_id,
            items=items,
            source=Source(call.query["source"]),
        )
        return Response({"records": len(items), "new": taken.new, "merged": taken.merged, "same": taken.same})


class Found(ApiView):
    """`/predictions`."""

    @operation(
        narrowed_to(Action.PREDICTIONS_VIEW),
        name="predictions_find",
        summary="Records of requests by an id",
        query=LookupQuery,
        answers={200: LookupOut},
    )
    def get(self, call: Call) -> Response:
        """In all workspaces whose records the caller may see. That they were read goes into the audit history."""
        places = visible_workspaces(call.principal, Action.PREDICTIONS_VIEW)
        near: datetime | None = call.query.get("near")
        found = lookup(call.query["id"], workspace_ids=places, near=near)
        names = access.workspace_names(row.workspace_id for row in found.found)
        items = [_shown(row, names, call.query.get("body_sha256", "")) for row in found.found]
        for row in found.found:
            note_read(
                principal=call.principal,
                subject=row.ref,
                workspace_id=row.workspace_id,
                endpoint_id=row.endpoint_id,
            )
        return Response(
            {
                "request_id": found.request_id,
                "client_id": found.client_id,
                "items": items,
                "is_cut": found.is_cut,
            }
        )


def _shown(row: SeenRow, names: Mapping[int, str], proof: str) -> dict[str, Any]:
    sources = [{"source": str(source), "known_at": row.known_at(source)} for source in row.sources]
    return {
        "workspace": names[row.workspace_id],
        "endpoint": row.endpoint_name,
        "day": row.day,
        "key": row.key,
        **{name: getattr(row, name) for name in FIELDS if name != "fingerprint"},
        "has_fingerprint": row.fingerprint is not None,
        "body_matches": matches(row, proof) if proof else None,
        "sources": sources,
        "origin": row.origin,
        "conflicts": row.conflicts or {},
    }
