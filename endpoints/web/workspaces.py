"""Connected workspaces: how their reading goes, and connecting one more after asking Azure what is allowed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase

from endpoints.access import selectors as access
from endpoints.access import services
from endpoints.access.policies import Action, Principal, decide, visible_workspaces
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.core.ids import parse_workspace_id
from endpoints.inventory.selectors import freshness_of
from endpoints.inventory.services import request_sync
from endpoints.inventory.services.access_check import AccessReport, check_access
from endpoints.metrics.services import request_reading
from endpoints.web.fresh import chip
from endpoints.web.pages import (
    SIGNED_IN,
    PageRequest,
    back,
    is_partial,
    on_installation,
    page,
    partial,
    render,
    to,
)

FIELDS = ("arm_id", "slug", "environment", "region")
NOTHING_TYPED = dict.fromkeys(FIELDS, "") | {"environment": "production"}


@page(SIGNED_IN, "GET", "POST")
def workspaces(request: PageRequest) -> HttpResponseBase:
    """The list; for administrators also the form that tests and connects."""
    if request.method == "GET":
        return _page(request)
    typed = {name: request.POST.get(name, "").strip()[:500] for name in FIELDS}
    try:
        if request.POST.get("do") == "test":
            return _page(request, typed, report=_ask_azure(request.principal, typed["arm_id"]))
        services.connect_workspace(principal=request.principal, **typed)
    except Invalid as error:
        return _page(request, typed, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, typed, errors={"": [error.message]}, status=409)
    messages.success(request, f"{typed['slug']} is connected. Its endpoints appear after the first read.")
    return to("workspaces")


def _ask_azure(me: Principal, arm_id: str) -> AccessReport:
    decide_connect = decide(me, Action.WORKSPACE_CONNECT)
    if not decide_connect:
        raise Invalid({"": [decide_connect.reason]})
    try:
        parse_workspace_id(arm_id)
    except ValueError as error:
        raise Invalid({"arm_id": [str(error)]}) from error
    return check_access(arm_id)


def _page(
    request: PageRequest,
    typed: dict[str, str] | None = None,
    *,
    errors: dict[str, list[str]] | None = None,
    report: AccessReport | None = None,
    status: int = 200,
) -> HttpResponseBase:
    context: dict[str, Any] = {"lines": _lines(request.principal), "here": request.path}
    if is_partial(request):
        return partial(request, "partials/workspace_rows.html", context)
    context |= {
        "may_connect": decide(request.principal, Action.WORKSPACE_CONNECT),
        "typed": typed or NOTHING_TYPED,
        "errors": errors or {},
        "report": report,
    }
    return render(request, "settings/workspaces.html", context, section="workspaces", status=status)


def _known(me: Principal) -> list[WorkspaceRow]:
    """Every workspace for who connects them, else those that one may see."""
    return access.all_workspaces(me) if decide(me, Action.ACCESS_VIEW) else access.workspaces(me)


def _lines(me: Principal) -> list[dict[str, Any]]:
    known, visible = _known(me), visible_workspaces(me)
    ages = freshness_of([one.id for one in known])
    return [
        {
            "workspace": one,
            "fresh": ages[one.id],
            "chip": chip(ages[one.id].read_at, ages[one.id].cadence_seconds),
            "visible": one.id in visible,
            "may_sync": decide(me, Action.WORKSPACE_SYNC, workspace_id=one.id, workspace=one.slug),
            "may_disconnect": bool(decide(me, Action.WORKSPACE_CONNECT)) and one.disconnected_at is None,
        }
        for one in known
    ]


@page(SIGNED_IN, "POST")
def sync(request: PageRequest, *, ws: str) -> HttpResponseBase:
    """Read a workspace now. Administrators may, though they see nothing in it."""
    workspace = _by_slug(request.principal, ws)
    request_sync(principal=request.principal, workspace_id=workspace.id, workspace=workspace.slug)
    request_reading(principal=request.principal, workspace_id=workspace.id, workspace=workspace.slug)
    messages.success(request, f"{workspace.slug} is read as soon as Azure allows.")
    return back(request, "/settings/workspaces")


def _by_slug(me: Principal, slug: str) -> WorkspaceRow:
    found = next((one for one in _known(me) if one.slug == slug), None)
    if found is None:
        raise NotFound(f"There is no workspace {slug}, or you have no role on it.")
    return found


@page(on_installation(Action.WORKSPACE_CONNECT), "POST")
def disconnect(request: PageRequest, *, number: int) -> HttpResponseBase:
    """Stop reading a workspace, after its name was typed. Nothing changes in Azure, and history is kept."""
    workspace = access.workspace(number)
    if request.POST.get("typed", "").strip() != workspace.slug:
        raise Invalid(f"To disconnect {workspace.slug}, type its name. Nothing was disconnected.")
    services.disconnect_workspace(
        principal=request.principal, workspace_id=number, reason=request.POST.get("reason", "")
    )
    messages.success(request, f"{workspace.slug} is disconnected. Its history stays.")
    return to("workspaces")
