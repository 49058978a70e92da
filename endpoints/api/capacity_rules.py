"""By which rules a workspace's capacity is looked at."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.capacity_inputs import CapacityRulesIn
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import ActorOut, Refs, Shape, actor, named, next_field
from endpoints.api.view import ApiView
from endpoints.capacity import ruleset, services
from endpoints.capacity.selectors.rules import RuleSetRow, rules_history, rules_of


class CapacityRuleSetOut(Shape):
    """One set of rules. `number` 0: nobody set any; these are the usual ones."""

    number = serializers.IntegerField()
    rules = serializers.DictField(help_text="By name; see the reference.")
    reason = serializers.CharField()
    made_by = ActorOut(allow_null=True)
    made_at = serializers.DateTimeField(allow_null=True)


class CapacityRulesOut(Shape):
    """What counts `now`, and every set that there was, newest first."""

    now = CapacityRuleSetOut()
    items = CapacityRuleSetOut(many=True)
    next = next_field()


class CapacityRules(ApiView):
    """`/workspaces/{ws}/capacity-rules`."""

    @operation(
        on_workspace(Action.CAPACITY_VIEW),
        name="capacity_rules_get",
        summary="By which rules capacity is looked at",
        query=NumberedQuery,
        answers={200: CapacityRulesOut},
    )
    def get(self, call: Call) -> Response:
        """What counts now, and all that was set before."""
        return Response(_shown(call, call.query.get("before"), call.query["limit"]))

    @operation(
        on_workspace(Action.CAPACITY_VIEW, then=Action.CAPACITY_RULES),
        name="capacity_rules_set",
        summary="Set by which rules capacity is looked at",
        body=CapacityRulesIn,
        answers={201: CapacityRulesOut},
        problems=(409,),
        example={
            "rules": {"idle_days": 14, "zone": "Europe/Prague", "excluded_tags": [["keep", ""]]},
            "reason": "Two weeks are enough for us to call it idle.",
            "seen": 0,
        },
    )
    def post(self, call: Call) -> Response:
        """All of them: a rule that is left out is as usual. Days and findings are made anew by it."""
        services.set_rules(
            principal=call.principal,
            workspace_id=call.workspace.id,
            document=call.body["rules"],
            reason=call.body["reason"],
            seen=call.body["seen"],
        )
        return Response(_shown(call, None, 20), status=201)


def _shown(call: Call, before: int | None, limit: int) -> dict[str, Any]:
    now, history = rules_of(call.workspace.id), rules_history(call.workspace.id)
    older = [row for row in history if before is None or row.number < before]
    rows = older[:limit]
    names = named({row.made_by for row in [now, *rows] if row.made_by})
    following = rows[-1].number if len(older) > limit else None
    return {
        "now": _set(now, names),
        **page(call.request, [_set(row, names) for row in rows], before=following),
    }


def _set(row: RuleSetRow, names: Refs) -> dict[str, Any]:
    told = {
        "number": row.number,
        "rules": ruleset.as_json(row.rules),
        "reason": row.reason,
        "made_by": actor(row.made_by, names) if row.made_by else None,
        "made_at": row.made_at,
    }
    return dict(CapacityRuleSetOut(told).data)
