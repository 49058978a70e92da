"""What gates read after real readings of the emulator: what is told, what is only late, and what can't be read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.selectors import GateMinutes, gate_minutes
from tests.inventory.test_sync_flow import connect, sync
from tests.metrics.test_collect import minutes, read

pytestmark = [pytest.mark.processes, pytest.mark.django_db]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    return workspace


def asked(endpoint: str = "checkout-risk", now: datetime | None = None) -> GateMinutes:
    """The last 20 minutes of both deployments, as a gate asks for them."""
    until = now or db_now()
    number = Endpoint.objects.get(name=endpoint).pk
    return gate_minutes(number, ["blue", "green"], until - 20 * MINUTE, until, now=until)


def test_minutes__that_azure_told__are_there_with_known_zeros_for_who_served_nothing(azure, production):
    read()
    found = asked()
    assert (found.unreadable, found.read_until is None) == ("", False)
    blue, green = found.by_deployment["blue"], found.by_deployment["green"]
    assert len(blue) == len(green) >= 19
    assert [one.requests for one in blue] == [row.requests for row in minutes("checkout-risk", "blue")][
        -len(blue) :
    ]
    assert all(one.requests and one.errors is not None and one.p95 and one.cpu_max for one in blue)
    assert {(one.requests, one.errors, one.throttled, one.p95) for one in green} == {(0, 0, 0, None)}
    assert found.read_until - 5 * MINUTE <= found.settled_until <= found.read_until - 3 * MINUTE


def test_minutes__that_azure_has_not_told_yet__are_waited_for_and_in_no_trouble(azure, production):
    azure.admin.settings(behaviour={"metrics_lag_seconds": 300})
    read()
    found = asked()
    assert found.unreadable == ""
    assert found.waiting.startswith("Azure has told of minutes up to")
    assert 13 <= len(found.by_deployment["blue"]) <= 15
    assert all(one.requests for one in found.by_deployment["blue"])


@pytest.mark.parametrize("status", [429, 500])
def test_a_source__that_refuses__is_unreadable_and_takes_nothing_back_that_was_known(
    azure, production, status
):
    read()
    until = db_now()
    before = asked(now=until).by_deployment["blue"]
    azure.admin.fault("status", plane="metrics", status=status, retry_after=90)
    read()
    assert asked(now=until).by_deployment["blue"] == before
    assert asked(now=until + 2 * MINUTE).unreadable


def test_a_source__that_falls_silent__is_late_and_then_an_error(azure, production):
    read()
    azure.admin.fault("no_metrics", path="checkout-risk")
    read()
    assert asked().unreadable == ""
    later = db_now() + 16 * MINUTE
    found = asked(now=later)
    assert found.unreadable
    assert found.by_deployment["blue"]


def test_an_endpoint__of_which_azure_never_told_anything__has_no_minutes_and_no_zeros(azure, production):
    azure.admin.fault("no_metrics", path="checkout-risk")
    read()
    found = asked()
    assert found.by_deployment == {"blue": (), "green": ()}
    assert (found.read_until, found.waiting) == (None, "Azure has not delivered any value so far.")
