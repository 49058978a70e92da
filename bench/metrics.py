"""The store of metrics: upserts beside plain COPY, the bytes of a year of 30,000 deployments, a chart of 30 days."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from bench import metrics_chart, metrics_storage, minutes, stage
from bench.figures import Figure

if TYPE_CHECKING:
    from endpoints.metrics.points import MinuteRow
    from tests.support.databases import Database

COLUMNS = 19
ROUNDS, MINUTES_A_ROUND = 5, 5


def measure() -> list[Figure]:
    stage.prepare()
    with stage.database():
        upsert, copy = _upserts()
    with stage.database() as database, _owner(database) as owner:
        parts = metrics_storage.parts(owner)
    with stage.database() as database, _owner(database) as owner:
        chart = metrics_chart.milliseconds(owner)
    for line in metrics_storage.told(parts):
        sys.stdout.write(line + "\n")
    return [
        Figure(
            name="points upserted, a million a second",
            value=upsert / 1e6,
            bar=1.8,
            unit="M/s",
            yardstick=copy / 1e6,
            more_is_better=True,
        ),
        Figure(
            name="a year of 30,000 deployments",
            value=sum(part.gigabytes for part in parts),
            bar=60,
            unit="GB",
        ),
        Figure(name="chart of 30 days beside 20 M minutes", value=chart, bar=10, unit="ms"),
    ]


def _upserts() -> tuple[float, float]:
    """Points a second of `write_minutes`, and of COPY alone into a table without an index: the medians."""
    from endpoints.dispatch import db_now
    from endpoints.metrics.services import make_ahead, write_minutes

    make_ahead()
    first = int(db_now().timestamp()) // 3600 * 3600 - 7200
    ours, theirs = [], []
    for turn in range(ROUNDS):
        begins = first + turn * MINUTES_A_ROUND * 60
        rows = list(minutes.rows(metrics_storage.FLEET, begins, MINUTES_A_ROUND))
        points = COLUMNS * len(rows)
        theirs.append(points / _seconds_of_copy(rows))
        with _timed() as spent:
            written = write_minutes(rows)
        if written.changed != len(rows):
            raise RuntimeError(f"{written.changed} of {len(rows)} rows were written")
        ours.append(points / spent())
    return statistics.median(ours), statistics.median(theirs)


def _seconds_of_copy(rows: list[MinuteRow]) -> float:
    """What the database takes for the same rows, ready-made, into a table with nothing to look up."""
    from django.db import connection

    from endpoints.metrics.copyformat import encoded
    from endpoints.metrics.services.staging import COLUMNS as names

    ready = encoded(((row.deployment_id, row.minute), row.values) for row in rows)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE yardstick AS TABLE metrics_minute WITH NO DATA")
        with _timed() as spent, cursor.copy(f"COPY yardstick ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(ready)
        cursor.execute("DROP TABLE yardstick")
    return spent()


@contextmanager
def _owner(database: Database) -> Iterator[psycopg.Connection]:
    """Bulk rows and VACUUM are the owner's, and may take their time."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("SET maintenance_work_mem = '256MB'")
        owner.execute("SELECT setseed(0.5)")
        yield owner


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    began = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0]
    ended.append(time.perf_counter() - began)
