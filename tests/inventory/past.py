"""A past that is on record: endpoints and deployments whose states began, and became known, at chosen moments.

Rows are inserted as the mirror writes them; revisions can't be changed once they are there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from endpoints.access.models import Workspace
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision, SyncRun
from tests.inventory.support import at

_hashes = itertools.count(1)

STATE: dict[str, Any] = {
    "traffic": {"blue": 100},
    "mirror_traffic": {},
    "auth_mode": "Key",
    "provisioning_state": "Succeeded",
    "public_network_access": "Enabled",
    "kind": "Managed",
    "location": "westeurope",
    "tags": {"owner": "fraud"},
}
BLUE: dict[str, Any] = {
    "model": "azureml://registries/fraud/models/risk/versions/7",
    "environment": "azureml://registries/fraud/environments/sklearn/versions/3",
    "instance_type": "Standard_DS3_v2",
    "instance_count": 2,
    "provisioning_state": "Succeeded",
}


def endpoint_of_then(
    workspace: Workspace, name: str = "checkout-risk", *, created: float | None = -100, first: float = 10
) -> Endpoint:
    """An endpoint without any state yet. Times are seconds after START."""
    arm_id = f"{workspace.arm_id}/onlineEndpoints/{name}"
    return Endpoint.objects.create(
        workspace=workspace,
        name=name,
        name_key=name.lower(),
        arm_id=arm_id,
        arm_key=arm_id.lower(),
        azure_created_at=None if created is None else at(created),
        first_seen_at=at(first),
        state_hash="",
        last_read_began=at(first),
        last_read_ended=at(first),
        traffic={},
    )


def deployment_of_then(
    endpoint: Endpoint, name: str = "blue", *, created: float | None = -100, first: float = 10
) -> Deployment:
    arm_id = f"{endpoint.arm_id}/deployments/{name}"
    return Deployment.objects.create(
        endpoint=endpoint,
        name=name,
        name_key=name.lower(),
        arm_id=arm_id,
        arm_key=arm_id.lower(),
        azure_created_at=None if created is None else at(created),
        first_seen_at=at(first),
        state_hash="",
        last_read_began=at(first),
        last_read_ended=at(first),
    )


def began(
    row: Endpoint | Deployment,
    earliest: float | None,
    latest: float,
    *,
    known: float | None = None,
    deleted: bool = False,
    cause: str = "",
    **changes: Any,
) -> int:
    """A state that began between the two; `changes` are its fields beside the usual ones."""
    usual: Mapping[str, Any] = STATE if isinstance(row, Endpoint) else BLUE
    fields: dict[str, Any] = {
        "earliest": None if earliest is None else at(earliest),
        "latest": at(latest),
        "known_at": at(latest if known is None else known),
        "state_hash": f"{next(_hashes):064d}",
        "state": {} if deleted else {**usual, **changes},
        "deleted": deleted,
        "cause": cause,
    }
    if isinstance(row, Endpoint):
        return EndpointRevision.objects.create(endpoint=row, **fields).pk
    return DeploymentRevision.objects.create(deployment=row, **fields).pk


def read_all(workspace: Workspace, start: float, end: float, *unreadable: str) -> SyncRun:
    """A sync that read the workspace from `start` to `end` and found nothing new, except what it could not read."""
    return SyncRun.objects.create(
        workspace=workspace,
        trigger="schedule",
        outcome="complete",
        started_at=at(start),
        ended_at=at(end),
        reads_began=at(start),
        reads_ended=at(end),
        unreadable=[{"item": item, "reason": "It was not understood."} for item in unreadable],
        cadence_seconds=30,
    )
