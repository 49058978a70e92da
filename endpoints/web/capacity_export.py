"""Lists of capacity as files of any length, with the page's filters: CSV, JSON, and cost rows as FOCUS has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpResponseBase, QueryDict

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, require, visible_workspaces
from endpoints.capacity import focus
from endpoints.capacity.causes import Cause
from endpoints.capacity.life import State
from endpoints.capacity.proposals import Kind
from endpoints.capacity.selectors import exports as room
from endpoints.capacity.selectors.daily import Wanted
from endpoints.capacity.selectors.findings import Query
from endpoints.core.errors import Invalid
from endpoints.core.sheets import csv_pieces, json_pieces
from endpoints.inventory.selectors import endpoint_id_by_name
from endpoints.web import exports
from endpoints.web.pages import SIGNED_IN, PageRequest, page

USUAL_DAYS = 30
NOBODY = "none"
"""In place of an owner or a team: where nobody is named."""
FILTERS = ("ws", "endpoint", "since", "until", "cause", "part", "owner", "team", "state", "kind", "q")
CSV = "text/csv; charset=utf-8"


@page(SIGNED_IN)
def as_csv(request: PageRequest) -> HttpResponseBase:
    """The list that `what` names."""
    columns, rows = _asked(request)
    name = f"{_name(request.GET.get('what', ''))}.csv"
    return exports.streamed(request, csv_pieces(columns, rows), name, CSV)


@page(SIGNED_IN)
def as_json(request: PageRequest) -> HttpResponseBase:
    """The same, after the filters that were asked for."""
    _, rows = _asked(request)
    what = request.GET.get("what", "")
    filters = {name: value for name in FILTERS if (value := _text(request.GET, name))}
    head = {"what": what, "made_at": datetime.now(UTC), "zone": "UTC", "filters": filters}
    return exports.streamed(request, json_pieces(head, rows), f"{_name(what)}.json", "application/json")


@page(SIGNED_IN)
def as_focus(request: PageRequest) -> HttpResponseBase:
    """Days as cost rows."""
    rows = room.focus_for_file(wanted_days(request.principal, request.GET))
    return exports.streamed(request, csv_pieces(focus.HEADER, rows, mark=""), f"{_name('focus')}.csv", CSV)


def wanted_days(me: Principal, query: QueryDict) -> Wanted:
    """The ledger's rows that filters ask for; by default of the last 30 days, today included."""
    ids = reach(me, query)
    until = _day(query, "until") or datetime.now(UTC).date() + timedelta(days=1)
    since = _day(query, "since") or until - timedelta(days=min(USUAL_DAYS, (until - date.min).days))
    if since >= until:
        raise Invalid({"until": ["It must come after since."]})
    return Wanted(
        workspace_ids=ids,
        since=since,
        until=until,
        cause=_one_of(query, "cause", [*Cause]),
        owner=_named(query, "owner"),
        team=_named(query, "team"),
        endpoint_id=_endpoint(query, ids),
        part=_text(query, "part"),
    )


def wanted_findings(me: Principal, query: QueryDict) -> Query:
    """The findings that filters ask for. States and kinds: several with commas between, or given several times."""
    ids = reach(me, query)
    return Query(
        workspace_ids=ids,
        states=_several(query, "state", [*State]),
        kinds=_several(query, "kind", [*Kind]),
        owner=_text(query, "owner"),
        team=_text(query, "team"),
        text=_text(query, "q"),
        endpoint_id=_endpoint(query, ids),
    )


def reach(me: Principal, query: QueryDict) -> list[int]:
    """The workspace that is named, or all whose capacity may be seen."""
    slug = _text(query, "ws")
    if not slug:
        return sorted(visible_workspaces(me, Action.CAPACITY_VIEW))
    found = access.workspace_by_slug(me, slug, Action.CAPACITY_VIEW)
    require(me, Action.CAPACITY_VIEW, workspace_id=found.id, workspace=found.slug)
    return [found.id]


def _asked(request: PageRequest) -> tuple[Sequence[str], Iterator[dict[str, Any]]]:
    what, me = request.GET.get("what", ""), request.principal
    if what == "days":
        return room.DAYS, room.days_for_file(wanted_days(me, request.GET))
    if what == "findings":
        return room.FINDINGS, room.findings_for_file(wanted_findings(me, request.GET))
    if what == "savings":
        return room.SAVINGS, room.savings_for_file(reach(me, request.GET))
    if what == "unit-costs":
        wanted = wanted_days(me, request.GET)
        return room.UNIT_COSTS, room.unit_costs_for_file(wanted.workspace_ids, wanted.since, wanted.until)
    raise Invalid({"what": ["Say which list: days, findings, savings or unit-costs."]})


def _name(what: str) -> str:
    return f"capacity-{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _text(query: QueryDict, name: str) -> str:
    return query.get(name, "").strip()[:200]


def _named(query: QueryDict, name: str) -> str | None:
    """A person or team; "" where nobody is named; None: any."""
    text = _text(query, name)
    return "" if text == NOBODY else text or None


def _day(query: QueryDict, name: str) -> date | None:
    text = _text(query, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid({name: ["Give a day as 2026-11-25."]}) from error


def _one_of(query: QueryDict, name: str, words: Sequence[str]) -> str:
    text = _text(query, name)
    if text and text not in words:
        raise Invalid({name: [f"There are {', '.join(words)}."]})
    return text


def _several(query: QueryDict, name: str, words: Sequence[str]) -> list[str]:
    found = [word.strip() for given in query.getlist(name) for word in given.split(",") if word.strip()]
    if any(word not in words for word in found):
        raise Invalid({name: [f"There are {', '.join(words)}."]})
    return found


def _endpoint(query: QueryDict, workspace_ids: list[int]) -> int | None:
    name = _text(query, "endpoint")
    if not name:
        return None
    if not _text(query, "ws"):
        raise Invalid({"endpoint": ["Name the workspace too: endpoints of one name exist in several."]})
    return endpoint_id_by_name(workspace_ids[0], name)
