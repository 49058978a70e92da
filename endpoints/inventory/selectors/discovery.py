"""What Resource Graph knows of the connected subscriptions, beside what is mirrored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from endpoints.access.models import Workspace
from endpoints.inventory.coverage import Coverage, Elsewhere
from endpoints.inventory.models import Discovery, Endpoint


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """One subscription. `coverage` None: Resource Graph never answered; `reason` says why it did not, lately."""

    subscription: str
    mirrored: int
    coverage: Coverage | None
    found_at: datetime | None
    looked_at: datetime | None
    reason: str

    @property
    def sentence(self) -> str:
        """What is known, in words."""
        if self.coverage is not None:
            return self.coverage.sentence(self.mirrored)
        text = f"{self.mirrored:,} endpoints are mirrored. What else Azure has here is not known."
        return f"{text} {self.reason}".strip()


def discoveries(workspace_ids: Iterable[int]) -> tuple[DiscoveryRow, ...]:
    """The subscriptions of these workspaces. Three queries.

    It names workspaces that nobody connected: show it to those who may connect them.
    """
    wanted = Workspace.objects.filter(pk__in=list(workspace_ids), disconnected_at__isnull=True)
    subscriptions = sorted({one.lower() for one in wanted.values_list("subscription_id", flat=True)})
    told = {row.subscription: row for row in Discovery.objects.filter(subscription__in=subscriptions)}
    mirrored = _mirrored()
    return tuple(_row(one, told.get(one), mirrored.get(one, 0)) for one in subscriptions)


def _mirrored() -> dict[str, int]:
    living = Endpoint.objects.filter(deleted_at=None, workspace__disconnected_at=None)
    counted = living.order_by().values_list("workspace__subscription_id").annotate(n=Count("pk"))
    found: dict[str, int] = {}
    for subscription, number in counted:
        found[subscription.lower()] = found.get(subscription.lower(), 0) + number
    return found


def _row(subscription: str, told: Discovery | None, mirrored: int) -> DiscoveryRow:
    if told is None:
        return DiscoveryRow(subscription, mirrored, None, None, None, "")
    return DiscoveryRow(subscription, mirrored, _coverage(told), told.found_at, told.looked_at, told.reason)


def _coverage(told: Discovery) -> Coverage | None:
    if told.found_at is None:
        return None
    elsewhere = tuple(Elsewhere(one["workspace"], one["endpoints"]) for one in told.elsewhere)
    return Coverage(told.endpoints or 0, told.connected or 0, elsewhere)
