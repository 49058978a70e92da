"""Stop the line, see who stopped it and why, and lift the stop: two clicks and a reason each."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import ref
from endpoints.holds import selectors
from endpoints.holds.rows import StopRow
from endpoints.holds.services import lift_stop, stop_the_line
from endpoints.inventory import selectors as inventory
from endpoints.web.banners import stopped
from endpoints.web.hold_form import EVERYTHING, places
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render, to

PAGE = 50
_LARGEST = 10**15


@page(SIGNED_IN, "GET", "POST")
def stop_line(request: PageRequest) -> HttpResponseBase:
    """Where one says what to stop, and why."""
    given = request.GET if request.method == "GET" else request.POST
    ws, name = given.get("ws", "")[:63], given.get("name", "")[:255]
    if request.method == "GET":
        return _ask(request, ws, name)
    where, reason = request.POST.get("where", "")[:63], request.POST.get("reason", "").strip()[:2001]
    try:
        place = _place(request.principal, where, ws, name)
        made = stop_the_line(principal=request.principal, reason=reason, **place)
    except Invalid as error:
        return _ask(request, ws, name, where=where, reason=reason, errors=error.fields, status=422)
    except Conflict as error:
        return _ask(request, ws, name, where=where, reason=reason, errors={"": [error.message]}, status=409)
    if made.is_new:
        messages.success(request, "The line is stopped. Nothing moves forward here until somebody lifts it.")
    else:
        messages.warning(request, "It was stopped already; this is that stop.")
    return to("stop", number=made.stop_id)


@page(SIGNED_IN)
def stops(request: PageRequest) -> HttpResponseBase:
    """Every stop: those in force, and those that were lifted, by page."""
    seen, given = selectors.reach(request.principal), request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdecimal() and len(given) < 16 else None
    rows, following = selectors.lifted_stops(seen, before=before, limit=PAGE)
    address = reverse("web:stops")
    context = {
        "standing": stopped(selectors.standing_stops(seen)),
        "lifted": stopped(rows),
        "may_stop": bool(places(request.principal, Action.STOP_LINE).options),
        "pages": {
            "first": address if before else "",
            "next": f"{address}?{urlencode({'before': following})}" if following else "",
        },
    }
    return render(request, "holds/stops.html", context, section="holds")


@page(on_object(Action.HOLDS_VIEW), "GET", "POST")
def stop(request: PageRequest, *, number: int) -> HttpResponseBase:
    """One stop, and where it is lifted."""
    seen = selectors.reach(request.principal)
    row = selectors.stop_row(seen, number if number < _LARGEST else 0)
    if request.method == "GET":
        return _shown(request, row)
    reason = request.POST.get("reason", "").strip()[:2001]
    try:
        lift_stop(principal=request.principal, stop_id=row.id, reason=reason)
    except Invalid as error:
        return _shown(request, row, reason=reason, errors=error.fields, status=422)
    except Conflict as error:
        return _shown(request, row, reason=reason, errors={"": [error.message]}, status=409)
    messages.success(request, "The stop is lifted. What it held may go on.")
    return to("stop", number=number)


def _place(me: Principal, where: str, ws: str, name: str) -> dict[str, int]:
    """What to stop. Invalid when nothing is chosen, NotFound for what is hidden."""
    if where == EVERYTHING:
        return {}
    if where == "endpoint" and ws and name:
        workspace = selectors.workspace_in_reach(me, ws)
        return {"endpoint_id": inventory.endpoint_id_by_name(workspace.id, name)}
    if not where or where == "endpoint":
        raise Invalid({"where": ["Choose what to stop."]})
    return {"workspace_id": selectors.workspace_in_reach(me, where).id}


def _ask(
    request: PageRequest,
    ws: str,
    name: str,
    *,
    where: str = "",
    reason: str = "",
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me = request.principal
    open_to = places(me, Action.STOP_LINE)
    here = any(row.slug == ws for row in open_to.workspaces)
    options = ([("endpoint", f"{name} in {ws}")] if here and name else []) + open_to.options
    context = {
        "options": options,
        "where": where or ("endpoint" if here and name else ws if here else ""),
        "ws": ws if here else "",
        "name": name if here else "",
        "why_not": "" if open_to.options else decide(me, Action.STOP_LINE).reason,
        "reason": reason,
        "errors": errors or {},
    }
    return render(request, "holds/stop_line.html", context, section="holds", status=status)


def _shown(
    request: PageRequest,
    row: StopRow,
    *,
    reason: str = "",
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    (view,) = stopped([row])
    context = {
        "view": view,
        "may_lift": _may_lift(request.principal, row),
        "reason": reason,
        "errors": errors or {},
        "audit": f"{reverse('web:audit')}?{urlencode({'subject': ref('stop', row.id)})}",
    }
    return render(request, "holds/stop.html", context, section="holds", status=status)


def _may_lift(me: Principal, row: StopRow) -> Decision:
    if row.workspace_id is not None:
        return decide(me, Action.STOP_LINE, workspace_id=row.workspace_id)
    if places(me, Action.STOP_LINE).everything:
        return Decision(True)
    return Decision(False, "It stops every workspace, and you may not lift stops on all of them.")
