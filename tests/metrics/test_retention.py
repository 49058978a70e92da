"""What is past its retention goes as whole partitions, and what is kept was copied first."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection

from endpoints.access.models import Workspace
from endpoints.core.errors import Invalid
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.models import DirtyHour, Keep
from endpoints.metrics.services import (
    Dropped,
    Written,
    drop_old,
    keep,
    make_ahead,
    roll_up,
    write_hours,
    write_minutes,
)
from endpoints.metrics.services.partitions import make
from tests.metrics.storing import hour_ago, marks, row, rows_of
from tests.support.databases import Database
from tests.support.people import make_endpoint, make_workspace

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def midnight(days_ago: int) -> datetime:
    return hour_ago(0).replace(hour=0) - days_ago * DAY


def partitions(series: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [series]
        )
        return {name for (name,) in cursor.fetchall()}


def named(days_ago: int) -> str:
    return f"metrics_minute_{midnight(days_ago):%Y%m%d}"


def write_old(begin: datetime, deployment_ids: list[int], minutes: int = 120) -> None:
    """Minutes of a day whose retention has ended, as they were written while it had not."""
    make("minute", [begin.date()])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_minute (deployment_id, minute, requests, p95) SELECT d, %s + m * interval '1 minute',"
            " m, 100 + m FROM unnest(%s::bigint[]) d, generate_series(0, %s) m",
            [begin, deployment_ids, minutes - 1],
        )


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def deployments(endpoint: Endpoint) -> list[int]:
    return list(Deployment.objects.filter(endpoint=endpoint).order_by("pk").values_list("pk", flat=True))


@pytest.mark.django_db
def test_partitions__made_ahead__are_there_before_they_are_needed_and_once() -> None:
    make_ahead()
    before = partitions("metrics_minute")
    assert {named(0), named(-1), named(-2), named(-3)} <= before
    assert f"metrics_hour_{midnight(0):%Y%m}" in partitions("metrics_hour")
    assert f"metrics_day_{midnight(0).year + 1}" in partitions("metrics_day")
    make_ahead()
    assert partitions("metrics_minute") == before


@pytest.mark.django_db
def test_days_of_minutes__past_their_retention__are_dropped_and_the_others_stay() -> None:
    for days in (6, 5, 4):
        write_old(midnight(days), [7])
    write_minutes([row(7, midnight(3), requests=1), row(7, hour_ago(1), requests=1)])
    assert drop_old() == Dropped(partitions=(named(6), named(5), named(4)))
    assert [found["minute"] for found in rows_of("metrics_minute")] == [midnight(3), hour_ago(1)]
    assert drop_old() == Dropped()


@pytest.mark.django_db
def test_minutes__dropped__were_rolled_up_even_if_no_mark_told_of_them() -> None:
    write_old(midnight(5), [7, 8])
    assert marks() == []
    drop_old()
    assert [(found["hour"], found["minutes"]) for found in rows_of("metrics_hour", deployment_id=8)] == [
        (midnight(5), 60),
        (midnight(5) + HOUR, 60),
    ]
    assert [found["p95_max"] for found in rows_of("metrics_day")] == [219, 219]


@pytest.mark.django_db
def test_a_kept_window__of_a_dropped_day__outlives_it_by_whole_hours(endpoint: Endpoint) -> None:
    blue, green = deployments(endpoint)
    write_old(midnight(5), [blue, green, 999_999], minutes=240)
    begin = midnight(5) + HOUR
    keep(endpoint_id=endpoint.pk, since=begin + 10 * MINUTE, until=begin + 70 * MINUTE, cause="change:42")
    keep(endpoint_id=endpoint.pk, since=begin + 20 * MINUTE, until=begin + 30 * MINUTE, cause="case:7")
    assert drop_old() == Dropped(partitions=(named(5),), kept=240)
    kept = rows_of("metrics_kept_minute", deployment_id=green)
    assert [found["minute"] for found in kept] == [begin + n * MINUTE for n in range(120)]
    assert [found["requests"] for found in kept] == [60 + n for n in range(120)]
    assert {found["deployment_id"] for found in rows_of("metrics_kept_minute")} == {blue, green}
    assert drop_old() == Dropped()


@pytest.mark.django_db
def test_a_kept_window__over_midnight__is_whole_after_both_days_were_dropped(endpoint: Endpoint) -> None:
    (blue, _) = deployments(endpoint)
    write_old(midnight(6) + 23 * HOUR, [blue], minutes=60)
    write_old(midnight(5), [blue], minutes=60)
    keep(endpoint_id=endpoint.pk, since=midnight(5) - MINUTE, until=midnight(5) + MINUTE, cause="user:3")
    assert drop_old().kept == 120
    assert [found["minute"] for found in rows_of("metrics_kept_minute")] == [
        midnight(5) + n * MINUTE for n in range(-60, 60)
    ]


@pytest.mark.django_db
def test_a_window_that_ends_on_the_hour__keeps_nothing_of_the_next(endpoint: Endpoint) -> None:
    (blue, _) = deployments(endpoint)
    write_old(midnight(5), [blue], minutes=180)
    keep(endpoint_id=endpoint.pk, since=midnight(5) + HOUR, until=midnight(5) + 2 * HOUR, cause="change:1")
    drop_old()
    kept = [found["minute"] for found in rows_of("metrics_kept_minute")]
    assert (kept[0], kept[-1], len(kept)) == (midnight(5) + HOUR, midnight(5) + 119 * MINUTE, 60)


@pytest.mark.django_db
def test_a_late_change__of_a_kept_minute__makes_its_hour_anew_from_all_sixty(endpoint: Endpoint) -> None:
    (blue, _) = deployments(endpoint)
    write_old(midnight(5), [blue], minutes=60)
    keep(
        endpoint_id=endpoint.pk, since=midnight(5) + MINUTE, until=midnight(5) + 2 * MINUTE, cause="change:42"
    )
    drop_old()
    late = [row(blue, midnight(5) + 30 * MINUTE, p95=7000), row(blue, midnight(5) + HOUR, p95=9000)]
    assert write_minutes(late) == Written(rows=1, changed=1, refused=1)
    assert roll_up() == 1
    (hour,) = rows_of("metrics_hour")
    assert (hour["minutes"], hour["p95_max"], hour["requests"]) == (60, 7000, sum(range(60)))
    assert rows_of("metrics_day")[0]["p95_max"] == 7000
    assert write_minutes(late) == Written(rows=1, refused=1)
    assert marks() == []


@pytest.mark.django_db
def test_a_backfill__of_a_kept_window__brings_its_minutes_back(endpoint: Endpoint) -> None:
    (blue, green) = deployments(endpoint)
    begin = midnight(30)
    keep(endpoint_id=endpoint.pk, since=begin, until=begin + 5 * MINUTE, cause="case:7")
    rows = [row(one, begin + n * MINUTE, requests=n) for one in (blue, green) for n in range(120)]
    assert write_hours(rows) == 4
    assert len(rows_of("metrics_kept_minute")) == 120
    roll_up()
    assert [found["minutes"] for found in rows_of("metrics_hour")] == [60] * 4


@pytest.mark.django_db
def test_an_hour__whose_minutes_are_partly_gone__stays_as_it_was() -> None:
    write_old(midnight(5), [7], minutes=60)
    drop_old()
    before = rows_of("metrics_hour")
    DirtyHour.objects.create(deployment_id=7, hour=midnight(5))
    assert roll_up() == 1
    assert write_hours([row(7, midnight(5), requests=1)]) == 0
    assert rows_of("metrics_hour") == before


@pytest.mark.django_db
def test_hours__past_their_retention__go_by_the_month_and_days_stay() -> None:
    old = midnight(0).replace(day=1) - 500 * DAY
    write_hours([row(7, old, requests=1), row(7, midnight(40), requests=1)])
    roll_up()
    assert f"metrics_hour_{old:%Y%m}" in drop_old().partitions
    assert [found["hour"] for found in rows_of("metrics_hour")] == [midnight(40)]
    assert [found["day"] for found in rows_of("metrics_day")] == [old.date(), midnight(40).date()]


@pytest.mark.django_db
def test_a_month_of_hours__with_a_day_still_to_be_made__waits() -> None:
    old = midnight(0).replace(day=1) - 500 * DAY
    write_hours([row(7, old, requests=1)])
    name = f"metrics_hour_{old:%Y%m}"
    assert drop_old() == Dropped(postponed=(name,))
    roll_up()
    assert drop_old() == Dropped(partitions=(name,))


@pytest.mark.django_db
def test_a_window__kept_twice_for_the_same_cause__is_one(endpoint: Endpoint) -> None:
    window: dict[str, Any] = {"since": hour_ago(9), "until": hour_ago(8), "cause": "change:42"}
    assert keep(endpoint_id=endpoint.pk, **window) == keep(endpoint_id=endpoint.pk, **window)
    assert Keep.objects.count() == 1


@pytest.mark.django_db
def test_a_window__that_ends_before_it_begins__is_not_kept(endpoint: Endpoint) -> None:
    with pytest.raises(Invalid, match="Nothing was kept"):
        keep(endpoint_id=endpoint.pk, since=hour_ago(1), until=hour_ago(1), cause="change:42")
    with pytest.raises(ValueError, match="not a reference"):
        keep(endpoint_id=endpoint.pk, since=hour_ago(2), until=hour_ago(1), cause="because")
    assert not Keep.objects.exists()


def test_a_day__that_somebody_reads__is_dropped_at_the_next_call(committed_db: Database) -> None:
    write_old(midnight(5), [7])
    with psycopg.connect(committed_db.url) as reader:
        reader.execute("SELECT count(*) FROM metrics_minute")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        assert drop_old() == Dropped(postponed=(named(5),))
        assert len(rows_of("metrics_minute")) == 120
    assert drop_old() == Dropped(partitions=(named(5),))


def test_a_kept_window__of_a_drop_that_fails__is_not_copied_either(committed_db: Database) -> None:
    endpoint = make_endpoint(make_workspace("mlw-prod-weu"))
    (blue, _) = deployments(endpoint)
    write_old(midnight(5), [blue])
    keep(endpoint_id=endpoint.pk, since=midnight(5), until=midnight(5) + HOUR, cause="change:1")
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE metrics_kept_minute ADD CHECK (requests <> 30)")
        with pytest.raises(IntegrityError):
            drop_old()
        assert (len(rows_of("metrics_minute")), rows_of("metrics_kept_minute")) == (120, [])
        owner.execute("ALTER TABLE metrics_kept_minute DROP CONSTRAINT metrics_kept_minute_requests_check")
    assert drop_old() == Dropped(partitions=(named(5),), kept=60)


def test_a_day__being_dropped_twice_at_once__is_dropped_once(committed_db: Database) -> None:
    write_old(midnight(5), [7])
    found: list[Dropped] = []

    def drop() -> None:
        found.append(drop_old())
        connection.close()

    threads = [threading.Thread(target=drop) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 2
    assert partitions("metrics_minute") == set()
    assert [found["minutes"] for found in rows_of("metrics_hour")] == [60, 60]
