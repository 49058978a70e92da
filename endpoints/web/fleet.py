"""The fleet: every endpoint that the person may see, worst first, with counts that are filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import Invalid
from endpoints.inventory import selectors as inventory
from endpoints.inventory.marks import Severity
from endpoints.inventory.selectors import FleetCounts, FleetPage, FleetRow, Freshness
from endpoints.metrics.selectors.beside import brief_beside, brief_of
from endpoints.web import display, exports
from endpoints.web.asof import asked as moment_asked
from endpoints.web.fleet_then import fleet_then
from endpoints.web.fresh import chip_of_all, trouble_of
from endpoints.web.pages import SIGNED_IN, PageRequest, is_partial, on_workspace, page, partial, render
from endpoints.web.sparks import measured

PAGE = 50
OVER_BUDGET = "over-budget"
"""The mark that collecting metrics leaves on an endpoint."""
# Counts as filters: what the filter is called, what it says, and its sign.
TILES = (
    ("bad", "failed, broken or over budget", "bad"),
    (OVER_BUDGET, "over their latency budget", "bad"),
    ("unknown", "cannot tell", "unknown"),
    ("warn", "drifted or need a look", "warn"),
    ("running", "at work in Azure", "running"),
    ("quiet", "quiet", "quiet"),
)
FIGURES = (
    "metrics_state", "metrics_minute", "requests", "p95", "budget_p95", "failure_share", "over_budget",
)  # fmt: skip
COLUMNS = (
    "workspace", "environment", "name", "status", "provisioning_state", "traffic", "mirror_traffic", "owner",
    "auth_mode", "public_network_access", "location", "marks", "deployments", "read_at", *FIGURES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as given in the address."""

    q: str = ""
    state: str = ""
    ws: str = ""
    cursor: str = ""

    @property
    def text(self) -> str:
        """The room's filter text: what was typed, and the tile that was chosen."""
        return f"{self.q} state:{self.state}" if self.state else self.q

    def query(self, **changes: str) -> str:
        """The address's query with some filters changed; the place in the list is dropped."""
        given = {"q": self.q, "state": self.state, "ws": self.ws} | changes
        return urlencode({key: value for key, value in given.items() if value})


@page(SIGNED_IN)
def fleet(request: PageRequest) -> HttpResponseBase:
    """All workspaces, or the one that the filter names."""
    return _answer(request, _asked(request.GET), reverse("web:fleet"))


@page(on_workspace(Action.VIEW))
def workspace_fleet(request: PageRequest, *, workspace: WorkspaceRow) -> HttpResponseBase:
    """One workspace: the same table."""
    address = reverse("web:workspace", kwargs={"ws": workspace.slug})
    return _answer(request, _asked(request.GET), address, workspace)


def _asked(query: QueryDict) -> Asked:
    states = {name for name, _, _ in TILES}
    state = query.get("state", "")
    return Asked(
        q=query.get("q", "").strip()[:200],
        state=state if state in states else "",
        ws=query.get("ws", "")[:63],
        cursor=query.get("after", "")[:300],
    )


def _answer(
    request: PageRequest, asked: Asked, address: str, workspace: WorkspaceRow | None = None
) -> HttpResponseBase:
    if when := moment_asked(request):
        return fleet_then(request, when, workspace)
    seen = inventory.places(request.principal)
    wanted = workspace.slug if workspace else asked.ws
    chosen = {one.workspace.id: one for one in seen if wanted in ("", one.workspace.slug)}
    ages = {number: one.freshness for number, one in chosen.items()}
    if request.GET.get("format") in ("csv", "json"):
        return _export(ages, asked, request.GET["format"])
    found = _rows(ages, asked)
    counts = inventory.fleet_counts(
        ages,
        text=asked.q,
        ages={one.workspace.id: one.freshness for one in seen},
        mark=(OVER_BUDGET, Severity.WARN),
    )
    context = _rows_context(asked, found, counts, address, workspace)
    context |= {
        "workspaces": [one.workspace for one in seen],
        "may_connect": decide(request.principal, Action.WORKSPACE_CONNECT).allowed,
        "here": request.get_full_path(),
        "fresh": chip_of_all(ages.values()),
        "trouble": trouble_of((one.workspace.slug, one.freshness) for one in chosen.values()),
    }
    if is_partial(request):
        return partial(request, "partials/fleet_rows.html", context)
    context |= {
        "title": workspace.slug if workspace else "Fleet",
        "filters": asked,
        "period": min((one.cadence_seconds or 30 for one in ages.values()), default=30),
        "exports": {kind: f"{address}?{asked.query(format=kind)}" for kind in ("csv", "json")},
    }
    return render(request, "fleet.html", context, section="fleet", endpoints=counts.known)


def _rows(ages: Mapping[int, Freshness], asked: Asked) -> FleetPage:
    """A page that is not there any more is the first one: lists move while people read them."""
    try:
        return inventory.fleet_rows(
            ages, text=asked.text, cursor=asked.cursor, limit=PAGE, ages=ages, beside=brief_beside()
        )
    except Invalid:
        return inventory.fleet_rows(ages, text=asked.text, limit=PAGE, ages=ages, beside=brief_beside())


def _rows_context(
    asked: Asked,
    found: FleetPage,
    counts: FleetCounts,
    address: str,
    workspace: WorkspaceRow | None,
) -> dict[str, Any]:
    now = display.current().moment()
    numbers = {**counts.by_severity, OVER_BUDGET: counts.marked}
    return {
        "rows": [(row, measured(brief_of(row.id, row.beside, now), now)) for row in found.rows],
        "problems": found.problems,
        "workspace": workspace,
        "action": address,
        "filtered": bool(asked.q or asked.state or asked.ws),
        "words": _words(asked),
        "total": counts.total if found.rows else counts.known,
        "tiles": [_tile(asked, address, numbers, *tile) for tile in TILES],
        "pages": {
            "first": f"{address}?{asked.query()}" if asked.cursor else "",
            "next": f"{address}?{asked.query(after=found.next_cursor)}" if found.next_cursor else "",
        },
    }


def _words(asked: Asked) -> str:
    """The filters as one line, for the list that came out empty."""
    labels = {state: label for state, label, _ in TILES}
    return ", ".join(filter(None, [asked.q and f"“{asked.q}”", labels.get(asked.state, ""), asked.ws]))


def _tile(
    asked: Asked, address: str, numbers: Any, state: str, label: str, kind: str
) -> dict[str, str | int | bool]:
    number = numbers.get(state, 0)
    if state == Severity.QUIET.word:
        number += numbers.get(Severity.WAITING.word, 0)
    current = asked.state == state
    return {
        "href": f"{address}?{asked.query(state='' if current else state)}",
        "count": number,
        "label": label,
        "kind": kind,
        "current": current,
    }


def _export(ages: Mapping[int, Freshness], asked: Asked, form: str) -> HttpResponseBase:
    rows: list[FleetRow] = []
    cursor, complete = "", False
    while not complete and len(rows) < exports.LIMIT:
        found = inventory.fleet_rows(
            ages, text=asked.text, cursor=cursor, limit=500, ages=ages, beside=brief_beside()
        )
        rows += found.rows
        cursor = found.next_cursor
        complete = not cursor
    shown = [_exported(row) for row in rows]
    name = f"fleet-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if form == "csv":
        return exports.as_csv(name, COLUMNS, shown)
    about = {"made_at": datetime.now(UTC), "filter": asked.text, "workspace": asked.ws, "complete": complete}
    return exports.as_json(name, COLUMNS, shown, about=about)


def _exported(row: FleetRow) -> dict[str, Any]:
    values: dict[str, Any] = {column: getattr(row, column) for column in COLUMNS if column not in FIGURES}
    brief = brief_of(row.id, row.beside, datetime.now(UTC))
    values |= {column: getattr(brief, column) for column in FIGURES[2:]}
    values |= {"metrics_state": str(brief.state), "metrics_minute": brief.minute}
    values["marks"] = [mark.code for mark in row.marks]
    values["deployments"] = [
        {
            "name": one.name,
            "state": one.provisioning_state,
            "model": one.model,
            "instances": one.instance_count,
        }
        for one in row.deployments
    ]
    return values
