"""Pack hours that nothing changes any more, a UTC day of them in a row, and unpack a day that changes after all.

A deployment's day is either in metrics_hour or in metrics_packed_hour; the SQL function `metrics_hours` reads both
as one. Who packs and who writes old hours exclude each other; hours of the last weeks are written without that.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.rollup_sql import MINUTE_COUNTS, VALUES
from endpoints.metrics.services import partitions

# Hours are rows for as long as charts of a month and late readings want them.
_AFTER_DAYS = 35
# Of minutes, so that hours which can still be made anew from all their minutes are never packed.
_MARGIN_DAYS = 7
_ROWS = 60_000
_SECONDS = 45
_LOCK = 7203418

_NAMES = (*MINUTE_COUNTS, *VALUES)
_COLUMNS = ", ".join(_NAMES)
_HOURS_OF_MONTH = "hour >= %(begins)s AND hour < %(ends)s"
# A day that is still to be made needs its hours as rows.
_NEXT = f"""
SELECT DISTINCT deployment_id FROM (
    SELECT deployment_id FROM metrics_hour WHERE {_HOURS_OF_MONTH} AND deployment_id > %(after)s
    ORDER BY deployment_id LIMIT {_ROWS}) AS next
ORDER BY deployment_id
"""  # noqa: S608 - names of columns
_PACK = f"""
WITH moved AS (
    DELETE FROM metrics_hour h WHERE {_HOURS_OF_MONTH} AND deployment_id = ANY (%(ids)s::bigint[])
    AND NOT EXISTS (
        SELECT FROM metrics_dirty_day d WHERE d.deployment_id = h.deployment_id
        AND d.day = (h.hour AT TIME ZONE 'UTC')::date)
    RETURNING h.*, (hour AT TIME ZONE 'UTC')::date AS day, extract(hour FROM hour AT TIME ZONE 'UTC')::int AS place
), places AS (
    SELECT deployment_id, day, place FROM (SELECT DISTINCT deployment_id, day FROM moved) days,
    generate_series(0, 23) AS place
)
INSERT INTO metrics_packed_hour (deployment_id, day, {_COLUMNS})
SELECT deployment_id, day, {
    ", ".join(f"CASE WHEN count({name}) > 0 THEN array_agg({name} ORDER BY place) END" for name in _NAMES)
}
FROM places LEFT JOIN moved USING (deployment_id, day, place) GROUP BY deployment_id, day ORDER BY 1, 2
"""  # noqa: S608
_UNPACK = f"""
WITH moved AS (
    DELETE FROM metrics_packed_hour p USING ({{keys}}) AS k
    WHERE p.deployment_id = k.deployment_id AND p.day = k.day RETURNING p.*
)
INSERT INTO metrics_hour (deployment_id, hour, {_COLUMNS})
SELECT deployment_id, (day::timestamp AT TIME ZONE 'UTC') + (place - 1) * interval '1 hour',
    {", ".join(f"u.{name}" for name in _NAMES)}
FROM moved CROSS JOIN LATERAL unnest({", ".join(f"moved.{name}" for name in _NAMES)}) WITH ORDINALITY
    AS u ({_COLUMNS}, place)
WHERE u.minutes IS NOT NULL
"""  # noqa: S608


def pack_hours() -> int:
    """Pack the months that are over for long enough, for as long as a task may take; how many days that made."""
    stop = time.monotonic() + _SECONDS
    first = first_unpacked(db_now())
    return sum(_pack_month(begins, stop) for _, begins in partitions.existing("hour") if begins < first)


def first_unpacked(now: datetime) -> date:
    """The first day of the oldest month whose hours are rows, and stay rows."""
    days = max(_AFTER_DAYS, settings.OPSPORTAL.metrics_minute_days + _MARGIN_DAYS)
    return retained.first_month_of_hours(now, days)


def prepare_hours(first: date, last: date) -> None:
    """At the start of a transaction that will write hours of these UTC days: their partitions, and nobody packs them.

    At the start, because making a partition waits for all who use the table: whoever does that must hold nothing.
    """
    # A day early: who packs may look at the clock after us.
    if first < first_unpacked(db_now() + timedelta(days=1)):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])
    partitions.make("hour", {first + timedelta(days=n) for n in range(0, (last - first).days, 28)} | {last})


def unpack(keys: str, values: dict[str, Any], first: date) -> None:
    """Have what is packed as rows. `keys` is a query for deployment_id and UTC day, `first` the oldest day."""
    if first < first_unpacked(db_now() + timedelta(days=1)):
        with connection.cursor() as cursor:
            cursor.execute(_UNPACK.format(keys=keys), values)


def _pack_month(begins: date, stop: float) -> int:
    ends = (begins + timedelta(days=31)).replace(day=1)
    partitions.make("packed_hour", [begins])
    month: dict[str, Any] = {"begins": retained.midnight(begins), "ends": retained.midnight(ends)}
    packed = after = 0
    while time.monotonic() < stop:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, month | {"after": after})
            ids = [int(row[0]) for row in cursor.fetchall()]
        if not ids:
            _drop_if_empty(begins, month)
            break
        packed += _pack(month | {"ids": ids})
        after = ids[-1]
    return packed


def _drop_if_empty(begins: date, month: dict[str, Any]) -> None:
    def none_left(cursor: Any) -> int | None:
        cursor.execute(f"SELECT EXISTS (SELECT FROM metrics_hour WHERE {_HOURS_OF_MONTH})", month)  # noqa: S608
        return None if cursor.fetchone()[0] else 0

    with transaction.atomic(), connection.cursor() as cursor:
        # Before the table's lock: a writer takes them in this order.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        partitions.drop("hour", begins, none_left)


def _pack(chunk: dict[str, Any]) -> int:
    """The hours of some deployments in a month; how many days they became."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_PACK, chunk)
        return int(cursor.rowcount)
