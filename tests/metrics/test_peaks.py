"""Peaks and what replicas carry: out of what was measured, with words, and unknown where nothing was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoints.access.models import Workspace
from endpoints.inventory.models import Endpoint
from endpoints.metrics.peaks import Load, capacity_of, peak_of, total_of
from endpoints.metrics.selectors import peaks
from endpoints.metrics.services import write_hours, write_minutes
from endpoints.metrics.windows import Grain
from tests.metrics.storing import hour_ago, row
from tests.support.people import make_endpoint

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def loads(rows: Iterable[dict[str, Any]], step: timedelta = MINUTE) -> list[Load]:
    return [Load(NOON + n * step, **one) for n, one in enumerate(rows)]


def steady(count: int = 60, **changes: Any) -> list[Load]:
    """Minutes of 2 replicas that serve 100 requests each with CPU at 40 %."""
    return loads([{"requests": 200.0, "instances": 2.0, "cpu_max": 40.0} | changes] * count)


def test_a_peak__of_minutes__is_the_highest_with_what_was_at_that_time() -> None:
    given = loads(
        {"requests": float(n), "instances": 2.0 if n < 150 else 3.0, "cpu_max": n / 4} for n in range(201)
    )
    found = peak_of([*given, Load(NOON - MINUTE)], [], limit=80)
    assert (found.requests, found.at, found.grain) == (200, NOON + 200 * MINUTE, Grain.MINUTE)
    assert (found.instances, found.cpu_max, found.minutes) == (3, 50, 201)
    assert found.p99 == 198
    assert found.words == "The highest of 201 known minutes."


def test_a_peak__that_lies_in_the_hours__is_said_to_be_a_mean_and_at_least_so_much() -> None:
    hours = loads([{"requests": 250.0, "instances": 4.0}, {"requests": None}], HOUR)
    found = peak_of(steady(), hours, limit=80)
    assert (found.requests, found.grain, found.instances) == (250, Grain.HOUR, 4)
    assert "at least" in found.words
    lower = peak_of(steady(), loads([{"requests": 120.0}], HOUR), limit=80)
    assert (lower.requests, lower.grain) == (200, Grain.MINUTE)
    assert "No hour of the 1 before them had so high a mean." in lower.words


def test_a_peak__of_nothing_known__is_unknown_and_no_zero() -> None:
    found = peak_of(loads([{"cpu_max": 3.0}] * 40), [], limit=80)
    assert (found.requests, found.at, found.p99, found.capacity.per_replica) == (None, None, None, None)
    assert found.words == "No request of it is known."


def test_the_capacity__of_a_replica__is_its_load_in_proportion_to_its_use() -> None:
    found = capacity_of(steady(), limit=80)
    assert (found.per_replica, found.limited_by, found.minutes) == (200, "cpu", 60)
    assert "a replica served 100 to 100 requests with CPU at 40 to 40\u00a0%" in found.words
    assert "three times" not in found.words


def test_the_capacity__of_a_replica__is_that_of_what_runs_out_first() -> None:
    assert capacity_of(steady(gpu_max=64.0), limit=80).limited_by == "gpu"
    assert capacity_of(steady(gpu_max=64.0), limit=80).per_replica == 125
    refused = [
        *steady(),
        *loads([{"requests": 240.0, "instances": 2.0, "cpu_max": 41.0, "throttled": 20.0}] * 5),
    ]
    found = capacity_of(refused, limit=80)
    assert (found.per_replica, found.limited_by, found.minutes) == (110, "429", 5)
    assert "more than 1\u00a0% of the requests were refused with 429" in found.words


def test_the_capacity__told_by_quiet_hours_and_one_odd_minute__is_not_moved_by_them() -> None:
    quiet = loads([{"requests": 10.0, "instances": 2.0, "cpu_max": 30.0}] * 500)
    odd = loads([{"requests": 200.0, "instances": 2.0, "cpu_max": 99.0}])
    assert capacity_of([*quiet, *odd, *steady()], limit=80).per_replica == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (steady(29), "Only 29 busy minutes are known"),
        (steady(cpu_max=4.0), "Neither CPU nor GPU was at 10\u00a0% or more"),
        (steady(cpu_max=None), "Neither CPU nor GPU"),
        (steady(instances=None), "Only 0 busy minutes are known"),
        (steady(requests=0.0), "Only 0 busy minutes are known"),
        ([], "Only 0 busy minutes are known"),
    ],
)
def test_the_capacity__of_which_nothing_tells__is_unknown_with_the_reason(
    given: list[Load], words: str
) -> None:
    found = capacity_of(given, limit=80)
    assert (found.per_replica, found.limited_by) == (None, "")
    assert found.words.startswith(words)


def test_a_capacity__far_from_all_that_was_measured__says_so() -> None:
    assert "more than three times what was ever seen" in capacity_of(steady(cpu_max=20.0), limit=80).words


def test_the_peak_of_an_endpoint__is_of_one_minute_and_not_of_each_deployments_best() -> None:
    minutes = {
        "blue": loads([{"requests": 100.0}, {"requests": 300.0}, {"requests": 200.0}]),
        "green": loads([{"requests": 90.0}, {"requests": 10.0}, {"requests": 150.0}]),
        "never": loads([{"cpu_max": 1.0}]),
    }
    found = total_of(minutes, {}, lambda name, at: True)
    assert (found.requests, found.at, found.at_least) == (350, NOON + 2 * MINUTE, False)


def test_the_peak_of_an_endpoint__with_a_part_unknown__is_at_least_so_much() -> None:
    minutes = {
        "blue": loads([{"requests": 100.0}, {"requests": 300.0}]),
        "green": loads([{"requests": 90.0}]),
    }
    found = total_of(minutes, {}, lambda name, at: True)
    assert (found.requests, found.at_least) == (300, True)
    gone = total_of(minutes, {}, lambda name, at: name == "blue" or at <= NOON)
    assert (gone.requests, gone.at_least) == (300, False)
    before = total_of(minutes, {"blue": loads([{"requests": 50.0}], HOUR)}, lambda name, at: name == "blue")
    assert (before.requests, before.grain, before.at_least) == (300, Grain.MINUTE, True)
    higher = total_of(minutes, {"blue": loads([{"requests": 500.0}], HOUR)}, lambda name, at: True)
    assert (higher.requests, higher.grain, higher.at_least) == (500, Grain.HOUR, True)
    assert total_of({}, {}, lambda name, at: True).requests is None


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    found.deployments.update(first_seen_at=hour_ago(24 * 20), azure_created_at=hour_ago(24 * 20))
    return found


@pytest.mark.django_db
def test_peaks__of_stored_minutes_and_hours__name_their_source(endpoint: Endpoint) -> None:
    ids = {one.name: one.pk for one in endpoint.deployments.all()}
    begin, old = hour_ago(3), hour_ago(24 * 9)
    write_minutes(
        row(ids[name], begin + n * MINUTE, requests=count, instances=2, cpu_max=40)
        for name, count in (("blue", 200), ("green", 20))
        for n in range(60)
    )
    write_hours(
        row(ids["green"], old + n * MINUTE, requests=90 if n else 900, instances=1, cpu_max=70)
        for n in range(60)
    )
    found = peaks(endpoint.pk)
    blue, green = found.by_deployment["blue"], found.by_deployment["green"]
    assert (blue.requests, blue.grain, blue.capacity.per_replica) == (200, Grain.MINUTE, 200)
    assert (green.requests, green.at, green.grain) == (103.5, old, Grain.HOUR)
    assert (green.instances, green.cpu_max, green.p99) == (1, 70, 20)
    assert (found.total.requests, found.total.at_least) == (220, True)
    assert found.since < old < found.minutes_since < begin
    assert peaks(endpoint.pk, days=2).by_deployment["green"].requests == 20


@pytest.mark.django_db
def test_peaks__of_an_endpoint_never_measured__are_unknown(endpoint: Endpoint) -> None:
    found = peaks(endpoint.pk)
    assert set(found.by_deployment) == {"blue", "green"}
    assert [one.requests for one in found.by_deployment.values()] == [None, None]
    assert found.total.requests is None
