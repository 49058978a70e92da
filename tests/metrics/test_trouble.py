"""One bad resource, one bad hour, one missing right: each spoils itself, and what can be read is read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.models import Collector, Minute, Telemetry
from tests.inventory.test_sync_flow import connect, endpoint_id_of, sync
from tests.metrics.test_collect import minutes, read

pytestmark = [pytest.mark.processes, pytest.mark.django_db]


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    return workspace


def state(endpoint: str) -> tuple[str, str]:
    seen = Telemetry.objects.get(endpoint__name=endpoint)
    return seen.state, seen.reason


def batches(azure: Emulator) -> int:
    return len(azure.admin.requests(plane="metrics"))


@pytest.mark.parametrize("spoils", ["itself", "call"])
def test_endpoint__gone_from_azure_and_still_in_the_mirror__spoils_no_other(azure, production, spoils):
    azure.admin.settings(behaviour={"unknown_resource_spoils": spoils})
    azure.admin.foreign(endpoint_id_of(azure, "shadowed"), delete=True)

    run = read()

    assert Collector.objects.get().batch_refused_at is None
    assert minutes("checkout-risk", "blue") and minutes("photo-triage", "main")
    assert state("checkout-risk") == ("flowing", "")
    gone = Endpoint.objects.get(name="shadowed")
    assert not Minute.objects.filter(deployment_id__in=gone.deployments.values("pk")).exists()
    word, reason = state("shadowed")
    assert word != "flowing" and reason
    assert (run.outcome, word) == ("partial", "unreadable" if spoils == "call" else "none-yet")


def test_endpoint__that_spoils_calls__is_tried_apart_the_next_time_and_taken_back_when_it_is_there(
    azure, production
):
    azure.admin.settings(behaviour={"unknown_resource_spoils": "call"})
    azure.admin.foreign(endpoint_id_of(azure, "shadowed"), delete=True)
    start = batches(azure)
    read()
    first = batches(azure) - start
    read()
    second = batches(azure) - start - first

    azure.admin.settings(behaviour={"unknown_resource_spoils": "itself"})
    read()

    assert second < first, "nobody searches for a culprit who is known"
    assert second <= 7, "five queries of all others, one that is refused, and its probe"
    assert state("shadowed")[0] == "none-yet"
    assert state("checkout-risk") == ("flowing", "")


def test_endpoint__left_out_for_a_while__is_read_from_where_it_stood(azure, production):
    read()
    Minute.objects.all().delete()
    Telemetry.objects.filter(endpoint__name="photo-triage").update(read_at=db_now() - timedelta(minutes=40))

    read()

    late, usual = minutes("photo-triage", "main"), minutes("checkout-risk", "blue")
    assert len(late) > len(usual) + 20
    assert usual


def test_gap_of_successes_alone__makes_no_minute_of_failures(azure, production):
    read()
    Minute.objects.all().delete()
    now = db_now()
    azure.admin.fault(
        "metric_gap",
        path="onlineEndpoints/checkout-risk$",
        metric="RequestsPerMinute",
        since=(now - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        until=(now - timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    read()
    inside = [row for row in minutes("checkout-risk", "blue") if row.requests and row.status_2xx is None]
    assert inside, "the deployment's own total is known, its statuses are not"
    assert all(row.status_5xx is None and row.model_errors is None for row in inside)


def test_throttled__without_a_time_to_wait__is_called_throttled(azure, production):
    azure.admin.fault("status", plane="metrics", status=529)
    assert read().outcome == "failed"
    assert state("checkout-risk")[0] == "throttled"
    assert Collector.objects.get().failures == 1


def test_throttled__in_mid_reading__is_read_to_the_end_the_next_time(azure, production):
    azure.admin.fault("status", plane="metrics", status=429, retry_after=30, skip=2)
    run = read()
    assert (run.outcome, run.error_code != "", Collector.objects.get().complete_until) == (
        "failed",
        True,
        None,
    )
    azure.admin.clear_faults()
    assert read().outcome == "complete"
    assert all(row.instances and row.requests is not None for row in minutes("checkout-risk", "blue")[:-1])


@pytest.mark.parametrize("status", [500, 503])
def test_azure_monitor__failing__leaves_all_unknown_and_is_asked_later(azure, production, status):
    azure.admin.fault("status", plane="metrics", status=status)
    run = read()
    assert run.outcome == "partial"
    assert not Minute.objects.exists()
    assert state("checkout-risk")[0] == "unreachable"
    azure.admin.clear_faults()
    read()
    assert state("checkout-risk") == ("flowing", "")
