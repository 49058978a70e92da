"""Ask for other capacity: more or fewer instances, or that a deployment or the endpoint goes."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access.policies import Action, Decision, decide, require
from endpoints.access.rows import WorkspaceRow
from endpoints.capacity.selectors.findings import Query, findings
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.changes.services.request_capacity import request_capacity
from endpoints.core.errors import Conflict, Invalid
from endpoints.inventory import selectors as inventory
from endpoints.web import capacity_terms as terms
from endpoints.web.numbers_typed import number_of, plain
from endpoints.web.pages import PageRequest, on_workspace, page, render, to
from endpoints.web.settings_of import number_typed
from endpoints.web.states import azure_sign
from endpoints.web.typed import Typed
from endpoints.web.wording import duration

FORMS = (Want.SCALE, Want.DELETE, Want.DELETE_ENDPOINT)
_KEPT = ("deployment", "instances", "hours", "typed", "reason", "key")
HOUR = 3600


@page(on_workspace(Action.VIEW), "GET", "POST")
def new(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The forms; `?deployment=green` chooses one. What is asked for is checked, and waits for a reviewer."""
    endpoint = inventory.endpoint_facts(inventory.endpoint_id_by_name(workspace.id, name))
    if request.method == "GET":
        chosen = request.GET.get("deployment", "").lower()[:64]
        return _shown(request, workspace, endpoint, Typed(), chosen)
    require(
        request.principal,
        Action.CREATE_CAPACITY,
        workspace_id=workspace.id,
        own=True,
        workspace=workspace.slug,
    )
    want = request.POST.get("form", "")
    try:
        number = request_capacity(
            principal=request.principal,
            endpoint_id=endpoint.id,
            order=_order(want, request.POST),
            reason=request.POST.get("reason", "")[:2001],
            idempotency_key=request.POST.get("key", "")[:64],
        )
    except (Conflict, Invalid) as error:
        return _refused(request, workspace, endpoint, want, error)
    messages.success(request, f"CR-{number} is stored.")
    return to("change", number=number)


def _order(want: str, form: QueryDict) -> CapacityOrder:
    """As it was typed. Invalid for a form that there is not, and for what is no number."""
    if want not in FORMS:
        raise Invalid("Say what is wanted: other instances, or that something goes. Nothing was stored.")
    deployment = form.get("deployment", "").strip().lower()[:64]
    if want == Want.SCALE:
        return CapacityOrder(
            Want.SCALE, deployment, instances=number_typed(form.get("instances", "").strip())
        )
    typed = form.get("typed", "").strip()[:300]
    return CapacityOrder(
        Want(want),
        deployment if want == Want.DELETE else "",
        scream=_scream(form.get("hours", "")),
        typed=typed,
    )


def _scream(text: str) -> int:
    """Seconds without traffic before; empty is the shortest that is allowed."""
    if not text.strip():
        return int(settings.OPSPORTAL.scream_test_seconds)
    hours = number_of(text)
    if hours is None or hours < 0:
        raise Invalid({"scream": ["Give a number of hours, such as 24."]})
    return round(hours * HOUR)


def _refused(
    request: PageRequest,
    workspace: WorkspaceRow,
    endpoint: inventory.EndpointFacts,
    want: str,
    error: Conflict | Invalid,
) -> HttpResponseBase:
    errors = dict(error.fields) if isinstance(error, Invalid) else {}
    if "scream" in errors:
        errors["hours"] = errors.pop("scream")
    form = want if want in FORMS else Want.SCALE.value
    values = {name: request.POST.get(name, "")[:2001] for name in _KEPT}
    typed = Typed(form, errors or {"": [error.message]}, values)
    status = 422 if isinstance(error, Invalid) else 409
    return _shown(request, workspace, endpoint, typed, values["deployment"], status=status)


def _shown(
    request: PageRequest,
    workspace: WorkspaceRow,
    endpoint: inventory.EndpointFacts,
    typed: Typed,
    chosen: str,
    *,
    status: int = 200,
) -> HttpResponseBase:
    split, states = inventory.current_split(endpoint.id), inventory.deployment_states(endpoint.id)
    live = {name.lower(): weight for name, weight in split.traffic.items()}
    least = int(settings.OPSPORTAL.scream_test_seconds)
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "workspace": workspace,
        "here": reverse("web:capacity_new", kwargs={"ws": workspace.slug, "name": endpoint.name}),
        "home": reverse("web:endpoint", kwargs={"ws": workspace.slug, "name": endpoint.name}),
        "allowed": may_ask(request, workspace),
        "typed": typed,
        "errors": typed.wrong,
        "chosen": chosen,
        "deployments": [
            {
                "name": one.name,
                "key": one.name.lower(),
                "count": "not known" if one.instance_count is None else f"{one.instance_count}",
                "size": terms.size(one.instance_type, one.instance_count),
                "weight": live.get(one.name.lower(), 0),
                "sign": azure_sign(one.provisioning_state),
            }
            for one in states
        ],
        "least": duration(least) if least else "none",
        "least_hours": plain(round(least / HOUR, 2)),
        "key": typed.values.get("key") or secrets.token_urlsafe(12),
        "findings": _findings(request, workspace, endpoint.id),
    }
    return render(request, "capacity/ask.html", context, section="fleet", status=status)


def _findings(request: PageRequest, workspace: WorkspaceRow, endpoint_id: int) -> list[tuple[str, str]]:
    """What was found on this endpoint, for who may see it: filing one keeps its evidence with the change."""
    if not decide(
        request.principal, Action.CAPACITY_VIEW, workspace_id=workspace.id, workspace=workspace.slug
    ):
        return []
    asked = Query([workspace.id], states=("open", "claimed"), endpoint_id=endpoint_id)
    return [
        (f"{row.number}: {terms.verb(row)}", reverse("web:finding", kwargs={"number": row.id}))
        for row in findings(asked, limit=10).rows
    ]


def may_ask(request: PageRequest, workspace: WorkspaceRow) -> Decision:
    """Whether this person may ask for other capacity here, and why not."""
    return decide(
        request.principal,
        Action.CREATE_CAPACITY,
        workspace_id=workspace.id,
        own=True,
        workspace=workspace.slug,
    )
