"""One endpoint and its deployments at a moment: every field of each state that may have held, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from endpoints.core.errors import NotFound
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors.asof import DeploymentThen, EndpointThen, deployments_of, endpoints_as_of
from endpoints.inventory.selectors.fleet_asof import differ


@dataclass(frozen=True, slots=True)
class DeploymentBoth:
    """A deployment as known at the moment asked for, and as known now; one and the same where none was asked for."""

    name: str
    then: DeploymentThen
    now_known: DeploymentThen

    @property
    def corrected(self) -> bool:
        return differ(self.then, self.now_known)

    @property
    def is_gone(self) -> bool:
        return self.then.is_gone and self.now_known.is_gone


@dataclass(frozen=True, slots=True)
class EndpointPageThen:
    """`deployments` are those that were, or may have been there; `others` counts those that certainly were not."""

    id: int
    workspace_id: int
    workspace: str
    environment: str
    name: str
    arm_id: str
    location: str
    then: EndpointThen
    now_known: EndpointThen
    deployments: tuple[DeploymentBoth, ...]
    others: int
    azure_created_at: datetime | None
    first_seen_at: datetime

    @property
    def corrected(self) -> bool:
        """Whether later knowledge of the endpoint itself says something else than was known then."""
        return differ(self.then, self.now_known)


def endpoint_page_as_of(
    workspace_id: int, name: str, at: datetime, *, known: datetime | None = None
) -> EndpointPageThen:
    """The endpoint that had the name at `at`. NotFound when the workspace never had one of it."""
    row = _named(workspace_id, name, at)
    then = endpoints_as_of([row], at, known=known)[row.pk]
    now_known = then if known is None else endpoints_as_of([row], at)[row.pk]
    both = _both(row.pk, at, known)
    there = [one for one in both if not one.is_gone]
    return EndpointPageThen(
        id=row.pk,
        workspace_id=row.workspace_id,
        workspace=row.workspace.slug,
        environment=row.workspace.environment,
        name=row.name,
        arm_id=row.arm_id,
        location=row.location,
        then=then,
        now_known=now_known,
        deployments=tuple(sorted(there, key=lambda one: one.name.lower())),
        others=len(both) - len(there),
        azure_created_at=row.azure_created_at,
        first_seen_at=row.first_seen_at,
    )


def _named(workspace_id: int, name: str, at: datetime) -> Endpoint:
    """The newest of that name that there was at `at`, else the first one that came after."""
    named = Endpoint.objects.filter(workspace_id=workspace_id, name_key=name.lower())
    began = named.filter(Q(azure_created_at__lte=at) | Q(azure_created_at=None, first_seen_at__lte=at))
    with_place = "workspace"
    row = (
        began.select_related(with_place).order_by("-first_seen_at", "-pk").first()
        or named.select_related(with_place).order_by("first_seen_at", "pk").first()
    )
    if row is None:
        raise NotFound(f"This workspace never had an endpoint {name}.")
    return row


def _both(endpoint_id: int, at: datetime, known: datetime | None) -> list[DeploymentBoth]:
    then = deployments_of([endpoint_id], at, known=known).get(endpoint_id, ())
    now_known = then if known is None else deployments_of([endpoint_id], at).get(endpoint_id, ())
    return [DeploymentBoth(one.name, one, other) for one, other in zip(then, now_known, strict=True)]
