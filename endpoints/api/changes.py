"""Changes: list, ask, read, edit, decide, start, withdraw. Rules and locks are the room's.

What is done to one that is scheduled or under way is in `rollout.py`.
"""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers, then
from endpoints.api.change_answers import DECISION_PROBLEMS, about, answer, to_decide
from endpoints.api.change_shapes import (
    AcceptIn,
    ApprovalIn,
    ChangeListOut,
    ChangeOut,
    RejectionIn,
    item,
    people_in,
)
from endpoints.api.headers import IDEMPOTENCY_KEY, IF_MATCH
from endpoints.api.operation import Call, either, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rollout_inputs import ContentIn, RequestIn, draft_of
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.shapes import named
from endpoints.api.then_shapes import ChangeThenOut, MomentQuery
from endpoints.api.view import ApiView
from endpoints.changes import services
from endpoints.changes.selectors import Tab, base_to_ask_on, change_detail, change_rows
from endpoints.core.errors import Invalid
from endpoints.inventory import selectors as inventory


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
            "plan": {
                "candidate": "green",
                "steps": [{"weight": 10, "bake": 900}, {"weight": 100, "click": True}],
                "terms": {"gates": [{"kind": "errors"}], "watch": 1800},
            },
            "reason": "First share for risk:8; offline AUC is 0.02 better.",
        },
    )
    def post(self, call: Call) -> Response:
        """The change is checked at once and waits for a reviewer, or is held with the reason (`check_failed`).

        Weights and templates are turned into splits of the traffic that is live. Sent again with the same
        Idempotency-Key it answers with the change that it made the first time.
        """
        workspace = access.workspace_by_slug(call.principal, call.body["workspace"])
        endpoint_id = inventory.endpoint_id_by_name(workspace.id, call.body["endpoint"])
        endpoint = f"endpoint:{endpoint_id}"
        call.about = About(endpoint, workspace.id, endpoint)
        key = headers.idempotency_key(call.request)
        base = base_to_ask_on(call.principal, endpoint_id, key)
        number = services.request_change(
            principal=call.principal,
            endpoint_id=endpoint_id,
            draft=draft_of(call.principal, workspace.id, base, call.body),
            reason=call.body["reason"],
            idempotency_key=key,
        )
        return answer(call, number, status=201)


class Change(ApiView):
    """`/changes/{number}`."""

    @operation(
        on_object(Action.VIEW),
        name="changes_get",
        summary="One change",
        query=MomentQuery,
        answers={200: either("ChangeNowOrThen", ChangeOut, ChangeThenOut)},
    )
    def get(self, call: Call, number: int) -> Response:
        """All that a decision stands on. The ETag is the content's hash, for If-Match.

        With `at`: what it said and where it stood then, and who could have approved it. It has no ETag.
        """
        if when := then.moment(call):
            return then.change(call, number, when)
        return answer(call, number)

    @operation(
        on_object(Action.CREATE_TRAFFIC),
        name="changes_edit",
        summary="Edit a change",
        body=ContentIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=DECISION_PROBLEMS,
    )
    def put(self, call: Call, number: int) -> Response:
        """A new revision on the split that is live now, checked and presented again. It voids approvals."""
        seen = to_decide(call, number, Action.CREATE_TRAFFIC)
        row = change_detail(call.principal, number).row
        base = base_to_ask_on(call.principal, row.endpoint_id, "")
        services.edit_change(
            principal=call.principal,
            change_id=number,
            seen_hash=seen,
            draft=draft_of(call.principal, row.workspace_id, base, call.body),
            reason=call.body["reason"],
        )
        return answer(call, number)


class Approve(ApiView):
    """`/changes/{number}/approve`."""

    @operation(
        on_object(Action.APPROVE),
        name="changes_approve",
        summary="Approve a change",
        body=ApprovalIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Seals the approval to the content that If-Match names. Authors and editors are refused.

        Each check with `needs_acceptance` must be named in `accept`. Short of the quorum the change stays in review.
        """
        seen = to_decide(call, number, Action.APPROVE)
        services.approve_change(
            principal=call.principal,
            change_id=number,
            seen_hash=seen,
            comment=call.body["comment"],
            accept=call.body["accept"],
        )
        return answer(call, number)


class Reject(ApiView):
    """`/changes/{number}/reject`."""

    @operation(
        on_object(Action.APPROVE),
        name="changes_reject",
        summary="Reject a change",
        body=RejectionIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Ends the change; an approval that was given before does not stand against it."""
        seen = to_decide(call, number, Action.APPROVE)
        services.reject_change(
            principal=call.principal, change_id=number, seen_hash=seen, comment=call.body["comment"]
        )
        return answer(call, number)


class Start(ApiView):
    """`/changes/{number}/start`."""

    @operation(
        on_object(Action.START),
        name="changes_start",
        summary="Start an approved change",
        body=AcceptIn,
        headers=(IF_MATCH,),
        answers={202: ChangeOut},
        problems=DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """Hands the change to the executor. When live traffic has moved it becomes `drifted`, and this answers 409."""
        seen = to_decide(call, number, Action.START)
        services.start_change(
            principal=call.principal, change_id=number, seen_hash=seen, accept=call.body["accept"]
        )
        return answer(call, number, status=202)


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
        about(call, change_detail(call.principal, number).row)
        services.withdraw_change(principal=call.principal, change_id=number)
        return answer(call, number)


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
