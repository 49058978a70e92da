"""What people decide on the review page: approve, reject, start, schedule, comment, let past a freeze, look back.

What moved on meanwhile is shown on the page again; the decision is then not stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpResponseBase

from endpoints.access.policies import Action
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.after_review import review_after
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.comment import comment_change
from endpoints.changes.services.reject import reject_change
from endpoints.changes.services.schedule import schedule_change, unschedule_change
from endpoints.changes.services.start import start_change
from endpoints.changes.services.withdraw import withdraw_change
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import ref
from endpoints.holds.services import override as override_hold
from endpoints.web import display
from endpoints.web.pages import PageRequest, on_object, page, to
from endpoints.web.review import Typed, review

MOST_ACCEPTED = 50


@page(on_object(Action.APPROVE), "POST")
def decide(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Approve or reject what the reviewer saw."""
    verb = request.POST.get("decision", "")
    return _answer(request, number, "decision", lambda: _decide(request, number, verb))


def _decide(request: PageRequest, number: int, verb: str) -> str:
    me, seen, comment = request.principal, request.POST.get("seen", ""), request.POST.get("comment", "")
    if verb == "reject":
        reject_change(principal=me, change_id=number, seen_hash=seen, comment=comment)
        return "Rejected."
    if verb != "approve":
        raise Invalid("Choose approve or reject.")
    quorum = approve_change(
        principal=me, change_id=number, seen_hash=seen, comment=comment[:2000], accept=_accepted(request)
    )
    return "Approved. It can be started now." if quorum.met else f"Approved. {' '.join(quorum.missing)}"


@page(on_object(Action.START), "POST")
def start(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Hand an approved change to the executor."""

    def order() -> str:
        start_change(
            principal=request.principal,
            change_id=number,
            seen_hash=request.POST.get("seen", ""),
            accept=_accepted(request),
        )
        return ""

    return _answer(request, number, "start", order, following="live")


@page(on_object(Action.START), "POST")
def schedule(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Have it started at a time of the zone that the page shows."""

    def order() -> str:
        moment = moment_of(request.POST.get("start_at", ""))
        schedule_change(
            principal=request.principal,
            change_id=number,
            seen_hash=request.POST.get("seen", ""),
            start_at=moment,
            accept=_accepted(request),
        )
        return "Scheduled. It starts then if everything still holds; otherwise it says why not."

    return _answer(request, number, "schedule", order)


@page(on_object(Action.START), "POST")
def unschedule(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Not at that time: approved as before."""

    def order() -> str:
        unschedule_change(principal=request.principal, change_id=number)
        return "Not scheduled any more. It is approved as before."

    return _answer(request, number, "unschedule", order)


@page(on_object(Action.CREATE_TRAFFIC), "POST")
def withdraw(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Withdraw a change, or close one that drifted."""

    def order() -> str:
        withdraw_change(principal=request.principal, change_id=number)
        return "Closed. Traffic stays as Azure has it."

    return _answer(request, number, "withdraw", order)


@page(on_object(Action.COMMENT), "POST")
def comment(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Words beside the change."""

    def order() -> str:
        comment_change(
            principal=request.principal, change_id=number, text=request.POST.get("comment", "")[:2001]
        )
        return "Your comment is stored."

    return _answer(request, number, "comment", order)


@page(on_object(Action.FREEZE_OVERRIDE), "POST")
def override(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Let this change past one freeze or stop, for as long as that holds now."""

    def order() -> str:
        detail = change_detail(request.principal, number)
        override_hold(
            principal=request.principal,
            endpoint_id=detail.row.endpoint_id,
            hold=request.POST.get("hold", "")[:80],
            subject=ref("change", number),
            reason=request.POST.get("reason", "")[:2001],
        )
        return "This change is let past it, for as long as it holds now."

    return _answer(request, number, "override", order)


@page(on_object(Action.APPROVE), "POST")
def look_back(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Say, after an emergency, whether it was sound."""

    def order() -> str:
        verdict = request.POST.get("sound", "")
        if verdict not in ("yes", "no"):
            raise Invalid("Choose sound or not sound. Nothing was stored.")
        review_after(
            principal=request.principal,
            change_id=number,
            sound=verdict == "yes",
            words=request.POST.get("comment", "")[:2001],
        )
        return "Your review is stored."

    return _answer(request, number, "look_back", order)


def moment_of(text: str) -> datetime:
    """The moment of a wall clock in the shown zone; Invalid for what is none, or is skipped when clocks change."""
    zone = display.current().zone
    try:
        wall = datetime.fromisoformat(text[:30])
    except ValueError:
        raise Invalid("Give the day and the time. The change was not scheduled.") from None
    moment = wall if wall.tzinfo else wall.replace(tzinfo=zone)
    try:
        exact = moment.astimezone(UTC)
        back = exact.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise Invalid("There is no such time. The change was not scheduled.") from None
    if wall.tzinfo is None and back != wall:
        raise Invalid(f"There is no {wall:%H:%M} on that day in {zone}. The change was not scheduled.")
    return exact


def _accepted(request: PageRequest) -> list[str]:
    return [name[:200] for name in request.POST.getlist("accept")[:MOST_ACCEPTED]]


def _answer(
    request: PageRequest, number: int, form: str, order: Callable[[], str], *, following: str = "change"
) -> HttpResponseBase:
    """Done, and on to the page; or the page with what was typed and why nothing was stored."""
    try:
        said = order()
    except (Conflict, Invalid) as error:
        typed = Typed(
            form=form,
            problem=error.message,
            text=(request.POST.get("comment") or request.POST.get("reason") or "")[:2001],
            accepted=_accepted(request),
            at=request.POST.get("start_at", "")[:30],
            seen=request.POST.get("seen", "")[:64],
        )
        return review(request, number, typed=typed, status=422 if isinstance(error, Invalid) else 409)
    if said:
        messages.success(request, said)
    return to(following, number=number)
