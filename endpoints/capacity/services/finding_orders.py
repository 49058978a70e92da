"""What a finding asks for, as an order for a change on what stands now; or why none can be made of it."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from endpoints.access.selectors import workspace
from endpoints.capacity.autoscale_documents import by_load, put_right, scheduled
from endpoints.capacity.models import Finding
from endpoints.capacity.proposals import Kind
from endpoints.capacity.ruleset import Rules
from endpoints.capacity.selectors.autoscale import Autoscale, Scaled, autoscale_of
from endpoints.capacity.selectors.rules import rules_of
from endpoints.capacity.told import Told, from_json
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.core.errors import Conflict
from endpoints.inventory.models import Deployment

AS_WORK = frozenset({Kind.RESIZE, Kind.BATCH})
"""No change does it: a new deployment and a rollout do, or the caller."""
_SCALED = frozenset({Kind.SCHEDULE, Kind.AUTOSCALE, Kind.FIX_AUTOSCALE})


def order_of(row: Finding, *, typed: str) -> CapacityOrder:
    """Conflict when what stands now is not what the finding was about."""
    kind, rules = Kind(row.kind), rules_of(row.workspace_id).rules
    if row.ended_at is not None:
        raise Conflict(f"SV-{row.pk} is over. Nothing was asked for.")
    if kind is Kind.DELETE_ENDPOINT:
        return CapacityOrder(Want.DELETE_ENDPOINT, scream=scream_seconds(rules), typed=typed)
    deployment, told = row.deployment, from_json(row.advice)
    if deployment is None or deployment.deleted_at is not None:
        raise Conflict("This deployment is not there any more. Nothing was asked for.")
    if kind is Kind.DELETE:
        return CapacityOrder(Want.DELETE, deployment.name_key, scream=scream_seconds(rules), typed=typed)
    scaled = autoscale_of([deployment.pk])[deployment.pk]
    if kind is Kind.SHRINK:
        _still(deployment, told, scaled)
        return CapacityOrder(Want.SCALE, deployment.name_key, instances=told.instances)
    if kind in _SCALED:
        return _autoscale(kind, deployment, told, scaled, rules)
    raise Conflict(f"No change can do this: {told.effect}")


def is_work(row: Finding) -> bool:
    """Whether no change can do it: of another kind, or a setting of which nobody but its owner knows what it is for."""
    if Kind(row.kind) in AS_WORK:
        return True
    if Kind(row.kind) is not Kind.FIX_AUTOSCALE or row.deployment_id is None:
        return False
    scaled = autoscale_of([row.deployment_id])[row.deployment_id]
    return scaled.document is not None and put_right(scaled.document) is None


def scream_seconds(rules: Rules) -> int:
    """For so long a deployment has no traffic before it is deleted; the installation's word is the least."""
    least: int = settings.OPSPORTAL.scream_test_seconds
    return least if rules.scream_hours is None else max(least, rules.scream_hours * 3600)


def _still(deployment: Deployment, told: Told, scaled: Autoscale) -> None:
    """Shrinking what has shrunk already would make it grow, and a rule would take it back."""
    if deployment.instance_count != told.now_instances:
        now = "an unknown number of" if deployment.instance_count is None else f"{deployment.instance_count}"
        raise Conflict(
            f"{deployment.name} has {now} instances by now, not {told.now_instances} as when this was found. Nothing"
            " was asked for; release the finding and look at it again."
        )
    if scaled.state is Scaled.SET and _enabled(scaled):
        raise Conflict(
            f"{deployment.name} is scaled by rules, which would take this back. Nothing was asked for; change its"
            " autoscale setting."
        )


def _autoscale(
    kind: Kind, deployment: Deployment, told: Told, scaled: Autoscale, rules: Rules
) -> CapacityOrder:
    if scaled.state is Scaled.UNKNOWN:
        raise Conflict(f"What scales it is not known: {scaled.reason} Nothing was asked for.")
    endpoint, previous = deployment.endpoint, scaled.document
    count = told.now_instances or 0
    match kind:
        case Kind.FIX_AUTOSCALE:
            document = put_right(previous) if previous else None
        case Kind.SCHEDULE:
            document = scheduled(deployment.arm_id, endpoint.location, instances=count, rules=rules.causes)
        case _:
            document = (
                by_load(deployment.arm_id, endpoint.location, least=1, most=count) if count > 1 else None
            )
    if document is None:
        raise Conflict(f"{_why_none(kind)} Nothing was asked for.")
    return CapacityOrder(
        Want.AUTOSCALE,
        deployment.name_key,
        setting=str(previous["id"])
        if previous
        else _new_setting(deployment, row_workspace=endpoint.workspace_id),
        document=document,
        previous=previous,
    )


def _new_setting(deployment: Deployment, *, row_workspace: int) -> str:
    """Beside the workspace; the name says what it scales."""
    place = workspace(row_workspace)
    name = f"as-{deployment.endpoint.name}-{deployment.name}"
    return (
        f"/subscriptions/{place.subscription_id}/resourceGroups/{place.resource_group}"
        f"/providers/Microsoft.Insights/autoscalesettings/{name}"
    )


def _enabled(scaled: Autoscale) -> bool:
    properties = (scaled.document or {}).get("properties")
    return not isinstance(properties, Mapping) or bool(properties.get("enabled", True))


def _why_none(kind: Kind) -> str:
    if kind is Kind.FIX_AUTOSCALE:
        return "Its autoscale setting is not there any more."
    if kind is Kind.SCHEDULE:
        return (
            "No schedule can be made: by the workspace's rules nobody ever rests, or Azure Monitor's name of its time"
            " zone is not known here."
        )
    return "One instance cannot be scaled down."
