"""The latency budget of an endpoint: what it is held against, who set it, and the forms that propose and decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.inventory import selectors as inventory
from endpoints.inventory.selectors import EndpointPage
from endpoints.metrics import selectors as metrics
from endpoints.metrics.budgets import Limits, describe, effect, needs_second_person
from endpoints.metrics.selectors import BudgetRow, ProposalRow
from endpoints.metrics.services.budget import Proposed, decide_budget, propose_budget, withdraw_budget
from endpoints.web.names import of_refs
from endpoints.web.pages import PageRequest, on_object, page, render, to

FIELDS = ("p95_ms", "failure_percent", "reason")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asks for, and whether this person may decide on it or take it back."""

    id: int
    words: str
    reason: str
    by: str
    at: datetime
    loosens: bool
    may_decide: Decision
    is_own: bool


@dataclass(frozen=True, slots=True)
class BudgetView:
    """The budget in force, and what waits. `words` is "" when there is none."""

    words: str
    since: datetime | None
    set_by: str
    confirmed_by: str
    reason: str
    proposal: Proposal | None
    may_propose: Decision
    href: str


def budget_view(me: Principal, shown: EndpointPage, row: BudgetRow | None) -> BudgetView:
    """What the endpoint's page says of its budget."""
    address = reverse("web:budget", kwargs={"ws": shown.workspace, "name": shown.name})
    return _view(me, shown.id, shown.workspace_id, shown.workspace, row, address)


def _view(
    me: Principal, endpoint_id: int, workspace_id: int, slug: str, row: BudgetRow | None, address: str
) -> BudgetView:
    waiting = metrics.open_proposal(endpoint_id)
    names = of_refs(
        ref
        for ref in (
            row.set_by if row else "",
            row.confirmed_by if row else "",
            waiting.proposed_by if waiting else "",
        )
        if ref
    )
    return BudgetView(
        words=describe(row.limits) if row else "",
        since=row.since if row else None,
        set_by=names.get(row.set_by, row.set_by) if row else "",
        confirmed_by=names.get(row.confirmed_by, row.confirmed_by) if row else "",
        reason=row.reason if row else "",
        proposal=_proposal(me, waiting, row, workspace_id, slug, names) if waiting else None,
        may_propose=decide(me, Action.BUDGET_PROPOSE, workspace_id=workspace_id, workspace=slug),
        href=address,
    )


def _proposal(
    me: Principal,
    waiting: ProposalRow,
    row: BudgetRow | None,
    workspace_id: int,
    slug: str,
    names: dict[str, str],
) -> Proposal:
    kind, _, number = waiting.proposed_by.partition(":")
    own = kind == "user" and number.isdecimal() and me.is_any_of([int(number)])
    return Proposal(
        id=waiting.id,
        words=describe(waiting.limits),
        reason=waiting.reason,
        by=names.get(waiting.proposed_by, waiting.proposed_by),
        at=waiting.proposed_at,
        loosens=needs_second_person(effect(row.limits if row else None, waiting.limits)),
        may_decide=decide(me, Action.BUDGET_DECIDE, workspace_id=workspace_id, workspace=slug, own=own),
        is_own=own,
    )


@page(on_object(Action.BUDGET_VIEW), "GET", "POST")
def budget(request: PageRequest, *, ws: str, name: str) -> HttpResponseBase:
    """The page of an endpoint's budget: in force, waiting, before; and where its forms go."""
    workspace = _workspace(request.principal, ws)
    endpoint_id = inventory.endpoint_id_by_name(workspace.id, name)
    if request.method == "GET":
        return _page(request, workspace, endpoint_id, name)
    typed = {field: request.POST.get(field, "").strip()[:2001] for field in FIELDS}
    try:
        said = _do(request, endpoint_id, typed)
    except Invalid as error:
        return _page(request, workspace, endpoint_id, name, typed=typed, errors=_fields(error), status=422)
    except Conflict as error:
        return _page(
            request, workspace, endpoint_id, name, typed=typed, errors={"": [error.message]}, status=409
        )
    messages.success(request, said)
    return to("budget", ws=ws, name=name)


def _workspace(me: Principal, slug: str) -> WorkspaceRow:
    """Who may decide on budgets need not see the endpoints; all others find nothing where they see nothing."""
    hidden = NotFound(f"There is no workspace {slug}, or you have no role on it.")
    try:
        found = access.workspace(access.workspace_id_by_slug(slug))
    except NotFound as error:  # in the same words, so that nobody learns which workspaces there are
        raise hidden from error
    if not decide(me, Action.BUDGET_VIEW, workspace_id=found.id, workspace=slug):
        raise hidden
    return found


def _do(request: PageRequest, endpoint_id: int, typed: dict[str, str]) -> str:
    """What the pressed button orders, and what to say of it."""
    match request.POST.get("do", ""):
        case "propose":
            return _said(_propose(request.principal, endpoint_id, typed))
        case "accept" | "reject" as verb:
            decide_budget(
                principal=request.principal,
                endpoint_id=endpoint_id,
                proposal_id=_number(request, endpoint_id),
                accept=verb == "accept",
                comment=request.POST.get("comment", "")[:2001],
            )
            return "The budget is in force from now on." if verb == "accept" else "The proposal was rejected."
        case "withdraw":
            withdraw_budget(
                principal=request.principal,
                endpoint_id=endpoint_id,
                proposal_id=_number(request, endpoint_id),
            )
            return "The proposal was withdrawn."
        case _:
            raise Invalid("The form did not say what to do. Nothing was changed.")


def _number(request: PageRequest, endpoint_id: int) -> int:
    """The proposal that the form was about: it must be the one of this endpoint that still waits."""
    waiting = metrics.open_proposal(endpoint_id)
    if waiting is None or request.POST.get("proposal", "") != str(waiting.id):
        raise Conflict("This proposal waits no longer. Nothing was decided.")
    return waiting.id


def _propose(me: Principal, endpoint_id: int, typed: dict[str, str]) -> Proposed:
    percent = _limit("failure_percent", typed["failure_percent"])
    return propose_budget(
        principal=me,
        endpoint_id=endpoint_id,
        p95_ms=_limit("p95_ms", typed["p95_ms"]),
        failure_share=None if percent is None else percent / 100,
        reason=typed["reason"],
    )


def _limit(field: str, text: str) -> float | None:
    """A number, or None for an empty field: no limit."""
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Invalid({field: [f"“{text[:40]}” is not a number. Nothing was proposed."]}) from None


def _fields(error: Invalid) -> dict[str, list[str]]:
    """The form asks for percent, the service for a share."""
    return {
        ("failure_percent" if name == "failure_share" else name): texts
        for name, texts in error.fields.items()
    }


def _said(found: Proposed) -> str:
    if found.in_force:
        return "The budget is in force from now on."
    return "Proposed. It counts once somebody who may decide has accepted it; until then nothing changes."


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    endpoint_id: int,
    name: str,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me, row = request.principal, metrics.budget_at(endpoint_id)
    address = reverse("web:budget", kwargs={"ws": workspace.slug, "name": name})
    history = metrics.budget_history(endpoint_id)
    context: dict[str, Any] = {
        "workspace": workspace,
        "name": name,
        "view": _view(me, endpoint_id, workspace.id, workspace.slug, row, address),
        "history": history,
        "names": of_refs(ref for one in history for ref in (one.set_by, one.confirmed_by) if ref),
        "describe": describe,
        "may_see": bool(decide(me, Action.VIEW, workspace_id=workspace.id)),
        "may_decide": decide(me, Action.BUDGET_DECIDE, workspace_id=workspace.id, own=False),
        "typed": typed or _in_force(row.limits if row else None),
        "errors": errors or {},
    }
    return render(request, "endpoint/budget.html", context, section="fleet", status=status)


def _in_force(limits: Limits | None) -> dict[str, str]:
    """The form begins with what counts now: one changes a number, and doesn't drop the other by oversight."""
    p95, failures = (limits.p95_ms, limits.failure_share) if limits else (None, None)
    return {
        "p95_ms": "" if p95 is None else f"{p95:g}",
        "failure_percent": "" if failures is None else f"{failures * 100:g}",
        "reason": "",
    }
