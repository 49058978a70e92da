"""Rollout templates of a workspace: plans to be used again. They decide nothing: what is made of one is reviewed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.draft import planned, walk
from endpoints.changes.selectors import TemplateRow, template, templates
from endpoints.changes.services.templates import end_template, make_template
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.web import change_view as view
from endpoints.web import plan_form
from endpoints.web.gate_form import words as gate_words
from endpoints.web.pages import SIGNED_IN, PageRequest, is_partial, on_object, page, partial, render, to
from endpoints.web.plan_form import PlanTyped
from endpoints.web.settings_of import number_typed, workspace_of, workspaces_of


@page(SIGNED_IN)
def templates_index(request: PageRequest) -> HttpResponseBase:
    """The workspaces that have templates; straight on where there is one alone."""
    found = workspaces_of(request.principal)
    if len(found) == 1:
        return to("templates", ws=found[0].slug)
    context = {"heading": "Rollout templates", "page": "templates", "workspaces": found}
    return render(request, "settings/choose_workspace.html", context, section="templates_index")


@page(on_object(Action.RULES_VIEW), "GET", "POST")
def rollout_templates(request: PageRequest, *, ws: str) -> HttpResponseBase:
    """The list, and the form that makes one."""
    workspace = workspace_of(request.principal, ws)
    if request.method == "GET":
        return _page(request, workspace)
    plan = plan_form.typed({key: str(value) for key, value in request.POST.items()})
    verb, _, number = request.POST.get("do", "").partition(":")
    if verb in ("add", "remove"):
        changed = plan.with_row() if verb == "add" else plan.without_row(number_typed(number))
        return _steps(request, workspace, changed, fresh=verb == "add")
    try:
        said = _do(request, workspace, verb, plan)
    except Invalid as error:
        return _page(request, workspace, plan=plan, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, workspace, plan=plan, errors={"": [error.message]}, status=409)
    messages.success(request, said)
    return to("templates", ws=ws)


def _do(request: PageRequest, workspace: WorkspaceRow, verb: str, plan: PlanTyped) -> str:
    me = request.principal
    if verb == "end":
        end_template(principal=me, template_id=_template(request, workspace).id)
        return "The template is offered no more. Changes that were made of it stay as they are."
    if verb not in ("", "make"):
        raise Invalid("The form did not say what to do. Nothing was changed.")
    name = request.POST.get("name", "")[:200]
    steps, terms = plan_form.walk_of(plan)
    make_template(principal=me, workspace_id=workspace.id, name=name, steps=steps, terms=terms)
    return f"The template {name.strip()} is stored."


def _template(request: PageRequest, workspace: WorkspaceRow) -> TemplateRow:
    """The one that the form is about, which must be of this workspace."""
    try:
        found = template(request.principal, number_typed(request.POST.get("template", "")))
    except NotFound:
        raise Conflict("There is no such template here. Nothing was changed.") from None
    if found.workspace_id != workspace.id:
        raise Conflict("There is no such template here. Nothing was changed.")
    return found


def _steps(
    request: PageRequest, workspace: WorkspaceRow, plan: PlanTyped, *, fresh: bool
) -> HttpResponseBase:
    if not is_partial(request):
        return _page(request, workspace, plan=plan)
    here = reverse("web:templates", kwargs={"ws": workspace.slug})
    context = {"plan": plan, "here": here, "errors": {}, "fresh_row": len(plan.steps) if fresh else 0}
    return partial(request, "partials/plan_steps.html", context)


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    *,
    plan: PlanTyped | None = None,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me, ended = request.principal, request.GET.get("ended") == "1"
    before = number_typed(request.GET.get("before", "")) or None
    found = templates(me, workspace.id, ended=ended, before=before)
    here = reverse("web:templates", kwargs={"ws": workspace.slug})
    kept = f"{here}?ended=1" if ended else f"{here}?"
    context: dict[str, Any] = {
        "workspace": workspace,
        "lines": [_line(row) for row in found.rows],
        "names": access.users_by_ids(one for row in found.rows for one in (row.made_by, row.ended_by)),
        "here": here,
        "ended": ended,
        "pages": {
            "first": kept.rstrip("?") if before else "",
            "next": f"{kept}&before={found.older}" if found.older else "",
        },
        "may": decide(me, Action.RULES_PROPOSE, workspace_id=workspace.id, workspace=workspace.slug),
        "plan": plan or plan_form.usual("", has_budget=False),
        "name": request.POST.get("name", "")[:200],
        "errors": errors or {},
    }
    return render(request, "settings/templates.html", context, section="templates_index", status=status)


def _line(row: TemplateRow) -> dict[str, Any]:
    """Its steps as they would be on an endpoint with one stable deployment."""
    steps = planned(walk({"stable": 100}, "candidate", row.steps, row.terms), {})
    return {
        "row": row,
        "steps": [
            (step.split.get("candidate", 0), line.note)
            for step, line in zip(steps, view.plan_lines(steps, row.terms), strict=True)
        ],
        "gates": [gate_words(gate) for gate in row.terms.gates],
        "terms": view.terms_words(row.terms),
    }
