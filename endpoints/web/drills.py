"""Whether a rollback would work here, how the practised ones went, and the form that orders another."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.selectors import readiness_of
from endpoints.changes.selectors.drills import DrillView, drill_report
from endpoints.changes.services.drills import BAKE, LONGEST_BAKE, MOST_WEIGHT, order_drill
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import new_request_id
from endpoints.inventory import selectors as inventory
from endpoints.web.pages import PageRequest, on_workspace, page, render, to
from endpoints.web.readiness import ready_of
from endpoints.web.states import Sign, sign_of

PAGE = 25
FIELDS = ("deployment", "weight", "bake", "reason", "key")
_OUTCOMES = {
    Outcome.PASS: Sign("quiet", "Came off"),
    Outcome.FAIL: Sign("bad", "Did not come off"),
    Outcome.INCONCLUSIVE: Sign("off", "Not carried through"),
    Outcome.ERROR: Sign("unknown", "Cannot tell"),
    Outcome.WARN: Sign("warn", "Warning"),
}
Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One drill in the list."""

    drill: DrillView
    sign: Sign
    href: str
    rollback_href: str


@page(on_workspace(Action.VIEW), "GET", "POST")
def drills(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The light with every reason as of now, the history, and where the form goes."""
    endpoint_id = inventory.endpoint_id_by_name(workspace.id, name)
    if request.method == "GET":
        return _page(request, workspace, endpoint_id, name)
    typed = {field: request.POST.get(field, "").strip()[:2001] for field in FIELDS}
    try:
        number = order_drill(
            principal=request.principal,
            endpoint_id=endpoint_id,
            deployment=typed["deployment"][:64],
            weight=_number("weight", typed["weight"]),
            bake=_number("bake", typed["bake"]),
            reason=typed["reason"],
            idempotency_key=typed["key"][:64],
        )
    except Invalid as error:
        errors = error.fields or {"": [error.message]}
        return _page(request, workspace, endpoint_id, name, typed=typed, errors=errors, status=422)
    except Conflict as error:
        return _page(
            request, workspace, endpoint_id, name, typed=typed, errors={"": [error.message]}, status=409
        )
    messages.success(
        request, "Asked for. It is reviewed and started as any change; then it rolls back by itself."
    )
    return to("change", number=number)


def _number(field: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 7:
        return int(text)
    raise Invalid({field: [f"“{text[:40]}” is no whole number. Nothing was stored."]})


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    endpoint_id: int,
    name: str,
    *,
    typed: dict[str, str] | None = None,
    errors: Errors | None = None,
    status: int = 200,
) -> HttpResponseBase:
    light = readiness_of(endpoint_id)
    before = request.GET.get("before", "")
    is_older = before.isascii() and before.isdigit() and len(before) < 19
    found = drill_report(endpoint_id, before=int(before) if is_older else None, limit=PAGE)
    here = reverse("web:drills", kwargs={"ws": workspace.slug, "name": name})
    shown = inventory.endpoint_page(workspace.id, name)
    context = {
        "workspace": workspace,
        "name": name,
        "light": light,
        "ready": ready_of(light),
        "lines": [_line(one) for one in found.rows],
        "pages": {
            "first": here if is_older else "",
            "next": f"{here}?before={found.next_before}" if found.next_before else "",
        },
        "may": decide(
            request.principal, Action.DRILL, workspace_id=workspace.id, workspace=workspace.slug, own=True
        ),
        # The idle ones first: a drill moves a little traffic to what has little.
        "deployments": [
            (one.name, f"{one.name}, now {one.weight}\u00a0%")
            for one in sorted(shown.deployments, key=lambda one: (one.weight, one.name))
        ],
        "most_weight": MOST_WEIGHT,
        "longest_bake": LONGEST_BAKE,
        "typed": typed
        or {"deployment": "", "weight": "5", "bake": str(BAKE), "reason": "", "key": new_request_id()},
        "errors": errors or {},
    }
    return render(request, "endpoint/drills.html", context, section="fleet", status=status)


def _line(one: DrillView) -> Line:
    return Line(
        drill=one,
        sign=_OUTCOMES[one.outcome] if one.outcome else sign_of(one.state),
        href=reverse("web:change", kwargs={"number": one.change_id}),
        rollback_href=reverse("web:live", kwargs={"number": one.rollback_id}) if one.rollback_id else "",
    )
