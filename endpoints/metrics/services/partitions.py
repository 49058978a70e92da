"""Make, list and drop partitions. The owner's functions do it: the runtime role may only ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from endpoints.dispatch import db_now

_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""
_DAYS_AHEAD = 3
# On which days a partition may be missing: enough of them to meet each month, or year, once.
_AHEAD = {
    "minute": range(_DAYS_AHEAD + 1),
    "figure_minute": range(_DAYS_AHEAD + 1),
    "hour": (0, 31),
    "day": (0, 366),
}


def make_ahead() -> None:
    """Partitions of all series for now and the days to come. Those that are there stay as they are."""
    today = db_now().astimezone(UTC).date()
    for series, days in _AHEAD.items():
        make(series, (today + timedelta(days=ahead) for ahead in days))


def make(series: str, days: Iterable[date]) -> None:
    """The partitions that hold these days. `series` is "minute", "figure_minute", "hour", "packed_hour" or "day"."""
    with connection.cursor() as cursor:
        # Sorted: two who make the same ones wait for each other in the same order.
        for day in sorted(set(days)):
            cursor.execute("SELECT metrics_make_partition(%s, %s)", [series, day])


def existing(series: str) -> list[tuple[str, date]]:
    """Name and first day of each partition of a series, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [f"metrics_{series}"])
        names = [str(row[0]) for row in cursor.fetchall()]
    return [(name, _first_day(name.rpartition("_")[2])) for name in names]


def drop(series: str, begins: date, before: Callable[[Any], int | None]) -> int | None:
    """Drop the partition that begins then, in one transaction with what `before` does with its cursor.

    Nobody reads or writes the series meanwhile. Returns what `before` returned; None, also when somebody else kept it
    locked: nothing was done.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE ONLY metrics_{series} IN ACCESS EXCLUSIVE MODE")
            done = before(cursor)
            if done is not None:
                cursor.execute("SELECT metrics_drop_partition(%s, %s)", [series, begins])
            return done
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return None
        raise


def _first_day(digits: str) -> date:
    """2026-11-01 for "202611", 2026-11-25 for "20261125"."""
    return datetime.strptime(digits.ljust(8, "x").replace("xx", "01"), "%Y%m%d").replace(tzinfo=UTC).date()
