"""What a rollback of an endpoint could be right now: its targets, who may, and the command to do it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.access.selectors import workspace
from endpoints.changes.capacity import Replicas
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change
from endpoints.changes.plan import put_split
from endpoints.changes.scaling import ScaleFirst, scale_first
from endpoints.changes.selectors.known import peak_of, peaks_lately, replicas_of, rooms_of
from endpoints.changes.selectors.sight import EndpointSight, endpoint_sight
from endpoints.changes.targets import Candidate, Target, candidates, deleted, issue
from endpoints.core import traffic
from endpoints.inventory.selectors import CurrentSplit, verified_splits


@dataclass(frozen=True, slots=True)
class Offer:
    """The rollback dialog. `active` is the change that it would supersede.

    `scale_first`: by target's key, what its deployments should be scaled to before; targets that need none are left
    out, and so are those of which it is not known.
    """

    endpoint_id: int
    live: CurrentSplit
    deployments: dict[str, str]
    targets: list[Target]
    active: int | None
    active_is_rollback: bool
    decision: Decision
    scale_first: Mapping[str, ScaleFirst] = field(default_factory=dict)

    @property
    def preselected(self) -> Target | None:
        return next((target for target in self.targets if target.preselected), None)


def active_change(endpoint_id: int) -> Change | None:
    """The change at work on this endpoint."""
    return Change.objects.filter(
        endpoint_id=endpoint_id, started_at__isnull=False, ended_at__isnull=True
    ).first()


def last_completed(endpoint_id: int) -> Change | None:
    """The change that was completed last on this endpoint."""
    return Change.objects.filter(endpoint_id=endpoint_id, state=State.SUCCEEDED).order_by("-ended_at").first()


def rollback_offer(principal: Principal, endpoint_id: int, workspace_id: int) -> Offer:
    """Everything that the dialog shows, made from rows alone: it needs neither Azure nor a worker."""
    sight = endpoint_sight(endpoint_id)
    offer = offer_for(principal, sight, workspace_id, workspace(workspace_id).slug)
    return replace(offer, scale_first=scale_first_of(sight, offer.targets))


def scale_first_of(sight: EndpointSight, targets: list[Target]) -> dict[str, ScaleFirst]:
    """What the deployments of each target would have to be scaled to, at the highest load that was measured."""
    found = peaks_lately(sight.endpoint_id)
    peak, replicas = peak_of(found), replicas_of(found, sight.deployments)
    steps = {each.key: put_split(each.split, each.mirror) for each in targets if each.eligible}
    behind = {each.key: _with(replicas, each.instances) for each in targets}
    if not any(scale_first(step, peak, behind[key], {}).instances for key, step in steps.items()):
        return {}
    rooms = rooms_of(sight.endpoint_id, sight.deployments)
    proposed = {key: scale_first(step, peak, behind[key], rooms) for key, step in steps.items()}
    return {key: proposal for key, proposal in proposed.items() if proposal.instances}


def _with(replicas: Mapping[str, Replicas], instances: Mapping[str, int]) -> Mapping[str, Replicas]:
    """The replicas as a target leaves them that brings instances back by itself."""
    back = {
        name: replace(replicas[name], instances=count)
        for name, count in instances.items()
        if name in replicas
    }
    return {**replicas, **back}


def offer_for(principal: Principal, sight: EndpointSight, workspace_id: int, slug: str) -> Offer:
    """The same out of what was read before; one query for what the mirror saw in force."""
    active = sight.orders.active
    return Offer(
        endpoint_id=sight.endpoint_id,
        live=sight.current(),
        deployments=sight.standing,
        targets=targets_of(sight),
        active=active.pk if active else None,
        active_is_rollback=bool(active and active.kind == Kind.ROLLBACK),
        decision=may_undo(principal, sight.orders.subject, workspace_id, slug),
    )


def may_roll_back(principal: Principal, endpoint_id: int, workspace_id: int) -> Decision:
    """Authors may roll back what they asked for; reviewers and operators anything."""
    subject = active_change(endpoint_id) or last_completed(endpoint_id)
    return may_undo(principal, subject, workspace_id, workspace(workspace_id).slug)


def may_undo(principal: Principal, subject: Change | None, workspace_id: int, slug: str) -> Decision:
    """The same for the change that a rollback would undo; `slug` is for the reason."""
    own = subject is not None and principal.is_any_of([subject.author_id])
    return decide(principal, Action.ROLL_BACK, workspace_id=workspace_id, own=own, workspace=slug)


def rollback_targets(endpoint_id: int) -> list[Target]:
    """The targets that the server issues now, best first."""
    return targets_of(endpoint_sight(endpoint_id))


def targets_of(sight: EndpointSight) -> list[Target]:
    """The same out of what was read before; one query for what the mirror saw in force."""
    live = sight.current()
    return issue(
        now_split=traffic.normalise(live.traffic),
        now_mirror=traffic.normalise(live.mirror_traffic),
        candidates=candidates(sight.orders.history, _verified(sight.endpoint_id)),
        deployments=sight.standing,
        active=sight.orders.active is not None,
        instances={state.name.lower(): state.instance_count for state in sight.deployments},
        deleted=deleted(sight.orders.history),
    )


def _verified(endpoint_id: int) -> list[Candidate]:
    return [
        Candidate(
            traffic.normalise(seen.traffic),
            traffic.normalise(seen.mirror_traffic),
            source=f"Read from Azure {seen.latest:%Y-%m-%d %H:%M} UTC",
        )
        for seen in verified_splits(endpoint_id, limit=5)
    ]
