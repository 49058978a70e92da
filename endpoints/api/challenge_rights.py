"""What takes two people or an administrator: legal holds and erasures of cases, and the policy."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.api.challenge_inputs import LegalHoldIn, PolicyIn, WhyIn
from endpoints.api.challenge_shapes import (
    CaseOut,
    ErasureListOut,
    PolicyListOut,
    erasure_items,
    policies,
)
from endpoints.api.challenges import about, shown
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rules import narrowed_to, on_object, on_workspace
from endpoints.api.view import ApiView
from endpoints.challenges import services
from endpoints.challenges.clocks import Clock, clock_of
from endpoints.challenges.selectors.erasures import erasures
from endpoints.challenges.selectors.policies import policy_history, policy_of
from endpoints.core.errors import Invalid


class LegalHolds(ApiView):
    """`/challenges/{number}/holds`."""

    @operation(
        on_object(Action.LEGAL_HOLD),
        name="challenges_hold_ask",
        summary="Ask for a legal hold",
        body=LegalHoldIn,
        answers={201: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Records of the case's endpoint that must not be dropped. Another person has to agree."""
        about(call, number)
        services.ask_hold(
            principal=call.principal,
            case_id=number,
            since=call.body["since"],
            until=call.body["until"],
            reason=call.body["reason"],
        )
        return shown(call, number, status=201)


class LegalHoldAgreement(ApiView):
    """`/challenges/{number}/holds/{hold}/agreement`."""

    @operation(
        on_object(Action.LEGAL_HOLD),
        name="challenges_hold_agree",
        summary="Agree to a legal hold",
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int, hold: int) -> Response:
        """Puts it in force. Whoever asked for it is refused."""
        about(call, number)
        services.agree_hold(principal=call.principal, case_id=number, hold_id=hold)
        return shown(call, number)


class LegalHoldEnd(ApiView):
    """`/challenges/{number}/holds/{hold}/end`."""

    @operation(
        on_object(Action.LEGAL_HOLD),
        name="challenges_hold_end",
        summary="End a legal hold",
        body=WhyIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int, hold: int) -> Response:
        """Ends one, or turns down one that waits."""
        about(call, number)
        services.end_hold(principal=call.principal, case_id=number, hold_id=hold, reason=call.body["reason"])
        return shown(call, number)


class Erasures(ApiView):
    """`/challenges/erasures`."""

    @operation(
        narrowed_to(Action.PREDICTIONS_VIEW),
        name="erasures_list",
        summary="List erasures",
        query=NumberedQuery,
        answers={200: ErasureListOut},
    )
    def get(self, call: Call) -> Response:
        """Those of cases that the caller may see, newest first."""
        found = erasures(call.principal, before=call.query.get("before"), limit=call.query["limit"])
        return Response(page(call.request, erasure_items(found.rows), before=found.older))


class Erasure(ApiView):
    """`/challenges/{number}/erasure`."""

    @operation(
        on_object(Action.ERASE),
        name="erasures_ask",
        summary="Ask to erase a case's texts",
        body=WhyIn,
        answers={201: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Of a closed case without a legal hold. Nothing is erased until another person agrees."""
        about(call, number)
        services.ask_erasure(principal=call.principal, case_id=number, reason=call.body["reason"])
        return shown(call, number, status=201)

    @operation(
        on_object(Action.ERASE),
        name="erasures_withdraw",
        summary="Withdraw an erasure",
        answers={200: CaseOut},
        problems=(409,),
    )
    def delete(self, call: Call, number: int) -> Response:
        """Takes it back, or turns it down. Nothing is erased."""
        about(call, number)
        services.withdraw_erasure(principal=call.principal, case_id=number)
        return shown(call, number)


class ErasureAgreement(ApiView):
    """`/challenges/{number}/erasure/agreement`."""

    @operation(
        on_object(Action.ERASE),
        name="erasures_agree",
        summary="Erase a case's texts",
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Here and in the audit history; it can't be undone. Whoever asked for it is refused."""
        about(call, number)
        services.agree_erasure(principal=call.principal, case_id=number)
        return shown(call, number)


class CasePolicy(ApiView):
    """`/workspaces/{ws}/challenge-policy`."""

    @operation(
        on_workspace(Action.RULES_VIEW),
        name="challenge_policy_get",
        summary="How cases are dealt with",
        query=NumberedQuery,
        answers={200: PolicyListOut},
    )
    def get(self, call: Call) -> Response:
        """What counts now, and all that was set before."""
        return Response(_policies(call, call.query.get("before"), call.query["limit"]))

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.CASE_POLICY),
        name="challenge_policy_set",
        summary="Set how cases are dealt with",
        body=PolicyIn,
        answers={201: PolicyListOut},
        problems=(409,),
        example={
            "clocks": [
                {"name": "Same-day answer", "hours": 8, "source": "house rule", "target": True},
                {"name": "Answer", "days": 28, "source": "GDPR Art. 12(3): one month", "target": False},
            ],
            "two_roles": True,
            "band": 0.7,
        },
    )
    def post(self, call: Call) -> Response:
        """It counts for cases raised or opened again from now on. What was set before stays on record."""
        services.set_policy(
            principal=call.principal,
            workspace_id=call.workspace.id,
            clocks=[_clock(number, one) for number, one in enumerate(call.body["clocks"], 1)],
            two_roles=call.body["two_roles"],
            band=call.body["band"],
        )
        return Response(_policies(call, None, 20), status=201)


def _policies(call: Call, before: int | None, limit: int) -> dict[str, Any]:
    found = policy_history(call.principal, call.workspace.id, before=before, limit=limit)
    now, *rows = policies([policy_of(call.workspace.id), *found.rows])
    return {"now": now, **page(call.request, rows, before=found.older)}


def _clock(number: int, given: dict[str, Any]) -> Clock:
    try:
        return clock_of(**given)
    except ValueError as error:
        raise Invalid({"clocks": [f"Clock {number}: {error}. Nothing was changed."]}) from error
