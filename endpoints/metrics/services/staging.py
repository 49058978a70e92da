"""Bring many minutes into the database as they are: into a temporary table by COPY, for one statement to work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from endpoints.metrics.columns import NAMES

COLUMNS = ", ".join(("deployment_id", "minute", *NAMES))
HOUR_OF = "date_bin('1 hour', {}, TIMESTAMPTZ '1970-01-01 00:00+00')"
_CREATE = "CREATE TEMPORARY TABLE metrics_staging ON COMMIT DROP AS TABLE metrics_minute WITH NO DATA"
_COPY = f"COPY pg_temp.metrics_staging ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
_PIECE = 1 << 18

_NEW = ", ".join(f"COALESCE(EXCLUDED.{name}, t.{name})" for name in NAMES)
_OLD = ", ".join(f"t.{name}" for name in NAMES)
# A mark that is there is locked, although it stays as it is: the rollup that would take it must not miss our rows.
_STORE = f"""
WITH written AS (
    INSERT INTO {{table}} AS t ({COLUMNS})
    SELECT {COLUMNS} FROM pg_temp.metrics_staging s WHERE {{which}} ORDER BY deployment_id, minute
    ON CONFLICT (deployment_id, minute) DO UPDATE
    SET ({", ".join(NAMES)}) = ROW ({_NEW}) WHERE ({_OLD}) IS DISTINCT FROM ({_NEW})
    RETURNING deployment_id, minute
), marked AS (
    INSERT INTO metrics_dirty_hour (deployment_id, hour)
    SELECT DISTINCT deployment_id, {HOUR_OF.format("minute")} FROM written ORDER BY 1, 2
    ON CONFLICT (deployment_id, hour) DO UPDATE SET hour = EXCLUDED.hour WHERE false
)
SELECT count(*) FROM written
"""  # noqa: S608 - names of tables and columns
# As `retained.whole_hours` says.
IN_KEPT = f"""EXISTS (
    SELECT FROM metrics_keep k JOIN inventory_deployment d USING (endpoint_id)
    WHERE d.id = s.deployment_id
    AND s.minute >= {HOUR_OF.format("k.since")} AND {HOUR_OF.format("s.minute")} < k.until)"""
_OLD_AND_KEPT = f"minute < %(oldest)s AND {IN_KEPT}"
_COUNT_KEPT = f"SELECT count(*) FROM pg_temp.metrics_staging s WHERE {_OLD_AND_KEPT}"  # noqa: S608


@contextmanager
def staged(encoded: bytes) -> Iterator[None]:
    """One transaction in which `pg_temp.metrics_staging` holds these rows (`copyformat.encoded`)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CREATE)
        with cursor.copy(_COPY) as copy:
            for start in range(0, len(encoded), _PIECE):
                copy.write(encoded[start : start + _PIECE])
        yield
        # At once, for whoever stages again within a larger transaction.
        cursor.execute("DROP TABLE pg_temp.metrics_staging")


def store_minutes(oldest: datetime) -> int:
    """Upsert what is staged and not older than minutes are kept; how many rows said something new."""
    return _count(_STORE.format(table="metrics_minute", which="minute >= %(oldest)s"), oldest)


def store_kept(oldest: datetime) -> tuple[int, int]:
    """Upsert what is staged, older, and in a kept window; how many rows these were, and how many said something new."""
    kept = _count(_COUNT_KEPT, oldest)
    return kept, _count(_STORE.format(table="metrics_kept_minute", which=_OLD_AND_KEPT), oldest)


def _count(statement: str, oldest: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"oldest": oldest})
        return int(cursor.fetchone()[0])
