"""Which workspaces are due, who reads them, and when they are due again. A subscription has one reader at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from endpoints.access.matrix import Action
from endpoints.access.models import Workspace
from endpoints.access.policies import require
from endpoints.access.principals import Principal
from endpoints.audit import services as audit
from endpoints.core.ids import ref
from endpoints.dispatch import after_commit, db_now
from endpoints.inventory import pacing
from endpoints.inventory.models import SyncRun, SyncTarget

SYNC_SHARD = "inventory.sync_shard"
# A reader renews its claim all the time; the workspaces of one that was killed wait this long.
CLAIM = timedelta(seconds=20)
# What one task reads at most, in calls: at ARM's refill rate this ends well within the task's time limit.
SHARD_CALLS = 3000


@dataclass(frozen=True, slots=True)
class Target:
    """A workspace that this process has claimed for reading. `calls` is what the last reading took, if known."""

    workspace_id: int
    arm_id: str
    trigger: str
    failures: int
    calls: int | None


@dataclass(frozen=True, slots=True)
class Shard:
    """The claimed workspaces of one subscription. `other_calls` is what its other workspaces take."""

    claim: uuid.UUID
    claimed_at: datetime
    targets: tuple[Target, ...]
    other_calls: int


def request_sync(*, principal: Principal, workspace_id: int, workspace: str = "") -> None:
    """Read a workspace at once, or as soon as Azure's Retry-After allows."""
    require(principal, Action.WORKSPACE_SYNC, workspace_id=workspace_id, workspace=workspace)
    with transaction.atomic():
        add_missing()
        now = db_now()
        target = SyncTarget.objects.select_for_update().get(workspace_id=workspace_id)
        target.due_at = max(now, target.retry_at) if target.retry_at else now
        target.requested_at = now
        target.save(update_fields=["due_at", "requested_at"])
        after_commit(SYNC_SHARD, workspace_id)
        audit.record(
            actor=principal.actor,
            action="workspace.sync_requested",
            subject=ref("workspace", workspace_id),
            workspace_id=workspace_id,
        )


def add_missing() -> None:
    """A target for every connected workspace that has none; it is due at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_sync_target (workspace_id, due_at, cadence_reason, failures)"
            " SELECT id, clock_timestamp(), '', 0 FROM access_workspace w WHERE disconnected_at IS NULL AND NOT"
            " EXISTS (SELECT 1 FROM inventory_sync_target t WHERE t.workspace_id = w.id)"
            " ON CONFLICT DO NOTHING"
        )


def due_shards() -> list[int]:
    """One workspace of each subscription that has something to read and nobody at it."""
    now = db_now()
    busy = _connected().filter(claimed_until__gt=now).values("workspace__subscription_id")
    due = _connected().filter(due_at__lte=now).exclude(workspace__subscription_id__in=busy)
    firsts = due.order_by("workspace__subscription_id", "due_at").distinct("workspace__subscription_id")
    return list(firsts.values_list("workspace_id", flat=True))


@transaction.atomic
def claim_shard(workspace_id: int) -> Shard | None:
    """Claim what is due in this workspace's subscription, or nothing while somebody else reads there."""
    subscription = Workspace.objects.values_list("subscription_id", flat=True).get(pk=workspace_id)
    rows = list(
        _connected()
        .filter(workspace__subscription_id=subscription)
        .select_related("workspace")
        .select_for_update(of=("self",))
        .order_by("due_at", "workspace_id")
    )
    now = db_now()
    if any(row.claimed_until is not None and row.claimed_until > now for row in rows):
        return None
    taken = _within_budget(row for row in rows if row.due_at <= now)
    if not taken:
        return None
    claim, ids = uuid.uuid4(), {row.workspace_id for row in taken}
    SyncTarget.objects.filter(workspace_id__in=ids).update(claim=claim, claimed_until=now + CLAIM)
    return Shard(
        claim=claim,
        claimed_at=now,
        targets=tuple(_target(row) for row in taken),
        other_calls=sum(row.calls or 0 for row in rows if row.workspace_id not in ids),
    )


class ClaimLost(Exception):
    """Somebody else reads now, because this process did not renew in time."""


def renew(shard: Shard) -> None:
    """Keep what is not finished yet. Raises ClaimLost when it is not ours any more."""
    kept = SyncTarget.objects.filter(claim=shard.claim).update(claimed_until=Now() + CLAIM)
    if not kept:
        raise ClaimLost(str(shard.claim))


def release(claim: uuid.UUID) -> None:
    """Give back what was claimed and not finished; it stays due."""
    SyncTarget.objects.filter(claim=claim).update(claim=None, claimed_until=None)


def finish(shard: Shard, run: SyncRun, pace: pacing.Pace) -> None:
    """Write the run, and when its workspace is due again. A claim that was lost changes no due time."""
    failed = run.outcome == "failed"
    mine = SyncTarget.objects.filter(workspace_id=run.workspace_id, claim=shard.claim)
    known = next(one for one in shard.targets if one.workspace_id == run.workspace_id)
    failures = known.failures + 1 if failed else 0
    run.cadence_seconds = pace.seconds
    with transaction.atomic():
        run.save(force_insert=True)
        changes: dict[str, object] = {} if failed else {"covered_by": run, "calls": run.calls}
        mine.update(
            claim=None,
            claimed_until=None,
            failures=failures,
            last_run=run,
            retry_at=run.retry_at,
            cadence_seconds=pace.seconds,
            cadence_reason=pace.reason,
            requested_at=None,
            due_at=pacing.next_due(
                shard.claimed_at, run.ended_at, pace=pace.seconds, failures=failures, retry_at=run.retry_at
            ),
            **changes,
        )


def pace_of(shard: Shard, calls: Mapping[int, int], refill: float) -> pacing.Pace:
    """The pace of the whole subscription: `calls` is what the workspaces that were just read took."""
    known = sum(calls.get(target.workspace_id, target.calls or 0) for target in shard.targets)
    wished = float(settings.OPSPORTAL.sync_cadence_seconds)
    return pacing.achievable(known + shard.other_calls, wished=wished, refill=refill)


def _connected() -> QuerySet[SyncTarget]:
    return SyncTarget.objects.filter(workspace__disconnected_at=None)


def _within_budget(rows: Iterable[SyncTarget]) -> list[SyncTarget]:
    taken: list[SyncTarget] = []
    calls = 0
    for row in rows:
        calls += row.calls or 0
        if taken and calls > SHARD_CALLS:
            break
        taken.append(row)
    return taken


def _target(row: SyncTarget) -> Target:
    return Target(
        workspace_id=row.workspace_id,
        arm_id=row.workspace.arm_id,
        trigger="request" if row.requested_at else "schedule",
        failures=row.failures,
        calls=row.calls,
    )
