"""The first minute in which requests follow an order: never one of mixed requests, and none out of the unknown."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.access.models import Workspace
from endpoints.inventory.models import Endpoint
from endpoints.metrics.agreement import Agreement, Requests, first_agreeing
from endpoints.metrics.selectors import observed_since
from endpoints.metrics.services import write_minutes
from tests.metrics.storing import hour_ago, row
from tests.support.people import make_endpoint

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
UNKNOWN: Mapping[str, float] = {}


def minutes(*found: Mapping[str, float]) -> list[Requests]:
    return [Requests(NOON + n * MINUTE, one) for n, one in enumerate(found)]


def counts(*pairs: tuple[float, float]) -> list[Requests]:
    return minutes(*({"blue": blue, "green": green} for blue, green in pairs))


def first(given: Sequence[Requests], split: Mapping[str, int]) -> Agreement:
    return first_agreeing(given, split, ["blue", "green"])


def test_a_rollback__to_one_deployment__agrees_once_the_other_gets_nothing() -> None:
    found = first(counts((50, 50), (70, 30), (99, 1), (100, 0), (100, 0)), {"Blue": 100})
    assert found.minute == NOON + 3 * MINUTE
    assert "100 requests went where the split sends them" in found.reason


def test_a_rollback__after_which_the_other_goes_on_serving__is_not_observed() -> None:
    found = first(counts((50, 50), (95, 5)), {"blue": 100, "green": 0})
    assert found == Agreement(None, "green still got 5 requests a minute, although the split gives it none.")


def test_a_split__of_two__agrees_from_the_first_minute_that_follows_it() -> None:
    given = counts(*[(1000, 1000)] * 3, (1500, 500), *[(1800, 200)] * 5)
    assert first(given, {"blue": 90, "green": 10}).minute == NOON + 4 * MINUTE


def test_a_split__of_few_requests__takes_the_minutes_that_it_needs_to_be_told() -> None:
    chance = random.Random(4)
    before = [sum(chance.random() < 0.5 for _ in range(200)) for _ in range(5)]
    after = [sum(chance.random() < 0.1 for _ in range(200)) for _ in range(40)]
    given = counts(*((200 - green, green) for green in (*before, *after)))
    assert first(given, {"blue": 90, "green": 10}).minute == NOON + 5 * MINUTE
    short = first(given[:7], {"blue": 90, "green": 10})
    assert short.minute is None
    assert "too few" in short.reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "No minute since then is known of all these deployments."),
        (minutes(UNKNOWN, {"blue": 10}), "No minute since then is known of all these deployments."),
        (counts((0, 0), (0, 0)), "No request was routed."),
    ],
)
def test_what_is_not_known__is_no_agreement(given: list[Requests], reason: str) -> None:
    assert first(given, {"blue": 100}) == Agreement(None, reason)


def test_unknown_minutes__before_the_first_that_agrees__are_told() -> None:
    found = first(minutes(UNKNOWN, {"blue": 9}, {"blue": 9, "green": 0}), {"blue": 100})
    assert found.minute == NOON + 2 * MINUTE
    assert found.reason.endswith(" 2 minutes before that are not known.")


def test_a_minute__without_requests__is_passed_over() -> None:
    assert first(counts((0, 0), (10, 0)), {"blue": 100}).minute == NOON + MINUTE


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace, deployments=("blue", "green", "never"))
    found.deployments.update(first_seen_at=hour_ago(9), azure_created_at=hour_ago(9))
    return found


def served(endpoint: Endpoint, begin: datetime, *pairs: tuple[float | None, float | None]) -> None:
    ids = {one.name: one.pk for one in endpoint.deployments.all()}
    write_minutes(
        row(ids[name], begin + n * MINUTE, requests=count, cpu_avg=1)
        for n, pair in enumerate(pairs)
        for name, count in zip(("blue", "green"), pair, strict=True)
    )


@pytest.mark.django_db
def test_a_rollback__of_stored_minutes__is_observed_in_the_first_whole_one_that_agrees(
    endpoint: Endpoint,
) -> None:
    begin = hour_ago(3)
    served(endpoint, begin, (90, 10), (90, 10), (95, 5), (100, 0), (100, 0))
    clicked = begin + 2 * MINUTE + timedelta(seconds=20)
    found = observed_since(endpoint.pk, {"blue": 100}, clicked)
    assert found.minute == begin + 3 * MINUTE
    assert observed_since(endpoint.pk, {"blue": 100}, clicked, until=clicked + MINUTE).minute is None


@pytest.mark.django_db
def test_a_deployment__whose_requests_stop_being_known__is_not_taken_for_idle(endpoint: Endpoint) -> None:
    begin = hour_ago(3)
    served(endpoint, begin, (90, 10), (100, None), (100, None))
    found = observed_since(endpoint.pk, {"blue": 100}, begin + MINUTE)
    assert found == Agreement(None, "No minute since then is known of all these deployments.")


@pytest.mark.django_db
def test_a_deployment__that_azure_mirrors_to__may_get_requests(endpoint: Endpoint) -> None:
    begin = hour_ago(3)
    served(endpoint, begin, (90, 10), (100, 20))
    assert observed_since(endpoint.pk, {"blue": 100}, begin + MINUTE).minute is None
    found = observed_since(endpoint.pk, {"blue": 100}, begin + MINUTE, mirror={"Green": 20})
    assert found.minute == begin + MINUTE
