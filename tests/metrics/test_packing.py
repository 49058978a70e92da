"""Old hours are packed by the day, read as if they were not, and unpacked when one changes after all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from endpoints.metrics.models import DirtyDay
from endpoints.metrics.services import drop_old, pack_hours, roll_up, write_hours
from tests.metrics.storing import hour_ago, marks, row, rows_of
from tests.metrics.test_rollups import dense

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAST = timedelta(days=4000)


def month_ago(months: int) -> datetime:
    """The beginning of a month that is over for so many months."""
    first = hour_ago(0).replace(day=1, hour=0)
    for _ in range(months):
        first = (first - DAY).replace(day=1)
    return first


def read(*ids: int, since: datetime | None = None, until: datetime | None = None) -> list[dict[str, Any]]:
    """What `metrics_hours` gives."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM metrics_hours(%s::bigint[], %s, %s) ORDER BY deployment_id, hour",
            [list(ids), since or hour_ago(0) - PAST, until or hour_ago(0)],
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, found, strict=True)) for found in cursor.fetchall()]


def write(begin: datetime, *ids: int, hours: int = 30) -> None:
    write_hours(one for deployment_id in ids for one in dense(begin, hours, deployment_id))
    roll_up()


def test_hours__packed__read_as_before_and_take_a_row_a_day() -> None:
    begin = month_ago(4) + 22 * HOUR
    write(begin, 7, 8)
    before = read(7, 8)
    assert len(before) == 60
    assert pack_hours() == 6
    assert read(7, 8) == before
    assert rows_of("metrics_hour") == []
    packed = rows_of("metrics_packed_hour")
    assert [found["day"] for found in packed[:3]] == [(begin + n * DAY).date() for n in range(3)]
    assert packed[0]["minutes"] == [None] * 22 + [60, 60]
    assert packed[0]["gpu_avg"] is None
    assert pack_hours() == 0


def test_hours__packed_or_not__are_read_from_and_up_to_any_hour() -> None:
    begin = month_ago(4)
    write(begin, 7)
    write(hour_ago(5), 7, hours=2)
    whole = read(7)
    pack_hours()
    assert read(7, since=begin + 3 * HOUR, until=begin + 26 * HOUR) == whole[3:26]
    assert read(7, since=begin + 29 * HOUR) == whole[29:]
    assert read(7, until=begin) == read(9) == []


def test_hours__of_the_last_weeks__stay_rows() -> None:
    write(hour_ago(24 * 34), 7)
    assert pack_hours() == 0
    assert len(rows_of("metrics_hour")) == 30


def test_a_packed_hour__read_again_and_revised__is_replaced_with_its_day_and_packed_again() -> None:
    begin = month_ago(4)
    write(begin, 7)
    pack_hours()
    before = read(7)
    assert write_hours([*dense(begin, 1), row(7, begin, requests=100_000)]) == 1
    assert [(found["day"], found["hour"]) for found in _day_of_hours()] == [
        (begin.date(), n) for n in range(24)
    ]
    roll_up()
    after = read(7)
    assert after[0]["requests"] > 100_000
    assert after[1:] == before[1:]
    assert rows_of("metrics_day")[0]["requests"] == sum(found["requests"] for found in after[:24])
    assert pack_hours() == 1
    assert read(7) == after
    assert rows_of("metrics_hour") == []


def test_a_packed_hour__read_again_in_part__stays_as_it_was() -> None:
    begin = month_ago(4)
    write(begin, 7)
    pack_hours()
    before = read(7)
    assert write_hours(dense(begin, 1)[:20]) == 0
    assert read(7) == before


def test_a_day__still_to_be_made__is_not_packed() -> None:
    begin = month_ago(4)
    write(begin, 7, 8, hours=24)
    DirtyDay.objects.create(deployment_id=7, day=begin.date())
    assert pack_hours() == 1
    assert {found["deployment_id"] for found in rows_of("metrics_hour")} == {7}
    roll_up()
    assert pack_hours() == 1
    assert marks("metrics_dirty_day") == []


def test_packed_hours__past_their_retention__go_and_their_days_stay() -> None:
    write(month_ago(20), 7)
    write(month_ago(3), 7)
    pack_hours()
    assert drop_old().partitions == (f"metrics_packed_hour_{month_ago(20):%Y%m}",)
    assert [found["hour"] for found in read(7)] == [month_ago(3) + n * HOUR for n in range(30)]
    assert len(rows_of("metrics_day")) == 4


def _day_of_hours() -> list[dict[str, Any]]:
    return [
        {"day": found["hour"].date(), "hour": found["hour"].hour}
        for found in rows_of("metrics_hour", deployment_id=7)
    ]
