"""Expected traffic by the habit of weeks, and latencies under a load: ranges of what was, and unknown where nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from endpoints.access.models import Workspace
from endpoints.inventory.models import Endpoint
from endpoints.metrics.expected import Answered, Week, expected, latency_range
from endpoints.metrics.selectors import expected_p95, expected_traffic
from endpoints.metrics.services import write_hours, write_minutes
from tests.metrics.storing import hour_ago, row
from tests.support.people import make_endpoint

MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=7)


def test_traffic__by_the_weeks_before__is_moved_as_the_last_hour_stands_to_theirs() -> None:
    weeks = [Week(100, 50), Week(120, 50), Week(110, 55), Week(None, 50)]
    found = expected(weeks, [60.0] * 40)
    assert found.low == 100
    assert found.typical == 120
    assert found.high == pytest.approx(144)
    assert found.weeks == 3
    assert found.words == (
        "By the same weekday and time of 3 weeks before, moved as the last hour stands to theirs."
    )


def test_traffic__of_a_day_unlike_all_others__is_moved_within_bounds() -> None:
    found = expected([Week(100, 1)], [500.0] * 40)
    assert (found.low, found.typical, found.high) == (100, 400, 400)
    assert expected([Week(100, 1000)], [0.0] * 40).low == 25
    assert expected([Week(100, 0)], [7.0] * 40).typical == 100


def test_traffic__with_no_week_behind_it__is_that_of_the_last_hour_and_says_so() -> None:
    found = expected([Week(None, 50)], [float(n) for n in range(1, 61)])
    assert (found.low, found.typical, found.high, found.weeks) == (6, 30, 54, 0)
    assert "a day's rhythm is not in it" in found.words


def test_traffic__of_which_nothing_is_known__is_unknown_and_no_zero() -> None:
    found = expected([Week(None)], [5.0] * 29)
    assert (found.low, found.typical, found.high, found.weeks) == (None, None, None, 0)
    assert found.words.startswith("Neither the last hour")


def test_latency__under_a_load__is_that_of_minutes_with_about_this_load() -> None:
    quiet = [Answered(20 + n / 10, 10) for n in range(100)]
    busy = [Answered(100 + n, 200) for n in range(100)]
    found = latency_range([*quiet, *busy], 150)
    assert (found.low, found.typical, found.high, found.minutes) == (109, 149, 189, 100)
    assert latency_range([*quiet, *busy], None).minutes == 200
    assert latency_range([*quiet, *busy], 19).high == 28.9


def test_latency__of_replicas__goes_by_the_load_of_each() -> None:
    two = [Answered(100 + n, 200, 2) for n in range(50)]
    unknown = [Answered(1, 50, None)] * 50
    found = latency_range([*two, *unknown], 400, instances=4)
    assert (found.minutes, found.typical) == (50, 124)


@pytest.mark.parametrize(
    ("minutes", "requests", "words"),
    [
        ([Answered(20, 10)] * 100, 150, "Only 0 minutes with about 150 requests a minute are known"),
        ([Answered(20, 10)] * 29, 10, "Only 29 minutes with about 10 requests a minute are known"),
        ([], 10, "No minute of it is known with its load."),
        ([Answered(20, 10)] * 29, None, "Only 29 minutes are known"),
    ],
)
def test_latency__under_a_load_that_never_was__is_unknown_with_the_reason(
    minutes: list[Answered], requests: float | None, words: str
) -> None:
    found = latency_range(minutes, requests)
    assert (found.low, found.typical, found.high) == (None, None, None)
    assert found.words.startswith(words)


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace, deployments=("blue", "green", "never"))
    found.deployments.update(first_seen_at=hour_ago(24 * 60), azure_created_at=hour_ago(24 * 60))
    return found


def ids(endpoint: Endpoint) -> dict[str, int]:
    return {one.name: one.pk for one in endpoint.deployments.all()}


def hour(endpoint: Endpoint, begin: datetime, **rates: float | None) -> None:
    known = ids(endpoint)
    write_hours(
        row(known[name], begin + n * MINUTE, requests=rate, cpu_avg=1)
        for name, rate in rates.items()
        for n in range(60)
    )


@pytest.mark.django_db
def test_expected_traffic__of_stored_hours__is_the_sum_of_all_deployments_in_the_same_hours(
    endpoint: Endpoint,
) -> None:
    now = hour_ago(0)
    for week, rate in ((1, 100.0), (2, 80.0), (3, 90.0)):
        hour(endpoint, now - week * WEEK, blue=rate, green=10.0)
        hour(endpoint, now - week * WEEK + HOUR, blue=2 * rate, green=20.0)
    found = expected_traffic(endpoint.pk, now, 7200, now=now)
    assert (found.low, found.typical, found.high, found.weeks) == (135, 150, 165, 3)
    half = expected_traffic(endpoint.pk, now + HOUR / 2, 3600, now=now)
    assert half.typical == 150


@pytest.mark.django_db
def test_an_hour__in_which_a_deployment_is_unknown__counts_for_no_week(endpoint: Endpoint) -> None:
    now = hour_ago(0)
    hour(endpoint, now - WEEK, blue=100.0, green=10.0)
    hour(endpoint, now - 2 * WEEK, blue=100.0, green=None)
    found = expected_traffic(endpoint.pk, now, 3600, now=now)
    assert (found.typical, found.weeks) == (110, 1)
    assert found.words == "By the same weekday and time of the last week."


@pytest.mark.django_db
def test_expected_traffic__soon__follows_the_last_hour_and_in_days_does_not(endpoint: Endpoint) -> None:
    now = hour_ago(0)
    for week in (1, 2):
        hour(endpoint, now - week * WEEK - HOUR, blue=50.0)
        hour(endpoint, now - week * WEEK - 2 * HOUR, blue=50.0)
        hour(endpoint, now - week * WEEK, blue=100.0)
        hour(endpoint, now - week * WEEK + 48 * HOUR, blue=100.0)
    write_minutes(row(ids(endpoint)["blue"], now - n * MINUTE, requests=75) for n in range(5, 70))
    soon = expected_traffic(endpoint.pk, now, 3600, now=now)
    assert (soon.low, soon.typical) == (100, pytest.approx(150))
    later = expected_traffic(endpoint.pk, now + 48 * HOUR, 3600, now=now)
    assert (later.typical, later.weeks) == (100, 2)


@pytest.mark.django_db
def test_expected_traffic__for_more_than_a_week__goes_back_to_weeks_that_are_over(endpoint: Endpoint) -> None:
    now = hour_ago(0)
    blue = ids(endpoint)["blue"]
    write_hours(row(blue, now - (n + 1) * MINUTE, requests=30) for n in range(14 * 24 * 60))
    found = expected_traffic(endpoint.pk, now, 10 * 86400, now=now)
    assert (found.typical, found.weeks) == (30, 1)


@pytest.mark.django_db
def test_expected_p95__of_stored_minutes__leaves_out_those_without_requests(endpoint: Endpoint) -> None:
    blue, begin = ids(endpoint)["blue"], hour_ago(2)
    write_minutes(
        row(blue, begin + n * MINUTE, requests=100 if n < 50 else 0, p95=200 + n, instances=2)
        for n in range(60)
    )
    found = expected_p95(endpoint.pk, "Blue", 120)
    assert (found.low, found.typical, found.high, found.minutes) == (204, 224, 244, 50)
    assert expected_p95(endpoint.pk, "blue", 120, instances=8).typical is None
    assert expected_p95(endpoint.pk, "blue", 400, instances=8).typical == 224
    assert expected_p95(endpoint.pk, "green", None).minutes == 0
