"""Make hours out of minutes, and days out of hours.

Due hours and days are marks in tables. Whoever takes a mark deletes it in the transaction that makes the rollup, in
a statement before: the rollup then sees all that was committed before the mark could be locked, and who writes
later waits and leaves a new mark. Rollups are made anew from all there is, so that making one twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from endpoints.dispatch import db_now
from endpoints.metrics import retained, rollup_sql
from endpoints.metrics.columns import NAMES
from endpoints.metrics.copyformat import encoded
from endpoints.metrics.points import MinuteRow, says_something, unique
from endpoints.metrics.services import packing, partitions, staging

# An hour is made when it is over and Azure had the time to deliver its last minutes, so that it is made once.
SETTLE = timedelta(minutes=5)
_BATCH = 5_000
# Of a task's time limit; what is left is due at the next call.
_SECONDS = 45
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_VALUES = ", ".join(f"m.{name}" for name in NAMES)
_DUE_HOURS = """
SELECT deployment_id, hour FROM metrics_dirty_hour WHERE hour >= %(since)s AND hour < %(until)s
ORDER BY hour, deployment_id LIMIT %(limit)s
"""
_DUE_DAYS = """
SELECT deployment_id, day FROM metrics_dirty_day WHERE day >= %(since)s AND day < %(until)s
ORDER BY day, deployment_id LIMIT %(limit)s
"""
_SPAN = "SELECT min({moment}), max({moment}) FROM ({due}) AS due"
# Materialized: asked once for each row, as a subquery may be, the limit would be another batch each time.
_TAKE = """
WITH due AS MATERIALIZED ({due} FOR UPDATE SKIP LOCKED)
DELETE FROM {table} t USING due WHERE t.deployment_id = due.deployment_id AND t.{moment} = due.{moment}
RETURNING t.deployment_id, t.{moment}
"""
# No minute is in both tables: minutes are copied to the kept ones in the transaction that drops them.
_MINUTES_OF_DUE = " UNION ALL ".join(
    f"""
    SELECT d.deployment_id, d.hour, {_VALUES}
    FROM unnest(%(ids)s::bigint[], %(hours)s::timestamptz[]) AS d (deployment_id, hour)
    JOIN {table} m ON m.deployment_id = d.deployment_id
        AND m.minute >= d.hour AND m.minute < d.hour + interval '1 hour'
        AND m.minute >= %(first)s AND m.minute < %(last)s + interval '1 hour'
    """  # noqa: S608 - names of tables and columns
    for table in ("metrics_minute", "metrics_kept_minute")
)
_STAGED = f"""
    SELECT m.deployment_id, {staging.HOUR_OF.format("m.minute")} AS hour, {_VALUES} FROM pg_temp.metrics_staging m
"""  # noqa: S608
_DAYS_OF_TAKEN = """
    SELECT DISTINCT deployment_id, (hour AT TIME ZONE 'UTC')::date AS day
    FROM unnest(%(ids)s::bigint[], %(hours)s::timestamptz[]) AS d (deployment_id, hour)
"""
_STAGED_DAYS = """
    SELECT DISTINCT deployment_id, (minute AT TIME ZONE 'UTC')::date AS day FROM pg_temp.metrics_staging
"""
_TAKEN_DAYS = (
    "SELECT deployment_id, day FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS d (deployment_id, day)"
)
_MAKE_HOURS = """
WITH made AS ({hours}), marked AS (
    INSERT INTO metrics_dirty_day (deployment_id, day) SELECT DISTINCT deployment_id, day FROM made ORDER BY 1, 2
    ON CONFLICT (deployment_id, day) DO UPDATE SET day = EXCLUDED.day WHERE false
)
SELECT count(*) FROM made
"""
_HOURS_OF_DUE = _MAKE_HOURS.format(hours=rollup_sql.hours(_MINUTES_OF_DUE))
_HOURS_OF_STAGED = _MAKE_HOURS.format(hours=rollup_sql.hours(_STAGED))
_MAKE_DAYS = rollup_sql.days(_TAKEN_DAYS)


def roll_up(limit: int = _BATCH, *, until: datetime | None = None) -> int:
    """Make up to `limit` of the hours that are due, and the days that are; how many hours were looked at.

    Hours are due that began before `until`: unless given, those that are over and settled.
    """
    made = _make_hours(limit, until or settled(db_now()))
    _make_days(limit)
    return made


def roll_up_all() -> tuple[int, int]:
    """Make all hours and days that are due, for as long as a task may take; how many of each."""
    stop = time.monotonic() + _SECONDS
    until = settled(db_now())
    return _repeated(lambda: _make_hours(_BATCH, until), stop), _repeated(lambda: _make_days(_BATCH), stop)


def settled(now: datetime) -> datetime:
    """Hours that began before this are over, and Azure had the time to deliver their last minutes."""
    return now - SETTLE - retained.HOUR


def write_hours(rows: Iterable[MinuteRow]) -> int:
    """Roll minutes that are older than their retention straight into hours; how many hours changed.

    Give whole hours, all rows of an hour in one call: an hour that was made from more minutes stays as it is.
    Minutes in a kept window are stored. A call is one transaction, so keep it to a million rows.
    """
    wanted = {key: values for key, values in unique(rows).items() if says_something(values)}
    if not wanted:
        return 0
    oldest = retained.midnight(
        retained.first_day_of_minutes(db_now(), settings.OPSPORTAL.metrics_minute_days)
    )
    days = {datetime.fromtimestamp(minute, UTC).date() for _, minute in wanted}
    with transaction.atomic():
        packing.prepare_hours(min(days), max(days))
        with staging.staged(encoded(sorted(wanted.items()))):
            staging.store_kept(oldest)
            packing.unpack(_STAGED_DAYS, {}, min(days))
            return _first(_HOURS_OF_STAGED)


def _make_hours(limit: int, until: datetime) -> int:
    window = {"since": _EVER, "until": until, "limit": limit}
    span = _span(_DUE_HOURS, "hour", window)
    if span is None:
        return 0
    first, last = (moment.astimezone(UTC).date() for moment in span)
    with transaction.atomic():
        packing.prepare_hours(first, last)
        window |= {"since": span[0], "until": span[1] + retained.HOUR}
        due = _taken(_DUE_HOURS, "metrics_dirty_hour", "hour", window)
        if due:
            ids, hours = [deployment_id for deployment_id, _ in due], [hour for _, hour in due]
            values = {"ids": ids, "hours": hours}
            packing.unpack(_DAYS_OF_TAKEN, values, first)
            _first(_HOURS_OF_DUE, **values, first=min(hours), last=max(hours))
    return len(due)


def _make_days(limit: int) -> int:
    window = {"since": _EVER.date(), "until": date.max, "limit": limit}
    span = _span(_DUE_DAYS, "day", window)
    if span is None:
        return 0
    partitions.make("day", {date(year, 1, 1) for year in range(span[0].year, span[1].year + 1)})
    with transaction.atomic():
        window |= {"since": span[0], "until": span[1] + timedelta(days=1)}
        due = _taken(_DUE_DAYS, "metrics_dirty_day", "day", window)
        if due:
            values = {"ids": [deployment_id for deployment_id, _ in due], "days": [day for _, day in due]}
            with connection.cursor() as cursor:
                cursor.execute(_MAKE_DAYS, values)
    return len(due)


def _span(due: str, moment: str, window: dict[str, Any]) -> tuple[Any, Any] | None:
    """The first and the last of what is due, to prepare for before anything is locked."""
    with connection.cursor() as cursor:
        cursor.execute(_SPAN.format(moment=moment, due=due), window)
        first, last = cursor.fetchone()
    return None if first is None else (first, last)


def _repeated(make: Callable[[], int], stop: float) -> int:
    total = 0
    while (made := make()) and time.monotonic() < stop:
        total += made
    return total + made


def _taken(due: str, table: str, moment: str, window: dict[str, Any]) -> list[tuple[int, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(table=table, moment=moment, due=due), window)
        return list(cursor.fetchall())


def _first(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])
