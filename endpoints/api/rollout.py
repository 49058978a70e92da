"""What people do to a change around its start and while it is under way, and what its gates said."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import prove_password
from endpoints.api.change_answers import DECISION_PROBLEMS, answer, to_act, to_decide
from endpoints.api.change_shapes import AcceptIn, ChangeOut
from endpoints.api.fields import Flag, StrictBody, Text, Whole
from endpoints.api.figures import Moment
from endpoints.api.headers import IF_MATCH
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID, NumberedQuery, PageQuery, page
from endpoints.api.rollout_shapes import AfterReviewListOut, MeasurementListOut, after_review, measurement
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.shapes import named
from endpoints.api.view import ApiView
from endpoints.changes import services
from endpoints.changes.selectors import change_progress, measurements_of, unreviewed

MOST_STEP = 1000


class ScheduleIn(AcceptIn):
    """When it is to start."""

    start_at = Moment(help_text="At most 30 days ahead, with its offset.")


class HoldIn(StrictBody):
    """Why it is held."""

    reason = Text(max_length=2000)


class SeenStepIn(StrictBody):
    """Which step the caller saw in force; another one is a conflict."""

    seen_step = Whole(min_value=0, max_value=MOST_STEP, help_text="`rollout.step` as you read it.")


class OverrideIn(SeenStepIn):
    """Which gate shall not hold the change any more, and why."""

    gate = Text(max_length=120, help_text="Its `name`.")
    reason = Text(max_length=2000)


class GlassIn(StrictBody):
    """Why nobody can be waited for, and a fresh proof of who says so."""

    reason = Text(max_length=2000)
    password = Text(max_length=1000, trim_whitespace=False, help_text="Of the person whose session this is.")


class AfterReviewIn(StrictBody):
    """Whether an emergency was sound, with words either way."""

    sound = Flag()
    words = Text(max_length=2000)


class SaidIn(StrictBody):
    """Words beside a change."""

    text = Text(max_length=2000)


class UnreviewedQuery(PageQuery):
    """Query of what nobody has judged yet."""

    after = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        required=False,
        help_text="Only changes with a larger number; `next` has it.",
    )


class Schedule(ApiView):
    """`/changes/{number}/schedule`."""

    @operation(
        on_object(Action.START),
        name="changes_schedule",
        summary="Schedule an approved change",
        body=ScheduleIn,
        headers=(IF_MATCH,),
        answers={200: ChangeOut},
        problems=DECISION_PROBLEMS,
        example={"start_at": "2026-11-26T06:00:00Z", "accept": []},
    )
    def post(self, call: Call, number: int) -> Response:
        """It starts in the caller's name, when all that it depends on is still true then."""
        services.schedule_change(
            principal=call.principal,
            change_id=number,
            seen_hash=to_decide(call, number, Action.START),
            start_at=call.body["start_at"],
            accept=call.body["accept"],
        )
        return answer(call, number)


class Unschedule(ApiView):
    """`/changes/{number}/unschedule`."""

    @operation(
        on_object(Action.START),
        name="changes_unschedule",
        summary="Call a scheduled start off",
        answers={200: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """It stays approved."""
        to_act(call, number, Action.START)
        services.unschedule_change(principal=call.principal, change_id=number)
        return answer(call, number)


class Hold(ApiView):
    """`/changes/{number}/hold`."""

    @operation(
        on_object(Action.START),
        name="changes_hold",
        summary="Hold a change where it is",
        body=HoldIn,
        answers={200: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """A call that is on its way is finished first (`rollout.hold_wanted`); then it is held."""
        to_act(call, number, Action.START)
        services.hold_change(principal=call.principal, change_id=number, reason=call.body["reason"])
        return answer(call, number)


class Resume(ApiView):
    """`/changes/{number}/resume`."""

    @operation(
        on_object(Action.START),
        name="changes_resume",
        summary="Let a held change go on",
        answers={200: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """The bake goes on, or the step that was not ordered yet is looked at anew."""
        to_act(call, number, Action.START)
        services.resume_change(principal=call.principal, change_id=number)
        return answer(call, number)


class Advance(ApiView):
    """`/changes/{number}/advance`."""

    @operation(
        on_object(Action.START),
        name="changes_advance",
        summary="Advance a change to its next step",
        body=SeenStepIn,
        answers={202: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Before its time, or past a click. 409 when another step is in force by now, or a gate does not pass."""
        to_act(call, number, Action.START)
        services.advance_change(principal=call.principal, change_id=number, seen_step=call.body["seen_step"])
        return answer(call, number, status=202)


class Override(ApiView):
    """`/changes/{number}/override`."""

    @operation(
        on_object(Action.OVERRIDE_GATE),
        name="changes_override",
        summary="Override a gate",
        body=OverrideIn,
        answers={200: ChangeOut},
        problems=(409,),
        example={"gate": "Errors against stable", "seen_step": 1, "reason": "A known fault of the caller's."},
    )
    def post(self, call: Call, number: int) -> Response:
        """It holds the change no more, to its end. It goes on being measured and shown."""
        to_act(call, number, Action.OVERRIDE_GATE)
        services.override_gate(
            principal=call.principal,
            change_id=number,
            seen_step=call.body["seen_step"],
            gate=call.body["gate"],
            reason=call.body["reason"],
        )
        return answer(call, number)


class BreakGlass(ApiView):
    """`/changes/{number}/break-glass`."""

    @operation(
        on_object(Action.BREAK_GLASS),
        name="changes_break_glass",
        summary="Start without approval, in an emergency",
        body=GlassIn,
        headers=(IF_MATCH,),
        answers={202: ChangeOut},
        problems=DECISION_PROBLEMS,
    )
    def post(self, call: Call, number: int) -> Response:
        """For a person's session with the password once more; no token can. Somebody else judges it within a day."""
        seen = to_decide(call, number, Action.BREAK_GLASS)
        proved_at = prove_password(principal=call.principal, password=call.body["password"])
        services.break_glass(
            principal=call.principal,
            change_id=number,
            seen_hash=seen,
            reason=call.body["reason"],
            proved_at=proved_at,
        )
        return answer(call, number, status=202)


class AfterReview(ApiView):
    """`/changes/{number}/after-review`."""

    @operation(
        on_object(Action.APPROVE),
        name="changes_review_after",
        summary="Judge an emergency afterwards",
        body=AfterReviewIn,
        answers={200: ChangeOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """By somebody who wrote and started none of it, once and for good. It moves no traffic."""
        to_act(call, number, Action.APPROVE)
        services.review_after(
            principal=call.principal,
            change_id=number,
            sound=call.body["sound"],
            words=call.body["words"],
        )
        return answer(call, number)


class Comments(ApiView):
    """`/changes/{number}/comments`."""

    @operation(
        on_object(Action.COMMENT),
        name="changes_comment",
        summary="Comment on a change",
        body=SaidIn,
        answers={201: ChangeOut},
    )
    def post(self, call: Call, number: int) -> Response:
        """Open or ended. Words decide nothing; the change's `said` has them."""
        to_act(call, number, Action.COMMENT)
        services.comment_change(principal=call.principal, change_id=number, text=call.body["text"])
        return answer(call, number, status=201)


class Measurements(ApiView):
    """`/changes/{number}/measurements`."""

    @operation(
        on_object(Action.VIEW),
        name="changes_measurements",
        summary="What the gates of a change said",
        query=NumberedQuery,
        answers={200: MeasurementListOut},
    )
    def get(self, call: Call, number: int) -> Response:
        """All of its steps, newest first."""
        change_progress(call.principal, number)  # not found for who may not see it
        limit = call.query["limit"]
        found = measurements_of(number, before=call.query.get("before"), limit=limit + 1)
        rows = found[:limit]
        older = rows[-1].id if len(found) > limit else None
        return Response(page(call.request, [measurement(row) for row in rows], before=older))


class AfterReviews(ApiView):
    """`/after-reviews`."""

    @operation(
        narrowed_to(Action.VIEW),
        name="after_reviews",
        summary="Emergencies that nobody has judged",
        query=UnreviewedQuery,
        answers={200: AfterReviewListOut},
    )
    def get(self, call: Call) -> Response:
        """In what the caller may see, what is due first."""
        found = unreviewed(call.principal, after=call.query.get("after", 0), limit=call.query["limit"])
        names = named(people={row.reviewer_id for row in found.rows})
        items = [after_review(row, names) for row in found.rows]
        return Response(page(call.request, items, after=found.after))
