"""Whose traffic log is due, who is at it, and how far it was read. Readings are written down a few times a day.

A claim is the moment until which its cursors are nobody else's: those whose `due_at` is another by now were lost to
somebody who took the reader for dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from endpoints.challenges.logrows import Known
from endpoints.challenges.logspans import FAILED, LATE, NOT_LOOKED, OFF, READ
from endpoints.challenges.models import LogCursor, LogReading, Prediction
from endpoints.dispatch import db_now
from endpoints.metrics.selectors import Exports, log_exports

CLAIM = timedelta(seconds=90)
# A log that begins to be read is read from so long ago on.
FIRST = timedelta(days=1)
# Rows of an endpoint still come in for a while when it is gone.
GONE_FOR = timedelta(hours=1)
TRAFFIC, CONSOLE = "AmlOnlineEndpointTrafficLog", "AmlOnlineEndpointConsoleLog"
NOT_EXPORTED = "No diagnostic setting of it sends its traffic log to a Log Analytics workspace."
_WRITE_EVERY = timedelta(hours=6)
_STOPPED = timedelta(minutes=10)
_LOOK_AGAIN, _LOOK_SOON = timedelta(minutes=5), timedelta(seconds=30)
_LONGEST_BACKOFF = 600.0
_MOST = 5000
_ADD = """
INSERT INTO challenges_log_cursor (endpoint_id, due_at, failures, reason)
SELECT e.id, clock_timestamp(), 0, ''
FROM inventory_endpoint e JOIN access_workspace w ON w.id = e.workspace_id
WHERE e.deleted_at IS NULL AND w.disconnected_at IS NULL
ON CONFLICT (endpoint_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint whose log this process reads now, from `read_until` on; None: it was not being read."""

    known: Known
    name: str
    read_until: datetime | None
    failures: int
    reason: str
    exports: Exports

    @property
    def id(self) -> int:
        return self.known.endpoint_id

    def workspace(self, category: str) -> str:
        """Where to read a log: of several workspaces that have it, one. "" where it is in none."""
        return next(iter(self.exports.workspaces.get(category, ())), "")


@dataclass(slots=True)
class Claim:
    """Until when nobody else reads what this process does."""

    until: datetime


class Lost(Exception):
    """Somebody else reads these logs now."""


def add_missing() -> None:
    """A cursor for every living endpoint that has none; it is due at once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD)


@transaction.atomic
def claim() -> tuple[list[Target], Claim]:
    """Whatever is due and in nobody's hands, the longest due first."""
    now = db_now()
    alive = Q(endpoint__deleted_at__isnull=True) | Q(endpoint__deleted_at__gt=now - GONE_FOR)
    due = LogCursor.objects.filter(alive, due_at__lte=now, endpoint__workspace__disconnected_at__isnull=True)
    rows = list(
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("endpoint")
        .order_by("due_at", "pk")[:_MOST]
    )
    until = now + CLAIM
    LogCursor.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=until)
    exports = log_exports(row.pk for row in rows)
    return [_target(row, exports[row.pk]) for row in rows], Claim(until)


def renew(claim: Claim, targets: Sequence[Target]) -> None:
    """Keep some for longer; Lost when they are not ours any more."""
    until = max(db_now() + CLAIM, claim.until + timedelta(microseconds=1))
    if LogCursor.objects.filter(_ours(claim, targets)).update(due_at=until) < len(targets):
        raise Lost
    claim.until = until


@transaction.atomic
def advance(claim: Claim, targets: Sequence[Target], *, since: datetime, until: datetime, done: bool) -> None:
    """What came in before `until` is stored, from `since` on without a hole. `done`: there is no more for now."""
    now = db_now()
    due = now + timedelta(seconds=float(settings.OPSPORTAL.logs_cadence_seconds)) if done else claim.until
    mine = LogCursor.objects.select_for_update().filter(_ours(claim, targets))
    if len(mine) < len(targets):
        raise Lost
    LogCursor.objects.filter(pk__in=[one.id for one in targets]).update(
        read_until=until, failures=0, reason="", due_at=due
    )
    _write_read(targets, since, until - LATE, now)


@transaction.atomic
def failed(
    claim: Claim, targets: Sequence[Target], *, since: datetime, reason: str, retry_after: float | None = None
) -> None:
    """Nothing was stored from `since` on. It is tried again after a while that doubles, or when Azure says."""
    now = db_now()
    cadence = float(settings.OPSPORTAL.logs_cadence_seconds)
    mine = set(
        LogCursor.objects.select_for_update().filter(_ours(claim, targets)).values_list("pk", flat=True)
    )
    for one in (target for target in targets if target.id in mine):
        wait = min(cadence * 2.0 ** min(one.failures, 8), max(cadence, _LONGEST_BACKOFF))
        due = now + timedelta(seconds=max(wait, retry_after or 0.0))
        LogCursor.objects.filter(pk=one.id).update(
            failures=one.failures + 1, reason=reason[:1000], due_at=due
        )
        if not one.failures or one.reason != reason[:1000]:
            _write(one.id, since, now, FAILED, now, reason=reason)


@transaction.atomic
def not_read(claim: Claim, targets: Sequence[Target]) -> None:
    """Logs that are sent nowhere, looked at again in some minutes; of which it is not known yet, sooner."""
    now = db_now()
    mine = set(
        LogCursor.objects.select_for_update().filter(_ours(claim, targets)).values_list("pk", flat=True)
    )
    last = _last([one.id for one in targets])
    for one in (target for target in targets if target.id in mine):
        known_at = one.exports.known_at
        reason = NOT_EXPORTED if known_at is not None else one.exports.reason or NOT_LOOKED
        LogCursor.objects.filter(pk=one.id).update(
            read_until=None,
            failures=0,
            reason=reason,
            due_at=now + (_LOOK_AGAIN if known_at is not None else _LOOK_SOON),
        )
        if known_at is not None:
            _write_off(one, last.get(one.id), known_at, now)


def begins(target: Target, now: datetime) -> datetime:
    """From when on rows that came in are read: no more than a day back where nobody read before."""
    return target.read_until or now - FIRST


def _target(row: LogCursor, exports: Exports) -> Target:
    endpoint = row.endpoint
    known = Known(row.pk, endpoint.arm_key, endpoint.azure_created_at)
    return Target(known, endpoint.name, row.read_until, row.failures, row.reason, exports)


def _ours(claim: Claim, targets: Iterable[Target]) -> Q:
    return Q(pk__in=[one.id for one in targets], due_at=claim.until)


def _last(endpoint_ids: Sequence[int], **of: str) -> dict[int, LogReading]:
    rows = LogReading.objects.filter(endpoint_id__in=endpoint_ids, **of)
    return {
        row.endpoint_id: row for row in rows.order_by("endpoint_id", "-until", "-id").distinct("endpoint_id")
    }


def _write_read(targets: Sequence[Target], since: datetime, until: datetime, now: datetime) -> None:
    """Written down when a log begins to be read, and then every six hours: what is between, the cursor knows."""
    ids = [one.id for one in targets]
    read, off = _last(ids, outcome=READ), _last(ids, outcome=OFF)
    for one in targets:
        before = read.get(one.id)
        if before is None or one.read_until is None:
            # Even of no length: from it on, the cursor tells how far it was read.
            begins = max(since, off[one.id].until) if one.id in off else since
            _write_counted(one.id, begins, max(begins, until), now)
        elif now - one.read_until > _STOPPED and one.read_until - LATE > before.until:
            # Nobody read for a while: what was read by then is told apart from what is read now.
            _write_counted(one.id, before.until, one.read_until - LATE, now)
        elif until - before.until >= _WRITE_EVERY:
            _write_counted(one.id, before.until, until, now)


def _write_counted(endpoint_id: int, since: datetime, until: datetime, now: datetime) -> None:
    seen = Prediction.objects.filter(
        endpoint_id=endpoint_id, at__gte=since, at__lt=until, log_known_at__isnull=False
    )
    _write(endpoint_id, since, until, READ, now, rows=seen.count())


def _write_off(one: Target, last: LogReading | None, known_at: datetime, now: datetime) -> None:
    """Off for as long as it was looked at. When it ended between two looks, the time between is not to be relied on."""
    if last is not None and last.outcome == OFF:
        if last.until < known_at:
            _write(one.id, last.until, known_at, OFF, now, reason=NOT_EXPORTED)
        return
    since = known_at if last is None else known_at - _WRITE_EVERY
    _write(one.id, since, known_at, OFF, now, reason=NOT_EXPORTED)


def _write(
    endpoint_id: int,
    since: datetime,
    until: datetime,
    outcome: str,
    now: datetime,
    *,
    rows: int = 0,
    reason: str = "",
) -> None:
    LogReading.objects.create(
        endpoint_id=endpoint_id,
        since=since,
        until=until,
        outcome=outcome,
        rows=rows,
        reason=reason[:1000],
        known_at=now,
    )
