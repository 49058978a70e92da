"""Ask for a traffic change, or edit one: in one step or in several, with the same form and the same services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Decision, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.draft import Draft
from endpoints.changes.selectors import (
    ChangeDetail,
    Tab,
    TemplateRow,
    change_detail,
    change_rows,
    template,
    templates,
)
from endpoints.changes.selectors.situation import current_base
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.request import planned_steps, request_change
from endpoints.core import traffic
from endpoints.core.errors import Conflict, Invalid
from endpoints.core.ids import new_request_id
from endpoints.inventory import selectors as inventory
from endpoints.inventory.assets import short
from endpoints.metrics import selectors as metrics
from endpoints.web import plan_form
from endpoints.web.bars import order_of
from endpoints.web.fresh import chip_of_split
from endpoints.web.pages import PageRequest, is_partial, on_object, on_workspace, page, partial, render, to
from endpoints.web.plan_form import PlanTyped
from endpoints.web.review import Typed, review
from endpoints.web.simulation import simulated
from endpoints.web.states import Sign, azure_sign

Errors = dict[str, list[str]]


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
    """What was typed; `weights` by lower-case name, as text until it is checked. `plan` None: one step, now."""

    weights: dict[str, str]
    plan: PlanTyped | None = None
    reason: str = ""
    key: str = ""
    seen: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where traffic is to change; `number` of the change that is edited."""

    endpoint: inventory.EndpointFacts
    workspace: WorkspaceRow
    number: int | None = None

    @property
    def here(self) -> str:
        if self.number:
            return reverse("web:change_edit", kwargs={"number": self.number})
        return reverse("web:change_new", kwargs={"ws": self.workspace.slug, "name": self.endpoint.name})

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Business figures that gates can measure here: name and kind."""
        found = metrics.figures(self.endpoint.id, ended=False, limit=20)
        return [(one.name, one.kind.value) for one in found.rows]


@page(on_workspace(Action.VIEW), "GET", "POST")
def new(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The form for a new change; `?to=green` proposes all traffic to green, `&plan=5-25-100` in these steps."""
    place = Place(inventory.endpoint_facts(inventory.endpoint_id_by_name(workspace.id, name)), workspace)
    if request.method == "GET":
        return _form(request, place, _proposed(request, place))
    asked = _asked(request.POST)
    if (answer := _unfinished(request, place, asked)) is not None:
        return answer
    try:
        number = request_change(
            principal=request.principal,
            endpoint_id=place.endpoint.id,
            draft=_draft(place, asked),
            reason=asked.reason,
            idempotency_key=asked.key,
        )
    except Invalid as error:
        return _form(request, place, asked, errors=_all_wrong(place, asked, error))
    messages.success(request, f"CR-{number} is stored.")
    return to("change", number=number)


@page(on_object(Action.CREATE_TRAFFIC), "GET", "POST")
def edit(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The same form on a change that has not ended; storing it voids approvals and starts from today's split."""
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    place = Place(inventory.endpoint_facts(detail.row.endpoint_id), workspace, number)
    if request.method == "GET":
        return _form(request, place, _stored(request, place, detail))
    asked = _asked(request.POST)
    if (answer := _unfinished(request, place, asked)) is not None:
        return answer
    try:
        edit_change(
            principal=request.principal,
            change_id=number,
            seen_hash=asked.seen,
            draft=_draft(place, asked),
            reason=asked.reason,
        )
    except Invalid as error:
        return _form(request, place, asked, errors=_all_wrong(place, asked, error))
    except Conflict as error:
        return review(request, number, typed=Typed("edit", error.message, seen=asked.seen), status=409)
    messages.success(request, f"CR-{number} is stored as a new version. Earlier approvals are void.")
    return to("change", number=number)


def _proposed(request: PageRequest, place: Place) -> Asked:
    """What the address asks for."""
    live = traffic.normalise(inventory.current_split(place.endpoint.id).traffic)
    wanted = request.GET.get("to", "").lower()[:64]
    split = {wanted: 100} if wanted else live
    asked = Asked({key: str(value) for key, value in split.items()}, key=new_request_id())
    return _in_steps(request, place, asked, wanted or _candidate(place, live))


def _candidate(place: Place, live: Mapping[str, int]) -> str:
    """The deployment that has no traffic, where it is one alone."""
    idle = [one.name.lower() for one in inventory.deployment_states(place.endpoint.id)]
    idle = [name for name in idle if name not in live]
    return idle[0] if len(idle) == 1 else ""


def _in_steps(request: PageRequest, place: Place, asked: Asked, candidate: str) -> Asked:
    """With the plan that the address names: a template's, weights, or the usual one."""
    chosen = _template(request, place)
    if chosen is not None:
        return replace(
            asked, plan=plan_form.of_template(chosen.steps, chosen.terms, candidate, place.figures)
        )
    if not {"plan", "steps"} & set(request.GET):
        return asked
    has_budget = metrics.budget_at(place.endpoint.id) is not None
    weights = request.GET.get("plan", "")[:200]
    usual = plan_form.usual(candidate, place.figures, has_budget=has_budget, weights=weights)
    return replace(asked, plan=usual)


def _template(request: PageRequest, place: Place) -> TemplateRow | None:
    number = request.GET.get("template", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    found = template(request.principal, int(number))
    return found if found.workspace_id == place.workspace.id and found.ended_at is None else None


def _stored(request: PageRequest, place: Place, detail: ChangeDetail) -> Asked:
    """The content that is to be edited, or the plan that the address asks for instead."""
    reason = next((said.text for said in reversed(detail.said) if said.kind == "reason"), "")
    weights = {key: str(value) for key, value in detail.row.after.items()}
    asked = Asked(weights, reason=reason, seen=detail.content_hash)
    if {"template", "plan", "steps"} & set(request.GET):
        live = traffic.normalise(inventory.current_split(place.endpoint.id).traffic)
        return _in_steps(request, place, asked, _candidate(place, live))
    terms = detail.rollout.terms
    if "one" in request.GET or (
        len(detail.steps) == 1 and not detail.steps[0].bake and terms == type(terms)()
    ):
        return asked
    plan = plan_form.of_content(detail.base, detail.steps, terms, place.figures)
    if plan is None:
        note = "This plan was not written with this form, which can't show all of it. What you store replaces it."
        return replace(asked, note=note)
    return replace(asked, plan=plan)


def _asked(posted: QueryDict) -> Asked:
    weights = {key[2:].lower(): str(value).strip() for key, value in posted.items() if key.startswith("w:")}
    told = {key: str(value) for key, value in posted.items()}
    return Asked(
        weights,
        plan_form.typed(told) if told.get("how") == "steps" else None,
        told.get("reason", ""),
        told.get("key", "")[:64],
        told.get("seen", "")[:64],
    )


def _unfinished(request: PageRequest, place: Place, asked: Asked) -> HttpResponseBase | None:
    """The answer to a button that stores nothing: one row more or less, or a simulation."""
    verb, _, number = request.POST.get("do", "").partition(":")
    if verb == "simulate":
        return _simulation(request, place, asked)
    if asked.plan is None or verb not in ("add", "remove"):
        return None
    row = int(number) if number.isascii() and number.isdecimal() and len(number) < 3 else 0
    plan = asked.plan.with_row() if verb == "add" else asked.plan.without_row(row)
    changed = replace(asked, plan=plan)
    if is_partial(request):
        fresh_row = len(plan.steps) if verb == "add" else 0
        context = {"plan": plan, "here": place.here, "errors": {}, "fresh_row": fresh_row}
        return partial(request, "partials/plan_steps.html", context)
    return _form(request, place, changed)


def _simulation(request: PageRequest, place: Place, asked: Asked) -> HttpResponseBase:
    """Under the form, or as a piece of the page; a plan that can't be is told as storing it would."""
    try:
        draft = _draft(place, asked)
        planned_steps(place.endpoint.id, current_base(place.endpoint.id), draft)
        found = simulated(place.endpoint.id, draft)
    except Invalid as error:
        if is_partial(request):
            told = [text for texts in error.fields.values() for text in texts]
            return partial(request, "partials/simulation.html", {"simulation": None, "told": told})
        return _form(request, place, asked, errors=error.fields)
    if is_partial(request):
        return partial(request, "partials/simulation.html", {"simulation": found, "told": []})
    return _form(request, place, asked, simulation=found)


def _draft(place: Place, asked: Asked) -> Draft:
    if asked.plan is None:
        return Draft.single(_split(asked))
    live = inventory.current_split(place.endpoint.id)
    names = [one.name for one in inventory.deployment_states(place.endpoint.id)]
    return plan_form.draft_of(asked.plan, live.traffic, live.mirror_traffic, names)


def _all_wrong(place: Place, asked: Asked, error: Invalid) -> Errors:
    """Also what nobody looked at, because something else was found first."""
    found = dict(error.fields)
    if not asked.reason.strip():
        found.setdefault("reason", ["Say why."])
    if set(found) == {"reason"}:
        try:
            planned_steps(place.endpoint.id, current_base(place.endpoint.id), _draft(place, asked))
        except Invalid as other:
            found |= other.fields
    return found


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
    place: Place,
    asked: Asked,
    *,
    errors: Errors | None = None,
    simulation: Any = None,
) -> HttpResponseBase:
    endpoint, workspace, number = place.endpoint, place.workspace, place.number
    live = inventory.current_split(endpoint.id)
    states = inventory.deployment_states(endpoint.id)
    home = reverse("web:endpoint", kwargs={"ws": workspace.slug, "name": endpoint.name})
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "workspace": workspace,
        "live": live,
        "order": order_of(live.traffic, names=[one.name for one in states]),
        "deployments": [_choice(one, live.traffic, asked) for one in states],
        "plan": asked.plan,
        "reason": asked.reason,
        "key": asked.key,
        "seen": asked.seen,
        "note_text": asked.note,
        "errors": errors or {},
        "simulation": simulation,
        "here": place.here,
        "to": request.GET.get("to", "").lower()[:64],
        "endpoint_href": home,
        "back_href": reverse("web:change", kwargs={"number": number}) if number else home,
        "heading": f"Edit CR-{number}" if number else f"Change traffic of {endpoint.name}",
        "crumb": f"Edit CR-{number}" if number else "New change",
        "submit": "Store new version" if number else "Ask for review",
        "allowed": Decision(True) if number else _may_ask(request, workspace),
        "open_change": None if number else _open_change(request, endpoint.id),
        "templates": templates(request.principal, workspace.id).rows if asked.plan else (),
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
