"""Who reads metrics, how far behind, and how back-fills get on.

A collector reads a whole subscription in a region, so also for workspaces that the asker may not see: of those it
tells numbers and codes, and Azure's own words only to who sees all workspaces of the subscription.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class CollectorRow:
    """One collector and its newest run, of which all is None until there was one.

    `age_seconds` says for how long nothing was read; `lag_seconds` how far behind the newest value was then.
    `complete_until`: every minute before it was read at least once. `retry_at` is when Azure lets it go on.
    """

    id: int
    subscription: str
    region: str
    due_at: datetime
    is_reading: bool
    cadence_seconds: float | None
    cadence_reason: str
    failures: int
    retry_at: datetime | None
    complete_until: datetime | None
    batch_refused_at: datetime | None
    batch_refused_reason: str
    outcome: str | None
    ended_at: datetime | None
    age_seconds: float | None
    seconds: float | None
    calls: int | None
    points: int | None
    rows: int | None
    rows_changed: int | None
    lag_seconds: float | None
    unreadable: int | None
    truncated: int | None
    error_code: str | None
    error: str | None
    azure_request_id: str | None


@dataclass(frozen=True, slots=True)
class CollectorPage:
    """`next_after` is None on the last page."""

    rows: tuple[CollectorRow, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """An order to read the past, newest first. `progress` is from 0 to 1; `state` waiting, reading, done, cancelled."""

    id: int
    collector_id: int
    subscription: str
    region: str
    since: datetime
    until: datetime
    cursor: datetime
    progress: float
    state: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    failures: int
    points: int
    rows: int
    error: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class BackfillPage:
    """`next_before` is None on the last page."""

    rows: tuple[BackfillRow, ...]
    next_before: int | None


# GREATEST passes over NULL, which would make an unknown age 0.
_AGE = """CASE WHEN r.ended_at IS NOT NULL
        THEN greatest(0, extract(epoch FROM statement_timestamp() - r.ended_at)::float8) END"""
_SEEN = """
WITH seen AS (
    SELECT lower(subscription_id) AS subscription, bool_and(id = ANY (%(workspaces)s::bigint[])) AS all_of_it
    FROM access_workspace
    WHERE disconnected_at IS NULL OR id = ANY (%(workspaces)s::bigint[])
    GROUP BY 1 HAVING bool_or(id = ANY (%(workspaces)s::bigint[])))
"""
_COLLECTORS = f"""
{_SEEN}
SELECT c.id, c.subscription, c.region, c.due_at, coalesce(c.claimed_until > statement_timestamp(), false),
    c.cadence_seconds, c.cadence_reason, c.failures, c.retry_at, c.complete_until,
    c.batch_refused_at, CASE WHEN s.all_of_it THEN c.batch_refused_reason ELSE '' END,
    r.outcome, r.ended_at, {_AGE},
    extract(epoch FROM r.ended_at - r.started_at)::float8, r.calls, r.points, r.rows, r.rows_changed, r.lag_seconds,
    jsonb_array_length(r.unreadable), jsonb_array_length(r.truncated), r.error_code,
    CASE WHEN s.all_of_it THEN r.error ELSE '' END, CASE WHEN s.all_of_it THEN r.azure_request_id ELSE '' END
FROM metrics_collector c JOIN seen s ON s.subscription = lower(c.subscription)
LEFT JOIN metrics_collector_run r ON r.id = c.last_run_id
WHERE c.id > %(after)s ORDER BY c.id LIMIT %(limit)s
"""  # noqa: S608 - an expression
_BACKFILLS = f"""
{_SEEN}
SELECT b.id, b.collector_id, c.subscription, c.region, b.since, b.until, b.cursor,
    least(1, greatest(0, extract(epoch FROM b.until - b.cursor) / nullif(extract(epoch FROM b.until - b.since), 0)))
        ::float8,
    CASE WHEN b.cancelled_at IS NOT NULL THEN 'cancelled' WHEN b.ended_at IS NOT NULL THEN 'done'
        WHEN b.claimed_until > statement_timestamp() THEN 'reading' ELSE 'waiting' END,
    b.asked_by, b.asked_at, b.due_at, b.failures, b.points, b.rows,
    CASE WHEN s.all_of_it THEN b.error ELSE '' END, coalesce(b.cancelled_at, b.ended_at)
FROM metrics_backfill b JOIN metrics_collector c ON c.id = b.collector_id
JOIN seen s ON s.subscription = lower(c.subscription)
WHERE (%(before)s::bigint IS NULL OR b.id < %(before)s::bigint) ORDER BY b.id DESC LIMIT %(limit)s
"""  # noqa: S608


def collectors(workspace_ids: Iterable[int], *, after: int = 0, limit: int = 50) -> CollectorPage:
    """Those of the subscriptions of these workspaces."""
    values = {"workspaces": list(workspace_ids), "after": after, "limit": limit + 1}
    rows = tuple(CollectorRow(*row) for row in _fetched(_COLLECTORS, values))
    return CollectorPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def backfills(workspace_ids: Iterable[int], *, before: int | None = None, limit: int = 50) -> BackfillPage:
    """Those of the same, newest first, ended ones too."""
    values = {"workspaces": list(workspace_ids), "before": before, "limit": limit + 1}
    rows = tuple(BackfillRow(*row) for row in _fetched(_BACKFILLS, values))
    return BackfillPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _fetched(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
