"""Everything that an endpoint's page shows of the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.azure_gateway.links import Links, links
from endpoints.core.errors import NotFound
from endpoints.core.traffic import Split
from endpoints.inventory import marks
from endpoints.inventory.assets import short
from endpoints.inventory.connection import cloud_settings
from endpoints.inventory.marks import Mark, Severity
from endpoints.inventory.models import Deployment, Drift, Endpoint
from endpoints.inventory.selectors.attribution import AttributionRow, attributions
from endpoints.inventory.selectors.fleet import last_read, stored_marks
from endpoints.inventory.selectors.freshness import Freshness, freshness, with_age


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A living deployment. `weight` and `mirror_weight` are percent; `state` is the whole projection."""

    id: int
    name: str
    arm_id: str
    provisioning_state: str
    weight: int
    mirror_weight: int
    model: str
    model_id: str
    environment: str
    environment_id: str
    code: str
    code_id: str
    instance_type: str
    instance_count: int | None
    azure_created_at: datetime | None
    first_seen_at: datetime
    unreadable_since: datetime | None
    unreadable_reason: str
    state: Mapping[str, Any]
    links: Links


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A change that nobody here ordered; it happened between `earliest` and `latest`.

    `attribution` None: nobody looked for it in the activity log.
    """

    id: int
    kind: str
    deployment: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    earliest: datetime | None
    latest: datetime
    known_at: datetime
    modified_by: str
    attribution: AttributionRow | None = None


@dataclass(frozen=True, slots=True)
class EndpointPage:
    """One endpoint as the mirror has it. `deleted_at` set: this is what it was when it was last read."""

    id: int
    workspace_id: int
    workspace: str
    environment: str
    name: str
    arm_id: str
    location: str
    kind: str
    severity: Severity
    status: str
    marks: tuple[Mark, ...]
    provisioning_state: str
    traffic: Split
    mirror_traffic: Split
    scoring_uri: str
    auth_mode: str
    public_network_access: str
    tags: Mapping[str, str]
    owner: str
    azure_created_at: datetime | None
    first_seen_at: datetime
    deleted_at: datetime | None
    read_at: datetime | None
    unreadable_since: datetime | None
    state: Mapping[str, Any]
    revision_id: int | None
    state_hash: str
    deployments: tuple[DeploymentRow, ...]
    open_drift: DriftRow | None
    freshness: Freshness
    links: Links


def endpoint_page(workspace_id: int, name: str) -> EndpointPage:
    """The living endpoint of that name, else the one deleted last. NotFound when there never was one."""
    named = Endpoint.objects.filter(workspace_id=workspace_id, name_key=name.lower()).select_related(
        "workspace", "latest_revision", "open_drift__deployment"
    )
    row = named.filter(deleted_at=None).first() or named.order_by("-deleted_at").first()
    if row is None:
        raise NotFound(f"This workspace has no endpoint {name}.")
    age = freshness(workspace_id)
    found = stored_marks(row)
    if row.deleted_at is None:
        found = with_age(found, age)
    severity = marks.worst(found)
    return EndpointPage(
        id=row.pk,
        workspace_id=row.workspace_id,
        workspace=row.workspace.slug,
        environment=row.workspace.environment,
        name=row.name,
        arm_id=row.arm_id,
        location=row.location,
        kind=row.kind,
        severity=severity,
        status=found[0].label if found and severity > Severity.QUIET else Severity.QUIET.word,
        marks=found,
        provisioning_state=row.provisioning_state,
        traffic=row.traffic,
        mirror_traffic=row.mirror_traffic,
        scoring_uri=row.scoring_uri,
        auth_mode=row.auth_mode,
        public_network_access=row.public_network_access,
        tags=row.tags,
        owner=row.owner,
        azure_created_at=row.azure_created_at,
        first_seen_at=row.first_seen_at,
        deleted_at=row.deleted_at,
        read_at=last_read(row, age),
        unreadable_since=row.unreadable_since,
        state=row.latest_revision.state if row.latest_revision else {},
        revision_id=row.latest_revision_id,
        state_hash=row.state_hash,
        deployments=deployment_rows(row),
        open_drift=drift_rows([row.open_drift])[0] if row.open_drift else None,
        freshness=age,
        links=links(cloud_settings(), row.arm_id),
    )


def deployment_rows(endpoint: Endpoint) -> tuple[DeploymentRow, ...]:
    """The living deployments: those with most traffic first."""
    rows = Deployment.objects.filter(endpoint=endpoint, deleted_at=None).select_related("latest_revision")
    built = [_deployment(row, endpoint) for row in rows]
    return tuple(sorted(built, key=lambda row: (-row.weight, -row.mirror_weight, row.name)))


def drift_rows(rows: Sequence[Drift]) -> tuple[DriftRow, ...]:
    """Drifts, each with what the activity log says of it."""
    told = attributions(row.pk for row in rows)
    return tuple(_drift(row, told.get(row.pk)) for row in rows)


def _drift(row: Drift, attribution: AttributionRow | None) -> DriftRow:
    return DriftRow(
        id=row.pk,
        kind=row.kind,
        deployment=row.deployment.name if row.deployment else "",
        before=row.before,
        after=row.after,
        earliest=row.earliest,
        latest=row.latest,
        known_at=row.known_at,
        modified_by=row.modified_by,
        attribution=attribution,
    )


def _deployment(row: Deployment, endpoint: Endpoint) -> DeploymentRow:
    return DeploymentRow(
        id=row.pk,
        name=row.name,
        arm_id=row.arm_id,
        provisioning_state=row.provisioning_state,
        weight=endpoint.traffic.get(row.name_key, 0),
        mirror_weight=endpoint.mirror_traffic.get(row.name_key, 0),
        model=short(row.model),
        model_id=row.model,
        environment=short(row.environment),
        environment_id=row.environment,
        code=short(row.code_id),
        code_id=row.code_id,
        instance_type=row.instance_type,
        instance_count=row.instance_count,
        azure_created_at=row.azure_created_at,
        first_seen_at=row.first_seen_at,
        unreadable_since=row.unreadable_since,
        unreadable_reason=row.unreadable_reason,
        state=row.latest_revision.state if row.latest_revision else {},
        links=links(cloud_settings(), row.arm_id),
    )
