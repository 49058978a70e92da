"""The rows of a workspace's day, replaced as a whole: by COPY, and summed in the database so that sums are its sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction

from endpoints.capacity.day import PARTS, Day
from endpoints.capacity.version import LEDGER
from endpoints.capacity.worth import nanos
from endpoints.inventory.selectors.paid import PaidLife

Row = tuple[PaidLife, str, Day]

_COUNTED = (
    *(f"{name}_seconds" for name in ("paid", *PARTS)),
    "unpriced_seconds",
    *(f"{name}_nanos" for name in ("paid", *PARTS)),
    "hours_without_count",
)
_DAY = ("deployment_id", "day", "endpoint_id", "workspace_id", "sku", "currency", "version", *_COUNTED)
_IDLE = (
    "deployment_id",
    "day",
    "cause",
    "ref",
    "endpoint_id",
    "workspace_id",
    "currency",
    "seconds",
    "nanos",
)
_SUMS = ", ".join(f"sum(d.{name})" for name in _COUNTED)
_TABLES = ("capacity_idle", "capacity_day", "capacity_summary")
_DELETE = "DELETE FROM {table} WHERE workspace_id = %(workspace)s AND day = %(day)s"
# An endpoint's owner and team are today's: who has to be asked, not who was to blame.
_SUMMARY = f"""
WITH days AS (
    SELECT d.*, e.owner, coalesce(e.tags->>'team', '') AS team
    FROM capacity_day d JOIN inventory_endpoint e ON e.id = d.endpoint_id
    WHERE d.workspace_id = %(workspace)s AND d.day = %(day)s),
idle AS (
    SELECT d.owner, d.team, d.currency, i.cause, sum(i.seconds) AS seconds, sum(i.nanos) AS nanos
    FROM capacity_idle i JOIN days d USING (deployment_id, day)
    WHERE i.workspace_id = %(workspace)s AND i.day = %(day)s GROUP BY 1, 2, 3, 4),
causes AS (
    SELECT owner, team, currency, jsonb_object_agg(cause, jsonb_build_array(seconds, nanos)) AS causes
    FROM idle GROUP BY 1, 2, 3)
INSERT INTO capacity_summary (workspace_id, day, owner, team, currency, deployments, causes, {", ".join(_COUNTED)})
SELECT %(workspace)s, %(day)s, owner, team, currency, count(*),
    coalesce((array_agg(c.causes))[1], '{{}}'::jsonb), {_SUMS}
FROM days d LEFT JOIN causes c USING (owner, team, currency) GROUP BY owner, team, currency
"""  # noqa: S608 - names of columns


# Days whose sums are of other owners, teams or counts than their rows.
_MOVED = """
SELECT DISTINCT day FROM (
    (SELECT d.day, e.owner, coalesce(e.tags->>'team', ''), d.currency, count(*), sum(d.paid_seconds)
     FROM capacity_day d JOIN inventory_endpoint e ON e.id = d.endpoint_id
     WHERE d.workspace_id = %(workspace)s AND d.day >= %(since)s GROUP BY 1, 2, 3, 4)
    EXCEPT
    (SELECT day, owner, team, currency, deployments, paid_seconds::numeric
     FROM capacity_summary WHERE workspace_id = %(workspace)s AND day >= %(since)s)
) moved ORDER BY day
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('capacity:' || %(workspace)s || %(day)s, 0))"


def replace(workspace_id: int, day: date, found: Iterable[Row]) -> None:
    """In the caller's transaction; two who make the same day take turns."""
    rows = list(found)
    values: dict[str, Any] = {"workspace": workspace_id, "day": day}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        cursor.execute("SELECT capacity_make_partitions(%(day)s)", values)
        for table in _TABLES:
            cursor.execute(_DELETE.format(table=table), values)
        _copy(cursor, "capacity_day", _DAY, (_day_row(workspace_id, day, row) for row in rows))
        _copy(cursor, "capacity_idle", _IDLE, _idle_rows(workspace_id, day, rows))
        sum_up(cursor, workspace_id, day)


def sum_up(cursor: Any, workspace_id: int, day: date) -> None:
    """Make the sums of a day whose rows are there and whose sums are not."""
    cursor.execute(_SUMMARY, {"workspace": workspace_id, "day": day})


def follow_owners(workspace_id: int, *, since: date) -> int:
    """Sum anew the days whose endpoints have other owners or teams by now; how many.

    Tags are rarely changed: only where one shows in the days from `since` on, all are looked through.
    """
    moved = _moved(workspace_id, since) and _moved(workspace_id, date.min)
    for day in moved:
        values: dict[str, Any] = {"workspace": workspace_id, "day": day}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK, values)
            cursor.execute(_DELETE.format(table="capacity_summary"), values)
            sum_up(cursor, workspace_id, day)
    return len(moved)


def _moved(workspace_id: int, since: date) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"workspace": workspace_id, "since": since})
        return [day for (day,) in cursor.fetchall()]


def _copy(cursor: Any, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _day_row(workspace_id: int, day: date, row: Row) -> tuple[Any, ...]:
    life, sku, found = row
    names = ("paid", *PARTS)
    return (
        life.id,
        day,
        life.endpoint_id,
        workspace_id,
        sku.lower(),
        found.currency,
        LEDGER,
        *(found.seconds[name] for name in names),
        found.unpriced,
        *(nanos(found.amounts[name]) for name in names),
        found.hours_without_count,
    )


def _idle_rows(workspace_id: int, day: date, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    for life, _, found in rows:
        for why, (seconds, amount) in found.causes.items():
            owner = life.endpoint_id, workspace_id, found.currency
            yield life.id, day, str(why.cause), why.ref, *owner, seconds, nanos(amount)
