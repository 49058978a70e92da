"""Which collectors are due, who is at them, and when they are due again: one for each subscription and region."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from endpoints.access.matrix import Action
from endpoints.access.policies import require
from endpoints.access.principals import Principal
from endpoints.audit import services as audit
from endpoints.core.ids import ref
from endpoints.dispatch import after_commit, db_now
from endpoints.metrics.models import Collector, CollectorRun

COLLECT = "metrics.collect"
# Longer than one call may take; a collector whose reader was killed waits this long.
CLAIM = timedelta(seconds=90)
# When getBatch was refused it is tried again after this long: permissions come late, and regions open.
TRY_BATCH_AGAIN = timedelta(hours=6)
_LONGEST_BACKOFF = 600.0
_ADD = """
INSERT INTO metrics_collector (subscription, region, due_at, cadence_reason, failures, batch_refused_reason)
SELECT DISTINCT lower(w.subscription_id), lower(replace(e.location, ' ', '')), clock_timestamp(), '', 0, ''
FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id
WHERE e.deleted_at IS NULL AND w.disconnected_at IS NULL AND e.location <> ''
ON CONFLICT (subscription, region) DO NOTHING
"""
_DUE_NOW = """
UPDATE metrics_collector SET due_at = greatest(clock_timestamp(), retry_at)
WHERE (subscription, region) IN (
    SELECT lower(w.subscription_id), lower(replace(e.location, ' ', ''))
    FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id
    WHERE w.id = %s AND e.deleted_at IS NULL AND w.disconnected_at IS NULL)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A collector that this process reads now. `since` is the first minute that was not read to the end before."""

    id: int
    claim: uuid.UUID
    subscription: str
    region: str
    complete_until: datetime | None
    failures: int
    by_batch: bool
    now: datetime


def add_missing() -> None:
    """A collector for every subscription and region that has living endpoints and none yet; it is due at once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD)


def request_reading(*, principal: Principal, workspace_id: int, workspace: str = "") -> int:
    """Read a workspace's metrics at once, or as soon as Azure's Retry-After allows; by how many collectors.

    A collector reads a whole subscription and region, so that others are read with it.
    """
    require(principal, Action.WORKSPACE_SYNC, workspace_id=workspace_id, workspace=workspace)
    with transaction.atomic():
        add_missing()
        with connection.cursor() as cursor:
            cursor.execute(_DUE_NOW, [workspace_id])
            due = [int(row[0]) for row in cursor.fetchall()]
        for collector_id in due:
            after_commit(COLLECT, collector_id)
        audit.record(
            actor=principal.actor,
            action="metrics.reading_requested",
            subject=ref("workspace", workspace_id),
            workspace_id=workspace_id,
        )
    return len(due)


def due_collectors() -> list[int]:
    """Collectors that are due and that nobody reads, the longest due first."""
    now = db_now()
    due = Collector.objects.filter(due_at__lte=now).exclude(claimed_until__gt=now)
    return list(due.order_by("due_at").values_list("pk", flat=True))


@transaction.atomic
def claim(collector_id: int) -> Claimed | None:
    """Claim a collector that is due; None while somebody else reads it, or when it is not due any more."""
    row = Collector.objects.select_for_update().filter(pk=collector_id).first()
    now = db_now()
    if row is None or row.due_at > now or (row.claimed_until is not None and row.claimed_until > now):
        return None
    row.claim, row.claimed_until = uuid.uuid4(), now + CLAIM
    row.save(update_fields=["claim", "claimed_until"])
    return Claimed(
        id=row.pk,
        claim=row.claim,
        subscription=row.subscription,
        region=row.region,
        complete_until=row.complete_until,
        failures=row.failures,
        by_batch=batch_is_worth_trying(row.batch_refused_at, now),
        now=now,
    )


def batch_is_worth_trying(refused_at: datetime | None, now: datetime) -> bool:
    """Whether getBatch was never refused, or so long ago that it may be had by now."""
    return refused_at is None or now - refused_at > TRY_BATCH_AGAIN


def renew(claimed: Claimed) -> bool:
    """Keep it for longer; False when it is not ours any more."""
    mine = Collector.objects.filter(pk=claimed.id, claim=claimed.claim)
    return bool(mine.update(claimed_until=Now() + CLAIM))


def release(claimed: Claimed) -> None:
    """Give back a collector that was not finished; it stays due."""
    Collector.objects.filter(pk=claimed.id, claim=claimed.claim).update(claim=None, claimed_until=None)


def finish(
    claimed: Claimed,
    run: CollectorRun,
    *,
    complete_until: datetime | None,
    retry_at: datetime | None,
    refused: str | None,
) -> None:
    """Write the run, and when the collector is due again. `refused`: why getBatch is not to be had, "" if it is.

    `complete_until` None leaves it as it was. `refused` None: getBatch was not tried.
    """
    failed = run.outcome == "failed"
    failures = claimed.failures + 1 if failed else 0
    cadence = float(settings.OPSPORTAL.metrics_cadence_seconds)
    took = (run.ended_at - run.started_at).total_seconds()
    # A reading that takes most of its cadence leaves no room for anything else: it slows down by itself.
    pace = max(cadence, 2 * took)
    wait = min(pace * 2.0 ** min(failures, 8), max(pace, _LONGEST_BACKOFF)) if failures else pace
    due = max(claimed.now + timedelta(seconds=wait), run.ended_at)
    changes: dict[str, object] = {}
    if complete_until is not None:
        changes["complete_until"] = complete_until
    if refused is not None:
        changes |= {"batch_refused_at": Now() if refused else None, "batch_refused_reason": refused}
    with transaction.atomic():
        run.save(force_insert=True)
        Collector.objects.filter(pk=claimed.id, claim=claimed.claim).update(
            claim=None,
            claimed_until=None,
            failures=failures,
            last_run=run,
            retry_at=retry_at,
            due_at=max(due, retry_at) if retry_at else due,
            cadence_seconds=pace,
            cadence_reason=_reason(pace, cadence, took),
            **changes,
        )
        CollectorRun.objects.filter(
            collector=claimed.id, ended_at__lt=run.ended_at - timedelta(days=2)
        ).delete()


def _reason(pace: float, wished: float, took: float) -> str:
    if pace <= wished:
        return ""
    return f"Reading it all took {took:.0f} s: every {pace:.0f} s instead of every {wished:g} s."
