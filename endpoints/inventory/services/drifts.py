"""Drift goes on record: one row for the mirror, one entry for the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from endpoints.audit import services as audit
from endpoints.audit.actors import SYSTEM_SYNC
from endpoints.core.ids import ref
from endpoints.inventory.drift import Kind
from endpoints.inventory.models import Deployment, DeploymentRevision, Drift, Endpoint, EndpointRevision

# Values of these may be names of people or anything else that somebody typed.
_NAMES_ONLY = frozenset({"tags", "identity"})


def record_endpoint(
    endpoint: Endpoint,
    revision: EndpointRevision,
    kind: Kind,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
) -> Drift:
    """The drift of an endpoint itself. The ledger entry is the caller's to write, last (`to_ledger`)."""
    return Drift.objects.create(
        endpoint=endpoint,
        kind=kind,
        revision=revision,
        before=dict(before),
        after=dict(after),
        earliest=revision.earliest,
        latest=revision.latest,
        known_at=now,
        modified_by=revision.modified_by,
    )


def record_deployment(
    endpoint: Endpoint,
    deployment: Deployment,
    revision: DeploymentRevision,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
) -> Drift:
    """A deployment that was made, changed or deleted by others."""
    return Drift.objects.create(
        endpoint=endpoint,
        kind=Kind.DEPLOYMENT,
        deployment=deployment,
        deployment_revision=revision,
        before=dict(before),
        after=dict(after),
        earliest=revision.earliest,
        latest=revision.latest,
        known_at=now,
        modified_by=revision.modified_by,
    )


def to_ledger(drift: Drift, azure_request_id: str) -> None:
    """Last in the transaction: the ledger makes every other writer wait until it commits."""
    subject = ref("endpoint", drift.endpoint_id)
    named = {"deployment": drift.deployment.name} if drift.deployment else {}
    audit.record(
        actor=SYSTEM_SYNC,
        action="endpoint.drift",
        subject=subject,
        workspace_id=drift.endpoint.workspace_id,
        endpoint=subject,
        before=named | {name: for_ledger(name, value) for name, value in drift.before.items()},
        after=named | {name: for_ledger(name, value) for name, value in drift.after.items()},
        azure_request_id=azure_request_id,
    )


def for_ledger(name: str, value: Any) -> Any:
    """The ledger takes no fractions, and no free text: of tags it holds the names."""
    if name in _NAMES_ONLY and isinstance(value, dict):
        return sorted(value)
    if isinstance(value, dict):
        return {key: for_ledger(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [for_ledger(name, item) for item in value]
    return repr(value) if isinstance(value, float) else value
