"""Drop what is older than it is kept: whole partitions, once everything in them is rolled up and kept windows copied.

A partition goes in one transaction of its own, with its parent locked against writers, so that no minute is written
between the copy and the drop. What is locked by somebody else, or still to be rolled up, waits for the next call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.columns import NAMES
from endpoints.metrics.services.missed import mark_missed
from endpoints.metrics.services.rollups import roll_up
from endpoints.metrics.services.staging import COLUMNS, HOUR_OF

log = structlog.get_logger(__name__)

_DAY = timedelta(days=1)
_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""
# Whole hours around each window, as `retained.whole_hours` says. A kept minute that is there was written after its
# retention had ended, and is the newer one.
_COPY_KEPT = f"""
INSERT INTO metrics_kept_minute AS t ({COLUMNS})
SELECT DISTINCT {", ".join(f"m.{name}" for name in COLUMNS.split(", "))}
FROM metrics_keep k JOIN inventory_deployment d USING (endpoint_id)
JOIN metrics_minute m ON m.deployment_id = d.id
    AND m.minute >= {HOUR_OF.format("k.since")}
    AND m.minute < {HOUR_OF.format("k.until + interval '1 hour' - interval '1 microsecond'")}
    AND m.minute >= %(begins)s AND m.minute < %(ends)s
WHERE k.since < %(ends)s AND k.until > %(begins)s
ORDER BY m.deployment_id, m.minute
ON CONFLICT (deployment_id, minute) DO UPDATE
SET ({", ".join(NAMES)}) = ROW ({", ".join(f"COALESCE(t.{name}, EXCLUDED.{name})" for name in NAMES)})
"""  # noqa: S608 - names of columns
_HOURS_DUE = "SELECT EXISTS (SELECT FROM metrics_dirty_hour WHERE hour >= %(begins)s AND hour < %(ends)s)"
_DAYS_DUE = "SELECT EXISTS (SELECT FROM metrics_dirty_day WHERE day >= %(begins)s AND day < %(ends)s)"


@dataclass(frozen=True, slots=True)
class Dropped:
    """`partitions` by name; `kept` minutes were copied out of them first; `postponed` wait for the next call."""

    partitions: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()
    kept: int = 0


def drop_old() -> Dropped:
    """Drop minutes and hours past their retention. Called again, it finds nothing to do."""
    now, config = db_now(), settings.OPSPORTAL
    first_day = retained.first_day_of_minutes(now, config.metrics_minute_days)
    first_month = retained.first_month_of_hours(now, config.metrics_hour_days)
    done: list[str] = []
    postponed: list[str] = []
    kept = 0
    for series, first, drop in (("minute", first_day, _drop_day), ("hour", first_month, _drop_month)):
        for name, begins in _partitions(series):
            if begins >= first:
                continue
            copied = _unless_locked(drop, begins)
            (postponed if copied is None else done).append(name)
            kept += copied or 0
    if done or postponed:
        log.info("metrics_dropped", partitions=done, postponed=postponed, kept=kept)
    return Dropped(tuple(done), tuple(postponed), kept)


def _partitions(series: str) -> list[tuple[str, date]]:
    """Name and first day of each partition of a series, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [f"metrics_{series}"])
        names = [str(row[0]) for row in cursor.fetchall()]
    return [(name, _first_day(name.rpartition("_")[2])) for name in names]


def _first_day(digits: str) -> date:
    """2026-11-01 for "202611", 2026-11-25 for "20261125"."""
    return datetime.strptime(digits.ljust(8, "x").replace("xx", "01"), "%Y%m%d").replace(tzinfo=UTC).date()


def _unless_locked(drop: Callable[[date], int | None], begins: date) -> int | None:
    try:
        return drop(begins)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return None
        raise


def _drop_day(day: date) -> int | None:
    """Drop a day of minutes; how many were copied because they are kept, or None if it has to wait."""
    begins, ends = retained.midnight(day), retained.midnight(day + _DAY)
    mark_missed(begins, ends)
    while roll_up(until=ends):
        pass
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ONLY metrics_minute IN ACCESS EXCLUSIVE MODE")
        window = {"begins": begins, "ends": ends}
        cursor.execute(_HOURS_DUE, window)
        if cursor.fetchone()[0]:
            return None
        cursor.execute(_COPY_KEPT, window)
        kept = int(cursor.rowcount)
        cursor.execute("SELECT metrics_drop_partition('minute', %s)", [day])
    return kept


def _drop_month(first: date) -> int | None:
    """Drop a month of hours, unless one of its days is still to be made from them."""
    ends = (first + 31 * _DAY).replace(day=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ONLY metrics_hour IN ACCESS EXCLUSIVE MODE")
        cursor.execute(_DAYS_DUE, {"begins": first, "ends": ends})
        if cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT metrics_drop_partition('hour', %s)", [first])
    return 0
