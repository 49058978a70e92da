"""The sync against the emulator's process, through the gateway: what is true there is what the mirror says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import (
    Deployment,
    DeploymentRevision,
    Drift,
    Endpoint,
    EndpointRevision,
    SyncRun,
    SyncTarget,
)
from endpoints.inventory.services import expect_write, sync_shard
from endpoints.inventory.services.targets import add_missing, claim_shard, due_shards
from opsportal.celery import app as celery_app
from tests.inventory.support import make_workspace

pytestmark = [pytest.mark.processes, pytest.mark.django_db]


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    return connect(azure, "mlw-prod-weu")


def connect(azure: Emulator, slug: str) -> Workspace:
    ids = [one["id"] for one in azure.admin.world().values() if one["kind"] == "workspace"]
    arm_id = next(one for one in ids if one.endswith(slug))
    workspace = make_workspace(slug, subscription=arm_id.split("/")[2])
    Workspace.objects.filter(pk=workspace.pk).update(arm_id=arm_id, arm_key=arm_id.lower())
    return workspace


def sync(workspace: Workspace) -> SyncRun:
    add_missing()
    SyncTarget.objects.filter(workspace=workspace).update(due_at=db_now(), retry_at=None)
    assert sync_shard(workspace_id=workspace.pk) == 1
    return SyncRun.objects.filter(workspace=workspace).latest("ended_at")


def endpoint_id_of(azure: Emulator, name: str, workspace: str = "mlw-prod-weu") -> str:
    found = [one["id"] for one in azure.admin.world().values() if one["kind"] == "endpoint"]
    return next(one for one in found if one.lower().endswith(f"{workspace}/onlineendpoints/{name}"))


def serve_list(azure: Emulator, items: list[dict]) -> None:
    azure.admin.fault("status", status=200, body={"value": items}, path="onlineEndpoints$", method="GET")


def test_sync__first_time__mirrors_every_endpoint_and_deployment_without_drift(azure, production):
    run = sync(production)

    assert (run.outcome, run.unreadable) == ("complete", [])
    world = azure.admin.world()
    for row in Endpoint.objects.filter(workspace=production):
        assert world[row.arm_key]["document"]["properties"]["traffic"] == row.traffic
    assert run.endpoints == Endpoint.objects.count()
    assert run.deployments == Deployment.objects.count() > 0
    assert not Drift.objects.exists()


def test_sync__nothing_changed__writes_one_run_and_nothing_per_endpoint(azure, production):
    sync(production)
    revisions = EndpointRevision.objects.count(), DeploymentRevision.objects.count()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        run = sync(production)

    writes = [
        one["sql"].split()[:3] for one in queries if one["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}
    ]
    tables = {words[2].strip('"') if words[0] == "INSERT" else words[1].strip('"') for words in writes}
    assert tables == {"inventory_sync_run", "inventory_sync_target"}
    assert [words[0] for words in writes].count("INSERT") == 2  # the run, and targets that are missing (none)
    assert run.changes == 0
    assert revisions == (EndpointRevision.objects.count(), DeploymentRevision.objects.count())


def test_sync__somebody_else_moves_traffic__is_drift_with_their_name(azure, production):
    sync(production)
    azure.admin.foreign(endpoint_id_of(azure, "checkout-risk"), traffic={"blue": 60, "green": 40})

    sync(production)

    drift = Drift.objects.get()
    assert (drift.before, drift.after) == (
        {"traffic": {"blue": 100}},
        {"traffic": {"blue": 60, "green": 40}},
    )
    assert drift.modified_by == "az ml (someone else)"
    runs = SyncRun.objects.order_by("pk")
    assert (drift.earliest, drift.latest <= runs[1].reads_ended) == (runs[0].reads_began, True)


def test_sync__reads_our_own_write_first__knows_that_it_is_ours(azure, production):
    sync(production)
    endpoint = Endpoint.objects.get(name_key="checkout-risk")
    expect_write(
        endpoint_id=endpoint.pk,
        cause="change:7",
        attempt="attempt:1",
        traffic={"green": 100},
        mirror=None,
        verb="put_split",
        seconds=60,
    )
    azure.admin.foreign(endpoint.arm_id, traffic={"green": 100})

    sync(production)

    assert not Drift.objects.exists()
    endpoint.refresh_from_db()
    assert endpoint.latest_revision.cause == "change:7"


def test_sync__endpoint_deleted_and_made_again__is_another_endpoint(azure, production):
    sync(production)
    arm_id = endpoint_id_of(azure, "shadowed")
    azure.admin.foreign(arm_id, recreate=True)

    sync(production)

    old, new = Endpoint.objects.filter(name_key="shadowed").order_by("pk")
    assert old.deleted_at is not None
    assert new.deleted_at is None
    assert new.azure_created_at > old.azure_created_at


def test_sync__endpoint_deleted_by_others__is_kept_as_history(azure, production):
    sync(production)
    azure.admin.foreign(endpoint_id_of(azure, "shadowed"), delete=True)

    sync(production)

    gone = Endpoint.objects.get(name_key="shadowed")
    assert gone.deleted_at is not None
    assert not Deployment.objects.filter(endpoint=gone, deleted_at=None).exists()
    assert Drift.objects.get(kind="endpoint").endpoint == gone


@pytest.mark.parametrize(
    ("status", "retry_after", "code"),
    [(429, 90, "Throttled"), (503, None, "ServiceUnavailable"), (403, None, "AuthorizationFailed")],
)
def test_sync__workspace_refuses__keeps_what_is_known_and_says_why(
    azure, production, status, retry_after, code
):
    sync(production)
    before = Endpoint.objects.filter(deleted_at=None).count()
    azure.admin.fault("status", status=status, retry_after=retry_after, code=code, path="onlineEndpoints")

    run = sync(production)

    assert (run.outcome, run.error_code, run.reads_ended) == ("failed", code, None)
    assert run.error
    assert Endpoint.objects.filter(deleted_at=None).count() == before
    target = SyncTarget.objects.get(workspace=production)
    assert target.failures == 1
    assert target.covered_by.outcome == "complete"
    if retry_after:
        assert target.due_at >= target.retry_at > run.ended_at + timedelta(seconds=retry_after - 5)


def test_sync__deployments_of_one_endpoint_fail__spoils_that_endpoint_only(azure, production):
    sync(production)
    azure.admin.foreign(endpoint_id_of(azure, "checkout-risk"), traffic={"green": 100})
    azure.admin.fault("status", status=500, path="photo-triage/deployments", method="GET")

    run = sync(production)

    assert run.outcome == "partial"
    assert [one["item"].rpartition("/onlineEndpoints/")[2] for one in run.unreadable] == [
        "photo-triage/deployments"
    ]
    broken = Endpoint.objects.get(name_key="photo-triage")
    assert broken.unreadable_since is not None
    assert broken.deployments.filter(deleted_at=None).count() == 3
    assert Endpoint.objects.get(name_key="checkout-risk").traffic == {"green": 100}

    azure.admin.clear_faults()
    sync(production)
    broken.refresh_from_db()
    assert broken.unreadable_since is None


def test_sync__one_item_is_malformed__spoils_itself_and_deletes_only_what_is_absent(azure, production):
    sync(production)
    broken = {"id": endpoint_id_of(azure, "checkout-risk"), "properties": {"traffic": {"blue": "most"}}}
    serve_list(azure, [broken])

    run = sync(production)

    assert run.outcome == "partial"
    assert "blue" in run.unreadable[0]["reason"]
    living = Endpoint.objects.filter(workspace=production, deleted_at=None)
    assert [row.name for row in living] == ["checkout-risk"]
    row = living.get()
    assert (row.unreadable_since is not None, row.traffic) == (True, {"blue": 100})
    assert row.marks[0]["code"] == "unreadable"


def test_sync__an_item_does_not_say_what_it_is__deletes_nothing(azure, production):
    sync(production)
    before = Endpoint.objects.filter(deleted_at=None).count()
    serve_list(azure, [{"name": "who am I"}])

    run = sync(production)

    assert (run.outcome, len(run.unreadable)) == ("partial", 1)
    assert Endpoint.objects.filter(deleted_at=None).count() == before


def test_sync__item_stays_unreadable__keeps_the_time_since_when(azure, production):
    sync(production)
    azure.admin.fault("status", status=500, path="photo-triage/deployments", method="GET")
    sync(production)
    since = Endpoint.objects.get(name_key="photo-triage").unreadable_since

    sync(production)

    row = Endpoint.objects.get(name_key="photo-triage")
    assert row.unreadable_since == since is not None
    azure.admin.clear_faults()
    sync(production)
    row.refresh_from_db()
    assert (row.unreadable_since, [mark for mark in row.marks if mark["code"] == "unreadable"]) == (None, [])


def test_sync__one_workspace_hangs__is_recorded_alone_and_late(twins, monkeypatch):
    impatient = settings.OPSPORTAL.model_copy(update={"remote_call_seconds": 2.0})
    monkeypatch.setattr(settings, "OPSPORTAL", impatient)
    quick, hanging = connect(twins, "mlw-fleet-00"), connect(twins, "mlw-fleet-01")
    twins.admin.fault("half_open", path="mlw-fleet-01", method="GET")
    add_missing()

    assert sync_shard(workspace_id=quick.pk) == 2

    outcomes = dict(SyncRun.objects.values_list("workspace_id", "outcome"))
    assert outcomes == {quick.pk: "complete", hanging.pk: "failed"}
    runs = {run.workspace_id: run for run in SyncRun.objects.all()}
    assert runs[quick.pk].ended_at < runs[hanging.pk].ended_at
    assert runs[hanging.pk].error_code == "Unreachable"


def test_sync__newer_state_was_observed_meanwhile__reads_again_instead_of_believing_the_old(
    azure, production
):
    """Another process saw a change while the list was on its way: the list's answer can't be ordered."""
    sync(production)
    endpoint = Endpoint.objects.get(name_key="checkout-risk")
    azure.admin.foreign(endpoint.arm_id, traffic={"green": 100})
    Endpoint.objects.filter(pk=endpoint.pk).update(last_read_ended=db_now() + timedelta(seconds=1))
    azure.admin.fault("latency", milliseconds=1100, path="onlineEndpoints/checkout-risk", times=2)

    sync(production)

    endpoint.refresh_from_db()
    assert endpoint.traffic == {"green": 100}
    requests = [one["path"] for one in azure.admin.requests(plane="arm")]
    assert requests[-2].endswith("/onlineEndpoints/checkout-risk")


def test_shard__somebody_reads_the_subscription__is_not_claimed_again(azure, production):
    add_missing()
    assert due_shards() == [production.pk]
    assert claim_shard(production.pk) is not None

    assert claim_shard(production.pk) is None
    assert due_shards() == []


@pytest.fixture
def celery_in_here() -> Iterator[None]:
    """Tasks as a worker knows them, run by whoever sends them."""
    celery_app.loader.import_default_modules()
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


def test_task__of_the_timetable__reads_every_subscription_that_is_due(azure, production, celery_in_here):
    other = connect(azure, "mlw-test-neu")

    celery_app.tasks["inventory.sync_due"].apply(throw=True)

    assert dict(SyncRun.objects.values_list("workspace_id", "outcome")) == {
        production.pk: "complete",
        other.pk: "complete",
    }
    celery_app.tasks["inventory.sync_due"].apply(throw=True)
    assert SyncRun.objects.count() == 2
