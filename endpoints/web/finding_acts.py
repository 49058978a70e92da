"""What people do about findings: file them, one or several, claim, give back, put off, turn down, comment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html

from endpoints.access.policies import Action, require, visible_workspaces
from endpoints.capacity import services
from endpoints.capacity.selectors.findings import FindingRow, finding
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.web import capacity_page
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_scope import admit, today
from endpoints.web.finding_page import Typed, shown
from endpoints.web.pages import SIGNED_IN, PageRequest, back, on_object, page
from endpoints.web.settings_of import number_typed

MOST = 50
"""Findings that are filed at once: a page of them."""
_KEPT = ("reason", "comment", "due", "until", "typed", "key", "text")


@page(on_object(Action.FINDING_WORK), "GET", "POST")
def file(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Ask for the change that would save; where no change can, take it on as work."""
    row = _permit(request, number)
    if request.method == "GET":
        return shown(request, number, typed=Typed(form="file"))
    return _answer(request, number, "file", lambda: _filed(request, row))


def _filed(request: PageRequest, row: FindingRow) -> str:
    made = services.file_finding(
        principal=request.principal,
        finding_id=row.id,
        seen=_seen(request),
        reason=request.POST.get("reason", "")[:2001],
        typed=request.POST.get("typed", "").strip()[:300],
        due=_day(request, "due"),
        idempotency_key=request.POST.get("key", "")[:80],
    )
    if made is None:
        return f"{row.number} is yours as work now. No change can do it; say here when it is done."
    return _asked_for(row.number, made)


def _asked_for(name: str, change: int) -> str:
    """With a link: the next step is there."""
    address = reverse("web:change", kwargs={"number": change})
    return format_html(
        '{} is filed as <a href="{}">CR-{}</a>. Nothing changes before somebody else approves it.',
        name,
        address,
        change,
    )


@page(on_object(Action.FINDING_WORK), "POST")
def claim(request: PageRequest, *, number: int) -> HttpResponseBase:
    """It is this person's from now on."""
    row = _permit(request, number)

    def order() -> str:
        services.claim(
            principal=request.principal,
            finding_id=number,
            seen=_seen(request),
            due=_day(request, "due"),
            comment=request.POST.get("comment", "")[:2001],
        )
        return f"{row.number} is yours. What it says stays as it is until you give it back."

    return _answer(request, number, "claim", order)


@page(on_object(Action.FINDING_WORK), "POST")
def release(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Nobody has it any more."""
    row = _permit(request, number)

    def order() -> str:
        services.release(
            principal=request.principal,
            finding_id=number,
            seen=_seen(request),
            comment=request.POST.get("comment", "")[:2001],
        )
        return f"{row.number} is open again and follows the facts."

    return _answer(request, number, "release", order)


@page(on_object(Action.FINDING_WORK), "POST")
def postpone(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Not before a day."""
    row = _permit(request, number)

    def order() -> str:
        until = _until(request)
        services.postpone(
            principal=request.principal,
            finding_id=number,
            seen=_seen(request),
            until=until,
            reason=request.POST.get("reason", "")[:2001],
        )
        return (
            f"{row.number} is put off until {until}. It comes back by itself, or earlier if the facts change."
        )

    return _answer(request, number, "postpone", order)


@page(on_object(Action.FINDING_WORK), "POST")
def dismiss(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Not at all, as long as the facts are these."""
    row = _permit(request, number)

    def order() -> str:
        services.dismiss(
            principal=request.principal,
            finding_id=number,
            seen=_seen(request),
            reason=request.POST.get("reason", "")[:2001],
        )
        return f"{row.number} is turned down. It comes back when the facts are others."

    return _answer(request, number, "dismiss", order)


@page(on_object(Action.FINDING_WORK), "POST")
def comment(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Words for whoever looks at it next."""
    _permit(request, number)

    def order() -> str:
        services.comment(
            principal=request.principal, finding_id=number, text=request.POST.get("text", "")[:2001]
        )
        return "Your comment is stored."

    return _answer(request, number, "comment", order)


@page(SIGNED_IN, "POST")
def file_several(request: PageRequest) -> HttpResponseBase:
    """Those that were ticked, one by one: what stops one of them does not stop the others."""
    admit(request.principal)
    chosen = _chosen(request)
    if not chosen:
        return capacity_page.shown(
            request, errors={"pick": ["Tick at least one finding. Nothing was filed."]}, status=422
        )
    rows = [(_permit(request, number), seen) for number, seen in chosen]
    filed, failed = [], []
    for row, seen in rows:
        try:
            filed.append(f"{row.number} as CR-{_one_of_several(request, row, seen)}")
        except (Conflict, Invalid, Refused) as error:
            failed.append(f"{row.number} was not filed: {_said(error)}")
    if filed:
        messages.success(
            request, f"Filed: {', '.join(filed)}. Nothing changes before somebody else approves."
        )
    for text in failed:
        messages.warning(request, text)
    return back(request, reverse("web:capacity"))


def _one_of_several(request: PageRequest, row: FindingRow, seen: int) -> int:
    if row.kind not in terms.IN_BULK:
        raise Conflict("it is filed by itself, with the name typed or a day said.")
    key = request.POST.get("key", "")[:60]
    made = services.file_finding(
        principal=request.principal,
        finding_id=row.id,
        seen=seen,
        reason=request.POST.get("reason", "")[:2001],
        idempotency_key=f"{key}-{row.id}" if key else "",
    )
    if made is None:
        raise Conflict("no change can do it.")
    return made


def _chosen(request: PageRequest) -> list[tuple[int, int]]:
    """Number and version of each that was ticked; what is none is left out."""
    found: dict[int, int] = {}
    for text in request.POST.getlist("pick")[:MOST]:
        number, _, seen = text.partition(".")
        if number_typed(number):
            found[number_typed(number)] = number_typed(seen)
    return list(found.items())


def _permit(request: PageRequest, number: int) -> FindingRow:
    """The finding; whoever may not work on it hears that first, whatever their form says."""
    row = finding(visible_workspaces(request.principal, Action.CAPACITY_VIEW), known(number)).row
    require(
        request.principal, Action.FINDING_WORK, workspace_id=row.workspace_id, workspace=row.workspace
    )  # fmt: skip
    return row


def known(number: int) -> int:
    """NotFound for a number that is none of the database's."""
    if not 0 < number < 2**63:
        raise NotFound(f"There is no SV-{number}, or not for you.")
    return number


def _seen(request: PageRequest) -> int:
    """The version that the person had before them; 0, which is no finding's, when the form does not say."""
    return number_typed(request.POST.get("seen", ""))


def _day(request: PageRequest, name: str) -> date | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({name: ["Give a day, such as 2026-12-24. Nothing was stored."]}) from None


def _until(request: PageRequest) -> date:
    """A day, or so many days from today."""
    text = request.POST.get("until", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 4:
        return today() + timedelta(days=int(text))
    found = _day(request, "until")
    if found is None:
        raise Invalid({"until": ["Say until when. Nothing was stored."]})
    return found


def _kept(request: PageRequest) -> dict[str, str]:
    """What was typed; so many days from today as the day that the finding's own form shows."""
    values = {name: request.POST.get(name, "")[:2001] for name in _KEPT}
    try:
        return values | ({"until": f"{_until(request)}"} if values["until"] else {})
    except Invalid:
        return values


def _said(error: Conflict | Invalid | Refused) -> str:
    fields = error.fields if isinstance(error, Invalid) else {}
    return " ".join(text for texts in fields.values() for text in texts) or error.message


def _answer(request: PageRequest, number: int, form: str, order: Callable[[], str]) -> HttpResponseBase:
    """Done, and back to where the form was; or the finding's page with what was typed and why nothing was stored."""
    try:
        said = order()
    except (Conflict, Invalid) as error:
        typed = Typed(
            form=form,
            errors=error.fields if isinstance(error, Invalid) else {"": [error.message]},
            values=_kept(request),
        )
        return shown(request, number, typed=typed, status=422 if isinstance(error, Invalid) else 409)
    messages.success(request, said)
    return back(request, reverse("web:finding", kwargs={"number": number}))
