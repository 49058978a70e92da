"""Search: jumps to the one thing that is meant, or lists what could be. Only what the person may see."""

from __future__ import annotations

from django.http import HttpResponseBase

from endpoints.access.policies import Action, may_anywhere, visible_workspaces
from endpoints.challenges import ids
from endpoints.challenges.selectors import lookup
from endpoints.challenges.selectors.cases import case_row
from endpoints.changes.selectors import change_detail
from endpoints.core.errors import NotFound, Refused
from endpoints.inventory import selectors as inventory
from endpoints.web.names import case_number, change_number
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render, to

LIMIT = 50


@page(SIGNED_IN)
def search(request: PageRequest) -> HttpResponseBase:
    """CR-42 goes to the change, CH-7 to the case, a request's id to its record, an endpoint's name to the endpoint.

    Anything else is listed.
    """
    text = request.GET.get("q", "").strip()[:200]
    if not text:
        return render(request, "search.html", {"text": "", "rows": []}, section="search")
    number = change_number(text)
    if number is not None and _change_exists(request, number):
        return to("change", number=number)
    case = case_number(text)
    if case is not None and _case_exists(request, case):
        return to("challenge", number=case)
    if ids.request_id(text) and may_anywhere(request.principal, Action.PREDICTIONS_VIEW):
        return to("record", asked=text)
    rows = inventory.fleet_rows(visible_workspaces(request.principal), text=text, limit=LIMIT).rows
    exact = [row for row in rows if row.name.lower() == text.lower()]
    if len(exact) != 1 and _record_exists(request, text):
        return to("record", asked=text)
    if len(exact) == 1 or len(rows) == 1:
        row = (exact or rows)[0]
        return to("endpoint", ws=row.workspace, name=row.name)
    return render(request, "search.html", {"text": text, "rows": rows}, section="search")


def _record_exists(request: PageRequest, text: str) -> bool:
    """Whether a client gave a request exactly this id; "/" is in no id, and in no address of a record."""
    if "/" in text or ids.client_id(text) != text:
        return False
    return bool(
        lookup(text, workspace_ids=visible_workspaces(request.principal, Action.PREDICTIONS_VIEW)).found
    )


def _case_exists(request: PageRequest, number: int) -> bool:
    try:
        case_row(request.principal, number)
    except (NotFound, Refused):
        return False
    return True


def _change_exists(request: PageRequest, number: int) -> bool:
    try:
        change_detail(request.principal, number)
    except NotFound:
        return False
    return True
