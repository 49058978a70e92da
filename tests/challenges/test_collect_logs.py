"""Traffic logs against the emulator's process: what Azure logged is stored, once, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.records import ModelLine, TrafficRow
from endpoints.azure_gateway.settings import RateSettings
from endpoints.challenges.logrows import Known, Places, answers, requests
from endpoints.challenges.models import LogCursor, LogReading, Prediction
from endpoints.challenges.recorded import Record, Source
from endpoints.challenges.selectors import log_health, logged_spans
from endpoints.challenges.services import collect_logs, log_cursors, take
from endpoints.challenges.services.collect_logs import Collected, collect_due
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.models import Telemetry
from endpoints.metrics.services.diagnostics import read_diagnostics
from tests.inventory.conftest import point_at
from tests.inventory.test_sync_flow import connect, sync

pytestmark = [pytest.mark.processes, pytest.mark.django_db]

TRAFFIC, CONSOLE = "AmlOnlineEndpointTrafficLog", "AmlOnlineEndpointConsoleLog"


@pytest.fixture
def azure(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    from emulator.launch import launch

    with launch(tmp_path / "emulator", scenario="small") as emulator:
        emulator.admin.settings(logs_delay_min=0, logs_delay_max=0)
        point_at(emulator, monkeypatch)
        config = settings.OPSPORTAL.model_copy(
            update={"azure_logs_endpoint": emulator.logs, "remote_call_seconds": 10.0}
        )
        monkeypatch.setattr(settings, "OPSPORTAL", config)
        yield emulator


@pytest.fixture
def production(azure: Emulator) -> Workspace:
    workspace = connect(azure, "mlw-prod-weu")
    sync(workspace)
    look()
    return workspace


def look() -> None:
    """Read every diagnostic setting anew."""
    for endpoint in Endpoint.objects.filter(deleted_at=None):
        Telemetry.objects.get_or_create(endpoint=endpoint)
    Telemetry.objects.update(diagnostics_read_at=None)
    read_diagnostics()


def endpoint(name: str) -> Endpoint:
    return Endpoint.objects.get(name=name, deleted_at=None)


def collect(**changes: Any) -> Collected:
    """One look at all logs, whether they are due or not; with a budget of its own."""
    LogCursor.objects.update(due_at=db_now() - timedelta(seconds=1))
    return collect_due(buckets=Buckets(RateSettings()), **changes)


def score(azure: Emulator, *names: str, to: str = "checkout-risk", **headers: str) -> dict[str, str]:
    """Real requests with these client ids: Azure's id of each."""

    async def send() -> dict[str, str]:
        found = {}
        trust = ssl.create_default_context(cafile=str(azure.ca_file))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
            for name in names:
                sent = {
                    "Authorization": f"Bearer {await key(azure, session, to)}",
                    "x-ms-client-request-id": name,
                    **headers,
                }
                async with session.post(endpoint_uri, json={"n": name}, headers=sent) as response:
                    found[name] = response.headers["x-request-id"]
        return found

    endpoint_uri = endpoint(to).scoring_uri
    return async_to_sync(send)()


async def key(azure: Emulator, session: aiohttp.ClientSession, to: str) -> str:
    where = {"resource": azure.arm, "api-version": "2019-08-01"}
    secret = {"X-IDENTITY-HEADER": azure.identity_header}
    async with session.get(azure.identity_endpoint, params=where, headers=secret) as response:
        token = (await response.json())["access_token"]
    arm = await asyncio.to_thread(lambda: _arm_id(azure, to))
    url = f"{azure.arm}{arm}/listKeys?api-version=2022-02-01-preview"
    async with session.post(url, headers={"Authorization": f"Bearer {token}"}) as response:
        return str((await response.json())["primaryKey"])


def _arm_id(azure: Emulator, name: str) -> str:
    found = [one["id"] for one in azure.admin.world().values() if one["kind"] == "endpoint"]
    return next(one for one in found if one.endswith(f"mlw-prod-weu/onlineEndpoints/{name}"))


def stored(name: str = "checkout-risk") -> dict[str, Prediction]:
    return {row.client_id: row for row in Prediction.objects.filter(endpoint_id=endpoint(name).pk)}


def test_request__that_azure_logged__is_kept_with_what_the_model_wrote(azure, production):
    sent = score(azure, "order-1", **{"azureml-model-deployment": "green"})
    found = collect()

    (row,) = Prediction.objects.all()
    assert (row.request_id, row.client_id, row.deployment) == (sent["order-1"], "order-1", "green")
    assert (row.status, row.model_status, row.model_version) == (200, 200, "delivery-risk:24")
    assert 0.6 <= row.confidence <= 0.99
    assert set(row.scores) == {"accept", "refer", "decline"}
    assert row.high_risk in (True, False)
    assert row.origin["deployment"] != "" and row.log_known_at is not None and row.model_known_at is not None
    assert (found.rows, found.refused, found.unreadable, found.failures) == (2, 0, 0, 0)


def test_logs__read_again__change_nothing(azure, production):
    score(azure, "a", "b")
    collect()
    before = {row.key: row.log_known_at for row in Prediction.objects.all()}
    again = collect()

    assert {row.key: row.log_known_at for row in Prediction.objects.all()} == before
    assert len(before) == 2
    assert (again.new, again.merged) == (0, 0)


def test_row__that_came_late__is_read_when_it_comes(azure, production):
    azure.admin.settings(logs_delay_min=3, logs_delay_max=3)
    score(azure, "late")
    collect()
    assert stored() == {}

    time.sleep(3.1)
    collect()
    assert set(stored()) == {"late"}


def test_log__that_is_not_exported__is_off_and_no_question_is_asked_about_it(azure, production):
    score(azure, "unseen", to="photo-triage")
    collect()

    triage = endpoint("photo-triage")
    cursor = LogCursor.objects.get(pk=triage.pk)
    (reading,) = LogReading.objects.filter(endpoint_id=triage.pk)
    assert stored("photo-triage") == {}
    assert (cursor.read_until, cursor.failures, cursor.reason) == (None, 0, log_cursors.NOT_EXPORTED)
    assert (reading.outcome, reading.reason) == ("off", log_cursors.NOT_EXPORTED)
    now = db_now()
    (span,) = logged_spans(triage.pk, reading.until, now)
    assert span.outcome == "off"
    assert all("photo-triage" not in one["body"]["query"] for one in azure.admin.requests(plane="logs"))


def test_log__exported_later__is_read_from_then_on(azure, production):
    collect()
    group = endpoint("checkout-risk").arm_id.partition("/providers/")[0]
    logs = f"{group}/providers/Microsoft.OperationalInsights/workspaces/log-mlw-prod-weu"
    azure.admin.diagnostics(endpoint("photo-triage").arm_id, logs=[TRAFFIC], workspace=logs)
    sent = score(azure, "seen", to="photo-triage")
    look()
    collect()

    (row,) = Prediction.objects.filter(endpoint_id=endpoint("photo-triage").pk)
    assert (row.request_id, row.confidence, row.model_known_at) == (sent["seen"], None, None)
    outcomes = LogReading.objects.filter(endpoint_id=endpoint("photo-triage").pk).order_by("id")
    assert [one.outcome for one in outcomes] == ["off", "read"]
    assert outcomes[1].since >= outcomes[0].until


def test_stretch__while_nobody_read__is_told_apart_from_what_was_read_after(azure, production):
    risk, now = endpoint("checkout-risk"), db_now()
    stopped = now - timedelta(hours=3)
    log_cursors.add_missing()
    LogCursor.objects.update(read_until=stopped)
    early = stopped - timedelta(hours=1)
    LogReading.objects.create(endpoint_id=risk.pk, since=early, until=early, outcome="read", known_at=early)
    collect()

    newest = LogReading.objects.filter(endpoint_id=risk.pk).latest("id")
    assert (newest.since, newest.until) == (early, stopped - timedelta(minutes=15))
    asked = logged_spans(risk.pk, early, now, known=now - timedelta(hours=1))
    assert [one.outcome for one in asked] == ["read", "unread"]
    assert asked[0].until == stopped - timedelta(minutes=15)
    assert [one.outcome for one in logged_spans(risk.pk, early, now)] == ["read", "unread"]
    assert logged_spans(risk.pk, early, now)[0].until > stopped


def test_log__of_whose_export_nothing_is_known__is_neither_off_nor_read(azure, production):
    Telemetry.objects.update(log_exports=None, log_exports_at=None, diagnostics_reason="Azure said no.")
    collect()

    cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
    assert (cursor.read_until, cursor.reason) == (None, "Azure said no.")
    assert not LogReading.objects.exists()
    now = db_now()
    (span,) = logged_spans(cursor.pk, now - timedelta(hours=1), now)
    assert (span.outcome, span.reason) == ("unread", "Azure said no.")


def test_stretch__that_was_read__is_told_up_to_where_rows_had_time_to_come(azure, production):
    collect()
    risk = endpoint("checkout-risk")
    cursor = LogCursor.objects.get(pk=risk.pk)
    now = db_now()
    found = logged_spans(risk.pk, now - timedelta(hours=2), now)

    assert [one.outcome for one in found] == ["read", "unread"]
    assert found[0].until == cursor.read_until - timedelta(minutes=15)
    written = LogReading.objects.filter(endpoint_id=risk.pk).count()
    for _ in range(3):
        collect()
    assert LogReading.objects.filter(endpoint_id=risk.pk).count() == written
    later = logged_spans(risk.pk, now - timedelta(hours=2), now)
    assert later[0].until > found[0].until


def test_stretch__as_known_before_it_was_read__was_never_read(azure, production):
    before = db_now()
    collect()
    risk = endpoint("checkout-risk")
    (span,) = logged_spans(risk.pk, before - timedelta(hours=1), before, known=before)

    assert span.outcome == "unread"


def test_stretch__written_down_after_hours__counts_its_rows(azure, production):
    risk, now = endpoint("checkout-risk"), db_now()
    early = now - timedelta(hours=8)
    an_hour_ago = [Record(risk.pk, now - timedelta(hours=1), client_id=name) for name in ("a", "b")]
    take(an_hour_ago, source=Source.LOG)
    log_cursors.add_missing()
    LogCursor.objects.update(read_until=now - timedelta(minutes=1))
    LogReading.objects.create(endpoint_id=risk.pk, since=early, until=early, outcome="read", known_at=early)
    collect()

    newest = LogReading.objects.filter(endpoint_id=risk.pk).latest("id")
    assert (newest.since, newest.outcome, newest.rows) == (early, "read", 2)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "InsufficientAccessError", "lacks Microsoft.OperationalInsights/workspaces/query/read"),
        (404, "WorkspaceNotFoundError", "404"),
        (500, "InternalServerError", "500"),
    ],
)
def test_workspace__that_can_not_be_asked__is_told_and_read_later_without_loss(
    azure, production, status, code, said
):
    collect()
    before = LogCursor.objects.get(pk=endpoint("checkout-risk").pk).read_until
    azure.admin.fault("status", plane="logs", status=status, code=code)
    score(azure, "meanwhile")
    found = collect()

    cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
    assert (found.failures, cursor.failures, cursor.read_until) == (2, 1, before)
    assert said in cursor.reason and "log-mlw-prod-weu" in cursor.reason
    assert cursor.due_at > db_now() + timedelta(seconds=30)
    assert stored() == {}
    reading = LogReading.objects.filter(endpoint_id=cursor.pk, outcome="failed").get()
    assert reading.reason == cursor.reason
    collect()
    assert LogReading.objects.filter(endpoint_id=cursor.pk, outcome="failed").count() == 1

    azure.admin.clear_faults()
    collect()
    cursor.refresh_from_db()
    assert (cursor.failures, cursor.reason) == (0, "")
    assert set(stored()) == {"meanwhile"}


def test_failures__in_a_row__are_waited_for_longer_each_time(azure, production):
    azure.admin.fault("status", plane="logs", status=500)
    waits = []
    for _ in range(4):
        collect()
        cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
        waits.append(round((cursor.due_at - db_now()).total_seconds(), -1))

    assert waits == [60, 120, 240, 480]


def test_throttled__waits_as_long_as_azure_says(azure, production):
    azure.admin.fault("status", plane="logs", status=429, retry_after=300)
    collect()

    cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
    assert (cursor.due_at - db_now()).total_seconds() > 280
    assert len(azure.admin.requests(plane="logs")) == 1


def test_answer__that_azure_cut__is_read_to_its_end(azure, production):
    azure.admin.settings(behaviour={"logs_row_cap": 2})
    names = [f"n-{i}" for i in range(7)]
    sent = score(azure, *names)
    found = collect()

    assert {name: row.request_id for name, row in stored().items()} == sent
    assert found.questions > 4


def test_reader__killed_between_two_pages__reads_again_and_loses_nothing(azure, production):
    azure.admin.settings(behaviour={"logs_row_cap": 2})
    log_cursors.add_missing()
    LogCursor.objects.update(read_until=db_now() - timedelta(minutes=5))
    sent = score(azure, *(f"n-{i}" for i in range(6)))
    azure.admin.fault("reset_before", plane="logs", skip=2)
    collect()
    part = dict(stored())
    cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
    assert 0 < len(part) < 6
    assert cursor.read_until < min(row.at for row in part.values())

    azure.admin.clear_faults()
    collect()
    assert {name: row.request_id for name, row in stored().items()} == sent


def test_cursor__that_somebody_else_has__is_left_alone(azure, production):
    log_cursors.add_missing()
    mine, _claim = log_cursors.claim()
    assert {one.name for one in mine} == {"checkout-risk", "photo-triage", "shadowed"}

    assert collect_due(buckets=Buckets(RateSettings())).endpoints == 0


def test_cursor__lost_to_somebody_else__is_not_moved(azure, production):
    log_cursors.add_missing()
    mine, claim = log_cursors.claim()
    LogCursor.objects.update(due_at=db_now() + timedelta(seconds=500))
    now = db_now()

    with pytest.raises(log_cursors.Lost):
        log_cursors.advance(claim, mine, since=now, until=now, done=True)
    with pytest.raises(log_cursors.Lost):
        log_cursors.renew(claim, mine)
    log_cursors.failed(claim, mine, since=now, reason="No.")
    log_cursors.not_read(claim, mine)
    assert set(LogCursor.objects.values_list("read_until", "failures", "reason")) == {(None, 0, "")}


def test_endpoint__that_is_gone__is_read_for_a_while_and_then_no_more(azure, production):
    score(azure, "last", to="checkout-risk")
    risk = endpoint("checkout-risk")
    log_cursors.add_missing()
    Endpoint.objects.filter(pk=risk.pk).update(deleted_at=db_now() - timedelta(minutes=5))
    collect()
    assert Prediction.objects.filter(endpoint_id=risk.pk).count() == 1

    Endpoint.objects.filter(pk=risk.pk).update(deleted_at=db_now() - timedelta(hours=2))
    LogCursor.objects.update(due_at=db_now() - timedelta(seconds=1))
    mine, _claim = log_cursors.claim()
    assert risk.pk not in {one.id for one in mine}


def test_health__of_a_workspaces_logs__counts_and_names_the_failing(azure, production):
    azure.admin.fault("status", plane="logs", status=500, times=1)
    collect()
    told = log_health([production.pk])
    collect()
    well = log_health([production.pk])

    assert (told.read, told.failing, told.not_read) == (0, 2, 1)
    assert {one.endpoint for one in told.troubles} == {"checkout-risk", "shadowed"}
    assert all(one.reason and one.workspace == production.slug for one in told.troubles)
    assert (well.read, well.failing, well.not_read, well.troubles) == (2, 0, 1, ())
    assert well.oldest is not None
    assert log_health([]).read == 0


def test_groups__of_who_lags_far_behind__are_apart_from_the_rest(azure, production):
    log_cursors.add_missing()
    collect()
    LogCursor.objects.filter(endpoint__name="shadowed").update(read_until=db_now() - timedelta(hours=3))
    LogCursor.objects.update(due_at=db_now() - timedelta(seconds=1))
    mine, claim = log_cursors.claim()
    some = list(collect_logs.groups([one for one in mine if one.workspace(TRAFFIC)], claim, db_now()))

    assert sorted([one.name for one in group.targets] for group in some) == [["checkout-risk"], ["shadowed"]]
    assert {group.workspace.rpartition("/")[2] for group in some} == {"log-mlw-prod-weu"}


ARM = "/subscriptions/a/resourcegroups/g/providers/microsoft.machinelearningservices/workspaces/w/onlineendpoints/risk"


def row(at: datetime, **changes: Any) -> TrafficRow:
    told: dict[str, Any] = {
        "at": at,
        "arrived": at,
        "resource_id": ARM,
        "subscription": "a",
        "workspace": "w",
        "endpoint": "risk",
        "deployment": "blue",
        "request_id": "{6F1F0B3E-0000-4000-8000-000000000001}",
        "client_id": "a b",
        "status": 200,
        "model_status": 200,
        "duration_ms": 5.0,
        "request_bytes": 1,
        "response_bytes": 2,
    }
    return TrafficRow(**told | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"resource_id": ARM.partition("/onlineendpoints/")[0]},
        {"resource_id": ""},
        {"resource_id": f"{ARM}/deployments/blue"},
    ],
)
def test_row__by_whoever_wrote_it__is_the_endpoints_with_ids_as_they_are_kept(changes):
    at = db_now()
    (found,) = requests([row(at, **changes)], Places([Known(7, ARM, None)]))

    assert (found.endpoint_id, found.request_id) == (7, "6f1f0b3e-0000-4000-8000-000000000001")
    assert (found.client_id, found.deployment) == ("ab", "blue")


def test_row__of_another_workspaces_endpoint_of_that_name__is_left_out():
    at = db_now()
    other = ARM.replace("/workspaces/w/", "/workspaces/v/")

    assert requests([row(at, resource_id=other, workspace="v")], Places([Known(7, ARM, None)])) == []


def test_row__written_before_the_endpoint_was_made_again__is_the_former_ones():
    made = db_now() - timedelta(hours=1)
    places = Places([Known(1, ARM, made - timedelta(days=5)), Known(2, ARM, made)])
    found = requests([row(made - timedelta(minutes=1)), row(made + timedelta(minutes=1))], places)

    assert [one.endpoint_id for one in found] == [1, 2]


def test_line__that_names_no_endpoint__is_placed_nowhere():
    at = db_now()
    line = ModelLine(at, at, ARM.partition("/onlineendpoints/")[0], "blue", "a", "b", "m:1", 0.5, None, None)

    assert answers([line], Places([Known(7, ARM, None)])) == []


def test_cloud__whose_place_for_logs_nobody_told__is_asked_nothing_and_says_so(
    azure, production, monkeypatch
):
    config = settings.OPSPORTAL.model_copy(update={"azure_logs_endpoint": ""})
    monkeypatch.setattr(settings, "OPSPORTAL", config)
    collect()

    cursor = LogCursor.objects.get(pk=endpoint("checkout-risk").pk)
    assert "names no place where logs are queried; nothing was sent" in cursor.reason
    assert azure.admin.requests(plane="logs") == []
