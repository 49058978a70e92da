"""What was true at a moment, with how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from endpoints.core.errors import NotFound
from endpoints.inventory import timeline
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.selectors import candidates
from endpoints.inventory.timeline import Certainty, Gap, Why


@dataclass(frozen=True, slots=True)
class StateThen:
    """One possible state; `deleted`: that there was no such thing any more. The portal knew of it at `known_at`."""

    revision_id: int
    state: Mapping[str, Any]
    deleted: bool
    earliest: datetime | None
    latest: datetime
    cause: str
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`states` holds one when certain, the older and the newer when one of two, none when unknown: then `why`."""

    certainty: Certainty
    states: tuple[StateThen, ...]
    why: Why | None = None
    azure_created_at: datetime | None = None

    @property
    def is_gone(self) -> bool:
        """Whether there certainly was no such thing: not any more, or not yet."""
        if self.why is not None:
            return self.why.gap is Gap.NOT_CREATED
        return bool(self.states) and all(one.deleted for one in self.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointThen(Answer):
    """An endpoint at a moment."""

    endpoint_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentThen(Answer):
    """A deployment at a moment."""

    deployment_id: int
    name: str
    endpoint_id: int = 0


def endpoint_as_of(endpoint_id: int, at: datetime, *, known: datetime | None = None) -> EndpointThen:
    """The endpoint's state at `at`, as known now or at `known`."""
    row = Endpoint.objects.filter(pk=endpoint_id).first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    return endpoints_as_of([row], at, known=known)[endpoint_id]


def endpoints_as_of(
    rows: Sequence[Endpoint], at: datetime, *, known: datetime | None = None
) -> dict[int, EndpointThen]:
    """Those of many endpoints, in a handful of queries."""
    revisions = candidates.of_endpoints([row.pk for row in rows], at, known)
    cover = candidates.cover_of_endpoints(rows, known)
    return {
        row.pk: EndpointThen(endpoint_id=row.pk, **_answer(row, revisions, cover, at, known)) for row in rows
    }


def deployments_as_of(
    endpoint_id: int, at: datetime, *, known: datetime | None = None
) -> tuple[DeploymentThen, ...]:
    """The states of all deployments that the endpoint ever had; those that were gone or not there yet included."""
    return deployments_of([endpoint_id], at, known=known).get(endpoint_id, ())


def deployments_of(
    endpoint_ids: Iterable[int],
    at: datetime,
    *,
    known: datetime | None = None,
    maybe_there: bool = False,
    names: Collection[str] | None = None,
) -> dict[int, tuple[DeploymentThen, ...]]:
    """Those of many endpoints by endpoint, in a handful of queries. `maybe_there`: only those that may have been.

    `names`: only those that had one of these, lower case.
    """
    found = Deployment.objects.filter(endpoint_id__in=list(endpoint_ids)).select_related("endpoint")
    if names is not None:
        found = found.filter(name_key__in=list(names))
    if maybe_there:
        alive = Q(deleted_at__isnull=True) | Q(deleted_at__gt=at)
        if known is not None:
            alive |= Q(latest_revision__known_at__gt=known)
        found = found.filter(alive, Q(azure_created_at__isnull=True) | Q(azure_created_at__lte=at))
    rows = list(found.order_by("pk"))
    revisions = candidates.of_deployments([row.pk for row in rows], at, known)
    cover = candidates.cover_of_deployments(rows, known)
    answers: dict[int, tuple[DeploymentThen, ...]] = {}
    for row in rows:
        then = DeploymentThen(
            deployment_id=row.pk,
            name=row.name,
            endpoint_id=row.endpoint_id,
            **_answer(row, revisions, cover, at, known),
        )
        answers[row.endpoint_id] = (*answers.get(row.endpoint_id, ()), then)
    return answers


def _answer(
    row: Endpoint | Deployment,
    revisions: Mapping[int, Sequence[Any]],
    cover: Mapping[int, datetime | None],
    at: datetime,
    known: datetime | None,
) -> dict[str, Any]:
    mine, covered_until = revisions.get(row.pk, ()), cover.get(row.pk)
    created_at = row.azure_created_at
    if known is not None and not mine:
        created_at = None  # when Azure made it was not known either
    found = timeline.as_of(mine, at, covered_until=covered_until)
    why = None
    if not found.candidates:
        why = timeline.why_unknown(mine, at, created_at=created_at, covered_until=covered_until)
    return {
        "certainty": found.certainty,
        "states": tuple(_state(one) for one in found.candidates),
        "why": why,
        "azure_created_at": created_at,
    }


def _state(row: Any) -> StateThen:
    return StateThen(row.pk, row.state, row.deleted, row.earliest, row.latest, row.cause, row.known_at)
