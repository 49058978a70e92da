"""Changes: list, ask, read, edit, decide, start, withdraw. Rules and locks are the room's."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.change_shapes import (
    ChangeListOut,
    ChangeOut,
    CommentIn,
    PlanIn,
    RejectionIn,
    RequestIn,
    detail_people,
    item,
    people_in,
    shown,
)
from endpoints.api.headers import IDEMPOTENCY_KEY, IF_MATCH
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.shapes import named
from endpoints.api.view import ApiView
from endpoints.changes import services
from endpoints.changes.selectors import ChangeDetail, Tab, change_detail, change_rows
from endpoints.core.errors import Invalid, Refused
from endpoints.inventory import selectors as inventory

_DECISION_PROBLEMS = (409, 412, 428)


class ChangesQuery(NumberedQuery):
    """Query of the change list."""

    tab = serializers.ChoiceField(
        choices=list(Tab), default=Tab.ALL, help_text="`waiting`: the next act is the caller's."
    )
    workspace = serializers.CharField(required=False, max_length=63)
    endpoint = serializers.CharField(required=False, max_length=255, help_text="Needs `workspace`.")
    mine = serializers.BooleanField(default=False, help_text="Only those that the caller asked for.")


class Changes(ApiView):
    """`/changes`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="changes_list",
        summary="List changes",
        query=ChangesQuery,
        answers={200: ChangeListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Changes of all kinds that the caller may see, newest first."""
        query = call.query
        found = change_rows(
            call.principal,
            tab=Tab(query["tab"]),
            mine=query["mine"],
            before=query.get("before"),
            limit=query["limit"],
            **_place(call),
        )
        names = named(people=people_in(found.rows))
        return Response(page(call.request, [item(row, names) for row in found.rows], before=found.older))

    @operation(
        on_object(Action.CREATE_TRAFFIC),
        name="changes_request",
        summary="Ask for a traffic change",
        body=RequestIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={201: ChangeOut},
        problems=(409,),
        example={
            "workspace": "mlw-prod-weu",
            "endpoint": "checkout-risk",
            "split": {"blue": 90, "green": 10},
            "reason": "First share for risk:8; offline AUC is 0.02 better.",
        },
    )
    def post(self, call: Call) -> Response:
        """The change is checked at once and waits for a reviewer, or is held with the reason (`check_failed`).

        Sent again with the same Idempotency-Key it answers with the change that it made the first time.
        """
        workspace = access.workspace_by_slug(call.principal, call.body["workspace"])
        endpoint_id = inventory.endpoint_id_by_name(workspace.id, call.body["endpoint"])
        endpoint = f"endpoint:{endpoint_id}"
        call.about = About(endpoint, workspace.id, endpoint)
        number = services.request_change(
            principal=call.principal,
            endpoint_id=endpoint_id,
            split=call.body["split"],
            mirror=call.body["mirror"],
            reason=call.body["reason"],
            idempotency_key=headers.idempotency_key(call.request),
        )
        return _answer(change_detail(call.principal, number), status=201)


class Change(ApiView):
    """`/changes/{number}`."""

    @operation(on_object(Action.VIEW), name="changes_get", summary="One change", answers={200: ChangeOut})
    def get(self, call: Call, number: int) -> Response:
        """All that a decision stands on. The ETag is the content's hash, for If-Match."""
        return _answer(change_detail(call.principal, number))

    @operation(
        on_object(Action.CREATE_TRAFFIC),
        name="changes_edit",
        summary="Edit a change",
        body=PlanIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=_DECISION_PROBLEMS,
    )
    def put(self, call: Call, number: int) -> Response:
        """A new revision on the split that is live now, checked and presented again. It voids approvals."""
        seen = _to_decide(call, number, Action.CREATE_TRAFFIC)
        services.edit_change(
            principal=call.principal,
            change_id=number,
            seen_hash=seen,
            split=call.body["split"],
            mirror=call.body["mirror"],
            reason=call.body["reason"],
        )
        return _answer(change_detail(call.principal, number))


class Approve(ApiView):
    """`/changes/{number}/approve`."""

    @operation(
        on_object(Action.APPROVE),
        name="changes_approve",
        summary="Approve a change",
        body=CommentIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=_DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Seals the approval to the content that If-Match names. Authors and editors are refused."""
        seen = _to_decide(call, number, Action.APPROVE)
        services.approve_change(
            principal=call.principal, change_id=number, seen_hash=seen, comment=call.body["comment"]
        )
        return _answer(change_detail(call.principal, number))


class Reject(ApiView):
    """`/changes/{number}/reject`."""

    @operation(
        on_object(Action.APPROVE),
        name="changes_reject",
        summary="Reject a change",
        body=RejectionIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=_DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Ends the change; an approval that was given before does not stand against it."""
        seen = _to_decide(call, number, Action.APPROVE)
        services.reject_change(
            principal=call.principal, change_id=number, seen_hash=seen, comment=call.body["comment"]
        )
        return _answer(change_detail(call.principal, number))


class Start(ApiView):
    """`/changes/{number}/start`."""

    @operation(
        on_object(Action.START),
        name="changes_start",
        summary="Start an approved change",
        headers=(IF_MATCH,),
        answers={202: ChangeOut},
        problems=_DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Hands the change to the executor. When live traffic has moved it becomes `drifted`, and this answers 409."""
        seen = _to_decide(call, number, Action.START)
        services.start_change(principal=call.principal, change_id=number, seen_hash=seen)
        return _answer(change_detail(call.principal, number), status=202)


class Withdraw(ApiView):
    """`/changes/{number}/withdraw`."""

    @operation(
        on_object(Action.CREATE_TRAFFIC),
        name="changes_withdraw",
        summary="Withdraw a change",
        answers={200: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Ends a change that has not reached Azure, or closes one that drifted; traffic stays as it is."""
        _about(call, change_detail(call.principal, number))
        services.withdraw_change(principal=call.principal, change_id=number)
        return _answer(change_detail(call.principal, number))


def _place(call: Call) -> dict[str, int]:
    """The workspace and endpoint that the query names."""
    slug, name = call.query.get("workspace"), call.query.get("endpoint")
    if slug is None:
        if name is not None:
            raise Invalid({"endpoint": ["Name the workspace too: endpoints of one name exist in several."]})
        return {}
    workspace = access.workspace_by_slug(call.principal, slug)
    if name is None:
        return {"workspace_id": workspace.id}
    return {
        "workspace_id": workspace.id,
        "endpoint_id": inventory.endpoint_page(workspace.id, name).id,
    }


def _to_decide(call: Call, number: int, action: Action) -> str:
    """The content that the caller saw. Who may not act hears that first, whatever they saw."""
    detail = change_detail(call.principal, number)
    _about(call, detail)
    decision = detail.may[action.value]
    if not decision.allowed:
        raise Refused(decision.reason)
    return headers.matched(call.request, detail.content_hash, number)


def _about(call: Call, detail: ChangeDetail) -> None:
    row = detail.row
    call.about = About(f"change:{row.id}", row.workspace_id, f"endpoint:{row.endpoint_id}")


def _answer(detail: ChangeDetail, *, status: int = 200) -> Response:
    names = named({one.actor for one in detail.moved}, people=detail_people(detail))
    body: dict[str, Any] = shown(detail, names)
    more = {"Location": f"/api/v1/changes/{detail.row.id}"} if status == 201 else {}
    return Response(body, status=status, headers=headers.etag(detail.content_hash) | more)
