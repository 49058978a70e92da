"""Freezes: what stands, what comes, what was; making one with a look at when it would hold, and ending one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.access.selectors import workspace_names
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import ref
from endpoints.holds import calendar, scope, selectors
from endpoints.holds.rows import FreezeRow, FreezeState
from endpoints.holds.services import Imported, end_freeze, import_ics, make_freeze
from endpoints.web import hold_form
from endpoints.web.hold_form import (
    Places,
    Times,
    nothing_typed,
    places,
    schedule_of,
    scope_of,
    times,
    typed_in,
)
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render, to
from endpoints.web.states import Sign

PAGE = 50
PREVIEWED = 5
_LARGEST = 10**15
SIGNS = {
    FreezeState.FROZEN: Sign("held", "Frozen now"),
    FreezeState.COMING: Sign("waiting", "Coming"),
    FreezeState.OVER: Sign("off", "Over"),
    FreezeState.ENDED: Sign("off", "Ended by a person"),
}
SOURCES = {"page": "made here", "api": "made through the API", "ics": "out of a calendar file"}


@dataclass(frozen=True, slots=True)
class FreezeView:
    """A freeze as a line of the list, and as its page."""

    row: FreezeRow
    sign: Sign
    where: str
    repeats: str
    source: str
    now: Times | None
    next: Times | None
    made_by: str
    ended_by: str


@page(SIGNED_IN, "GET", "POST")
def holds(request: PageRequest) -> HttpResponseBase:
    """The list with its two forms; and where a new freeze is shown before it is made, and made."""
    if request.method == "GET":
        return _page(request)
    me, typed = request.principal, typed_in(request.POST.dict())
    try:
        where, schedule = scope_of(me, typed), schedule_of(typed)
        if request.POST.get("do") == "preview":
            return _page(request, typed=typed, previewed=_preview(schedule))
        if request.POST.get("do") != "make":
            raise Invalid("The form did not say what to do. Nothing was frozen.")
        number = make_freeze(
            principal=me, scope=where, schedule=schedule, title=typed["title"], reason=typed["reason"]
        )
    except Invalid as error:
        return _page(request, typed=typed, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, typed=typed, errors={"": [error.message]}, status=409)
    messages.success(request, "The freeze stands. Forward steps are held while it lasts; rollbacks are not.")
    return to("freeze", number=number)


@page(SIGNED_IN, "POST")
def freeze_import(request: PageRequest) -> HttpResponseBase:
    """Take a calendar file over, and say what became of each event."""
    me, typed = request.principal, typed_in(request.POST.dict())
    try:
        sent = request.FILES.get("file")
        found = import_ics(
            principal=me,
            scope=scope_of(me, typed),
            zone=typed["zone"],
            data=sent.read() if sent else b"",
            reason=typed["reason"],
        )
    except Invalid as error:
        return _page(request, brought=typed, import_errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, brought=typed, import_errors={"": [error.message]}, status=409)
    return _page(request, imported=found)


@page(on_object(Action.HOLDS_VIEW), "GET", "POST")
def freeze(request: PageRequest, *, number: int) -> HttpResponseBase:
    """One freeze: whom it holds and when; and where it is ended."""
    row = selectors.freeze_row(selectors.reach(request.principal), _id(number), hold_form.now())
    if request.method == "GET":
        return _freeze_page(request, row)
    reason = request.POST.get("reason", "").strip()[:2001]
    try:
        end_freeze(principal=request.principal, freeze_id=row.id, reason=reason)
    except Invalid as error:
        return _freeze_page(request, row, reason=reason, errors=error.fields, status=422)
    except Conflict as error:
        return _freeze_page(request, row, reason=reason, errors={"": [error.message]}, status=409)
    messages.success(request, "The freeze is ended. It stays on record.")
    return to("freeze", number=number)


def _id(number: int) -> int:
    """A number that the database can hold; what is none finds nothing."""
    return number if number < _LARGEST else 0


def _page(
    request: PageRequest,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
    previewed: list[Times] | None = None,
    brought: dict[str, str] | None = None,
    import_errors: dict[str, list[str]] | None = None,
    imported: Imported | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me = request.principal
    seen, open_to = selectors.reach(me), places(me, Action.FREEZE_MANAGE)
    context = _rows(request, seen) | {
        "may_stop": bool(places(me, Action.STOP_LINE).options),
        "options": open_to.options,
        "why_not": _why_not(me, open_to),
        "repeats": hold_form.REPEATS.items(),
        "typed": typed or nothing_typed(me),
        "errors": errors or {},
        "previewed": previewed,
        "brought": brought or nothing_typed(me),
        "import_errors": import_errors or {},
        "import_summary": {_import_id(name): texts for name, texts in (import_errors or {}).items()},
        "imported": imported,
        "import_href": reverse("web:freeze_import"),
        "opened": {"make": bool(typed), "import": bool(brought or imported)},
    }
    return render(request, "holds/list.html", context, section="holds", status=status)


def _import_id(field: str) -> str:
    """A field's id on the page, on which both forms have a zone and a reason."""
    return field if field in ("", "file") else f"ics-{field}"


def _why_not(me: Principal, open_to: Places) -> str:
    return "" if open_to.options else decide(me, Action.FREEZE_MANAGE).reason


def _rows(request: PageRequest, seen: frozenset[int]) -> dict[str, Any]:
    """The asked part of the list, and the way to its other pages."""
    at, address = hold_form.now(), reverse("web:holds")
    past = request.GET.get("show") == "past"
    begin = _number(request.GET.get("begin", ""))
    standing = selectors.standing_freezes(seen, at, begin=0 if past else begin, limit=PAGE)
    rows = standing.rows
    following: dict[str, Any] = {"begin": standing.next} if standing.next else {}
    if past:
        rows, before = selectors.past_freezes(seen, at, before=begin or None, limit=PAGE)
        following = {"show": "past", "begin": before} if before else {}
    return {
        "rows": _views(rows),
        "past": past,
        "tabs": [
            {
                "label": "Standing",
                "href": address,
                "current": not past,
                "count": standing.frozen + standing.coming,
                "due": False,
            },
            {"label": "Past", "href": f"{address}?show=past", "current": past, "count": None, "due": False},
        ],
        "pages": {
            "first": f"{address}{'?show=past' if past else ''}" if begin else "",
            "next": f"{address}?{urlencode(following)}" if following else "",
        },
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _views(rows: tuple[FreezeRow, ...]) -> list[FreezeView]:
    """Lines with names for what they refer to: two queries."""
    slugs = workspace_names({row.scope.workspace_id for row in rows if row.scope.workspace_id is not None})
    names = of_refs({ref for row in rows for ref in (row.made_by, row.ended_by)})
    return [_view(row, slugs, names) for row in rows]


def _view(row: FreezeRow, slugs: dict[int, str], names: dict[str, str]) -> FreezeView:
    zone = row.schedule.zone
    return FreezeView(
        row=row,
        sign=SIGNS[row.state],
        where=scope.describe(row.scope, slugs.get(row.scope.workspace_id or 0, "a workspace")),
        repeats=hold_form.rule_words(row.schedule.rule),
        source=SOURCES.get(row.source, row.source),
        now=times(row.now, zone) if row.now else None,
        next=times(row.next, zone) if row.next else None,
        made_by=names.get(row.made_by, row.made_by),
        ended_by=names.get(row.ended_by, row.ended_by),
    )


def _preview(schedule: calendar.Schedule, at: datetime | None = None) -> list[Times]:
    found = selectors.preview(schedule, at or hold_form.now(), limit=PREVIEWED)
    return [times(span, schedule.zone) for span in found]


def _freeze_page(
    request: PageRequest,
    row: FreezeRow,
    *,
    reason: str = "",
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    (view,) = _views((row,))
    stands = row.state in (FreezeState.FROZEN, FreezeState.COMING)
    context = {
        "view": view,
        "stands": stands,
        "previewed": _preview(row.schedule) if stands else [],
        "may_end": _may_end(request.principal, row),
        "reason": reason,
        "errors": errors or {},
        "audit": f"{reverse('web:audit')}?{urlencode({'subject': ref('freeze', row.id)})}",
    }
    return render(request, "holds/freeze.html", context, section="holds", status=status)


def _may_end(me: Principal, row: FreezeRow) -> Decision:
    if row.scope.workspace_id is not None:
        return decide(me, Action.FREEZE_MANAGE, workspace_id=row.scope.workspace_id)
    if places(me, Action.FREEZE_MANAGE).everything:
        return Decision(True)
    return Decision(False, "It holds every workspace, and you may not end freezes on all of them.")
