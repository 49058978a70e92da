"""Who works on an endpoint: taken, renewed and given back by the database's clock.

A lease that ran out is taken over at once, unless its last call has no recorded answer: then only after the
time in which that call may still reach Azure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from endpoints.changes.models import Attempt, Lease
from endpoints.changes.services.lease import lock_lease
from endpoints.dispatch import db_now


@dataclass(frozen=True, slots=True)
class Held:
    """The lease is ours under this epoch."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody else has it, until then at the latest."""

    free_at: datetime


@transaction.atomic
def acquire(endpoint_id: int, holder: str) -> Held | Taken:
    """Take or renew the lease."""
    lease, now = lock_lease(endpoint_id), db_now()
    if lease.holder not in ("", holder):
        free_at = _free_at(lease)
        if free_at > now:
            return Taken(free_at)
    if lease.holder != holder:
        lease.holder, lease.epoch = holder, lease.epoch + 1
    lease.expires_at = now + timedelta(seconds=settings.OPSPORTAL.lease_seconds)
    lease.save(update_fields=["holder", "epoch", "expires_at"])
    return Held(lease.epoch)


def _free_at(lease: Lease) -> datetime:
    if lease.expires_at is None:
        return db_now()
    newest = Attempt.objects.filter(change__endpoint_id=lease.endpoint_id).order_by("-pk").first()
    if newest is None or newest.outcome:
        return lease.expires_at
    return lease.expires_at + timedelta(seconds=settings.OPSPORTAL.in_flight_bound_seconds)


def extend(endpoint_id: int) -> None:
    """From now on anew. The caller holds the row's lock and has seen that the lease is its own."""
    expires_at = db_now() + timedelta(seconds=settings.OPSPORTAL.lease_seconds)
    Lease.objects.filter(endpoint_id=endpoint_id).update(expires_at=expires_at)


def renew(endpoint_ids: Iterable[int], holder: str) -> None:
    """Keep the leases that still run, while their workers wait for Azure or for a time to come."""
    now = db_now()
    mine = Lease.objects.filter(endpoint_id__in=list(endpoint_ids), holder=holder, expires_at__gt=now)
    mine.update(expires_at=now + timedelta(seconds=settings.OPSPORTAL.lease_seconds))


def release(endpoint_id: int, holder: str) -> None:
    """Give it back, so that the next one need not wait."""
    Lease.objects.filter(endpoint_id=endpoint_id, holder=holder).update(holder="", expires_at=None)
