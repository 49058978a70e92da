"""One deployment: what it is, how busy it is, how it answers, and the share of traffic it was given over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import NotFound
from endpoints.inventory import selectors as inventory
from endpoints.inventory.selectors import DeploymentRow, EndpointPage
from endpoints.metrics import selectors as metrics
from endpoints.web.asof import asked
from endpoints.web.endpoint import timeline
from endpoints.web.endpoint_then import deployment_then
from endpoints.web.fresh import chip, trouble_of
from endpoints.web.latest import figures_of
from endpoints.web.metrics import chip_of_metrics, section
from endpoints.web.numbers import MISSING, percentage
from endpoints.web.pages import PageRequest, is_partial, on_workspace, page, partial, render
from endpoints.web.plots import Scene
from endpoints.web.prices_view import cost_view
from endpoints.web.states import azure_sign

HISTORY = 200


@dataclass(frozen=True, slots=True)
class Use:
    """How busy a resource was: the least and the mean of the replicas' means, and the busiest replica's most."""

    label: str
    least: str
    mean: str
    most: str


@page(on_workspace(Action.VIEW))
def deployment(
    request: PageRequest, *, workspace: WorkspaceRow, name: str, deployment: str
) -> HttpResponseBase:
    """The page; its facts alone when htmx asks."""
    if when := asked(request):
        return deployment_then(request, when, workspace, name, deployment)
    shown = inventory.endpoint_page(workspace.id, name)
    one = next((each for each in shown.deployments if each.name.lower() == deployment.lower()), None)
    if one is None:
        raise NotFound(f"{shown.name} has no deployment {deployment}, or it was deleted.")
    context = _facts(request, shown, one, workspace)
    if is_partial(request):
        return partial(request, "partials/deployment.html", context)
    home = reverse(
        "web:deployment", kwargs={"ws": workspace.slug, "name": shown.name, "deployment": one.name}
    )
    found = section(request, shown, home=home, deployment=one.name)
    context |= found | {
        "workspace": workspace,
        "period": shown.freshness.cadence_seconds or 30,
        "marked_events": timeline(found["marked"]),
        "uses": uses(found["scene"]),
    }
    return render(request, "endpoint/deployment.html", context, section="fleet")


def _facts(
    request: PageRequest, shown: EndpointPage, one: DeploymentRow, workspace: WorkspaceRow
) -> dict[str, Any]:
    """What may change while one watches."""
    brief = metrics.briefs([shown.id])[shown.id]
    items = inventory.history(shown.id, limit=HISTORY).items
    return {
        "shown": shown,
        "one": one,
        "sign": azure_sign(one.provisioning_state),
        "current": figures_of(metrics.latest([one.id]).get(one.id), metrics.budget_at(shown.id)),
        "cost": cost_view(workspace, shown.location, one),
        "telemetry": brief,
        "metrics_chip": chip_of_metrics(brief),
        "fresh": chip(shown.read_at, shown.freshness.cadence_seconds),
        "trouble": trouble_of([(shown.workspace, shown.freshness)]),
        "here": request.get_full_path(),
        "events": timeline(tuple(item for item in items if item.deployment == one.name)),
    }


def uses(scene: Scene) -> list[Use]:
    """Least, mean and most of the stretch; a resource of which nothing is known is left out, but for CPU and memory."""
    kinds = (("cpu", "CPU"), ("memory", "Memory"), ("gpu", "GPU"))
    rows = []
    for subject in scene.subjects[:1]:
        for column, label in kinds:
            means = [value for value in scene.values(subject, f"{column}_avg") if value is not None]
            mosts = [value for value in scene.values(subject, f"{column}_max") if value is not None]
            if means or mosts or column != "gpu":
                rows.append(Use(label, _of(means, min), _of(means, _mean), _of(mosts, max)))
    return rows


def _of(values: list[float], what: Any) -> str:
    return percentage(what(values)) if values else MISSING


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
