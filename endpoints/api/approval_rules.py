"""Approval rules of a workspace: propose one, propose that one ends, decide, withdraw."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api.change_shapes import MayOut
from endpoints.api.fields import Flag, StrictBody, Text, Whole
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import ActorOut, Refs, Shape, named, next_field, person
from endpoints.api.view import ApiView
from endpoints.changes import services
from endpoints.changes.selectors import RuleRow, RuleState, approval_rule, approval_rules
from endpoints.changes.services.rules import MOST_NAMED
from endpoints.core.errors import NotFound

_SMALL = 10_000


class RuleIn(StrictBody):
    """A wanted rule. What is left out takes everything in."""

    title = Text(max_length=120)
    endpoint_pattern = Text(
        max_length=120, required=False, default="", allow_blank=True, help_text="Such as risk-*."
    )
    tag = Text(max_length=120, required=False, default="", allow_blank=True)
    tag_value = Text(max_length=250, required=False, default="", allow_blank=True)
    risk_weight = Whole(
        min_value=0,
        max_value=_SMALL,
        default=0,
        help_text="From the percent that some deployment reaches on.",
    )
    required = Whole(min_value=0, max_value=_SMALL, default=1, help_text="How many people must approve.")  # type: ignore[assignment]  # the field of this name
    named = serializers.ListField(
        child=serializers.RegexField(r"^user:[1-9][0-9]{0,17}$"),
        required=False,
        default=list,
        max_length=MOST_NAMED,
        help_text="Whose approvals alone count, as `user:7`; none: every reviewer's.",
    )
    reason = Text(max_length=2000)


class RuleEndIn(StrictBody):
    """Why a rule should end."""

    reason = Text(max_length=2000)


class RuleDecisionIn(StrictBody):
    """On a proposal of somebody else."""

    accept = Flag()
    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class RuleOut(Shape):
    """A rule, or with `ends` the proposal that this rule ends."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=list(RuleState))
    title = serializers.CharField()
    endpoint_pattern = serializers.CharField()
    tag = serializers.CharField(help_text="`name`, or `name=value`.")
    risk_weight = serializers.IntegerField()
    required = serializers.IntegerField()  # type: ignore[assignment]  # as above
    named = ActorOut(many=True)
    reason = serializers.CharField()
    proposed_by = ActorOut()
    proposed_at = serializers.DateTimeField()
    ends = serializers.IntegerField(allow_null=True)
    decided_by = ActorOut(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    may_decide = MayOut()


class RuleListOut(Shape):
    """A page of rules and proposals, newest first."""

    items = RuleOut(many=True)
    next = next_field()


class RulesQuery(NumberedQuery):
    """Query of a workspace's rules."""

    alive = serializers.BooleanField(default=False, help_text="Only what is in force or waits.")


class Rules(ApiView):
    """`/workspaces/{ws}/rules`."""

    @operation(
        on_workspace(Action.RULES_VIEW),
        name="rules_list",
        summary="Approval rules of a workspace",
        query=RulesQuery,
        answers={200: RuleListOut},
    )
    def get(self, call: Call) -> Response:
        """Rules and proposals, each with what became of it."""
        found = approval_rules(
            call.principal,
            call.workspace.id,
            alive=call.query["alive"],
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
        names = named(people=_people(found.rows))
        items = [_shown(row, names) for row in found.rows]
        return Response(page(call.request, items, before=found.older))

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_PROPOSE),
        name="rules_propose",
        summary="Propose an approval rule",
        body=RuleIn,
        answers={201: RuleOut},
        problems=(409,),
        example={
            "title": "Two for risk",
            "endpoint_pattern": "risk-*",
            "risk_weight": 50,
            "required": 2,
            "reason": "After the incident of May.",
        },
    )
    def post(self, call: Call) -> Response:
        """In force at once by who decides on rules, for a rule only ever asks for more; else it is a proposal."""
        body = {name: value for name, value in call.body.items() if name != "reason"}
        body["named"] = [int(ref.partition(":")[2]) for ref in body["named"]]
        made = services.propose_rule(
            principal=call.principal,
            workspace_id=call.workspace.id,
            draft=services.RuleDraft(**body),
            reason=call.body["reason"],
        )
        return _answer(call, made.rule_id, status=201)


class Rule(ApiView):
    """`/workspaces/{ws}/rules/{rule}`."""

    @operation(
        on_workspace(Action.RULES_VIEW),
        name="rules_get",
        summary="One approval rule",
        answers={200: RuleOut},
    )
    def get(self, call: Call, rule: int) -> Response:
        """A rule, or a proposal."""
        return _answer(call, _there(call, rule))


class End(ApiView):
    """`/workspaces/{ws}/rules/{rule}/end`."""

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_PROPOSE),
        name="rules_propose_end",
        summary="Propose that an approval rule ends",
        body=RuleEndIn,
        answers={201: RuleOut},
        problems=(409,),
    )
    def post(self, call: Call, rule: int) -> Response:
        """The rule stays in force until a second person has agreed. The answer is the proposal."""
        made = services.propose_rule_end(
            principal=call.principal, rule_id=_there(call, rule), reason=call.body["reason"]
        )
        return _answer(call, made.rule_id, status=201)


class Decision(ApiView):
    """`/workspaces/{ws}/rules/{rule}/decision`."""

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_DECIDE),
        name="rules_decide",
        summary="Decide on a proposed approval rule",
        body=RuleDecisionIn,
        answers={200: RuleOut},
        problems=(409,),
    )
    def post(self, call: Call, rule: int) -> Response:
        """Never on one's own proposal."""
        services.decide_rule(
            principal=call.principal,
            rule_id=_there(call, rule),
            accept=call.body["accept"],
            comment=call.body["comment"],
        )
        return _answer(call, rule)


class Withdrawal(ApiView):
    """`/workspaces/{ws}/rules/{rule}/withdrawal`."""

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_PROPOSE),
        name="rules_withdraw",
        summary="Withdraw a proposed approval rule",
        answers={200: RuleOut},
        problems=(409,),
    )
    def post(self, call: Call, rule: int) -> Response:
        """One's own, while nobody has decided."""
        services.withdraw_rule(principal=call.principal, rule_id=_there(call, rule))
        return _answer(call, rule)


def _there(call: Call, rule_id: int) -> int:
    """The number, when it is one of this workspace; a refusal is about it from now on."""
    if approval_rule(call.principal, rule_id).workspace_id != call.workspace.id:
        raise NotFound("There is no such rule here.")
    call.about = About(f"rule:{rule_id}", call.workspace.id)
    return rule_id


def _answer(call: Call, rule_id: int, *, status: int = 200) -> Response:
    row = approval_rule(call.principal, rule_id)
    return Response(_shown(row, named(people=_people([row]))), status=status)


def _people(rows: Any) -> set[int | None]:
    return {one for row in rows for one in (row.proposed_by, row.decided_by, *row.rule.named)}


def _shown(row: RuleRow, names: Refs) -> dict[str, Any]:
    rule = row.rule
    fields: dict[str, Any] = {
        "id": row.id,
        "state": row.state,
        "title": rule.title,
        "endpoint_pattern": rule.scope.name_pattern,
        "tag": rule.scope.tag,
        "risk_weight": rule.risk_weight,
        "required": rule.required,
        "named": [person(one, names) for one in sorted(rule.named)],
        "reason": row.reason,
        "proposed_by": person(row.proposed_by, names),
        "proposed_at": row.proposed_at,
        "ends": row.ends_id,
        "decided_by": person(row.decided_by, names) if row.decided_by else None,
        "decided_at": row.decided_at,
        "ended_at": row.ended_at,
        "may_decide": row.may_decide,
    }
    return dict(RuleOut(fields).data)
