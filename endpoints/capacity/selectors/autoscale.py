"""What scales a deployment: its setting and what is wrong with it, that it has none, or that nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from endpoints.capacity.autoscale import setting_of
from endpoints.capacity.models import AutoscaleReading, AutoscaleSetting
from endpoints.inventory.models import Deployment


class Scaled(StrEnum):
    """What is known of a deployment's autoscaling."""

    SET = "set"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Autoscale:
    """Of one deployment. `document` is Azure's own, `read_at` when this version was read first, `checked_at` when
    the subscription's settings were read last; None: never.

    `readable` False: parts of it could not be understood, and no fault of theirs is among `faults`. `reason`: what is
    wrong with the reading, or why it is unknown; else "".
    """

    state: Scaled
    checked_at: datetime | None
    reason: str
    document: Mapping[str, Any] | None = None
    faults: tuple[str, ...] = ()
    readable: bool = True
    read_at: datetime | None = None


def autoscale_of(deployment_ids: Collection[int]) -> dict[int, Autoscale]:
    """Of each deployment that there is. Three queries."""
    rows = Deployment.objects.filter(pk__in=set(deployment_ids)).values_list(
        "pk", "first_seen_at", "endpoint__workspace__subscription_id"
    )
    places = {pk: (seen, subscription.lower()) for pk, seen, subscription in rows}
    readings = {
        row.pk: row for row in AutoscaleReading.objects.filter(pk__in={one for _, one in places.values()})
    }
    in_force = AutoscaleSetting.objects.filter(deployment_id__in=places, ended_at=None)
    found = {row.deployment_id: row for row in in_force}
    return {
        pk: _told(found.get(pk), readings.get(subscription), seen)
        for pk, (seen, subscription) in places.items()
    }


def _told(row: AutoscaleSetting | None, reading: AutoscaleReading | None, seen: datetime) -> Autoscale:
    checked_at, reason = (reading.read_at, reading.reason) if reading else (None, "")
    if row is not None:
        readable = setting_of(row.document.get("properties") or {}).readable
        return Autoscale(
            Scaled.SET, checked_at, reason, row.document, tuple(row.faults), readable, row.read_at
        )
    why = _why_unknown(reading, seen)
    if why:
        return Autoscale(Scaled.UNKNOWN, checked_at, f"{why} {reason}".strip())
    return Autoscale(Scaled.NONE, checked_at, reason)


def _why_unknown(reading: AutoscaleReading | None, seen: datetime) -> str:
    """Why the lack of a row does not say that there is no setting; "" where it does."""
    if reading is None or reading.read_at is None:
        return "Autoscale settings were never read here."
    if reading.read_at < seen:
        return "Autoscale settings were read last before this deployment was known."
    if reading.groups is not None or (reading.reason and reading.failed_at is None):
        return "Not all autoscale settings could be read."
    return ""
