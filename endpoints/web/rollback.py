"""Roll back: one form, in a dialog where there is script and on a page of its own where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase

from endpoints.access.policies import Action, Principal
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.byhand import show_command, traffic_command
from endpoints.changes.plan import Base
from endpoints.changes.scaling import ScaleFirst
from endpoints.changes.selectors import Offer, rollback_offer
from endpoints.changes.selectors.readiness import times_of
from endpoints.changes.services.rollback import REASONS, roll_back
from endpoints.changes.targets import Target
from endpoints.changes.undo import way_back
from endpoints.core import traffic
from endpoints.core.errors import Conflict
from endpoints.core.ids import new_request_id, parse_workspace_id
from endpoints.inventory import selectors as inventory
from endpoints.web.bars import order_of
from endpoints.web.capacity_byhand import capacity_commands
from endpoints.web.pages import PageRequest, on_workspace, page, render, to
from endpoints.web.readiness import kept_ready, timing
from endpoints.web.wording import plural

Commands = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Weight:
    """One line of the before/after table."""

    name: str
    now: int
    after: int | None
    """None while no target is chosen."""
    state: str


@dataclass(frozen=True, slots=True)
class Scaling:
    """What a target's deployments would be brought to before they get their traffic."""

    split: traffic.Split
    counts: str
    words: str


def form_context(principal: Principal, endpoint_id: int, workspace: WorkspaceRow) -> dict[str, Any]:
    """What the form's templates need: the server's offer, and a key that makes two clicks one request."""
    offer = rollback_offer(principal, endpoint_id, workspace.id)
    return {
        "offer": offer,
        "order": order_of(offer.live.traffic, names=offer.deployments),
        "weights": _weights(offer),
        "reasons": REASONS,
        "key": new_request_id(),
        "scalings": _scalings(offer),
        "ready": kept_ready(endpoint_id) or timing(times_of(endpoint_id).confirmed),
    }


def _scalings(offer: Offer) -> list[Scaling]:
    """Targets whose deployments are too small for the load that was measured, the chosen one first."""
    chosen = [one for one in offer.targets if one.eligible and one.key in offer.scale_first]
    return [
        _scaling(one, offer.scale_first[one.key])
        for one in sorted(chosen, key=lambda one: not one.preselected)
    ]


def _scaling(target: Target, proposed: ScaleFirst) -> Scaling:
    counts = ", ".join(
        f"{name} to {plural(count, 'instance')}" for name, count in sorted(proposed.instances.items())
    )
    quota = proposed.quota
    said = f" {quota.name}: {quota.reason}" if quota is not None and not quota.passed else ""
    return Scaling(target.split, counts, f"{proposed.words}{said}")


def _weights(offer: Offer) -> list[Weight]:
    now = traffic.normalise(offer.live.traffic)
    after = traffic.normalise(offer.preselected.split) if offer.preselected else None
    names = order_of(now, after, names=offer.deployments)
    return [
        Weight(
            name,
            now.get(name, 0),
            None if after is None else after.get(name, 0),
            offer.deployments.get(name) or "no longer there",
        )
        for name in names
    ]


def by_hand(workspace: WorkspaceRow, endpoint: str, split: traffic.Split | None, names: Any) -> Commands:
    """Look, order the split, check: without the portal."""
    where = parse_workspace_id(workspace.arm_id)
    look = show_command(where, endpoint)
    if split is None:
        return [("Look", look)]
    return [
        ("Look", look),
        ("Set the split", traffic_command(where, endpoint, split, names)),
        ("Check", look),
    ]


def _by_hand(workspace: WorkspaceRow, endpoint: str, offer: Offer) -> Commands:
    """The same for what is chosen, with what it puts back beside the split."""
    chosen = offer.preselected
    if chosen is None or not chosen.beside:
        return by_hand(workspace, endpoint, chosen.split if chosen else None, offer.deployments)
    live = offer.live
    now = Base(traffic.normalise(live.traffic), traffic.normalise(live.mirror_traffic), live.state_hash)
    steps = way_back(chosen.split, chosen.mirror, chosen.beside, now=now, scale_first={})
    return capacity_commands(parse_workspace_id(workspace.arm_id), endpoint, steps, offer.deployments)


@page(on_workspace(Action.VIEW), "GET", "POST", is_limited=False)
def rollback(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The form as a page, and where both forms go."""
    endpoint = inventory.endpoint_facts(inventory.endpoint_id_by_name(workspace.id, name))
    if request.method == "POST":
        try:
            return to("live", number=_order(request, endpoint.id, workspace.id))
        except Conflict as error:
            return _form(request, endpoint, workspace, problem=error.message, status=409)
    return _form(request, endpoint, workspace)


def _order(request: PageRequest, endpoint_id: int, workspace_id: int) -> int:
    target = request.POST.get("target", "")
    receipt = roll_back(
        principal=request.principal,
        endpoint_id=endpoint_id,
        target_key=target,
        reason=request.POST.get("reason", ""),
        comment=request.POST.get("comment", "")[:2000],
        idempotency_key=request.POST.get("key", "")[:64],
        scale_first=_scale_first(request, endpoint_id, workspace_id, target),
    )
    return receipt.change_id


def _scale_first(
    request: PageRequest, endpoint_id: int, workspace_id: int, target: str
) -> Mapping[str, int] | None:
    """The server's own numbers, where the person wants to scale first; the form sends none."""
    if request.POST.get("scale") != "first":
        return None
    proposed = rollback_offer(request.principal, endpoint_id, workspace_id).scale_first.get(target)
    return proposed.instances if proposed else None


def _form(
    request: PageRequest,
    endpoint: inventory.EndpointFacts,
    workspace: WorkspaceRow,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponseBase:
    context = form_context(request.principal, endpoint.id, workspace)
    context |= {
        "endpoint": endpoint,
        "workspace": workspace,
        "problem": problem,
        "commands": _by_hand(workspace, endpoint.name, context["offer"]),
    }
    return render(request, "endpoint/rollback.html", context, section="fleet", status=status)
