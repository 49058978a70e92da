"""Ask for a traffic change, or edit one: the same form, the same services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Decision, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.selectors import Tab, change_detail, change_rows
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.request import request_change
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import new_request_id
from endpoints.inventory import selectors as inventory
from endpoints.inventory.assets import short
from endpoints.web.bars import order_of
from endpoints.web.fresh import chip_of_split
from endpoints.web.pages import PageRequest, on_object, on_workspace, page, render, to
from endpoints.web.review import review
from endpoints.web.states import Sign, azure_sign


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment with the weight it has and the weight that is wanted, as typed."""

    name: str
    model: str
    sign: Sign
    now: int
    wanted: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; `weights` by lower-case name, as text until it is checked."""

    weights: dict[str, str]
    reason: str = ""
    key: str = ""
    seen: str = ""


@page(on_workspace(Action.VIEW), "GET", "POST")
def new(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The form for a new change; `?to=green` proposes all traffic to green."""
    endpoint = inventory.endpoint_facts(inventory.endpoint_id_by_name(workspace.id, name))
    live = inventory.current_split(endpoint.id)
    if request.method == "GET":
        wanted = request.GET.get("to", "").lower()
        split = {wanted: 100} if wanted else traffic.normalise(live.traffic)
        asked = Asked({key: str(value) for key, value in split.items()}, key=new_request_id())
        return _form(request, endpoint, workspace, asked)
    asked = _asked(request.POST)
    try:
        number = request_change(
            principal=request.principal,
            endpoint_id=endpoint.id,
            split=_split(asked),
            reason=asked.reason,
            idempotency_key=asked.key,
        )
    except Invalid as error:
        return _form(request, endpoint, workspace, asked, errors=error.fields)
    messages.success(request, f"CR-{number} is stored.")
    return to("change", number=number)


@page(on_object(Action.CREATE_TRAFFIC), "GET", "POST")
def edit(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The same form on a change that has not ended; storing it voids approvals and starts from today's split."""
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    endpoint = inventory.endpoint_facts(detail.row.endpoint_id)
    if request.method == "GET":
        reason = next((said.text for said in reversed(detail.said) if said.kind == "reason"), "")
        weights = {key: str(value) for key, value in detail.row.after.items()}
        return _form(
            request, endpoint, workspace, Asked(weights, reason, seen=detail.content_hash), number=number
        )
    asked = _asked(request.POST)
    try:
        edit_change(
            principal=request.principal,
            change_id=number,
            seen_hash=asked.seen,
            split=_split(asked),
            reason=asked.reason,
        )
    except Invalid as error:
        return _form(request, endpoint, workspace, asked, errors=error.fields, number=number)
    except Conflict as error:
        return review(request, number, problem=error.message, status=409)
    messages.success(request, f"CR-{number} is stored as a new version. Earlier approvals are void.")
    return to("change", number=number)


def _asked(posted: QueryDict) -> Asked:
    weights = {key[2:].lower(): str(value).strip() for key, value in posted.items() if key.startswith("w:")}
    return Asked(weights, posted.get("reason", ""), posted.get("key", "")[:64], posted.get("seen", "")[:64])


def _split(asked: Asked) -> traffic.Split:
    """Whole percents; Invalid, naming each, for anything else."""
    wrong = [name for name, text in asked.weights.items() if not (text.isdecimal() and len(text) <= 3)]
    if wrong:
        raise Invalid(
            {"split": [f"The weight of {name} is not a whole number from 0 to 100." for name in wrong]}
        )
    if not asked.weights:
        raise Invalid({"split": ["No weights were sent."]})
    return {name: int(text) for name, text in asked.weights.items()}


def _form(
    request: PageRequest,
    endpoint: inventory.EndpointFacts,
    workspace: WorkspaceRow,
    asked: Asked,
    *,
    errors: dict[str, list[str]] | None = None,
    number: int | None = None,
) -> HttpResponseBase:
    live = inventory.current_split(endpoint.id)
    states = inventory.deployment_states(endpoint.id)
    home = reverse("web:endpoint", kwargs={"ws": workspace.slug, "name": endpoint.name})
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "workspace": workspace,
        "live": live,
        "order": order_of(live.traffic, names=[one.name for one in states]),
        "deployments": [_choice(one, live.traffic, asked) for one in states],
        "reason": asked.reason,
        "key": asked.key,
        "seen": asked.seen,
        "errors": errors or {},
        "endpoint_href": home,
        "back_href": reverse("web:change", kwargs={"number": number}) if number else home,
        "heading": f"Edit CR-{number}" if number else f"Change traffic of {endpoint.name}",
        "crumb": f"Edit CR-{number}" if number else "New change",
        "submit": "Store new version" if number else "Ask for review",
        "allowed": Decision(True) if number else _may_ask(request, workspace),
        "open_change": None if number else _open_change(request, endpoint.id),
        "fresh": chip_of_split(workspace.id, live),
    }
    return render(request, "changes/new.html", context, section="fleet", status=422 if errors else 200)


def _choice(one: inventory.DeploymentState, now: traffic.Split, asked: Asked) -> Choice:
    key = one.name.lower()
    return Choice(
        name=one.name,
        model=short(one.model),
        sign=azure_sign(one.provisioning_state),
        now=traffic.normalise(now).get(key, 0),
        wanted=asked.weights.get(key, "0"),
    )


def _may_ask(request: PageRequest, workspace: WorkspaceRow) -> Decision:
    return decide(
        request.principal, Action.CREATE_TRAFFIC, workspace_id=workspace.id, workspace=workspace.slug
    )


def _open_change(request: PageRequest, endpoint_id: int) -> int | None:
    found = change_rows(request.principal, tab=Tab.OPEN, endpoint_id=endpoint_id, limit=1).rows
    return found[0].id if found else None
