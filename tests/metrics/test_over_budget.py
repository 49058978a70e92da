"""Minutes over budget: exact from minutes, between honest bounds from hours, each against the budget of its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from endpoints.inventory.models import Endpoint
from endpoints.metrics.selectors import Share, over_budget, together
from endpoints.metrics.services import roll_up, write_hours, write_minutes
from endpoints.metrics.windows import Grain
from tests.metrics.budgeting import budget_since
from tests.metrics.storing import hour_ago, row
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def endpoint(workspace: Any) -> Endpoint:
    return make_endpoint(workspace)


@pytest.fixture
def blue(endpoint: Endpoint) -> int:
    return endpoint.deployments.get(name="blue").pk


def store(deployment_id: int, begin: datetime, latencies: list[float | None], *, requests: float = 5) -> None:
    rows = [
        row(deployment_id, begin + n * MINUTE, requests=0 if each is None else requests, p95=each)
        for n, each in enumerate(latencies)
    ]
    (write_minutes if begin > hour_ago(60) else write_hours)(rows)


def counted(endpoint: Endpoint, deployment_id: int, since: datetime, until: datetime) -> Share:
    return over_budget(endpoint.pk, [deployment_id], since=since, until=until)[deployment_id]


def test_minutes__over_the_budget__are_counted_exactly(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(3)
    budget_since(endpoint.pk, begin - DAY, 250)
    store(blue, begin, [100, 251, None, 250, 412])
    assert counted(endpoint, blue, begin, begin + 10 * MINUTE) == Share(
        minutes=10,
        known_minutes=4,
        idle_minutes=1,
        over_at_least=2,
        over_at_most=2,
        worst_minute=begin + 4 * MINUTE,
        worst_value=412,
    )


def test_a_minute__exactly_at_a_budget_that_binary_fractions_miss__is_not_over(
    endpoint: Endpoint, blue: int
) -> None:
    begin = hour_ago(3)
    budget_since(endpoint.pk, begin - DAY, 250.1)
    store(blue, begin, [250.1, 250.2])
    assert counted(endpoint, blue, begin, begin + HOUR).over_at_most == 1


def test_minutes__before_and_after_a_change__are_held_against_the_budget_of_their_time(
    endpoint: Endpoint, blue: int
) -> None:
    begin = hour_ago(3)
    budget_since(endpoint.pk, begin + 2 * MINUTE, 300)
    budget_since(endpoint.pk, begin + 4 * MINUTE, 100)
    budget_since(endpoint.pk, begin + 6 * MINUTE, None)
    store(blue, begin, [200] * 8)
    found = counted(endpoint, blue, begin, begin + 8 * MINUTE)
    assert (found.known_minutes, found.over_at_least, found.over_at_most) == (4, 2, 2)


def test_share__without_any_budget__counts_nothing_and_still_names_the_worst(
    endpoint: Endpoint, blue: int
) -> None:
    begin = hour_ago(3)
    store(blue, begin, [200, 300])
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.known_minutes, found.over_at_most, found.worst_value) == (0, 0, 300)


def test_share__of_nothing_measured__is_unknown_and_no_pass(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(200)
    budget_since(endpoint.pk, begin - DAY, 250)
    found = counted(endpoint, blue, begin, hour_ago(1))
    assert (found.minutes, found.known_minutes, found.worst_value) == (199 * 60, 0, None)


def test_hours__older_than_minutes__are_counted_between_bounds(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(24 * 10)
    budget_since(endpoint.pk, begin - DAY, 250)
    store(blue, begin, [100, 240, 255, 500, None])
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.known_minutes, found.over_at_least, found.over_at_most) == (4, 1, 3)
    assert (found.worst_minute, found.worst_value, found.worst_grain) == (begin, 500, Grain.HOUR)
    assert not found.is_exact


def test_hour__whose_worst_minute_is_within__has_none_over(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(24 * 10)
    budget_since(endpoint.pk, begin - DAY, 250)
    store(blue, begin, [240, 249])
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.over_at_least, found.over_at_most) == (0, 0)


def test_hour__whose_worst_minute_is_over__has_one_over_at_least(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(24 * 10)
    budget_since(endpoint.pk, begin - DAY, 250)
    store(blue, begin, [240, 251])
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.over_at_least, found.over_at_most) == (1, 2)


def test_hour__in_which_the_budget_changed__has_wider_bounds(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(24 * 10)
    budget_since(endpoint.pk, begin + 30 * MINUTE, 250)
    store(blue, begin, [500] * 60)
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.known_minutes, found.over_at_least, found.over_at_most) == (30, 30, 30)
    budget_since(endpoint.pk, begin + 45 * MINUTE, 900)
    found = counted(endpoint, blue, begin, begin + HOUR)
    assert (found.over_at_least, found.over_at_most) == (0, 30)


def test_stretch__of_old_hours_and_new_minutes__counts_both_once(endpoint: Endpoint, blue: int) -> None:
    old, new = hour_ago(24 * 10), hour_ago(5)
    budget_since(endpoint.pk, old - DAY, 250)
    store(blue, old, [900, 100])
    store(blue, new, [800, 100])
    roll_up()
    found = counted(endpoint, blue, old, hour_ago(0))
    assert (found.known_minutes, found.over_at_least, found.over_at_most) == (4, 2, 2)
    assert (found.worst_minute, found.worst_grain) == (old, Grain.HOUR)


def test_shares__of_two_deployments__add_up_with_the_worst_of_both(endpoint: Endpoint, blue: int) -> None:
    begin = hour_ago(3)
    green = endpoint.deployments.get(name="green").pk
    budget_since(endpoint.pk, begin - DAY, 250)
    store(blue, begin, [300, 100])
    store(green, begin, [400])
    found = over_budget(endpoint.pk, [blue, green], since=begin, until=begin + HOUR)
    both = together(found)
    assert (both.known_minutes, both.over_at_least, both.worst_value, both.minutes) == (3, 2, 400, 120)


LATENCIES = some.lists(some.none() | some.floats(1, 2000, width=32), min_size=1, max_size=60)


@pytest.fixture
def hours(endpoint: Endpoint) -> Iterator[datetime]:
    begin = hour_ago(24 * 20)
    budget_since(endpoint.pk, begin, 250)
    return iter([begin + n * HOUR for n in range(1, 200)])


@given(LATENCIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bounds__of_any_hour__hold_what_its_minutes_say(
    endpoint: Endpoint, blue: int, hours: Iterator[datetime], latencies: list[float | None]
) -> None:
    begin = next(hours)
    store(blue, begin, latencies)
    found = counted(endpoint, blue, begin, begin + HOUR)
    known = [each for each in latencies if each is not None]
    over = sum(each > 250 for each in known)
    assert found.over_at_least <= over <= found.over_at_most
    assert (found.known_minutes, found.idle_minutes) == (len(known), len(latencies) - len(known))
    assert (found.over_at_most == 0) is (over == 0)
