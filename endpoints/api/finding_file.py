"""Asking for the change that would save what a finding says."""

from __future__ import annotations

from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api import headers
from endpoints.api.capacity_inputs import FileIn
from endpoints.api.finding_shapes import FindingOut
from endpoints.api.findings import about, shown
from endpoints.api.headers import IDEMPOTENCY_KEY
from endpoints.api.operation import Call, operation
from endpoints.api.rules import on_object
from endpoints.api.view import ApiView
from endpoints.capacity import services


class File(ApiView):
    """`/capacity/findings/{number}/file`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_file",
        summary="Ask for the change that would save",
        body=FileIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={201: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """A change in review, in `change`. Where no change can do it, the finding is claimed as work for people.

        Sent again with the same Idempotency-Key it answers with the change that it made the first time.
        """
        about(call, number)
        services.file_finding(
            principal=call.principal,
            finding_id=number,
            seen=call.body["version"],
            reason=call.body["reason"],
            typed=call.body["typed"],
            due=call.body["due"],
            idempotency_key=headers.idempotency_key(call.request),
        )
        return shown(call, number, status=201)
