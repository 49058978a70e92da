"""An endpoint and a deployment as of a moment: every field, as known then beside as known now where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.rows import WorkspaceRow
from endpoints.changes.selectors import active_then, last_completed_then
from endpoints.core.errors import NotFound
from endpoints.inventory import differences
from endpoints.inventory import selectors as inventory
from endpoints.inventory.assets import short
from endpoints.inventory.differences import Said
from endpoints.inventory.selectors import DeploymentBoth, EndpointPageThen, StateThen
from endpoints.inventory.selectors.asof import Answer
from endpoints.metrics import selectors as metrics
from endpoints.metrics.budgets import describe
from endpoints.web.asof import Sure, When, exact, frame, one_or, sureness
from endpoints.web.names import of_refs
from endpoints.web.pages import PageRequest, render

AROUND = timedelta(minutes=30)
"""Of metrics, before and after the moment."""


@dataclass(frozen=True, slots=True)
class Table:
    """The states that may have held, field by field."""

    heads: tuple[str, ...]
    rows: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class DeploymentLine:
    """One deployment in the endpoint's table. `now`: what is known now, where it differs."""

    name: str
    sure: Sure
    now: Sure | None
    weight: str
    mirror: str
    model: str
    environment: str
    size: str
    state: str
    href: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Who ordered a state, and between which times it began."""

    state: StateThen
    who: str
    href: str


def endpoint_then(request: PageRequest, when: When, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The endpoint's page as of then."""
    shown = inventory.endpoint_page_as_of(workspace.id, name, when.at, known=when.known)
    place = {"ws": workspace.slug, "name": shown.name}
    budget = metrics.budget_at(shown.id, when.at)
    setters = of_refs([budget.set_by, budget.confirmed_by] if budget else [])
    around = {"since": exact(when.at - AROUND), "until": exact(when.at + AROUND)}
    context: dict[str, Any] = frame(when) | {
        "shown": shown,
        "workspace": workspace,
        "sure": sureness(shown.then),
        "now": sureness(shown.now_known) if shown.corrected else None,
        "table": _table(shown.then, shown.now_known if shown.corrected else None),
        "causes": causes([shown.then, *([shown.now_known] if shown.corrected else [])]),
        "traffic": one_or(shown.then, "traffic"),
        "lines": [_line(shown, one, when) for one in shown.deployments],
        "active": active_then([shown.id], when.at).get(shown.id),
        "completed": last_completed_then(shown.id, when.at),
        "budget": budget,
        "budget_words": describe(budget.limits) if budget else "",
        "budget_by": [setters.get(one, one) for one in (budget.set_by, budget.confirmed_by) if one]
        if budget
        else [],
        "metrics_href": f"{reverse('web:endpoint', kwargs=place)}?{urlencode(around)}#metrics",
    }
    return render(request, "endpoint/then.html", context, section="fleet")


def deployment_then(
    request: PageRequest, when: When, workspace: WorkspaceRow, name: str, deployment: str
) -> HttpResponseBase:
    """One deployment's page as of then; 404 where the endpoint had none of that name at that time."""
    shown = inventory.endpoint_page_as_of(workspace.id, name, when.at, known=when.known)
    one = deployment_named(shown, deployment)
    context = frame(when) | {
        "shown": shown,
        "workspace": workspace,
        "one": one,
        "sure": sureness(one.then),
        "now": sureness(one.now_known) if one.corrected else None,
        "table": _table(one.then, one.now_known if one.corrected else None),
        "causes": causes([one.then, *([one.now_known] if one.corrected else [])]),
        "line": _line(shown, one, when),
        "endpoint_sure": sureness(shown.then),
    }
    return render(request, "endpoint/deployment_then.html", context, section="fleet")


def deployment_named(shown: EndpointPageThen, name: str) -> DeploymentBoth:
    """The newest of that name among those that were or may have been there."""
    named = [one for one in shown.deployments if one.name.lower() == name.lower()]
    if not named:
        raise NotFound(f"{shown.name} had no deployment {name} at that time, as far as anybody knows.")
    return max(named, key=lambda one: one.then.deployment_id)


def causes(answers: list[Answer]) -> list[Cause]:
    """Each state that may have held, with what ordered it."""
    states = {state.revision_id: state for answer in answers for state in answer.states}
    names = of_refs(state.cause for state in states.values() if ":" in state.cause)
    return [_cause(state, names) for state in states.values()]


def _cause(state: StateThen, names: dict[str, str]) -> Cause:
    kind, _, number = state.cause.partition(":")
    if kind == "change" and number.isdigit():
        href = reverse("web:change", kwargs={"number": int(number)})
        return Cause(state, names.get(state.cause, state.cause), href)
    return Cause(state, "nobody here (drift)" if state.cause == "drift" else "", "")


def _table(then: Answer, now: Answer | None) -> Table | None:
    """None where no state is known."""
    heads = _heads(then, "")
    states = list(then.states)
    if now is not None:
        heads, states = [*heads, *_heads(now, "known now")], [*states, *now.states]
    if not states:
        return None
    return Table(tuple(heads), differences.side_by_side([state.state for state in states]))


def _heads(answer: Answer, prefix: str) -> list[str]:
    names = ["As of then"] if len(answer.states) == 1 else ["Before the switch", "After the switch"]
    kept = names[: len(answer.states)]
    return [f"{name}, {prefix}" if prefix else name for name in kept]


def _line(shown: EndpointPageThen, both: DeploymentBoth, when: When) -> DeploymentLine:
    then = both.then
    count = one_or(then, "instance_count")
    return DeploymentLine(
        name=both.name,
        sure=sureness(then),
        now=sureness(both.now_known) if both.corrected else None,
        weight=_weight(shown.then, both.name, "traffic"),
        mirror=_weight(shown.then, both.name, "mirror_traffic"),
        model=_assets(then, "model"),
        environment=_assets(then, "environment"),
        size=f"{one_or(then, 'instance_type')}\u00a0x\u00a0{count}",
        state=one_or(then, "provisioning_state"),
        href=when.link(
            reverse(
                "web:deployment", kwargs={"ws": shown.workspace, "name": shown.name, "deployment": both.name}
            )
        ),
    )


def _weight(answer: Answer, name: str, field: str) -> str:
    """Its percent in each possible split of the endpoint."""
    found = [state.state.get(field, {}).get(name.lower(), 0) for state in answer.states if not state.deleted]
    return " or ".join(dict.fromkeys(f"{one}\u00a0%" for one in found)) or "unknown"


def _assets(answer: Answer, field: str) -> str:
    values = [short(str(state.state.get(field) or "")) for state in answer.states if not state.deleted]
    return " or ".join(dict.fromkeys(value or "not reported" for value in values)) or "unknown"
