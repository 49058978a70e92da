"""Series: every step of a stretch, with what is known in it and None for the rest, in one query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.metrics import retained
from endpoints.metrics.columns import NAMES
from endpoints.metrics.models import KeptMinute
from endpoints.metrics.selectors import COLUMNS, series
from endpoints.metrics.selectors.series import ROLLED
from endpoints.metrics.services import pack_hours, roll_up, write_hours, write_minutes
from endpoints.metrics.windows import Grain
from tests.metrics.storing import hour_ago, row

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_minutes__with_gaps__have_every_step_and_unknown_is_none() -> None:
    begin = hour_ago(2)
    write_minutes([row(7, begin, requests=0, p95=None), row(7, begin + 2 * MINUTE, requests=5, p95=12.5)])
    found = series([7, 8], since=begin, until=begin + 4 * MINUTE, columns=("requests", "p95"))
    assert found.grain is Grain.MINUTE
    assert found.times == tuple(begin + n * MINUTE for n in range(4))
    assert found.by_deployment[7] == {"requests": (0, None, 5, None), "p95": (None, None, 12.5, None)}
    assert found.by_deployment[8] == {"requests": (None,) * 4, "p95": (None,) * 4}
    assert (found.coverage[7].known, found.coverage[7].of, found.coverage[7].missing) == (2, 4, 2)
    assert found.coverage[8].known == 0
    assert found.known_until == begin + 3 * MINUTE


def test_series__of_nothing__is_all_unknown_and_known_until_never() -> None:
    begin = hour_ago(30)
    for grain in Grain:
        found = series([7], since=begin, until=begin + DAY, grain=grain)
        assert found.known_until is None
        assert {value for column in found.by_deployment[7].values() for value in column} == {None}
        assert set(found.by_deployment[7]) == set(COLUMNS[grain])
    assert series([], since=begin, until=begin + HOUR).by_deployment == {}


@pytest.mark.parametrize("ids", [[7], list(range(1, 30))])
def test_series__of_any_number_of_deployments__is_one_query(ids: list[int]) -> None:
    begin = hour_ago(2)
    for grain in Grain:
        with CaptureQueriesContext(connection) as queries:
            series(ids, since=begin, until=begin + HOUR, grain=grain, now=begin + HOUR)
        assert len(queries) == 1


def test_minutes__that_begin_and_end_within_one__hold_both() -> None:
    begin = hour_ago(2)
    write_minutes([row(7, begin + n * MINUTE, requests=n) for n in range(4)])
    found = series(
        [7], since=begin + timedelta(seconds=90), until=begin + timedelta(seconds=150), columns=["requests"]
    )
    assert found.by_deployment[7]["requests"] == (1, 2)


def test_hours__with_one_not_made_yet__leave_it_unknown() -> None:
    begin = hour_ago(30)
    write_minutes([row(7, begin + n * MINUTE, requests=2, p95=n + 1) for n in range(90)])
    roll_up()
    found = series([7], since=begin + 20 * MINUTE, until=begin + 3 * HOUR, grain=Grain.HOUR)
    columns = found.by_deployment[7]
    assert found.times == (begin, begin + HOUR, begin + 2 * HOUR)
    assert columns["requests"] == (120, 60, None)
    assert columns["minutes"] == (60, 30, None)
    assert columns["p95_max"] == (60, 90, None)
    assert (found.coverage[7].known, found.coverage[7].of) == (90, 180)
    assert found.known_until == begin + 2 * HOUR


def test_days__of_hours_in_them__are_utc_days() -> None:
    day = hour_ago(48).replace(hour=0)
    write_minutes([row(7, day + at * HOUR, requests=1, p95=40) for at in (0, 23, 24)])
    roll_up()
    found = series([7], since=day + HOUR, until=day + 25 * HOUR, grain=Grain.DAY, columns=["requests"])
    assert found.times == (day, day + DAY)
    assert found.by_deployment[7]["requests"] == (2, 1)


def test_hours__packed_and_not__are_one_series() -> None:
    begin = (hour_ago(24 * 130)).replace(day=3, hour=0)
    write_hours([row(7, begin + n * HOUR, requests=n, p95=10) for n in range(30)])
    roll_up()
    before = series([7], since=begin, until=begin + 30 * HOUR, grain=Grain.HOUR)
    assert pack_hours() > 0
    after = series([7], since=begin, until=begin + 30 * HOUR, grain=Grain.HOUR)
    assert after == before
    assert after.by_deployment[7]["requests"] == tuple(range(30))


def test_hours__of_the_night_with_an_hour_twice__are_25_and_none_is_counted_twice() -> None:
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)
    with time_machine.travel(begin + DAY):
        write_hours([row(7, begin + n * HOUR, requests=1) for n in range(25)])
        found = series([7], since=begin, until=begin + 25 * HOUR, grain=Grain.HOUR, columns=["requests"])
    assert found.by_deployment[7]["requests"] == (1,) * 25
    assert len(set(found.times)) == 25


def test_kept_minutes__of_a_window_past_retention__are_read_by_the_minute() -> None:
    begin = hour_ago(24 * 20)
    KeptMinute.objects.create(deployment_id=7, minute=begin, requests=3)
    found = series([7], since=begin, until=begin + 2 * MINUTE, grain=Grain.MINUTE, columns=["requests"])
    assert found.by_deployment[7]["requests"] == (3, None)


def test_a_minute__in_both_tables__is_one_and_the_kept_one_counts() -> None:
    begin = hour_ago(2)
    write_minutes([row(7, begin, requests=3, p95=20)])
    KeptMinute.objects.create(deployment_id=7, minute=begin, requests=4)
    found = series([7], since=begin, until=begin + MINUTE, columns=["requests", "p95"])
    assert found.by_deployment[7] == {"requests": (4,), "p95": (20,)}
    assert found.coverage[7].known == 1


def test_grain__left_open__is_what_is_kept_of_that_time() -> None:
    now = db_now()
    assert series([7], since=now - DAY, until=now).grain is Grain.MINUTE
    assert series([7], since=now - 7 * DAY, until=now).grain is Grain.HOUR
    assert series([7], since=now - 10 * DAY, until=now - 10 * DAY + HOUR).grain is Grain.HOUR
    assert series([7], since=now - 90 * DAY, until=now).grain is Grain.DAY
    oldest = retained.midnight(retained.first_day_of_minutes(now, 3))
    assert series([7], since=oldest, until=oldest + HOUR).grain is Grain.MINUTE
    assert series([7], since=oldest - MINUTE, until=oldest + HOUR).grain is Grain.HOUR


@pytest.mark.parametrize(
    ("columns", "grain"),
    [
        (["p90"], Grain.HOUR),
        (["p95; DROP TABLE metrics_hour"], Grain.HOUR),
        (["p95_max"], Grain.MINUTE),
        ([], None),
    ],
)
def test_column__that_the_grain_lacks__is_refused_with_those_there_are(
    columns: list[str], grain: Grain | None
) -> None:
    with pytest.raises(Invalid) as caught:
        series([7], since=hour_ago(2), until=hour_ago(1), grain=grain, columns=columns)
    assert list(caught.value.fields) == ["columns"]


def test_columns__of_each_grain__are_those_of_its_table() -> None:
    assert COLUMNS[Grain.MINUTE] == NAMES
    assert "p95_histogram" not in ROLLED
    assert {"minutes", "idle_instance_minutes", "p95_max"} <= set(ROLLED)


def test_series__up_to_a_running_minute__does_not_count_what_is_not_over_as_missing() -> None:
    now = hour_ago(1) + timedelta(minutes=10, seconds=30)
    found = series([7], since=now - 5 * MINUTE, until=now, columns=["p95"], now=now)
    assert len(found.times) == 6
    assert found.coverage[7].of == 5
