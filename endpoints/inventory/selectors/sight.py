"""One endpoint as the mirror has it now: its split, its deployments, and how old that is. Two queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from endpoints.core.errors import NotFound
from endpoints.core.traffic import Split
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.selectors import covering

_SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class CurrentSplit:
    """The newest state on record. It was true in Azure at some moment from `read_began` to `read_ended`.

    `looked_at` is the database's time when this was asked for.
    """

    endpoint_id: int
    traffic: Split
    mirror_traffic: Split
    provisioning_state: str
    state_hash: str
    revision_id: int
    read_began: datetime
    read_ended: datetime
    unreadable_since: datetime | None
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """A living deployment. `instance_count` None: Azure did not say. `can_serve`: it may be given traffic."""

    id: int
    name: str
    arm_id: str
    provisioning_state: str
    instance_count: int | None
    instance_type: str
    model: str
    environment: str
    code_id: str
    revision_id: int
    read_began: datetime
    read_ended: datetime

    @property
    def can_serve(self) -> bool:
        return self.provisioning_state.lower() == _SUCCEEDED


def current_split(endpoint_id: int) -> CurrentSplit:
    """The split on record. NotFound when the endpoint is not there, or not any more."""
    found = covering.endpoints_with_run().filter(pk=endpoint_id, deleted_at=None)
    row = found.annotate(looked_at=Now()).first()
    if row is None or row.latest_revision_id is None:
        raise NotFound("There is no such endpoint, or it was deleted.")
    return _current_split(row, row.latest_revision_id, row.looked_at)


def deployment_states(endpoint_id: int) -> tuple[DeploymentState, ...]:
    """The living deployments by name."""
    found = covering.deployments_with_run().filter(endpoint_id=endpoint_id, deleted_at=None)
    return tuple(_deployment_state(row) for row in found.order_by("name_key"))


def _current_split(row: Endpoint, revision_id: int, looked_at: datetime) -> CurrentSplit:
    read = covering.of_annotated(row)
    return CurrentSplit(
        endpoint_id=row.pk,
        traffic=row.traffic,
        mirror_traffic=row.mirror_traffic,
        provisioning_state=row.provisioning_state,
        state_hash=row.state_hash,
        revision_id=revision_id,
        read_began=read.began,
        read_ended=read.ended,
        unreadable_since=row.unreadable_since,
        looked_at=looked_at,
    )


def _deployment_state(row: Deployment) -> DeploymentState:
    read = covering.of_annotated(row)
    return DeploymentState(
        id=row.pk,
        name=row.name,
        arm_id=row.arm_id,
        provisioning_state=row.provisioning_state,
        instance_count=row.instance_count,
        instance_type=row.instance_type,
        model=row.model,
        environment=row.environment,
        code_id=row.code_id,
        revision_id=row.latest_revision_id or 0,
        read_began=read.began,
        read_ended=read.ended,
    )
