"""Bytes a row of everything that a year of metrics is kept in, times the rows of a fleet.

The tables are written as in life: minute by minute with values that come late, rolled up and packed by the portal's own
services. Indexes count, and so does the space that corrections leave behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg

from bench import minutes

FLEET = 30_000
SAMPLE = 400
_DAY = timedelta(days=1)
# The most there ever is: three whole days of minutes and the one being written; 35 days of hours as rows and all of
# the month before, which is packed only as a whole.
_DAYS_OF_MINUTES, _DAYS_OF_ROWS, _YEAR = 4, 35 + 31, 365


@dataclass(frozen=True, slots=True)
class Part:
    """`each` is in bytes, for what `rows` counts."""

    name: str
    each: float
    rows: int

    @property
    def gigabytes(self) -> float:
        return self.each * self.rows / 1e9


def told(parts: Sequence[Part]) -> Iterator[str]:
    """One line a part, and what was supposed."""
    yield f"storage, measured on {SAMPLE} deployments (a sixth with GPUs, a third idle), for {FLEET:,}:"
    for part in parts:
        yield f"  {part.name:<42} {part.each:6.1f} B x {part.rows:>11,} = {part.gigabytes:5.1f} GB"
    yield ""


def parts(owner: psycopg.Connection) -> list[Part]:
    from endpoints.dispatch import db_now
    from endpoints.metrics import retained
    from endpoints.metrics.services import pack_hours, roll_up_all
    from endpoints.metrics.services.missed import mark_missed

    today = db_now().date()
    yesterday = today - _DAY
    _write_a_day(owner, retained.midnight(yesterday))
    each_minute = _bytes(owner, "minute", yesterday)
    mark_missed(retained.midnight(yesterday), retained.midnight(today))
    roll_up_all()
    month = (today - 70 * _DAY).replace(day=1)
    _write_a_month(owner, month, yesterday)
    each_hour, each_day = _bytes(owner, "hour", month), _bytes(owner, "day", month)
    pack_hours()
    packed = _YEAR - _DAYS_OF_ROWS
    return [
        Part(f"minutes, {_DAYS_OF_MINUTES} days", each_minute, FLEET * 1440 * _DAYS_OF_MINUTES),
        Part(f"hours, {_DAYS_OF_ROWS} days", each_hour, FLEET * 24 * _DAYS_OF_ROWS),
        Part(
            f"packed hours, the other {packed} days",
            _bytes(owner, "packed_hour", month) / 24,
            FLEET * 24 * packed,
        ),
        Part(f"days, {_YEAR}", each_day, FLEET * _YEAR),
    ]


def _write_a_day(owner: psycopg.Connection, midnight: datetime) -> None:
    """A tenth of the minutes is corrected once, and the dead rows are vacuumed away every four hours."""
    owner.execute("SELECT metrics_make_partition('minute', %s)", [midnight.date()])
    for hour in range(24):
        begins = midnight + timedelta(hours=hour)
        owner.execute(
            f"INSERT INTO metrics_minute SELECT d, %s + m * interval '1 minute', {minutes.VALUES}"
            f" FROM generate_series(0, 59) m, generate_series(1, {SAMPLE}) d",
            [begins],
        )
        owner.execute(
            "UPDATE metrics_minute SET cpu_avg = cpu_avg + 1"
            " WHERE minute >= %s AND mod(deployment_id + extract(minute FROM minute)::int, 10) = 0",
            [begins],
        )
        if hour % 4 == 3:
            owner.execute("VACUUM metrics_minute")


def _write_a_month(owner: psycopg.Connection, month: date, day: date) -> None:
    """A month of hours and days like those of one day, written hour by hour as rollups are."""
    from endpoints.metrics.rollup_sql import MINUTE_COUNTS, VALUES

    values = ", ".join((*MINUTE_COUNTS, *VALUES))
    owner.execute("CREATE TEMPORARY TABLE hours AS TABLE metrics_hour")
    owner.execute("CREATE TEMPORARY TABLE days AS TABLE metrics_day")
    for series in ("hour", "day"):
        owner.execute("SELECT metrics_make_partition(%s, %s)", [series, month])
    for ahead in range(((month + 31 * _DAY).replace(day=1) - month).days):
        moved = month - day + ahead * _DAY
        owner.execute(
            f"INSERT INTO metrics_hour SELECT deployment_id, hour + %s, {values} FROM hours ORDER BY hour, 1",
            [moved],
        )
        owner.execute(
            f"INSERT INTO metrics_day SELECT deployment_id, day + %s, {values} FROM days ORDER BY 1",
            [moved.days],
        )


def _bytes(owner: psycopg.Connection, series: str, holding: date) -> float:
    """Of a row in the partition that holds a day, with its share of indexes and free space."""
    found = owner.execute("SELECT name FROM metrics_partition(%s, %s)", [series, holding]).fetchone()
    assert found
    size = owner.execute(
        f"SELECT pg_total_relation_size('{found[0]}'), (SELECT count(*) FROM {found[0]})"
    ).fetchone()
    assert size
    return float(size[0] / size[1])
