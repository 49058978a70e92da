"""The fleet as of a moment: which endpoints there were, where their traffic went, and how sure that is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.selectors import ActiveThen, active_then
from endpoints.inventory import selectors as inventory
from endpoints.inventory.assets import short
from endpoints.inventory.selectors import DeploymentThen, FleetRowThen
from endpoints.metrics import selectors as metrics
from endpoints.metrics.budgets import describe
from endpoints.web.asof import Sure, When, frame, one_or, sureness
from endpoints.web.pages import PageRequest, render

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint. `now` is how sure today's knowledge is, where it says something else than was known then."""

    row: FleetRowThen
    sure: Sure
    traffic: str
    mirror: str
    state: str
    deployments: list[str]
    active: ActiveThen | None
    budget: str
    now: Sure | None
    now_traffic: str
    href: str


def fleet_then(request: PageRequest, when: When, workspace: WorkspaceRow | None) -> HttpResponseBase:
    """The page: of all workspaces that the person may see, those that were disconnected since included, or of one."""
    text, cursor = request.GET.get("q", "").strip()[:200], request.GET.get("after", "")[:300]
    wanted = workspace.slug if workspace else request.GET.get("ws", "")[:63]
    seen = access.workspaces(request.principal)
    found = inventory.fleet_as_of(
        [one.id for one in seen if wanted in ("", one.slug)],
        when.at,
        known=when.known,
        text=text,
        cursor=cursor,
        limit=PAGE,
    )
    lines = _lines(found.rows, when)
    kept = {"q": text, "ws": request.GET.get("ws", "")[:63]}
    first = when.link(f"{request.path}?{urlencode({k: v for k, v in kept.items() if v})}".rstrip("?"))
    context: dict[str, Any] = frame(when) | {
        "title": workspace.slug if workspace else "Fleet",
        "workspace": workspace,
        "lines": lines,
        "counts": Counter(line.sure.text for line in lines),
        "problems": found.problems,
        "gone": found.gone,
        "q": text,
        "ws": kept["ws"],
        "pages": {
            "first": first if cursor else "",
            "next": f"{first}&{urlencode({'after': found.next_cursor})}" if found.next_cursor else "",
        },
    }
    return render(request, "fleet_then.html", context, section="fleet")


def _lines(rows: tuple[FleetRowThen, ...], when: When) -> list[Line]:
    numbers = [row.id for row in rows]
    active, budgets = active_then(numbers, when.at), metrics.budgets_at(numbers, when.at)
    return [
        Line(
            row=row,
            sure=sureness(row.then),
            traffic=one_or(row.then, "traffic"),
            mirror=_mirror(row),
            state=one_or(row.then, "provisioning_state"),
            deployments=[_brief(one) for one in row.deployments],
            active=active.get(row.id),
            budget=describe(budgets[row.id].limits) if row.id in budgets else "",
            now=sureness(row.now_known) if row.corrected else None,
            now_traffic=one_or(row.now_known, "traffic"),
            href=when.link(reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.name})),
        )
        for row in rows
    ]


def _mirror(row: FleetRowThen) -> str:
    return (
        one_or(row.then, "mirror_traffic")
        if any(s.state.get("mirror_traffic") for s in row.then.states)
        else ""
    )


def _brief(one: DeploymentThen) -> str:
    """`blue risk:7`, `green risk:7 or risk:8`, `red unknown`."""
    models = [short(str(state.state.get("model", ""))) for state in one.states if not state.deleted]
    told = " or ".join(dict.fromkeys(model for model in models if model))
    return f"{one.name} {told or 'unknown'}"
