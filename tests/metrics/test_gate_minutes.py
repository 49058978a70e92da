"""What gates read: whole minutes by deployment, unknown as unknown, zero as zero, and how far they reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.models import KeptMinute, Telemetry
from endpoints.metrics.selectors import GateMinute, GateMinutes, gate_minutes
from endpoints.metrics.services import write_minutes
from endpoints.metrics.telemetry import State
from tests.metrics.storing import row
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
READ = {"status_5xx": 0, "model_errors": 0, "status_429": 0}


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace, traffic={"blue": 90, "green": 10})


@pytest.fixture
def begin(endpoint: Endpoint) -> datetime:
    """Twelve whole minutes ago; the endpoint was read just now."""
    now = db_now().astimezone(UTC)
    Telemetry.objects.create(endpoint_id=endpoint.pk, state=State.FLOWING, minute=now, read_at=now)
    return now.replace(second=0, microsecond=0) - 12 * MINUTE


def number(endpoint: Endpoint, name: str) -> int:
    return Deployment.objects.get(endpoint=endpoint, name_key=name, deleted_at=None).pk


def read(endpoint: Endpoint, begin: datetime, *names: str, minutes: int = 12) -> GateMinutes:
    return gate_minutes(endpoint.pk, names or ("Green", "blue"), begin, begin + minutes * MINUTE)


def test_minutes__of_a_deployment__have_every_figure_and_errors_of_both_kinds_once(
    endpoint: Endpoint, begin: datetime
) -> None:
    measured = {
        "requests": 100,
        "status_5xx": 3,
        "model_errors": 2,
        "status_4xx": 6,
        "status_429": 4,
        "p95": 50,
    }
    use = {"cpu_max": 71, "memory_max": 44, "gpu_max": 12}
    write_minutes([row(number(endpoint, "green"), begin, **measured, **use)])
    found = read(endpoint, begin)
    assert set(found.by_deployment) == {"blue", "green"}
    assert found.by_deployment["green"] == (GateMinute(begin, 100, 5, 4, 50, 71, 44, 12),)
    assert found.by_deployment["blue"] == (GateMinute(begin),)


def test_minutes__between_two_known_ones__are_there_and_unknown(endpoint: Endpoint, begin: datetime) -> None:
    green = number(endpoint, "green")
    write_minutes(row(green, begin + n * MINUTE, requests=10, **READ) for n in (0, 3))
    found = read(endpoint, begin).by_deployment["green"]
    assert [one.requests for one in found] == [10, None, None, 10]
    assert [one.errors for one in found] == [0, None, None, 0]


def test_a_minute__without_requests__failed_and_refused_nobody_and_has_no_latency(
    endpoint: Endpoint, begin: datetime
) -> None:
    write_minutes([row(number(endpoint, "green"), begin, requests=0)])
    assert read(endpoint, begin).by_deployment["green"] == (GateMinute(begin, 0, 0, 0),)


def test_errors__of_a_minute_whose_statuses_are_unknown__are_unknown(
    endpoint: Endpoint, begin: datetime
) -> None:
    write_minutes([row(number(endpoint, "green"), begin, requests=9, status_5xx=1)])
    (only,) = read(endpoint, begin).by_deployment["green"]
    assert (only.requests, only.errors, only.throttled) == (9, None, None)


def test_minutes__that_lie_only_in_part_in_the_stretch__are_left_out(
    endpoint: Endpoint, begin: datetime
) -> None:
    green = number(endpoint, "green")
    write_minutes(row(green, begin + n * MINUTE, requests=n, **READ) for n in range(12))
    second = timedelta(seconds=1)
    found = gate_minutes(endpoint.pk, ["green"], begin + second, begin + 4 * MINUTE - second)
    assert [one.requests for one in found.by_deployment["green"]] == [1, 2]
    assert found.read_until == begin + 3 * MINUTE
    assert (found.waiting, found.unreadable) == ("", "")


def test_minutes__that_azure_has_not_told_yet__are_not_there_and_waited_for(
    endpoint: Endpoint, begin: datetime
) -> None:
    blue = number(endpoint, "blue")
    write_minutes(row(blue, begin + n * MINUTE, requests=5, **READ) for n in range(9))
    found = read(endpoint, begin)
    assert found.read_until == begin + 9 * MINUTE
    assert [len(rows) for rows in found.by_deployment.values()] == [9, 9]
    assert found.settled_until == begin + 8 * MINUTE
    assert found.waiting.startswith("Azure has told of minutes up to")
    assert found.unreadable == ""


def test_use__that_comes_in_before_requests__makes_no_minute_look_told(
    endpoint: Endpoint, begin: datetime
) -> None:
    blue = number(endpoint, "blue")
    write_minutes(row(blue, begin + n * MINUTE, requests=5, **READ) for n in range(9))
    write_minutes([row(blue, begin + 10 * MINUTE, cpu_max=4)])
    assert read(endpoint, begin).read_until == begin + 9 * MINUTE


def test_a_source__that_can_not_be_read__says_why_beside_what_is_known(
    endpoint: Endpoint, begin: datetime
) -> None:
    write_minutes([row(number(endpoint, "blue"), begin, requests=5)])
    Telemetry.objects.update(state=State.FORBIDDEN, reason="The identity may not read metrics.")
    found = read(endpoint, begin)
    assert found.unreadable == "The identity may not read metrics."
    assert len(found.by_deployment["blue"]) == 1


def test_an_endpoint__that_was_never_read__is_unreadable_and_has_no_minutes(endpoint: Endpoint) -> None:
    found = read(endpoint, db_now() - 10 * MINUTE)
    assert found.by_deployment == {"blue": (), "green": ()}
    assert (found.read_until, found.unreadable) == (None, "No metric of it was read yet.")


def test_kept_minutes__of_a_change_of_last_year__are_read_alike(endpoint: Endpoint, begin: datetime) -> None:
    then = begin - timedelta(days=300)
    green = number(endpoint, "green")
    for n in range(3):
        KeptMinute.objects.create(deployment_id=green, minute=then + n * MINUTE, requests=n, p95=7)
    found = read(endpoint, then, "green", minutes=3)
    assert [(one.requests, one.p95) for one in found.by_deployment["green"]] == [(0, 7), (1, 7), (2, 7)]
    assert (found.read_until, found.unreadable) == (then + 3 * MINUTE, "")


def test_a_deployment__made_again_under_its_name__goes_on_where_the_former_ended(
    endpoint: Endpoint, begin: datetime
) -> None:
    former = number(endpoint, "green")
    Deployment.objects.filter(pk=former).update(deleted_at=begin + 2 * MINUTE)
    again = Deployment.objects.get(pk=former)
    again.pk, again.deleted_at = None, None
    again.save()
    write_minutes(row(former, begin + n * MINUTE, requests=1) for n in range(2))
    write_minutes(row(again.pk, begin + n * MINUTE, requests=2) for n in range(2, 4))
    found = read(endpoint, begin, "green").by_deployment["green"]
    assert [one.requests for one in found] == [1, 1, 2, 2]


def test_reading__of_any_number_of_deployments__takes_two_queries(
    endpoint: Endpoint, begin: datetime
) -> None:
    with CaptureQueriesContext(connection) as queries:
        read(endpoint, begin, "blue", "green", "nowhere")
    assert len(queries) == 2
