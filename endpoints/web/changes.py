"""The list of changes: what waits for me, what is open, what is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Principal
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.selectors import ChangeRow, Tab, change_rows, waiting_count
from endpoints.core import traffic
from endpoints.web import capacity_words as words
from endpoints.web import exports
from endpoints.web.bars import order_of
from endpoints.web.change_view import heading_of
from endpoints.web.names import change_number
from endpoints.web.pages import SIGNED_IN, PageRequest, is_partial, page, partial, render
from endpoints.web.states import EMERGENCY, Sign, sign_of
from endpoints.web.wording import split as split_words

TABS = {Tab.WAITING: "Waiting for me", Tab.OPEN: "Open", Tab.CLOSED: "Closed"}
EMPTY = {
    Tab.WAITING: ("Nothing waits for you", "Changes that you may review or start appear here."),
    Tab.OPEN: ("No change is open", "A change is asked for on its endpoint's page."),
    Tab.CLOSED: ("No change has ended yet", "Done, rejected, withdrawn and expired changes appear here."),
}
COLUMNS = (
    "number", "kind", "state", "endpoint", "workspace", "before", "after", "author", "created_at", "started_at",
    "ended_at", "what", "origin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One change as the list shows it. `begins` and `ends` in words; `is_split`: they are splits, and can be drawn."""

    number: int
    marks: tuple[str, ...]
    sign: Sign
    endpoint: str
    workspace: str
    before: traffic.Split
    after: traffic.Split
    order: list[str]
    author: str
    at: datetime
    href: str
    endpoint_href: str
    begins: str
    ends: str
    is_split: bool

    @property
    def rollback(self) -> bool:
        return "rollback" in self.marks


@page(SIGNED_IN)
def change_list(request: PageRequest) -> HttpResponseBase:
    """One tab of the list, as a page or as a file."""
    me, query = request.principal, request.GET
    tab = Tab(query["state"]) if query.get("state") in TABS else _first_tab(me)
    if query.get("format") in ("csv", "json"):
        return _export(me, tab, query["format"])
    found = change_rows(me, tab=tab, before=change_number(query.get("before", "")))
    here = reverse("web:changes")
    context = {
        "rows": lines(found.rows, mine=tab is Tab.WAITING),
        "empty": dict(zip(("title", "text"), EMPTY[tab], strict=True)),
        "here": request.get_full_path(),
        "pages": {
            "first": f"{here}?state={tab}" if query.get("before") else "",
            "next": f"{here}?{urlencode({'state': tab.value, 'before': found.older})}" if found.older else "",
        },
    }
    if is_partial(request):
        return partial(request, "partials/change_rows.html", context)
    context["tab_items"] = [_tab(one, tab, me) for one in TABS]
    context["exports"] = {kind: f"{here}?state={tab}&format={kind}" for kind in ("csv", "json")}
    return render(request, "changes/list.html", context, section="changes")


def _first_tab(me: Principal) -> Tab:
    return Tab.WAITING if waiting_count(me) else Tab.OPEN


def _tab(tab: Tab, current: Tab, me: Principal) -> dict[str, Any]:
    return {
        "label": TABS[tab],
        "href": f"{reverse('web:changes')}?state={tab}",
        "current": tab is current,
        "count": waiting_count(me) if tab is Tab.WAITING else None,
        "due": tab is Tab.WAITING,
    }


def lines(rows: list[ChangeRow], *, mine: bool = False) -> list[Line]:
    """Rows with their author's name, their sign, and one order of patterns for both bars."""
    authors = access.users_by_ids(row.author_id for row in rows)
    return [_line(row, authors.get(row.author_id, "unknown"), mine) for row in rows]


def _line(row: ChangeRow, author: str, mine: bool) -> Line:
    is_split = not words.is_capacity(row.kind, row.before, row.steps)
    return Line(
        number=row.id,
        marks=marks_of(row),
        sign=sign_of(
            row.state,
            kind=row.kind,
            mine_to_review=mine and row.state is State.IN_REVIEW,
            hold=row.hold,
            scream=words.deletes(row.steps),
        ),
        endpoint=row.endpoint,
        workspace=row.workspace,
        before=row.before,
        after=row.after,
        order=order_of(row.before, row.after),
        author=author,
        at=row.ended_at or row.started_at or row.created_at,
        href=reverse("web:live" if row.active else "web:change", kwargs={"number": row.id}),
        endpoint_href=reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.endpoint}),
        begins=split_words(row.before) if is_split else words.begin(row.steps),
        ends=words.outcome(row.kind, row.before, row.steps),
        is_split=is_split,
    )


def marks_of(row: ChangeRow) -> tuple[str, ...]:
    """What a change is beside an ordinary one, for whoever reads its name."""
    kinds = {
        Kind.ROLLBACK: ("rollback",),
        Kind.DRILL: ("drill",),
        Kind.CAPACITY: ("capacity",),
    }.get(row.kind, ())
    return (*kinds, EMERGENCY) if row.emergency else kinds


def _what(row: ChangeRow) -> str:
    """The heading without the number: `scale basket-upsell/blue to 2 instances`."""
    return heading_of(row.number, row.kind, row.endpoint, row.before, row.steps).partition(": ")[2]


def _export(me: Principal, tab: Tab, form: str) -> HttpResponseBase:
    found = change_rows(me, tab=tab, limit=exports.LIMIT)
    authors = access.users_by_ids(row.author_id for row in found.rows)
    rows = [
        {column: getattr(row, column, None) for column in COLUMNS}
        | {"author": authors.get(row.author_id, ""), "what": _what(row)}
        for row in found.rows
    ]
    name = f"changes-{tab}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if form == "csv":
        return exports.as_csv(name, COLUMNS, rows)
    about = {"made_at": datetime.now(UTC), "tab": tab, "complete": found.older is None}
    return exports.as_json(name, COLUMNS, rows, about=about)
