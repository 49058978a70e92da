"""Reads the autoscale settings of every connected subscription that is due, and keeps each version with its faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from asgiref.sync import async_to_sync
from django.db import DatabaseError, transaction

from endpoints.access.selectors import connected_workspaces
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import Forbidden, GatewayError, Throttled
from endpoints.azure_gateway.records import AutoscaleRecord, Listing
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.capacity.autoscale import faults, setting_of
from endpoints.capacity.models import AutoscaleReading, AutoscaleSetting
from endpoints.core.clock import Clock
from endpoints.core.ids import arm_key
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.inventory.models import Deployment

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=15)
"""A rule is written once and forgotten; one call a subscription is cheap."""
AGAIN = timedelta(minutes=30)
"""After a failure."""
TAKEN = timedelta(minutes=5)
"""Longer than a reading takes; a subscription whose reader was killed waits this long."""
_LONGEST_REASON = 1000


class Lists(Protocol):
    """The part of the gateway that is needed here."""

    async def list_autoscale(self, subscription: str, group: str = "") -> Listing[AutoscaleRecord]: ...


class Connecting(Protocol):
    """Opens a connection to Azure."""

    def __call__(self, settings: GatewaySettings, *, clock: Clock) -> AbstractAsyncContextManager[Lists]: ...


@dataclass(frozen=True, slots=True)
class _Told:
    """What was listed. `groups` None: the whole subscription; else these resource groups alone, in lower case."""

    listings: tuple[Listing[AutoscaleRecord], ...]
    groups: tuple[str, ...] | None

    @property
    def began(self) -> datetime:
        return min(one.request_began for one in self.listings)

    @property
    def ended(self) -> datetime:
        return max(one.response_ended for one in self.listings)


def read_autoscale(
    *, settings: GatewaySettings | None = None, connecting: Connecting = connect
) -> dict[str, bool]:
    """Read what is due; by subscription whether it was read. What Azure refuses goes on record in words."""
    places: dict[str, set[str]] = {}
    for workspace in connected_workspaces():
        places.setdefault(workspace.subscription_id.lower(), set()).add(workspace.resource_group.lower())
    now = db_now()
    AutoscaleReading.objects.bulk_create(
        [AutoscaleReading(subscription=one, due_at=now) for one in sorted(places)], ignore_conflicts=True
    )
    due = AutoscaleReading.objects.filter(subscription__in=places, due_at__lte=now).order_by("due_at")
    using = settings or gateway_settings()
    return {
        one: _read(one, sorted(places[one]), using, connecting)
        for one in due.values_list("subscription", flat=True)
        if _take(one)
    }


def _take(subscription: str) -> bool:
    """Whether it is due and now ours to read."""
    now = db_now()
    mine = AutoscaleReading.objects.filter(subscription=subscription, due_at__lte=now)
    return mine.update(due_at=now + TAKEN) == 1


def _read(subscription: str, groups: list[str], settings: GatewaySettings, connecting: Connecting) -> bool:
    try:
        told = async_to_sync(_ask)(subscription, groups, settings, connecting, DatabaseClock())
        return _absorb(subscription, told)
    except (GatewayError, ValueError, DatabaseError) as error:
        _failed(subscription, error)
        return False


async def _ask(
    subscription: str, groups: list[str], settings: GatewaySettings, connecting: Connecting, clock: Clock
) -> _Told:
    """All of the subscription or, where only resource groups may be read, those of its workspaces."""
    async with connecting(settings, clock=clock) as azure:
        try:
            return _Told((await azure.list_autoscale(subscription),), None)
        except Forbidden:
            told = [await azure.list_autoscale(subscription, group) for group in groups]
            return _Told(tuple(told), tuple(groups))


@transaction.atomic
def _absorb(subscription: str, told: _Told) -> bool:
    """Take it in; False for a reading that began before the last accepted one ended: it may be older."""
    reading = AutoscaleReading.objects.select_for_update().get(subscription=subscription)
    if reading.read_at is not None and told.began < reading.read_at:
        return False
    found, torn = _by_target(told)
    alive = _deployments(subscription, found)
    in_force = {row.deployment_id: row for row in _in_force(subscription)}
    complete = not torn and not any(one.unreadable for one in told.listings)
    for key, record in found.items():
        if key in alive:
            _keep(alive[key], record, in_force.pop(alive[key], None), told, reading.read_at)
    gone = [row.pk for row in in_force.values() if complete and _covered(row.arm_id, told.groups)]
    AutoscaleSetting.objects.filter(pk__in=gone).update(ended_at=told.ended)
    AutoscaleReading.objects.filter(pk=subscription).update(
        read_at=told.ended,
        groups=None if told.groups is None else list(told.groups),
        due_at=db_now() + EVERY,
        failed_at=None,
        reason=_reason(told, torn)[:_LONGEST_REASON],
    )
    return True


def _by_target(told: _Told) -> tuple[dict[str, AutoscaleRecord], list[str]]:
    """Settings by what they scale, and what has two of them: which one holds is not known."""
    found: dict[str, AutoscaleRecord] = {}
    torn: list[str] = []
    for record in (one for listing in told.listings for one in listing):
        key = arm_key(record.target)
        if found.setdefault(key, record).arm_id.lower() != record.arm_id.lower():
            torn.append(key)
    return {key: record for key, record in found.items() if key not in torn}, torn


def _deployments(subscription: str, keys: Collection[str]) -> dict[str, int]:
    living = Deployment.objects.filter(
        arm_key__in=keys,
        deleted_at=None,
        endpoint__deleted_at=None,
        endpoint__workspace__subscription_id__iexact=subscription,
    )
    return dict(living.values_list("arm_key", "pk"))


def _in_force(subscription: str) -> list[AutoscaleSetting]:
    here = Deployment.objects.filter(endpoint__workspace__subscription_id__iexact=subscription)
    return list(AutoscaleSetting.objects.filter(ended_at=None, deployment_id__in=here.values("pk")))


def _keep(
    deployment_id: int,
    record: AutoscaleRecord,
    known: AutoscaleSetting | None,
    told: _Told,
    read_before: datetime | None,
) -> None:
    """A version of its own for what is new; what is unchanged stays as it is."""
    properties = _properties(record.raw)
    if known is not None:
        if known.arm_id.lower() == record.arm_id.lower() and _properties(known.document) == properties:
            return
        AutoscaleSetting.objects.filter(pk=known.pk).update(ended_at=told.ended)
    AutoscaleSetting.objects.create(
        deployment_id=deployment_id,
        arm_id=record.arm_id,
        document=dict(record.raw),
        faults=list(faults(setting_of(properties))),
        earliest=read_before,
        read_at=told.ended,
    )


def _properties(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("properties")
    return found if isinstance(found, Mapping) else {}


def _covered(arm_id: str, groups: Collection[str] | None) -> bool:
    """Whether a reading would have shown the setting, had it been there."""
    parts = arm_id.lower().split("/")
    return groups is None or (len(parts) > 4 and parts[4] in groups)


def _reason(told: _Told, torn: list[str]) -> str:
    said = [f"{one.item}: {one.reason}" for listing in told.listings for one in listing.unreadable]
    said += [f"{key} has two settings; which one holds is not known" for key in torn]
    if told.groups is not None:
        said.append(
            f"Only {', '.join(told.groups)} could be listed: settings in other resource groups are not known"
        )
    return "".join(f"{one}. " for one in said).strip()


def _failed(subscription: str, error: Exception) -> None:
    """What was known stays, with its age; the reason says why it is not known better."""
    now, told = db_now(), error.retry_after if isinstance(error, Throttled) else None
    words = (
        f"What Azure answered could not be stored ({type(error).__name__}); the portal's log says more."
        if isinstance(error, DatabaseError)
        else str(error)
    )
    AutoscaleReading.objects.filter(pk=subscription).update(
        failed_at=now, reason=words[:_LONGEST_REASON], due_at=now + max(AGAIN, timedelta(seconds=told or 0.0))
    )
    log.warning(
        "autoscale_not_read",
        subscription=subscription,
        cause=getattr(error, "code", "") or type(error).__name__,
    )
