"""The portal's own health for Prometheus: only with the token, and unknown figures are left out, never zero."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from endpoints.changes.models import Executor
from endpoints.dispatch import db_now
from endpoints.inventory.models import SyncRun, SyncTarget
from endpoints.metrics.models import Collector, CollectorRun, Telemetry
from opsportal import exposition
from opsportal.embedded.fingerprint import ROOT
from opsportal.embedded.throwaway import Servers
from tests.support.people import SUBSCRIPTION, make_endpoint, make_workspace

pytestmark = pytest.mark.django_db
TOKEN = "3f0c1d5b7e9a42688d1f0c3b5a7e9d21"
PAGE = (ROOT / "docs" / "reference" / "health-figures.md").read_text()


def configured(settings: Any, **values: Any) -> None:
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update=values)


@pytest.fixture(autouse=True)
def token(settings: Any, servers: Servers) -> None:
    configured(settings, metrics_token=SecretStr(TOKEN), broker_url=SecretStr(servers.broker_url))


def ask(authorization: str | None = f"Bearer {TOKEN}") -> HttpResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client().get("/metrics", headers=headers)


def figures() -> dict[str, dict[tuple[str, ...], float]]:
    """Values by figure and then by labels, these in the order of their names."""
    answer = ask()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return {
        family.name: {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in family.samples
        }
        for family in text_string_to_metric_families(answer.content.decode())
    }


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9", TOKEN]
)
def test_figures__without_the_token__are_at_no_address(authorization: str | None) -> None:
    assert ask(authorization).status_code == 404


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer", "bearer x"])
def test_figures__of_a_portal_without_the_setting__are_at_no_address(
    settings: Any, authorization: str | None
) -> None:
    configured(settings, metrics_token=SecretStr(""))
    assert ask(authorization).status_code == 404


def test_figures__asked_by_post__are_not_answered() -> None:
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_figures__of_a_fresh_portal__leave_out_what_is_not_known() -> None:
    found = figures()
    assert found["opsportal_database_up"] == {(): 1}
    assert found["opsportal_executor_heartbeat_age_seconds"] == {}
    assert found["opsportal_sync_age_seconds"] == found["opsportal_collector_lag_seconds"] == {}
    assert found["opsportal_executor_lag_seconds"] == {(): 0}
    assert found["opsportal_due_rows"][("hour",)] == 0


def test_figures__of_a_portal_at_work__are_those_of_its_rows() -> None:
    now = db_now()
    workspace, unread = make_workspace("mlw-prod-weu"), make_workspace("mlw-unread")
    endpoint = make_endpoint(workspace)
    make_endpoint(workspace, "photo-triage")
    Telemetry.objects.create(endpoint_id=endpoint.pk, state="throttled")
    _synced(workspace.pk, now - timedelta(seconds=90))
    SyncTarget.objects.filter(workspace_id=unread.pk).delete()
    Executor.objects.create(name="one", started_at=now, beat_at=now - timedelta(seconds=40))
    _collected(now)
    found = figures()
    assert found["opsportal_sync_age_seconds"][("mlw-prod-weu",)] == pytest.approx(90, abs=20)
    assert found["opsportal_workspaces_never_read"] == {(): 1}
    assert found["opsportal_executor_heartbeat_age_seconds"][()] == pytest.approx(40, abs=20)
    assert found["opsportal_collector_lag_seconds"] == {("westeurope", SUBSCRIPTION): 95.5}
    assert found["opsportal_collector_age_seconds"][("westeurope", SUBSCRIPTION)] == pytest.approx(30, abs=20)
    assert found["opsportal_readers_waiting_for_azure"] == {("sync",): 0, ("metrics",): 1}
    assert found["opsportal_failed_readings"] == {("TooManyRequests", "metrics"): 1}
    assert found["opsportal_endpoints"] == {("throttled",): 1, ("none-yet",): 1}
    assert found["opsportal_due_rows"][("collector",)] == 1


def _synced(workspace_id: int, moment: Any) -> None:
    run = SyncRun.objects.create(
        workspace_id=workspace_id, trigger="schedule", outcome="complete", started_at=moment, ended_at=moment,
        reads_began=moment, reads_ended=moment, cadence_seconds=30,
    )  # fmt: skip
    SyncTarget.objects.update_or_create(
        workspace_id=workspace_id, defaults={"due_at": moment, "covered_by": run, "last_run": run}
    )


def _collected(now: Any) -> None:
    collector = Collector.objects.create(
        subscription=SUBSCRIPTION, region="westeurope", due_at=now, retry_at=now + timedelta(hours=1)
    )
    ended = now - timedelta(seconds=30)
    collector.last_run = CollectorRun.objects.create(
        collector=collector, outcome="failed", started_at=ended, ended_at=ended, since=ended, until=now,
        lag_seconds=95.5, error_code="TooManyRequests",
    )  # fmt: skip
    collector.save()


def test_queues__of_a_broker_that_answers__have_a_depth() -> None:
    found = figures()
    assert found["opsportal_broker_up"] == {(): 1}
    assert set(found["opsportal_queue_depth"]) == {("sync",), ("metrics",), ("reports",)}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "sentinel://127.0.0.1:1/0"])
def test_queues__of_a_broker_that_is_away__have_none_and_the_rest_is_answered(
    settings: Any, url: str
) -> None:
    configured(settings, broker_url=SecretStr(url))
    found = figures()
    assert found["opsportal_broker_up"] == {(): 0}
    assert "opsportal_queue_depth" not in found
    assert found["opsportal_database_up"] == {(): 1}


@pytest.fixture
def cancelled() -> Iterator[None]:
    """Every statement ends before it began to work."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
        yield


def test_figures__while_the_database_ends_every_statement__say_that_it_is_away(cancelled: None) -> None:
    with connection.execute_wrapper(lambda run, sql, *rest: run("SELECT pg_sleep(1)", *rest)):
        found = figures()
    assert found["opsportal_database_up"] == {(): 0}
    assert "opsportal_sync_age_seconds" not in found
    assert found["opsportal_broker_up"] == {(): 1}


def test_page__tells_of_every_figure_in_the_words_of_the_code() -> None:
    for name, says, labels, _ in exposition._FIGURES:
        marked = ", ".join(f"`{label}`" for label in labels)
        assert f"| `{name}` | {marked} | {says} |" in PAGE.splitlines()
    named = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `opsportal_")]
    others = {
        "opsportal_database_up",
        "opsportal_broker_up",
        "opsportal_queue_depth",
        "opsportal_database_pool_min",
    }
    assert set(named) == {name for name, *_ in exposition._FIGURES} | others
