"""How far traffic logs are read: of one endpoint's time, and of all that somebody sees."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from endpoints.challenges.logspans import READ, LogSpan, Reader, Stretch, as_known, spans, tail
from endpoints.challenges.models import LogCursor, LogReading
from endpoints.dispatch import db_now


@dataclass(frozen=True, slots=True)
class LogTrouble:
    """An endpoint whose log can't be read, how often it failed by now, and when it is tried again."""

    endpoint_id: int
    endpoint: str
    workspace: str
    failures: int
    reason: str
    due_at: datetime
    read_until: datetime | None


@dataclass(frozen=True, slots=True)
class LogHealth:
    """Of living endpoints: how many logs are `read`, `failing`, and `not_read` (not exported, or not known).

    `oldest`: what came in before it was read of every log that is read. `troubles` are the first of the failing.
    """

    read: int
    failing: int
    not_read: int
    oldest: datetime | None
    troubles: tuple[LogTrouble, ...]


def logged_spans(
    endpoint_id: int, since: datetime, until: datetime, *, known: datetime | None = None
) -> tuple[LogSpan, ...]:
    """What became of an endpoint's traffic log in [since, until), without a hole; `known`: as known at that moment."""
    rows = LogReading.objects.filter(endpoint_id=endpoint_id, until__gt=since, since__lt=until)
    written = LogReading.objects.filter(endpoint_id=endpoint_id).order_by("-known_at", "-id")
    read = written.filter(outcome=READ)
    last = [written.first(), read.first()]
    now = db_now()
    found = [_stretch(row) for row in rows]
    found += tail([_stretch(row) for row in last if row is not None], _reader(endpoint_id), now)
    if known is not None:
        then = read.filter(known_at__lte=known).first()
        found = list(as_known([*found, *([_stretch(then)] if then is not None else [])], known))
    return spans(found, since, until)


def log_health(workspace_ids: Collection[int], *, limit: int = 20) -> LogHealth:
    """How far the logs of these workspaces are read, worst first."""
    cursors = LogCursor.objects.filter(
        endpoint__workspace_id__in=list(workspace_ids), endpoint__deleted_at__isnull=True
    )
    told = cursors.aggregate(
        failing=Count("pk", filter=Q(failures__gt=0)),
        read=Count("pk", filter=Q(failures=0, read_until__isnull=False)),
        not_read=Count("pk", filter=Q(failures=0, read_until__isnull=True)),
        oldest=Min("read_until"),
    )
    worst = cursors.filter(failures__gt=0).order_by("-failures", "pk").select_related("endpoint__workspace")
    return LogHealth(
        read=told["read"],
        failing=told["failing"],
        not_read=told["not_read"],
        oldest=told["oldest"],
        troubles=tuple(_trouble(row) for row in worst[:limit]),
    )


def _trouble(row: LogCursor) -> LogTrouble:
    return LogTrouble(
        row.pk,
        row.endpoint.name,
        row.endpoint.workspace.slug,
        row.failures,
        row.reason,
        row.due_at,
        row.read_until,
    )


def _reader(endpoint_id: int) -> Reader | None:
    row = LogCursor.objects.filter(pk=endpoint_id).first()
    return None if row is None else Reader(row.read_until, row.failures, row.reason)


def _stretch(row: LogReading) -> Stretch:
    return Stretch(row.since, row.until, row.outcome, row.reason, row.known_at)
