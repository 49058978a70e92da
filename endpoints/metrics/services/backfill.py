"""Read the past, newest first, in slices that leave room for everything else, and go on where a slice ended.

An order names a stretch of one collector. Minutes within their retention are stored as such; older ones are rolled
straight into hours, whole hours at a time.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.db import transaction

from endpoints.audit import services as audit
from endpoints.audit.actors import Actor
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.errors import Invalid
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.metrics import retained
from endpoints.metrics.models import Backfill, Collector
from endpoints.metrics.points import MinuteRow
from endpoints.metrics.services import latest
from endpoints.metrics.services.database import in_database
from endpoints.metrics.services.minutes import write_minutes
from endpoints.metrics.services.reading import MOST_AT_ONCE, Target, gather
from endpoints.metrics.services.reading_list import targets_of
from endpoints.metrics.services.rollups import roll_up, write_hours

log = structlog.get_logger(__name__)

# Azure keeps platform metrics for this long.
MOST_DAYS = 93
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_WINDOW = 3 * HOUR
# Of a worker's time at once: collecting, which everything else waits for, goes in between.
_SLICE_SECONDS = 12.0
_CLAIM = timedelta(seconds=120)
_LONGEST_BACKOFF = timedelta(minutes=15)
_PROCESS = "process:collector"


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of an order that this process does now."""

    id: int
    claim: uuid.UUID
    subscription: str
    region: str
    since: datetime
    cursor: datetime
    failures: int


def order_backfill(*, actor: Actor, days: int, workspace_id: int | None = None) -> list[int]:
    """Read the last `days` of every collector, or of those of one workspace's subscription; the orders' numbers.

    Invalid for days that Azure does not keep. Orders are of whole hours.
    """
    if not 1 <= days <= MOST_DAYS:
        raise Invalid({"days": [f"Azure keeps {MOST_DAYS} days of metrics: ask for 1 to {MOST_DAYS}."]})
    found = Collector.objects.order_by("pk")
    if workspace_id is not None:
        found = found.extra(
            where=[
                "lower(subscription) = (SELECT lower(subscription_id) FROM access_workspace WHERE id = %s)"
            ],
            params=[workspace_id],
        )
    with transaction.atomic():
        now = db_now()
        until = retained.hour_of(now) + HOUR
        orders = [_order(row.pk, until - timedelta(days=days), until, actor.ref, now) for row in found]
        for order in orders:
            audit.record(
                actor=actor,
                action="metrics.backfill_ordered",
                subject=ref("backfill", order.pk),
                after={"collector": order.collector_id, "days": days},
            )
    return [order.pk for order in orders]


def cancel_backfills(*, actor: Actor) -> int:
    """End every order that is not done; what was read stays. How many were ended."""
    with transaction.atomic():
        now = db_now()
        found = list(Backfill.objects.select_for_update().filter(ended_at__isnull=True))
        Backfill.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=now, cancelled_at=now)
        for row in found:
            audit.record(actor=actor, action="metrics.backfill_cancelled", subject=ref("backfill", row.pk))
    return len(found)


def fill_gap(collector_id: int, since: datetime, until: datetime) -> None:
    """What a reading left out because it was too long ago: an order of the collector itself."""
    now = db_now()
    earliest = now - timedelta(days=MOST_DAYS)
    _order(
        collector_id, max(retained.hour_of(since), earliest), retained.hour_of(until) + HOUR, _PROCESS, now
    )


def due_backfills() -> list[int]:
    """Orders that are due, the newest stretch first; none while somebody works on any of them.

    One slice at a time, however many workers there are: what is new has their time first.
    """
    now = db_now()
    if Backfill.objects.filter(ended_at__isnull=True, claimed_until__gt=now).exists():
        return []
    found = Backfill.objects.filter(ended_at__isnull=True, due_at__lte=now)
    return list(found.order_by("-cursor").values_list("pk", flat=True))


def do_slice(
    *, backfill_id: int, settings: GatewaySettings | None = None, seconds: float = _SLICE_SECONDS
) -> int:
    """Work on an order for some seconds; how many windows were read. 0 too when somebody else is at it."""
    mine = _claim(backfill_id)
    if mine is None:
        return 0
    try:
        return async_to_sync(_slice)(mine, settings or gateway_settings(), seconds)
    finally:
        Backfill.objects.filter(pk=mine.id, claim=mine.claim).update(claim=None, claimed_until=None)


async def _slice(mine: Slice, settings: GatewaySettings, seconds: float) -> int:
    stop, cursor, windows = time.monotonic() + seconds, mine.cursor, 0
    targets = await in_database(targets_of, mine.subscription, mine.region)
    try:
        async with connect(settings) as azure:
            while cursor > mine.since and time.monotonic() < stop:
                begin = max(mine.since, cursor - _WINDOW)
                points = 0
                for first in range(0, len(targets), MOST_AT_ONCE):
                    group = targets[first : first + MOST_AT_ONCE]
                    found = await gather(
                        azure, group, region=mine.region, since=begin, until=cursor, by_batch=True
                    )
                    points += found.points
                    await in_database(_store, mine.id, found.rows, found.points)
                    await asyncio.sleep(0)
                await in_database(_advance, mine, begin, targets)
                cursor, windows = begin, windows + 1
    except (GatewayError, OSError) as error:
        await in_database(_postpone, mine, error)
    return windows


def _store(backfill_id: int, rows: list[MinuteRow], points: int) -> None:
    days = django_settings.OPSPORTAL.metrics_minute_days
    oldest = int(retained.midnight(retained.first_day_of_minutes(db_now(), days)).timestamp())
    write_minutes(row for row in rows if row.minute >= oldest)
    write_hours(row for row in rows if row.minute < oldest)
    order = Backfill.objects.select_for_update().filter(pk=backfill_id)
    with transaction.atomic():
        for row in order:
            row.points, row.rows = row.points + points, row.rows + len(rows)
            row.save(update_fields=["points", "rows"])


def _advance(mine: Slice, cursor: datetime, targets: Iterable[Target]) -> None:
    now = db_now()
    Backfill.objects.filter(pk=mine.id, claim=mine.claim).update(
        cursor=cursor,
        failures=0,
        error="",
        claimed_until=now + _CLAIM,
        **({"ended_at": now} if cursor <= mine.since else {}),
    )
    if cursor > now - 2 * DAY:  # what lists show of the past is the last day
        roll_up()
        latest.refresh_sparks([target.endpoint_id for target in targets], now, anew=True)


def _postpone(mine: Slice, error: Exception) -> None:
    """Later, and ever later while it fails; at once no part of the past is urgent."""
    failures = mine.failures + 1
    wait = min(timedelta(seconds=10 * 2 ** min(failures, 10)), _LONGEST_BACKOFF)
    if isinstance(error, Throttled) and error.retry_after is not None:
        wait = max(wait, timedelta(seconds=error.retry_after))
    log.warning("backfill_postponed", backfill=mine.id, cause=str(error))
    Backfill.objects.filter(pk=mine.id, claim=mine.claim).update(
        failures=failures, error=str(error)[:1000], due_at=db_now() + wait
    )


@transaction.atomic
def _claim(backfill_id: int) -> Slice | None:
    row = (
        Backfill.objects.select_for_update(of=("self",))
        .select_related("collector")
        .filter(pk=backfill_id, ended_at__isnull=True)
        .first()
    )
    now = db_now()
    if row is None or row.due_at > now or (row.claimed_until is not None and row.claimed_until > now):
        return None
    row.claim, row.claimed_until = uuid.uuid4(), now + _CLAIM
    row.save(update_fields=["claim", "claimed_until"])
    return Slice(
        row.pk,
        row.claim,
        row.collector.subscription,
        row.collector.region,
        row.since,
        row.cursor,
        row.failures,
    )


def _order(collector_id: int, since: datetime, until: datetime, asked_by: str, now: datetime) -> Backfill:
    return Backfill.objects.create(
        collector_id=collector_id,
        since=since,
        until=until,
        cursor=until,
        asked_by=asked_by,
        asked_at=now,
        due_at=now,
    )
