"""How long the server takes for a chart of 30 days of one deployment, while 20 million minutes lie beside its hours."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench import minutes

MINUTE_ROWS, DAYS_OF_MINUTES, DAYS_OF_HOURS = 20_000_000, 4, 30
DEPLOYMENTS = -(-MINUTE_ROWS // (DAYS_OF_MINUTES * 1440))
CHARTS = 15


def milliseconds(owner: psycopg.Connection) -> float:
    """The median over some deployments of what PostgreSQL says it took to execute everything the chart asks for."""
    from endpoints.dispatch import db_now

    now = db_now()
    _fill_minutes(owner, now)
    _fill_hours(owner, now)
    owner.execute("ANALYZE")
    asked = [_asked(1 + number * DEPLOYMENTS // CHARTS, now) for number in range(CHARTS)]
    return statistics.median(sum(_executed(*query) for query in queries) for queries in asked)


def _fill_minutes(owner: psycopg.Connection, now: datetime) -> None:
    """Days of minutes in the order in which they come, indexed when they are there: this takes half the time."""
    for back in range(DAYS_OF_MINUTES):
        day = (now - timedelta(days=back)).date()
        name = f"metrics_minute_{day:%Y%m%d}"
        owner.execute(f"CREATE TABLE {name} (LIKE metrics_minute INCLUDING DEFAULTS)")
        owner.execute(
            f"INSERT INTO {name} SELECT d, '{day} 00:00+00'::timestamptz + m * interval '1 minute', {minutes.VALUES}"
            f" FROM generate_series(0, 1439) m, generate_series(1, {DEPLOYMENTS}) d"
            if not back
            else f"INSERT INTO {name} SELECT deployment_id, minute - interval '{back} days', {_values()}"
            f" FROM metrics_minute_{now:%Y%m%d}"
        )
        owner.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (deployment_id, minute)")
        owner.execute(
            f"ALTER TABLE metrics_minute ATTACH PARTITION {name} FOR VALUES"
            f" FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
        )


def _values() -> str:
    from endpoints.metrics.columns import NAMES

    return ", ".join(NAMES)


def _fill_hours(owner: psycopg.Connection, now: datetime) -> None:
    """An hour of all deployments, rolled up by the portal, again and again."""
    from endpoints.metrics.rollup_sql import MINUTE_COUNTS, VALUES
    from endpoints.metrics.services import roll_up_all
    from endpoints.metrics.services.missed import mark_missed

    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    mark_missed(hour, hour + timedelta(hours=1))
    roll_up_all()
    first = now - timedelta(days=DAYS_OF_HOURS + 1)
    for month in {first.date().replace(day=1), now.date().replace(day=1)}:
        owner.execute("SELECT metrics_make_partition('hour', %s)", [month])
    values = ", ".join((*MINUTE_COUNTS, *VALUES))
    owner.execute("CREATE TEMPORARY TABLE one AS TABLE metrics_hour")
    owner.execute(
        f"INSERT INTO metrics_hour SELECT deployment_id, hour + h * interval '1 hour', {values}"
        f" FROM generate_series(-24 * {DAYS_OF_HOURS}, 2) h, one WHERE h <> 0 ORDER BY h, deployment_id"
    )


def _asked(deployment_id: int, now: datetime) -> list[tuple[str, Any]]:
    """The statements by which a chart of 30 days gets its figures."""
    from endpoints.metrics.selectors.series import series

    with _overheard() as statements:
        series([deployment_id], since=now - timedelta(days=DAYS_OF_HOURS), until=now, now=now)
    return statements


@contextmanager
def _overheard() -> Iterator[list[tuple[str, Any]]]:
    from django.db import connection

    heard: list[tuple[str, Any]] = []

    def hear(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        heard.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(hear):
        yield heard


def _executed(statement: str, values: Any) -> float:
    """Milliseconds of execution, the better of two: the first may have to read from disk."""
    from django.db import connection

    with connection.cursor() as cursor:
        times = []
        for _ in range(2):
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
            times.append(float(cursor.fetchone()[0][0]["Execution Time"]))
    return min(times)
