"""Hours and days come to what plain Python makes of the same minutes, whatever is missing, late or revised."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from endpoints.metrics import histogram
from endpoints.metrics.columns import NAMES
from endpoints.metrics.models import Hour
from endpoints.metrics.points import MinuteRow, Values, says_something
from endpoints.metrics.services import (
    Written,
    find_missed_hours,
    roll_up,
    roll_up_all,
    write_hours,
    write_minutes,
)
from tests.metrics import oracle
from tests.metrics.storing import hour_ago, marks, row, rows_of, values

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

COUNT = some.none() | some.just(0.0) | some.integers(0, 20_000_000).map(float)
LATENCY = some.none() | some.floats(0, 2**21, width=32)
SHARE = some.none() | some.floats(0, 100, width=32)
VALUES = some.tuples(
    *[COUNT] * 6, *[LATENCY] * 4, *[SHARE] * 8, some.none() | some.integers(0, 40).map(float)
)
HOURS = some.lists(some.lists(VALUES.filter(says_something), max_size=6), min_size=1, max_size=24)


def yesterday() -> datetime:
    """A day of UTC that is over, and of which minutes are kept."""
    return hour_ago(0).replace(hour=0) - DAY


def rows_at(begin: datetime, hours: Sequence[Sequence[Values]], deployment_id: int = 7) -> list[MinuteRow]:
    """The minutes of some hours, spread over each."""
    return [
        MinuteRow(deployment_id, int((begin + at * HOUR + n * 9 * MINUTE).timestamp()), found)
        for at, minutes in enumerate(hours)
        for n, found in enumerate(minutes)
    ]


def busy(seed: int, minutes: int = 60) -> list[Values]:
    """Minutes of a deployment that has traffic, no GPU, and a gap now and then."""
    chance = random.Random(seed)
    return [_busy(chance) for _ in range(minutes)]


def _busy(chance: random.Random) -> Values:
    requests = float(chance.randrange(900))
    return values(
        requests=requests, status_2xx=requests, status_4xx=0, status_429=0, status_5xx=chance.randrange(3),
        model_errors=0, p50=chance.lognormvariate(4, 0.3), p90=200, p95=chance.lognormvariate(5, 0.3),
        p99=chance.lognormvariate(6, 0.3), cpu_avg=chance.uniform(5, 60), cpu_max=chance.uniform(60, 99),
        memory_avg=40, memory_max=41, instances=2,
    )  # fmt: skip


def dense(begin: datetime, hours: int, deployment_id: int = 7) -> list[MinuteRow]:
    return [
        MinuteRow(deployment_id, int((begin + at * HOUR + n * MINUTE).timestamp()), found)
        for at in range(hours)
        for n, found in enumerate(busy(at))
    ]


@given(HOURS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hours_and_days__of_random_minutes_with_gaps__are_what_plain_python_makes(
    fresh: Fresh, hours: list[list[Values]]
) -> None:
    begin, deployment_id = yesterday(), fresh()
    write_minutes(rows_at(begin, hours, deployment_id))
    roll_up()
    wanted = {begin + at * HOUR: oracle.hour(found) for at, found in enumerate(hours) if found}
    stored = {found["hour"]: found for found in rows_of("metrics_hour", deployment_id=deployment_id)}
    assert stored.keys() == wanted.keys()
    for hour, found in stored.items():
        assert oracle.differences(found, wanted[hour]) == {}
    days = rows_of("metrics_day", deployment_id=deployment_id)
    assert len(days) == bool(wanted)
    for found in days:
        assert oracle.differences(found, oracle.day(list(wanted.values()))) == {}


@given(HOURS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hours__written_from_a_backfill__are_those_made_of_stored_minutes(
    fresh: Fresh, hours: list[list[Values]]
) -> None:
    begin, kept, folded = yesterday(), fresh(), fresh()
    write_minutes(rows_at(begin, hours, kept))
    roll_up()
    filled = sum(1 for found in hours if found)
    assert write_hours(rows_at(begin, hours, folded)) == filled
    roll_up()
    for table in ("metrics_hour", "metrics_day"):
        assert [found | {"deployment_id": 0} for found in rows_of(table, deployment_id=folded)] == [
            found | {"deployment_id": 0} for found in rows_of(table, deployment_id=kept)
        ]


@given(some.lists(LATENCY.filter(lambda each: each is not None), min_size=1, max_size=200), some.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_days_medians__made_of_hours__are_bounded_by_the_minutes(
    fresh: Fresh, latencies: list[float], data: some.DataObject
) -> None:
    begin, deployment_id = yesterday(), fresh()
    order = data.draw(some.permutations(range(200)))
    write_minutes(
        row(deployment_id, begin + at * 7 * MINUTE, p50=latency, p95=latency)
        for at, latency in zip(order, latencies, strict=False)
    )
    roll_up()
    (day,) = rows_of("metrics_day", deployment_id=deployment_id)
    latencies = [oracle.single(latency) for latency in latencies]
    p50, p95 = oracle.single(day["p50"]), oracle.single(day["p95"])
    assert sum(1 for latency in latencies if latency <= p50) * 4 >= len(latencies)
    assert sum(1 for latency in latencies if latency >= p50) * 4 >= len(latencies)
    median = histogram.bucket_of(sorted(latencies)[(len(latencies) - 1) // 2])
    edges = oracle.single(histogram.begins(median)), oracle.single(histogram.ends(median))
    assert edges[0] <= p95 <= edges[1]


def test_an_hour__of_a_large_fleet_in_a_day__sums_beyond_what_a_single_can_count() -> None:
    begin = yesterday()
    write_minutes(row(7, begin + at * MINUTE, requests=16_000_001) for at in range(600))
    roll_up()
    assert rows_of("metrics_day")[0]["requests"] == pytest.approx(600 * 16_000_001, rel=1e-7)


def test_an_hour__of_the_smallest_and_largest_values_there_are__is_made() -> None:
    at = hour_ago(3)
    smallest, largest = 1e-45, 9e29
    write_minutes(row(7, at + n * MINUTE, requests=largest, cpu_avg=smallest * (n % 2)) for n in range(60))
    roll_up()
    (hour,) = rows_of("metrics_hour")
    assert (hour["cpu_avg"], hour["requests"]) == (0, pytest.approx(60 * largest))


def test_an_idle_hour__whose_statuses_azure_never_named__failed_nothing() -> None:
    at = hour_ago(3)
    write_minutes(row(7, at + n * MINUTE, requests=0, instances=2) for n in range(60))
    roll_up()
    (hour,) = rows_of("metrics_hour")
    assert (hour["requests"], hour["status_5xx"], hour["idle_minutes"]) == (0, 0, 60)
    assert (hour["instance_minutes"], hour["idle_instance_minutes"]) == (120, 120)
    assert (hour["p95"], hour["p95_histogram"], hour["cpu_avg"]) == (None, None, None)


def test_an_hour__with_traffic_of_unknown_outcome__has_unknown_failures() -> None:
    at = hour_ago(3)
    write_minutes([row(7, at, requests=9, status_5xx=1), row(7, at + MINUTE, requests=9)])
    roll_up()
    (hour,) = rows_of("metrics_hour")
    assert (hour["requests"], hour["status_5xx"]) == (18, None)
    assert rows_of("metrics_day")[0]["status_5xx"] is None


def test_replicas__whose_requests_are_unknown__are_paid_and_not_idle() -> None:
    at = hour_ago(3)
    write_minutes([row(7, at, instances=4), row(7, at + MINUTE, instances=4)])
    roll_up()
    (hour,) = rows_of("metrics_hour")
    assert (hour["instance_minutes"], hour["idle_instance_minutes"], hour["idle_minutes"]) == (8, None, 0)
    assert hour["requests"] is None


def test_an_hour__that_is_not_over__is_made_later() -> None:
    write_minutes([row(7, hour_ago(0), requests=1), row(7, hour_ago(2), requests=1)])
    assert roll_up() == 1
    assert [found["hour"] for found in rows_of("metrics_hour")] == [hour_ago(2)]
    assert marks() == [(7, hour_ago(0))]


def test_an_hour__that_is_not_over__is_made_when_asked_for() -> None:
    write_minutes([row(7, hour_ago(0), requests=1)])
    assert roll_up(until=hour_ago(0) + HOUR) == 1
    assert rows_of("metrics_hour")[0]["minutes"] == 1


def test_a_rollup__again__changes_nothing() -> None:
    write_minutes(dense(yesterday(), 3))
    assert roll_up() == 3
    before = rows_of("metrics_hour"), rows_of("metrics_day")
    write_minutes([row(7, yesterday(), requests=1)])
    write_minutes(dense(yesterday(), 1))
    assert (roll_up(), roll_up()) == (1, 0)
    assert (rows_of("metrics_hour"), rows_of("metrics_day")) == before
    assert marks() == marks("metrics_dirty_day") == []


def test_a_late_change__of_an_old_minute__makes_hour_and_day_anew() -> None:
    begin = yesterday()
    rows = dense(begin, 3)
    write_minutes(rows)
    roll_up()
    write_minutes([row(7, begin + HOUR + 5 * MINUTE, requests=5000, p95=9000)])
    assert roll_up() == 1
    hours, (day,) = rows_of("metrics_hour"), rows_of("metrics_day")
    assert (hours[1]["p95_max"], day["p95_max"]) == (9000, 9000)
    assert day["requests"] == sum(found["requests"] for found in hours)
    assert [found["minutes"] for found in hours] == [60, 60, 60]


def test_an_hour__that_no_mark_tells_of__is_found_and_filled() -> None:
    from endpoints.metrics.models import DirtyHour

    begin = yesterday()
    write_minutes([*dense(begin, 3, 7), *dense(begin, 2, 9)])
    roll_up()
    Hour.objects.filter(deployment_id=7, hour=begin + HOUR).delete()
    write_minutes([row(7, hour_ago(3), requests=1)])
    DirtyHour.objects.all().delete()
    assert find_missed_hours() == 2
    assert marks() == [(7, begin + HOUR), (7, hour_ago(3))]
    roll_up()
    assert find_missed_hours() == 0
    assert [len(rows_of("metrics_hour", deployment_id=one)) for one in (7, 9)] == [4, 2]


def test_hours_that_are_due__more_than_one_batch__are_made_until_none_is_left() -> None:
    begin = yesterday()
    write_minutes(row(one, begin + at * HOUR, requests=one) for one in range(1, 41) for at in range(12))
    assert roll_up(100) == 100
    assert roll_up_all() == (380, 40)
    assert len(rows_of("metrics_hour")) == 480
    assert [found["request_minutes"] for found in rows_of("metrics_day")] == [12] * 40
    assert marks() == marks("metrics_dirty_day") == []


def test_hours_that_are_due__however_the_planner_goes_about_it__are_taken_up_to_the_limit() -> None:
    """A subquery with a limit, asked once for each row, takes another batch each time."""
    begin = yesterday()
    write_minutes(row(one, begin + at * HOUR, requests=one) for one in range(1, 41) for at in range(12))
    with connection.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    assert roll_up(100) == 100
    assert len(marks()) == 380


def test_an_hour_of_a_backfill__made_from_fewer_minutes__replaces_nothing() -> None:
    begin = yesterday() - 40 * DAY
    assert write_hours(dense(begin, 1)) == 1
    before = rows_of("metrics_hour")
    assert write_hours(dense(begin, 1)[:30]) == 0
    assert write_hours(dense(begin, 1)) == 0
    assert rows_of("metrics_hour") == before


def test_an_hour_of_a_backfill__read_again_and_revised__is_replaced() -> None:
    begin = yesterday() - 40 * DAY
    write_hours(dense(begin, 2))
    roll_up()
    assert write_hours([*dense(begin, 1), row(7, begin, requests=100_000)]) == 1
    roll_up()
    assert rows_of("metrics_hour")[0]["requests"] > 100_000
    assert rows_of("metrics_day")[0]["requests"] == sum(
        found["requests"] for found in rows_of("metrics_hour")
    )


def test_a_backfill__of_a_minute_given_twice__counts_it_once() -> None:
    begin = yesterday() - 40 * DAY
    write_hours([row(7, begin, requests=5), row(7, begin, requests=5, p95=7)])
    (hour,) = rows_of("metrics_hour")
    assert (hour["minutes"], hour["requests"], hour["p95"]) == (1, 5, 7)
    assert rows_of("metrics_minute") == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_hours_and_days__in_a_session_of_another_zone__are_utc(zone: str) -> None:
    # In October a night of Berlin has an hour twice, and the other zones are half an hour off.
    night = datetime.fromisoformat("2026-10-24T22:00:00+00:00")
    # Two days back: within such a session Django takes the database's clock for up to a day off.
    late = yesterday() - MINUTE
    with _session_in(zone):
        write_minutes([row(8, late, requests=1)])
        write_hours(dense(night, 6))
        # Django reads times as if the session were in UTC, so that only what no process reads is tried here.
        roll_up(until=night)
    hours = rows_of("metrics_hour", deployment_id=7)
    assert [(found["hour"], found["minutes"]) for found in hours] == [
        (night + at * HOUR, 60) for at in range(6)
    ]
    days = [(str(found["day"]), found["minutes"]) for found in rows_of("metrics_day")]
    assert days == [("2026-10-24", 120), ("2026-10-25", 240)]
    (minute,) = rows_of("metrics_minute")
    assert minute["minute"].minute == 59
    assert marks() == [(8, minute["minute"] - 59 * MINUTE)]


@contextmanager
def _session_in(zone: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        yield
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_minutes_and_rollups__on_a_machine_whose_clock_jumps__go_by_the_database(jump: timedelta) -> None:
    at = hour_ago(3)
    with time_machine.travel(datetime.now(UTC) + jump):
        assert write_minutes([row(7, at, requests=1)]) == Written(rows=1, changed=1)
        assert roll_up() == 1
    assert [found["hour"] for found in rows_of("metrics_hour")] == [at]
    assert [found["day"] for found in rows_of("metrics_day")] == [at.date()]


class Fresh:
    """Ids of deployments that no example has used."""

    def __init__(self) -> None:
        self._ids: Iterator[int] = iter(range(1000, 100_000))

    def __call__(self) -> int:
        return next(self._ids)


@pytest.fixture
def fresh() -> Fresh:
    return Fresh()


def test_the_twin__covers_every_column_of_rollups() -> None:
    of: dict[str, Any] = {field.name for field in Hour._meta.fields} - {"pk", "deployment_id", "hour"}
    assert (
        set(oracle.hour([values(requests=1)])) == of == set(oracle.day([oracle.hour([values(requests=1)])]))
    )
    assert len(NAMES) == 19
