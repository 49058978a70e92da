"""Findings: the list, one of them, and what people do with it. Rules and locks are the room's."""

from __future__ import annotations

from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.access.services import About
from endpoints.api.capacity_inputs import (
    ClaimIn,
    DismissIn,
    FindingCommentIn,
    FindingsQuery,
    PlaceQuery,
    PostponeIn,
    ReleaseIn,
    reach,
    wanted_findings,
)
from endpoints.api.finding_shapes import (
    FindingListOut,
    FindingOut,
    LeftAloneListOut,
    detail,
    items,
    left_alone,
    looks,
    sums,
)
from endpoints.api.operation import Call, operation
from endpoints.api.paging import page
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.view import ApiView
from endpoints.capacity import services
from endpoints.capacity.selectors import findings as room
from endpoints.core.ids import ref


class Findings(ApiView):
    """`/capacity/findings`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="findings_list",
        summary="What could be saved",
        query=FindingsQuery,
        answers={200: FindingListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """The highest monthly saving first, what has no known price last."""
        query = wanted_findings(call)
        found = room.findings(query, cursor=call.query["cursor"], limit=call.query["limit"])
        body = page(call.request, items(found.rows), cursor=found.next_cursor or None)
        return Response(
            body
            | {
                "count": found.count,
                "sums": sums(found.sums),
                "unpriced": found.unpriced,
                "looks": looks(room.looked(query.workspace_ids)),
            }
        )


class Finding(ApiView):
    """`/capacity/findings/{number}`."""

    @operation(
        on_object(Action.CAPACITY_VIEW),
        name="findings_get",
        summary="One finding",
        answers={200: FindingOut},
    )
    def get(self, call: Call, number: int) -> Response:
        """All that it stands on, and all that happened to it."""
        return shown(call, number)


class Claim(ApiView):
    """`/capacity/findings/{number}/claim`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_claim",
        summary="Claim a finding",
        body=ClaimIn,
        answers={200: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """It is the caller's, also when it was somebody else's; its content does not follow the facts any more."""
        about(call, number)
        services.claim(
            principal=call.principal,
            finding_id=number,
            seen=call.body["version"],
            due=call.body["due"],
            comment=call.body["comment"],
        )
        return shown(call, number)


class Release(ApiView):
    """`/capacity/findings/{number}/release`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_release",
        summary="Give a finding back",
        body=ReleaseIn,
        answers={200: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Nobody has it any more, and its content follows the facts again."""
        about(call, number)
        services.release(
            principal=call.principal,
            finding_id=number,
            seen=call.body["version"],
            comment=call.body["comment"],
        )
        return shown(call, number)


class Postpone(ApiView):
    """`/capacity/findings/{number}/postpone`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_postpone",
        summary="Put a finding off",
        body=PostponeIn,
        answers={200: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Not before a day, unless the facts are others earlier."""
        about(call, number)
        services.postpone(
            principal=call.principal,
            finding_id=number,
            seen=call.body["version"],
            until=call.body["until"],
            reason=call.body["reason"],
        )
        return shown(call, number)


class Dismiss(ApiView):
    """`/capacity/findings/{number}/dismiss`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_dismiss",
        summary="Turn a finding down",
        body=DismissIn,
        answers={200: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Not at all, as long as the facts are these."""
        about(call, number)
        services.dismiss(
            principal=call.principal,
            finding_id=number,
            seen=call.body["version"],
            reason=call.body["reason"],
        )
        return shown(call, number)


class FindingComments(ApiView):
    """`/capacity/findings/{number}/comments`."""

    @operation(
        on_object(Action.FINDING_WORK),
        name="findings_comment",
        summary="Comment on a finding",
        body=FindingCommentIn,
        answers={201: FindingOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Words for whoever looks at it next."""
        about(call, number)
        services.comment(principal=call.principal, finding_id=number, text=call.body["comment"])
        return shown(call, number, status=201)


class LeftAlone(ApiView):
    """`/capacity/left-alone`."""

    @operation(
        narrowed_to(Action.CAPACITY_VIEW),
        name="capacity_left_alone",
        summary="What could be saved and is left alone",
        query=PlaceQuery,
        answers={200: LeftAloneListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Deployments that cost money for nothing, and why nothing is proposed."""
        found = room.left_alone(reach(call), cursor=call.query["cursor"], limit=call.query["limit"])
        rows = [left_alone(row) for row in found.rows]
        return Response(page(call.request, rows, cursor=found.next_cursor or None) | {"count": found.count})


def about(call: Call, number: int) -> None:
    """What a refusal goes on record for; NotFound for who may not see it."""
    row = room.finding(_seen(call), number).row
    call.about = About(ref("finding", row.id), row.workspace_id, ref("endpoint", row.endpoint_id))


def shown(call: Call, number: int, *, status: int = 200) -> Response:
    """The finding as it is by now."""
    return Response(detail(room.finding(_seen(call), number)), status=status)


def _seen(call: Call) -> frozenset[int]:
    return visible_workspaces(call.principal, Action.CAPACITY_VIEW)
