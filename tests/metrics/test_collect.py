"""Collectors against the emulator's process: what Azure Monitor says is what is stored, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.access.roles import Role
from endpoints.audit.models import Entry
from endpoints.core.errors import Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.models import Backfill, Collector, CollectorRun, DirtyHour, Latest, Minute, Telemetry
from endpoints.metrics.services import collectors, request_reading
from endpoints.metrics.services.collect import collect
from tests.inventory.test_sync_flow import connect, sync
from tests.support.people import make_person, principal

pytestmark = [pytest.mark.processes, pytest.mark.django_db]


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    return workspace


def read() -> CollectorRun:
    """One reading of the only collector."""
    collectors.add_missing()
    Collector.objects.update(due_at=db_now(), retry_at=None)
    run = collect(collector_id=Collector.objects.get().pk)
    assert run is not None
    return run


def deployment(endpoint: str, name: str) -> Deployment:
    return Deployment.objects.get(endpoint__name=endpoint, name=name)


def minutes(endpoint: str, name: str) -> list[Minute]:
    return list(Minute.objects.filter(deployment_id=deployment(endpoint, name).pk).order_by("minute"))


def test_reading__first_time__stores_the_last_half_hour_of_every_deployment(azure, production):
    run = read()

    assert (run.outcome, run.error, run.unreadable, run.truncated) == ("complete", "", [], [])
    served = minutes("checkout-risk", "blue")
    assert 28 <= len(served) <= 30
    for row in served:
        assert row.requests > 0
        assert row.status_2xx <= row.requests
        assert 0 < row.p50 <= row.p90 <= row.p95 <= row.p99
        assert (row.instances, row.gpu_avg) == (4, None)
        assert 0 < row.cpu_avg <= row.cpu_max
    assert Latest.objects.get(deployment=deployment("checkout-risk", "blue")).hour_minutes == len(served)
    seen = Telemetry.objects.get(endpoint__name="checkout-risk")
    assert (seen.state, seen.reason) == ("flowing", "")
    assert seen.requests == served[-4].requests or seen.requests is not None


def test_deployment__without_traffic__has_zeros_that_azure_said_and_no_latency(azure, production):
    read()
    idle = minutes("checkout-risk", "green")
    assert idle
    assert {(row.requests, row.status_5xx, row.p95) for row in idle} == {(0, 0, None)}
    assert all(row.instances == 4 for row in idle)


def test_deployment__that_failed__is_paid_and_its_requests_are_unknown_or_none(azure, production):
    read()
    broken = minutes("photo-triage", "broken")
    assert all(row.instances is not None and not row.requests for row in broken)


def test_reading__again__changes_nothing_that_did_not_change(azure, production):
    read()
    before = {(row.deployment_id, row.minute): row.requests for row in Minute.objects.all()}
    run = read()
    after = {(row.deployment_id, row.minute): row.requests for row in Minute.objects.all()}
    assert {key: after[key] for key in before} == before
    assert run.rows_changed == len(after) - len(before)


def test_minute__that_grew_in_azure__is_corrected_and_its_hour_due_again(azure, production):
    azure.admin.settings(behaviour={"metrics_settle_seconds": 86_400})
    read()
    early = {row.minute: row.requests for row in minutes("checkout-risk", "blue")}
    DirtyHour.objects.all().delete()
    azure.admin.settings(behaviour={"metrics_settle_seconds": 0})
    Collector.objects.update(complete_until=db_now() - timedelta(minutes=25))
    read()
    late = {row.minute: row.requests for row in minutes("checkout-risk", "blue")}
    grown = [minute for minute in early if late[minute] > early[minute]]
    assert len(grown) >= 20
    assert DirtyHour.objects.filter(deployment_id=deployment("checkout-risk", "blue").pk).exists()


def test_batch__refused__is_read_one_by_one_and_remembered(azure, production):
    azure.admin.fault("batch_refused")
    run = read()
    assert run.outcome == "complete"
    collector = Collector.objects.get()
    assert collector.batch_refused_at is not None
    assert "not to be had" in collector.batch_refused_reason
    assert minutes("checkout-risk", "blue")

    azure.admin.clear_faults()
    before = len(azure.admin.requests(plane="metrics"))
    read()
    assert len(azure.admin.requests(plane="metrics")) == before  # not asked again before its time


@pytest.mark.parametrize("status", [429, 529])
def test_throttled__is_told_and_nothing_becomes_zero(azure, production, status):
    azure.admin.fault("status", plane="metrics", status=status, retry_after=90)
    run = read()
    assert run.outcome == "failed"
    collector = Collector.objects.get()
    assert collector.retry_at is not None and collector.due_at >= collector.retry_at
    assert not Minute.objects.exists()
    seen = Telemetry.objects.get(endpoint__name="checkout-risk")
    assert (seen.state, seen.requests, seen.p95) == ("throttled", None, None)
    assert collector.complete_until is None


def test_endpoint__that_sends_nothing__is_not_known_and_spoils_no_other(azure, production):
    azure.admin.fault("no_metrics", path="photo-triage")
    read()
    assert not minutes("photo-triage", "main")
    assert minutes("checkout-risk", "blue")
    seen = Telemetry.objects.get(endpoint__name="photo-triage")
    assert (seen.state, seen.requests) == ("none-yet", None)


def test_gap__in_azure__stays_a_gap(azure, production):
    now = db_now()
    since, until = now - timedelta(minutes=20), now - timedelta(minutes=10)
    azure.admin.fault("metric_gap", path="checkout-risk", since=since.isoformat(), until=until.isoformat())
    read()
    known = {row.minute for row in minutes("checkout-risk", "blue") if row.requests is not None}
    inside = {since.replace(second=0, microsecond=0) + timedelta(minutes=step) for step in range(2, 9)}
    assert known and not known & inside


def test_values__that_make_no_sense__are_unknown_and_named(azure, production):
    azure.admin.fault(
        "metric_values", path="checkout-risk$", metric="RequestLatency_P95", value="NaN", every=1
    )
    run = read()
    assert run.outcome == "partial"
    assert any("checkout-risk" in one["item"].lower() for one in run.unreadable)
    rows = minutes("checkout-risk", "blue")
    assert {row.p95 for row in rows} == {None}
    assert all(row.p50 for row in rows)


@pytest.mark.parametrize("kind", ["metric_duplicates", "metric_disorder"])
def test_points__twice_or_out_of_order__are_stored_once_and_in_order(azure, production, kind):
    read()
    plain = {(row.deployment_id, row.minute): (row.requests, row.p95) for row in Minute.objects.all()}
    Minute.objects.all().delete()
    azure.admin.fault(kind, path="checkout-risk")
    Collector.objects.update(complete_until=None)
    run = read()
    again = {(row.deployment_id, row.minute): (row.requests, row.p95) for row in Minute.objects.all()}
    assert run.outcome in ("complete", "partial")
    shared = plain.keys() & again.keys()
    assert len(shared) > 100
    assert {key: again[key] for key in shared} == {key: plain[key] for key in shared}


def test_counts__that_are_negative__are_no_counts(azure, production):
    azure.admin.fault("metric_values", path="checkout-risk$", metric="RequestsPerMinute", value="-5", every=1)
    run = read()
    assert run.unreadable
    assert all(row.requests is None or row.requests >= 0 for row in minutes("checkout-risk", "blue"))
    seen = Telemetry.objects.get(endpoint__name="checkout-risk")
    assert seen.requests is None or seen.requests >= 0


def test_identity__that_may_not_read_metrics__is_told_per_endpoint_and_zeroes_nothing(azure, production):
    azure.admin.fault("status", plane="metrics", status=403, code="AuthorizationFailed")
    azure.admin.fault("status", path="Microsoft.Insights/metrics", status=403, code="AuthorizationFailed")
    run = read()
    assert run.outcome == "partial"
    assert not Minute.objects.exists()
    assert {one.state for one in Telemetry.objects.all()} == {"forbidden"}
    assert all(one.reason and one.requests is None for one in Telemetry.objects.all())


def test_collector__that_was_away_for_hours__reads_the_newest_and_orders_the_rest(azure, production):
    read()
    Collector.objects.update(complete_until=db_now() - timedelta(hours=5))
    run = read()
    assert run.until - run.since <= timedelta(hours=1)
    order = Backfill.objects.get()
    assert order.asked_by == "process:collector"
    assert order.since < db_now() - timedelta(hours=5) and order.until >= run.since


def test_collector__claimed_by_somebody_else__is_left_alone(azure, production):
    collectors.add_missing()
    number = Collector.objects.get().pk
    mine = collectors.claim(number)
    assert mine is not None
    assert collect(collector_id=number) is None
    collectors.release(mine)
    assert collect(collector_id=number) is not None


def test_endpoint__deleted_in_azure__is_not_read_any_more(azure, production):
    world = azure.admin.world()
    shadowed = next(
        one["id"] for one in world.values() if one["id"].lower().endswith("onlineendpoints/shadowed")
    )
    azure.admin.foreign(shadowed, delete=True)
    sync(production)
    run = read()
    assert run.outcome == "complete"
    gone = Endpoint.objects.get(name="shadowed")
    assert not Minute.objects.filter(deployment_id__in=gone.deployments.values("pk")).exists()


def test_reading__asked_for__is_due_at_once_but_not_before_azure_allows(azure, production):
    read()
    asks = principal(make_person("berg", {production.slug: [Role.OPERATOR]}))
    assert collectors.due_collectors() == []
    assert request_reading(principal=asks, workspace_id=production.pk) == 1
    assert collectors.due_collectors() == [Collector.objects.get().pk]
    entry = Entry.objects.filter(action="metrics.reading_requested").get()
    assert entry.subject == f"workspace:{production.pk}"

    later = db_now() + timedelta(minutes=5)
    Collector.objects.update(retry_at=later)
    request_reading(principal=asks, workspace_id=production.pk)
    assert Collector.objects.get().due_at == later


def test_reading__asked_for_by_somebody_who_may_not__changes_nothing(azure, production):
    read()
    with pytest.raises(Refused):
        request_reading(principal=principal(make_person("nobody")), workspace_id=production.pk)
    assert collectors.due_collectors() == []
