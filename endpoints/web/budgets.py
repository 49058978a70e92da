"""All latency budgets that wait for a decision, in the workspaces whose budgets this person may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide
from endpoints.core.ids import split_ref
from endpoints.metrics import selectors as metrics
from endpoints.metrics.budgets import describe, effect, needs_second_person
from endpoints.metrics.selectors import WaitingRow
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One proposal. `due`: this person may decide on it; else `why_not` says why."""

    href: str
    endpoint: str
    workspace: str
    before: str
    after: str
    loosens: bool
    by: str
    at: datetime
    reason: str
    due: bool
    why_not: str


@page(SIGNED_IN)
def budgets(request: PageRequest) -> HttpResponseBase:
    """The list, what waits longest first."""
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    found = metrics.waiting_proposals(_places(request.principal), after=after, limit=PAGE)
    names = of_refs(row.proposal.proposed_by for row in found.rows)
    home = reverse("web:budgets")
    return render(
        request,
        "budgets.html",
        {
            "lines": [_line(request, row, names) for row in found.rows],
            "pages": {
                "first": home if after else "",
                "next": f"{home}?after={found.next_after}" if found.next_after else "",
            },
        },
        section="budgets",
    )


def _places(me: Principal) -> list[int]:
    """Also those of an administrator, who sees nothing else in them."""
    seen = access.connected_workspaces()
    return [row.id for row in seen if decide(me, Action.BUDGET_VIEW, workspace_id=row.id)]


def _line(request: PageRequest, row: WaitingRow, names: dict[str, str]) -> Line:
    one, me = row.proposal, request.principal
    kind, number = split_ref(one.proposed_by)
    own = kind == "user" and number.isdecimal() and me.is_any_of([int(number)])
    may = decide(me, Action.BUDGET_DECIDE, workspace_id=row.workspace_id, workspace=row.workspace, own=own)
    return Line(
        href=reverse("web:budget", kwargs={"ws": row.workspace, "name": row.endpoint}),
        endpoint=row.endpoint,
        workspace=row.workspace,
        before=describe(row.before) if row.before else "none",
        after=describe(one.limits),
        loosens=needs_second_person(effect(row.before, one.limits)),
        by=names.get(one.proposed_by, one.proposed_by),
        at=one.proposed_at,
        reason=one.reason,
        due=may.allowed,
        why_not=may.reason,
    )
