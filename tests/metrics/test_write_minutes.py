"""Minutes come late, revised, twice and out of order; nothing becomes zero, nothing is lost, nothing counts twice."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest

from endpoints.dispatch import db_now
from endpoints.metrics.points import MinuteRow
from endpoints.metrics.services import Written, write_minutes
from tests.metrics.storing import EMPTY, hour_ago, marks, row, rows_of, stored, values

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_minutes__written__are_there_and_what_is_unknown_is_null() -> None:
    at = hour_ago(2)
    assert write_minutes([row(7, at, requests=0, p95=81.5)]) == Written(rows=1, changed=1)
    (found,) = rows_of("metrics_minute")
    assert (found["minute"], found["requests"], found["p95"]) == (at, 0, 81.5)
    assert [name for name, value in found.items() if value is None] == [
        name for name in found if name not in ("deployment_id", "minute", "requests", "p95")
    ]
    assert marks() == [(7, at)]


def test_minutes__none__write_nothing() -> None:
    assert write_minutes([]) == Written()
    assert marks() == []


def test_a_late_value__fills_the_gap_and_keeps_the_rest() -> None:
    at = hour_ago(2)
    write_minutes([row(7, at, requests=5)])
    write_minutes([row(7, at, p95=90)])
    assert stored(7, at) == {"requests": 5, "p95": 90}


def test_a_revised_value__replaces_the_former() -> None:
    at = hour_ago(2)
    write_minutes([row(7, at, requests=5, p95=90)])
    assert write_minutes([row(7, at, requests=6, p95=90)]) == Written(rows=1, changed=1)
    assert stored(7, at) == {"requests": 6, "p95": 90}


def test_an_unknown_value__erases_nothing() -> None:
    at = hour_ago(2)
    write_minutes([row(7, at, requests=5, p95=90)])
    assert write_minutes([MinuteRow(7, int(at.timestamp()), EMPTY)]) == Written(refused=1)
    assert write_minutes([row(7, at, p95=math.nan, requests=5)]) == Written(rows=1)
    assert stored(7, at) == {"requests": 5, "p95": 90}


def test_a_row_without_any_value__is_no_minute() -> None:
    at = hour_ago(2)
    nothing = [
        MinuteRow(7, int(at.timestamp()), EMPTY),
        row(8, at, requests=-1, p95=math.nan, cpu_avg=math.inf),
    ]
    assert write_minutes(nothing) == Written(refused=2)
    assert rows_of("metrics_minute") == [] == marks()


def test_a_negative_value__is_unknown_and_the_others_stay() -> None:
    at = hour_ago(2)
    write_minutes([row(7, at, requests=-3, p95=12)])
    assert stored(7, at) == {"p95": 12}


def test_the_same_rows__again__change_nothing_and_make_no_hour_due(
    django_assert_max_num_queries: object,
) -> None:
    at = hour_ago(2)
    rows = [row(one, at + n * MINUTE, requests=n, p50=None, p95=n / 3) for one in (7, 8) for n in range(9)]
    assert write_minutes(rows) == Written(rows=18, changed=18)
    before = rows_of("metrics_minute")
    _forget_marks()
    assert write_minutes(rows) == Written(rows=18)
    assert rows_of("metrics_minute") == before
    assert marks() == []


def test_a_batch__with_one_new_row__makes_only_its_hour_due() -> None:
    at = hour_ago(5)
    rows = [row(7, at + n * timedelta(hours=1), requests=n) for n in range(4)]
    write_minutes(rows)
    _forget_marks()
    assert write_minutes([*rows, row(7, at + timedelta(hours=2, minutes=1), requests=1)]).changed == 1
    assert marks() == [(7, at + timedelta(hours=2))]


def test_rows_of_one_minute__in_a_batch__are_one_whatever_the_order_of_the_rest() -> None:
    at = hour_ago(2)
    twice = [row(7, at, requests=1, p50=5), row(7, at, requests=2)]
    assert write_minutes([row(9, at, requests=1), *twice, row(3, at, requests=1)]) == Written(3, 3)
    assert stored(7, at) == {"requests": 2, "p50": 5}


def test_rows__in_any_order__leave_the_same() -> None:
    at = hour_ago(3)
    rows = [row(one, at + n * MINUTE, requests=n * one) for one in range(1, 6) for n in range(60)]
    shuffled = list(rows)
    random.Random(4).shuffle(shuffled)
    write_minutes(shuffled)
    assert [(found["deployment_id"], found["requests"]) for found in rows_of("metrics_minute")] == [
        (one.deployment_id, one.values[0]) for one in rows
    ]


def test_rows__more_than_a_batch__are_all_written() -> None:
    at = hour_ago(2)
    rows = (row(1 + n // 60, at + (n % 60) * MINUTE, requests=1) for n in range(60_000))
    assert write_minutes(rows) == Written(rows=60_000, changed=60_000)
    assert len(marks()) == 1000


def test_rows__older_than_minutes_are_kept__are_refused_and_make_no_partition() -> None:
    old = hour_ago(24 * 9)
    assert write_minutes([row(7, old, requests=1), row(7, hour_ago(1), requests=1)]) == Written(1, 1, 1)
    assert [found["minute"] for found in rows_of("metrics_minute")] == [hour_ago(1)]


def test_a_minute__that_has_not_begun__is_refused() -> None:
    ahead = hour_ago(0) + timedelta(days=400)
    assert write_minutes([row(7, ahead, requests=1)]) == Written(refused=1)
    assert rows_of("metrics_minute") == []


def test_a_row__that_begins_on_no_minute__is_an_error_and_writes_nothing() -> None:
    with pytest.raises(ValueError, match="no row of minutes"):
        write_minutes([MinuteRow(7, int(db_now().timestamp()) // 60 * 60 - 1, values(requests=1))])
    assert rows_of("metrics_minute") == []


def _forget_marks() -> None:
    from endpoints.metrics.models import DirtyHour

    DirtyHour.objects.all().delete()
