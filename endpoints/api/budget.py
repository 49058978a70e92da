"""An endpoint's latency budget: what is in force, what is asked for, and deciding on it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action, Principal, decide
from endpoints.access.selectors import connected_workspaces
from endpoints.access.services import About
from endpoints.api.change_shapes import MayOut
from endpoints.api.fields import Flag, Number, StrictBody, Text, Whole
from endpoints.api.metric_shapes import LimitsOut, ProposalOut, limits, proposal
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID, PageQuery, page
from endpoints.api.rules import narrowed_to, on_workspace
from endpoints.api.shapes import Refs, Shape, named, next_field
from endpoints.api.view import ApiView
from endpoints.core.ids import split_ref
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.metrics import selectors, services
from endpoints.metrics.budgets import Effect, effect
from endpoints.metrics.selectors import ProposalRow, WaitingRow


class TwoLimitsOut(Shape):
    """Two limits; null: none on that figure."""

    p95_ms = serializers.FloatField(allow_null=True)
    failure_share = serializers.FloatField(allow_null=True)


class MayBudgetOut(Shape):
    """What the caller may do, and why not. `decide` is about the open proposal."""

    propose = MayOut()
    decide = MayOut()


class BudgetOut(Shape):
    """`in_force` null: nothing is held against the endpoint. `history` are the newest 50, withdrawals included."""

    in_force = LimitsOut(allow_null=True)
    proposal = ProposalOut(allow_null=True)
    history = LimitsOut(many=True)
    may = MayBudgetOut()


class WaitingItemOut(ProposalOut):
    """A proposal and what it is about. `before` null: nothing is held against the endpoint now."""

    workspace = serializers.CharField()
    endpoint = serializers.CharField()
    before = TwoLimitsOut(allow_null=True)
    may_decide = MayOut()


class WaitingListOut(Shape):
    """A page of proposals, what waits longest first."""

    items = WaitingItemOut(many=True)
    next = next_field()


class WaitingQuery(PageQuery):
    """Query of what waits."""

    after = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="Only proposals with a larger number; `next` has it.",
    )


class ProposedOut(Shape):
    """What came of a proposal. `in_force`: nobody else is needed, and it counts from now on."""

    proposal = serializers.IntegerField()
    effect = serializers.ChoiceField(choices=list(Effect))
    in_force = serializers.BooleanField()


class BudgetIn(StrictBody):
    """The whole budget: null is no limit on that figure."""

    p95_ms = Number(allow_null=True, help_text="Of each minute's 95th percentile, in milliseconds.")
    failure_share = Number(allow_null=True, help_text="0 to 1, of the requests that deployments failed.")
    reason = Text(max_length=2000)


class DecisionIn(StrictBody):
    """On which proposal, and how."""

    proposal = Whole(min_value=1, max_value=LARGEST_ID)
    accept = Flag()
    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class WithdrawalIn(StrictBody):
    """Which of one's own proposals."""

    proposal = Whole(min_value=1, max_value=LARGEST_ID)


class Budget(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/budget`."""

    @operation(
        on_workspace(Action.BUDGET_VIEW),
        name="budget_get",
        summary="Latency budget of an endpoint",
        answers={200: BudgetOut},
    )
    def get(self, call: Call, name: str) -> Response:
        """What is in force, what waits for a decision, and what was before."""
        return Response(_shown(call.principal, _about(call, name), call.workspace.id, call.workspace.slug))

    @operation(
        on_workspace(Action.BUDGET_PROPOSE),
        name="budget_propose",
        summary="Propose a latency budget",
        body=BudgetIn,
        answers={201: ProposedOut},
        problems=(409,),
        example={"p95_ms": 250, "failure_share": 0.01, "reason": "What the checkout team was promised."},
    )
    def post(self, call: Call, name: str) -> Response:
        """Counts at once when it loosens nothing and the caller may decide; else it waits for somebody who may.

        It replaces an open proposal of one's own.
        """
        made = services.propose_budget(principal=call.principal, endpoint_id=_about(call, name), **call.body)
        answer = {"proposal": made.proposal_id, "effect": made.effect, "in_force": made.in_force}
        return Response(answer, status=201, headers={"Location": call.request.path})


class Decision(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/budget/decision`."""

    @operation(
        on_workspace(Action.BUDGET_VIEW, then=Action.BUDGET_DECIDE),
        name="budget_decide",
        summary="Decide on a latency budget",
        body=DecisionIn,
        answers={200: BudgetOut},
        problems=(409,),
        example={"proposal": 7, "accept": True, "comment": "Agreed with the checkout team."},
    )
    def post(self, call: Call, name: str) -> Response:
        """Put a proposal in force, or reject it. Nobody decides on their own."""
        endpoint_id = _about(call, name)
        services.decide_budget(
            principal=call.principal,
            endpoint_id=endpoint_id,
            proposal_id=call.body["proposal"],
            accept=call.body["accept"],
            comment=call.body["comment"],
        )
        return Response(_shown(call.principal, endpoint_id, call.workspace.id, call.workspace.slug))


class Withdrawal(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/budget/withdrawal`."""

    @operation(
        on_workspace(Action.BUDGET_PROPOSE),
        name="budget_withdraw",
        summary="Withdraw a proposed latency budget",
        body=WithdrawalIn,
        answers={204: None},
        problems=(409,),
    )
    def post(self, call: Call, name: str) -> Response:
        """Take one's own open proposal back."""
        services.withdraw_budget(
            principal=call.principal, endpoint_id=_about(call, name), proposal_id=call.body["proposal"]
        )
        return Response(status=204)


class Waiting(ApiView):
    """`/budget-proposals`."""

    @operation(
        narrowed_to(Action.BUDGET_VIEW),
        name="budget_proposals",
        summary="Budgets that wait for a decision",
        query=WaitingQuery,
        answers={200: WaitingListOut},
    )
    def get(self, call: Call) -> Response:
        """Of all endpoints whose budgets the caller may see, what waits longest first."""
        me = call.principal
        places = [
            row.id
            for row in connected_workspaces()
            if decide(me, Action.BUDGET_VIEW, workspace_id=row.id, workspace=row.slug)
        ]
        found = selectors.waiting_proposals(
            places, after=call.query.get("after", 0), limit=call.query["limit"]
        )
        names = named(row.proposal.proposed_by for row in found.rows)
        items = [_waiting(me, row, names) for row in found.rows]
        return Response(page(call.request, items, after=found.next_after))


def _waiting(me: Principal, row: WaitingRow, names: Refs) -> dict[str, Any]:
    may = decide(
        me,
        Action.BUDGET_DECIDE,
        workspace_id=row.workspace_id,
        workspace=row.workspace,
        own=_is_own(me, row.proposal),
    )
    return proposal(row.proposal, effect(row.before, row.proposal.limits), names) | {
        "workspace": row.workspace,
        "endpoint": row.endpoint,
        "before": row.before and {"p95_ms": row.before.p95_ms, "failure_share": row.before.failure_share},
        "may_decide": {"allowed": may.allowed, "reason": may.reason},
    }


def _about(call: Call, name: str) -> int:
    """The endpoint's number, on which the call is from now on."""
    endpoint_id = endpoint_id_by_name(call.workspace.id, name)
    ref = f"endpoint:{endpoint_id}"
    call.about = About(ref, call.workspace.id, ref)
    return endpoint_id


def _shown(principal: Principal, endpoint_id: int, workspace_id: int, slug: str) -> dict[str, Any]:
    history = selectors.budget_history(endpoint_id)
    now, waiting = selectors.budget_at(endpoint_id), selectors.open_proposal(endpoint_id)
    refs = {ref for row in history for ref in (row.set_by, row.confirmed_by) if ref}
    names = named(refs | ({waiting.proposed_by} if waiting else set()))
    found = effect(now.limits if now else None, waiting.limits) if waiting else Effect.SAME
    place: dict[str, Any] = {"workspace_id": workspace_id, "workspace": slug}
    may = {
        "propose": decide(principal, Action.BUDGET_PROPOSE, **place),
        "decide": decide(principal, Action.BUDGET_DECIDE, **place, own=_is_own(principal, waiting)),
    }
    return {
        "in_force": limits(now, names) if now else None,
        "proposal": proposal(waiting, found, names) if waiting else None,
        "history": [limits(row, names) for row in history],
        "may": {verb: {"allowed": found.allowed, "reason": found.reason} for verb, found in may.items()},
    }


def _is_own(principal: Principal, waiting: ProposalRow | None) -> bool:
    if waiting is None:
        return False
    kind, number = split_ref(waiting.proposed_by)
    return kind == "user" and number.isdecimal() and principal.is_any_of([int(number)])
