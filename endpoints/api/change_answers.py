"""What every operation on one change begins and ends with: whether it may be done, and the change as it is then."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.change_shapes import detail_people, shown
from endpoints.api.operation import Call
from endpoints.api.shapes import named
from endpoints.changes.selectors import ChangeDetail, ChangeRow, change_detail
from endpoints.core.errors import Refused

DECISION_PROBLEMS = (409, 412, 428)


def to_decide(call: Call, number: int, action: Action) -> str:
    """The content that the caller saw. Who may not act hears that first, whatever they saw."""
    return headers.matched(call.request, to_act(call, number, action).content_hash, number)


def to_act(call: Call, number: int, action: Action) -> ChangeDetail:
    """The change that the call is about from now on; Refused, with the reason, for who may not do this to it."""
    detail = change_detail(call.principal, number)
    about(call, detail.row)
    decision = detail.may[action.value]
    if not decision.allowed:
        raise Refused(decision.reason)
    return detail


def about(call: Call, row: ChangeRow) -> None:
    """What a refusal of this call goes on record for."""
    call.about = About(f"change:{row.id}", row.workspace_id, f"endpoint:{row.endpoint_id}")


def answer(call: Call, number: int, *, status: int = 200) -> Response:
    """The change as it is by now. Its ETag is the content's hash."""
    detail = change_detail(call.principal, number)
    names = named({one.actor for one in detail.moved}, people=detail_people(detail))
    body: dict[str, Any] = shown(detail, names)
    more = {"Location": f"/api/v1/changes/{detail.row.id}"} if status == 201 else {}
    return Response(body, status=status, headers=headers.etag(detail.content_hash) | more)
