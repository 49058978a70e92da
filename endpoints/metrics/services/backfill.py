"""Read the past, newest first, in slices that leave room for everything else, and go on where a slice ended.

An order names a stretch of one collector. Minutes within their retention are stored as such; older ones are rolled
straight into hours, whole hours at a time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import F

from endpoints.audit import services as audit
from endpoints.audit.actors import Actor
from endpoints.azure_gateway.client import Azure, connect
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
from endpoints.metrics.services.collectors import batch_is_worth_trying
from endpoints.metrics.services.database import in_database
from endpoints.metrics.services.minutes import write_minutes
from endpoints.metrics.services.reading import MOST_AT_ONCE, Target, gather
from endpoints.metrics.services.reading_list import targets_of
from endpoints.metrics.services.rollups import roll_up, write_hours
from endpoints.metrics.telemetry import State

log = structlog.get_logger(__name__)

# Azure keeps platform metrics for this long.
MOST_DAYS = 93
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Calls are what Azure counts, so few deployments are read for a longer stretch at once; answers are held in memory.
_LONGEST_WINDOW = 12
_VALUES_AT_ONCE = 400_000
_VALUES_AN_HOUR = 15 * 60
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
    by_batch: bool


def order_backfill(*, actor: Actor, days: int, workspace_id: int | None = None) -> list[int]:
    """Read the last `days` of every collector, or of those of one workspace's subscription; the orders' numbers.

    Invalid for days that Azure does not keep. Orders are of whole hours. One that is under way and covers it all
    serves instead of another.
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
            if order.asked_at == now:
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
    length = window(targets)
    try:
        async with connect(settings) as azure:
            while cursor > mine.since and time.monotonic() < stop:
                begin = max(mine.since, cursor - length)
                missed = await _window(azure, mine, targets, begin, cursor)
                if not await in_database(_advance, mine, begin, targets, missed):
                    break  # somebody else goes on with it, or it was cancelled
                cursor, windows = begin, windows + 1
    except GatewayError as error:
        await in_database(_postpone, mine, error)
    return windows


async def _window(
    azure: Azure, mine: Slice, targets: Sequence[Target], since: datetime, until: datetime
) -> int:
    """Read and store a stretch of them all; how many endpoints could not be read, which nobody tries again.

    GatewayError when none could.
    """
    there = [one for one in targets if one.trouble is None and _was_there(one, until)]
    troubles: dict[int, tuple[State, str]] = {}
    by_batch = mine.by_batch
    for first in range(0, len(there), MOST_AT_ONCE):
        group = there[first : first + MOST_AT_ONCE]
        found = await gather(azure, group, region=mine.region, since=since, until=until, by_batch=by_batch)
        by_batch = by_batch and not found.refused
        troubles |= found.troubles
        await in_database(_store, mine, found.rows, found.points)
    if there and len(troubles) == len(there):
        raise GatewayError(next(iter(troubles.values()))[1])
    return len(troubles) + sum(1 for one in targets if one.trouble is not None)


def window(targets: Sequence[Target]) -> timedelta:
    """How long a stretch of these is read at once, in whole hours."""
    largest = max(
        (
            sum(len(one.deployments) for one in targets[first : first + MOST_AT_ONCE])
            for first in range(0, len(targets), MOST_AT_ONCE)
        ),
        default=0,
    )
    hours = _VALUES_AT_ONCE // (_VALUES_AN_HOUR * max(largest, 1))
    return HOUR * min(max(hours, 1), _LONGEST_WINDOW)


def _was_there(target: Target, until: datetime) -> bool:
    """Whether any of its deployments may have been there before a moment."""
    before = int(until.timestamp())
    return any(one.born is None or one.born < before for one in target.deployments.values())


def _store(mine: Slice, rows: list[MinuteRow], points: int) -> None:
    days = django_settings.OPSPORTAL.metrics_minute_days
    oldest = int(retained.midnight(retained.first_day_of_minutes(db_now(), days)).timestamp())
    write_minutes(row for row in rows if row.minute >= oldest)
    write_hours(row for row in rows if row.minute < oldest)
    Backfill.objects.filter(pk=mine.id, claim=mine.claim).update(
        points=F("points") + points, rows=F("rows") + len(rows), claimed_until=db_now() + _CLAIM
    )


def _advance(mine: Slice, cursor: datetime, targets: Iterable[Target], missed: int) -> bool:
    """The window is done; False when the order is not ours any more."""
    now = db_now()
    is_ours = Backfill.objects.filter(pk=mine.id, claim=mine.claim, ended_at__isnull=True).update(
        cursor=cursor,
        failures=0,
        error=f"{missed:,} endpoints could not be read from {cursor:%Y-%m-%d %H:%M} UTC on."
        if missed
        else "",
        claimed_until=now + _CLAIM,
        **({"ended_at": now} if cursor <= mine.since else {}),
    )
    if cursor > now - 2 * DAY:  # what lists show of the past is the last day
        roll_up()
        latest.refresh_sparks([target.endpoint_id for target in targets], now, anew=True)
    return bool(is_ours)


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
        by_batch=batch_is_worth_trying(row.collector.batch_refused_at, now),
    )


def _order(collector_id: int, since: datetime, until: datetime, asked_by: str, now: datetime) -> Backfill:
    """A new order, or the one under way that covers it; what came after that one, the collector itself has read."""
    under_way = Backfill.objects.filter(
        collector_id=collector_id, ended_at__isnull=True, since__lte=since, until__gte=until - 2 * HOUR
    ).first()
    return under_way or Backfill.objects.create(
        collector_id=collector_id,
        since=since,
        until=until,
        cursor=until,
        asked_by=asked_by,
        asked_at=now,
        due_at=now,
    )
