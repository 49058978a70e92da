"""What is done on a case's page: work on it, decide it, hold and erase what belongs to it, take its pack away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase

from endpoints.access.policies import Action, require
from endpoints.challenges import services
from endpoints.challenges.lifecycle import State
from endpoints.challenges.selectors.cases import case_row
from endpoints.core.errors import Conflict, Invalid, Unavailable
from endpoints.web.challenges import Typed, case, known_number
from endpoints.web.decisions import moment_of
from endpoints.web.pages import PageRequest, on_object, page, to
from endpoints.web.settings_of import number_typed

_NO_VERB = "The form did not say what to do. Nothing was stored."
_KEPT = ("comment", "reason", "outcome", "why", "other", "record", "since", "until", "assigned_to")


@page(on_object(Action.CASE_WORK), "POST")
def work(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Choose a record, collect evidence, assign, comment, link."""
    me, post, verb = request.principal, request.POST, request.POST.get("do", "")

    def order() -> str:
        if verb == "choose":
            endpoint_id, day, key = _record(post.get("record", ""))
            services.choose_record(
                principal=me,
                case_id=number,
                endpoint_id=endpoint_id,
                day=day,
                key=key,
                seen_version=_seen(request),
            )
            return "The record is chosen, and what is known of it was collected as evidence."
        if verb == "collect":
            made = services.collect_evidence(principal=me, case_id=number, seen_version=_seen(request))
            return f"Evidence no. {made} was collected. What was collected before stays."
        if verb == "assign":
            services.assign(principal=me, case_id=number, user_id=_person(post.get("assigned_to", "")))
            return "Assigned." if post.get("assigned_to") else "Assigned to nobody."
        if verb == "comment":
            services.comment(principal=me, case_id=number, text=post.get("comment", "")[:2001])
            return "Your comment is stored."
        if verb == "link":
            other, why = _case_number(post.get("other", "")), post.get("why", "")[:200]
            services.link(principal=me, case_id=number, other_id=other, why=why)
            return f"Linked with CH-{other}."
        raise Invalid(_NO_VERB)

    return _answer(request, number, Action.CASE_WORK, verb, order)


@page(on_object(Action.CASE_DECIDE), "POST")
def verdict(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Decide, confirm, or send back."""
    me, post, verb = request.principal, request.POST, request.POST.get("do", "")
    reason = post.get("reason", "")[:2001]

    def order() -> str:
        if verb == "decide":
            state = services.decide(
                principal=me,
                case_id=number,
                seen_version=_seen(request),
                outcome=post.get("outcome", "")[:40],
                reason=reason,
            )
            return (
                "Decided and closed."
                if state is State.CLOSED
                else "Decided. Somebody else has to confirm it."
            )
        if verb == "confirm":
            services.confirm(principal=me, case_id=number, seen_version=_seen(request), comment=reason)
            return "Confirmed. The case is closed."
        if verb == "send_back":
            services.send_back(principal=me, case_id=number, seen_version=_seen(request), reason=reason)
            return "Sent back. The case is open again."
        raise Invalid(_NO_VERB)

    return _answer(request, number, Action.CASE_DECIDE, "verdict", order)


@page(on_object(Action.CASE_WORK), "POST")
def reopen(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Take a closed case up again."""

    def order() -> str:
        reason = request.POST.get("reason", "")[:2001]
        services.reopen(
            principal=request.principal, case_id=number, seen_version=_seen(request), reason=reason
        )
        return "The case is open again. Its first decision stays on record."

    return _answer(request, number, Action.CASE_WORK, "reopen", order)


@page(on_object(Action.LEGAL_HOLD), "POST")
def hold(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Ask for a legal hold, agree to one, end one."""
    me, post, verb = request.principal, request.POST, request.POST.get("do", "")
    hold_id, reason = number_typed(post.get("hold", "")), post.get("reason", "")[:2001]

    def order() -> str:
        if verb == "ask":
            since, until = _moment(post.get("since", ""), "since"), _moment(post.get("until", ""), "until")
            services.ask_hold(principal=me, case_id=number, since=since, until=until, reason=reason)
            return "Asked for. Another supervisor has to agree."
        if verb == "agree":
            services.agree_hold(principal=me, case_id=number, hold_id=hold_id)
            return "The legal hold is in force."
        if verb == "end":
            services.end_hold(principal=me, case_id=number, hold_id=hold_id, reason=reason)
            return "The legal hold is ended."
        raise Invalid(_NO_VERB)

    return _answer(request, number, Action.LEGAL_HOLD, "hold", order)


@page(on_object(Action.ERASE), "POST")
def erase(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Ask that a person be forgotten, agree to it, or take it back."""
    me, verb = request.principal, request.POST.get("do", "")

    def order() -> str:
        if verb == "ask":
            services.ask_erasure(principal=me, case_id=number, reason=request.POST.get("reason", "")[:2001])
            return "Asked for. Another supervisor has to agree; until then nothing is erased."
        if verb == "agree":
            count = services.agree_erasure(principal=me, case_id=number)
            return f"Erased: {count} texts, here and in the audit history. This can't be undone."
        if verb == "withdraw":
            services.withdraw_erasure(principal=me, case_id=number)
            return "Withdrawn. Nothing was erased."
        raise Invalid(_NO_VERB)

    return _answer(request, number, Action.ERASE, "erase", order)


@page(on_object(Action.PACK_EXPORT), "POST")
def pack(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The evidence pack as a file."""
    _permit(request, number, Action.PACK_EXPORT)
    try:
        made = services.evidence_pack(number, actor=request.principal)
    except (Conflict, Invalid, Unavailable) as error:
        return case(request, number, typed=Typed(form="pack", errors={"": [error.message]}), status=409)
    answer = HttpResponse(made.data, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{made.filename}"'
    answer["X-Content-SHA256"] = made.sha256
    return answer


def _permit(request: PageRequest, number: int, action: Action) -> None:
    """Whoever may not do it hears that first, whatever their form says."""
    row = case_row(request.principal, known_number(number))
    require(request.principal, action, workspace_id=row.workspace_id, workspace=row.workspace)


def _seen(request: PageRequest) -> int:
    """The version that the person had before them; 0, which is no case's, when the form does not say."""
    return number_typed(request.POST.get("seen", ""))


def _person(text: str) -> int | None:
    if not text:
        return None
    found = number_typed(text)
    if not found:
        raise Invalid({"assigned_to": ["Choose a person from the list. Nothing was changed."]})
    return found


def _case_number(text: str) -> int:
    found = number_typed(text.strip().upper().removeprefix("CH-"))
    if not found:
        raise Invalid({"other": ["Give the case's number, such as CH-12. Nothing was stored."]})
    return found


def _record(text: str) -> tuple[int, date, str]:
    endpoint, _, rest = text.partition("|")
    day, _, key = rest.partition("|")
    try:
        on_day = date.fromisoformat(day)
    except ValueError:
        on_day = None
    if not number_typed(endpoint) or on_day is None or not 0 < len(key) <= 300:
        raise Invalid({"record": ["Choose a record from the list. Nothing was stored."]})
    return number_typed(endpoint), on_day, key


def _moment(text: str, name: str) -> datetime:
    try:
        return moment_of(text)
    except Invalid:
        raise Invalid({name: ["Give a day and a time that exist. Nothing was stored."]}) from None


def _answer(
    request: PageRequest, number: int, action: Action, form: str, order: Callable[[], str]
) -> HttpResponseBase:
    """Done, and on to the page; or the page with what was typed and why nothing was stored."""
    _permit(request, number, action)
    try:
        said = order()
    except (Conflict, Invalid) as error:
        typed = Typed(
            form=form,
            errors=error.fields if isinstance(error, Invalid) else {"": [error.message]},
            values={name: request.POST.get(name, "")[:2001] for name in _KEPT},
            seen=_seen(request),
        )
        return case(request, number, typed=typed, status=422 if isinstance(error, Invalid) else 409)
    messages.success(request, said)
    return to("challenge", number=number)
