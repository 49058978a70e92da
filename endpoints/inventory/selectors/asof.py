"""What was true at a moment, with how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from endpoints.core.errors import NotFound
from endpoints.inventory import timeline
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision
from endpoints.inventory.selectors import covering
from endpoints.inventory.timeline import Certainty

# Newest first by `latest`: the one that holds, and those whose switch may have been under way.
_CANDIDATES = 4


@dataclass(frozen=True, slots=True)
class StateThen:
    """One possible state; `deleted`: that there was no such thing any more."""

    revision_id: int
    state: Mapping[str, Any]
    deleted: bool
    earliest: datetime | None
    latest: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class EndpointThen:
    """`states` holds one when certain, the older and the newer when one of two, none when unknown."""

    endpoint_id: int
    certainty: Certainty
    states: tuple[StateThen, ...]


@dataclass(frozen=True, slots=True)
class DeploymentThen:
    deployment_id: int
    name: str
    certainty: Certainty
    states: tuple[StateThen, ...]


def endpoint_as_of(endpoint_id: int, at: datetime, *, known: datetime | None = None) -> EndpointThen:
    """The endpoint's state at `at`, as known now or at `known`."""
    row = Endpoint.objects.filter(pk=endpoint_id).first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    revisions = EndpointRevision.objects.filter(endpoint_id=endpoint_id)
    certainty, states = _then(revisions, at, known, _covered_until(row, known))
    return EndpointThen(endpoint_id, certainty, states)


def deployments_as_of(
    endpoint_id: int, at: datetime, *, known: datetime | None = None
) -> tuple[DeploymentThen, ...]:
    """The states of all deployments that the endpoint ever had; those that were gone or not there yet included."""
    found = []
    rows = Deployment.objects.filter(endpoint_id=endpoint_id).select_related("endpoint").order_by("pk")
    for row in rows:
        revisions = DeploymentRevision.objects.filter(deployment_id=row.pk)
        certainty, states = _then(revisions, at, known, _covered_until(row, known))
        found.append(DeploymentThen(row.pk, row.name, certainty, states))
    return tuple(found)


def _covered_until(row: Endpoint | Deployment, known: datetime | None) -> datetime | None:
    """The last read that confirmed the newest state; with `known`, the last one by then that a run tells of."""
    if known is None:
        return covering.of_newest_run(row).began
    workspace_id = row.workspace_id if isinstance(row, Endpoint) else row.endpoint.workspace_id
    run = covering.newest_run(workspace_id, before=known)
    return run.reads_began if run else None


def _then(
    revisions: QuerySet[Any], at: datetime, known: datetime | None, covered_until: datetime | None
) -> tuple[Certainty, tuple[StateThen, ...]]:
    if known is not None:
        revisions = revisions.filter(known_at__lte=known)
    begun = list(revisions.filter(latest__lte=at).order_by("-latest", "-pk")[:1])
    later = revisions.filter(Q(earliest__isnull=True) | Q(earliest__lt=at), latest__gt=at)
    after = list(later.order_by("latest", "pk")[:_CANDIDATES])
    following = list(revisions.filter(latest__gt=at).order_by("latest", "pk")[:1])
    candidates = {row.pk: row for row in (*begun, *after, *following)}
    answer = timeline.as_of(list(candidates.values()), at, covered_until=covered_until)
    return answer.certainty, tuple(_state(row) for row in answer.candidates)


def _state(row: Any) -> StateThen:
    return StateThen(row.pk, row.state, row.deleted, row.earliest, row.latest, row.cause)
