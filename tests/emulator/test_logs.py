"""The query API of Log Analytics: whose requests are in which table, how late, how much, and to whom."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.graph.quota import Quota
from emulator.logs import exports
from emulator.logs.exports import workspace_guid
from emulator.logs.tables import CONSOLE, EVENTS, TABLES, TRAFFIC
from emulator.monitor import deploymentscope
from emulator.monitor.window import Window
from emulator.reading import ScenarioError
from emulator.scenario import parse
from tests.emulator.arm import CHECKOUT, PHOTO, PROD_WORKSPACE, SHADOWED, Answer, Arm, answer

GROUP = PROD_WORKSPACE.partition("/providers/")[0]
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-mlw-prod-weu"
AUDIENCE = "https://api.loganalytics.io"
GUID = "00000000-0000-4000-8000-"


async def ask(arm: Arm, query: str = TRAFFIC, where: str = LOGS, **sent: Any) -> Answer:
    token = arm.token(sent.pop("audience", AUDIENCE))
    response = await arm.client.post(
        f"/logs/v1{where}/query",
        json={"query": query, **sent},
        headers={"Authorization": f"Bearer {token}"},
    )
    return await answer(response)


async def rows(arm: Arm, query: str = TRAFFIC, where: str = LOGS, **sent: Any) -> list[dict[str, Any]]:
    found = await ask(arm, query, where, **sent)
    assert found.status == 200, found.body
    (table,) = found.body["tables"]
    return [dict(zip([one["name"] for one in table["columns"]], row, strict=True)) for row in table["rows"]]


async def score(
    arm: Arm, endpoint: str = CHECKOUT, body: Any = None, **headers: str
) -> tuple[int, Mapping[str, str], Any]:
    keys = await arm("POST", f"{endpoint}/listKeys")
    key = (
        keys.body["primaryKey"]
        if keys.status == 200
        else (await arm("POST", f"{endpoint}/token")).body["accessToken"]
    )
    sent = {
        "Authorization": f"Bearer {key}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    where = f"/scoring/westeurope/{endpoint.rpartition('/')[2]}/score"
    response = await arm.client.post(where, json=body or {"data": [1]}, headers=sent)
    return response.status, response.headers, await response.json()


@pytest.mark.contract
def test_tables__beside_what_azure_documents__have_its_columns_and_types(facts: Any) -> None:
    told = json.loads((facts / "facts/log_tables.json").read_text(encoding="utf-8"))
    standard = {one["name"]: one["type"] for one in told["standard"]}
    for name, columns in TABLES.items():
        assert dict(columns) == standard | {one["name"]: one["type"] for one in told[name]}


@pytest.mark.asyncio
async def test_request__that_was_sent__is_one_row_with_the_ids_of_its_answer(arm: Arm) -> None:
    status, headers, _ = await score(
        arm, x_ms_client_request_id="order 4711!", azureml_model_deployment="green"
    )
    early = await rows(arm)
    arm.clock.tick(1)
    (row,) = await rows(arm)

    assert (status, early) == (200, [])
    assert row["XRequestId"] == headers["x-request-id"]
    assert row["XMSClientRequestId"] == "order4711"
    assert (row["EndpointName"], row["DeploymentName"]) == ("checkout-risk", "green")
    assert (row["ResponseCode"], row["ModelStatusCode"], row["AzureMLWorkspaceName"]) == (
        200,
        200,
        "mlw-prod-weu",
    )
    assert row["TimeGenerated"] == "2026-11-23T12:00:00.0000000Z"
    assert row["_ResourceId"] == CHECKOUT.lower()
    assert row["RequestPayloadSize"] == len(b'{"data": [1]}')
    assert row["TotalDurationMs"] == round(float(headers["x-ms-run-fn-exec-ms"]))


@pytest.mark.asyncio
async def test_model__that_reports__writes_its_line_and_never_the_payload(arm: Arm) -> None:
    _, headers, said = await score(arm, body={"name": "Ada Lovelace"}, x_ms_client_request_id="a-1")
    arm.clock.tick(1)
    found = await rows(arm, f"{CONSOLE} | where Message contains 'opsportal.prediction '")

    (row,) = found
    prefix, _, text = row["Message"].partition(" ")
    told = json.loads(text)
    assert prefix == "opsportal.prediction"
    assert (told["request_id"], told["client_id"]) == (headers["x-request-id"], "a-1")
    assert told["model_version"] == "delivery-risk:23"
    assert told["confidence"] == said["confidence"] == told["scores"][said["label"]]
    assert told["high_risk"] is (said["label"] == "decline")
    assert (row["DeploymentName"], row["ContainerName"]) == ("blue", "inference-server")
    assert "Ada" not in json.dumps(await rows(arm, CONSOLE) + await rows(arm))


@pytest.mark.asyncio
async def test_endpoint__whose_setting_does_not_name_the_log__has_no_row(arm: Arm) -> None:
    await score(arm, PHOTO)
    await score(arm, SHADOWED)
    arm.clock.tick(1)

    assert {row["EndpointName"] for row in await rows(arm)} == {"shadowed"}
    assert await rows(arm, f"{CONSOLE} | where Message contains 'prediction'") == []


@pytest.mark.asyncio
async def test_setting__turned_on_and_off__exports_what_was_logged_in_between(arm: Arm) -> None:
    await score(arm, PHOTO)
    change = {"endpoint": PHOTO, "logs": [TRAFFIC], "workspace": LOGS}
    arm.clock.tick(10)
    exports.replace(arm.cloud, change)
    arm.clock.tick(10)
    _, headers, _ = await score(arm, PHOTO)
    arm.clock.tick(10)
    exports.replace(arm.cloud, {**change, "logs": []})
    arm.clock.tick(10)
    await score(arm, PHOTO)
    arm.clock.tick(10)

    assert [row["XRequestId"] for row in await rows(arm)] == [headers["x-request-id"]]
    listed = await arm.get(f"{PHOTO}/providers/Microsoft.Insights/diagnosticSettings")
    assert listed["value"] == []


@pytest.mark.asyncio
async def test_refused_request__has_a_row_that_names_no_deployment(arm: Arm) -> None:
    response = await arm.client.post("/scoring/westeurope/checkout-risk/score", json={})
    arm.clock.tick(1)
    (row,) = await rows(arm)

    assert response.status == 401
    assert (row["ResponseCode"], row["ModelStatusCode"], row["DeploymentName"]) == (401, None, "")
    assert row["XRequestId"] == response.headers["x-request-id"]


@pytest.mark.asyncio
@pytest.mark.parametrize(("word", "extra"), [("logged", True), ("absent", False)])
async def test_mirrored_copy__is_a_row_of_the_shadow_or_none(arm: Arm, word: str, extra: bool) -> None:
    arm.cloud.settings.change({"behaviour": {"mirrored_rows": word}})
    for _ in range(60):
        await score(arm, SHADOWED, x_ms_client_request_id="same")
    arm.clock.tick(1)
    found = Counter(row["DeploymentName"] for row in await rows(arm))
    noted = sum(entry.mirrored_to is not None for entry in arm.cloud.requests.since(0))

    assert found["live"] == 60
    assert noted > 0
    assert found["shadow"] == (noted if extra else 0)


@pytest.mark.asyncio
async def test_workspace_by_guid_and_by_arm_id_and_writer__answer_alike(arm: Arm) -> None:
    await score(arm)
    arm.clock.tick(1)
    by_arm = await rows(arm)
    by_guid = await rows(arm, where=f"/workspaces/{workspace_guid(arm.cloud, LOGS)}")

    assert len(by_arm) == 1
    assert by_arm == by_guid == await rows(arm, where=CHECKOUT) == await rows(arm, where=PROD_WORKSPACE)
    assert await rows(arm, where=SHADOWED) == []


@pytest.mark.asyncio
async def test_resource_id__as_the_workspaces__is_turned(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"logs_resource": "workspace"}})
    await score(arm)
    arm.clock.tick(1)

    assert {row["_ResourceId"] for row in await rows(arm)} == {PROD_WORKSPACE.lower()}


def with_sample(cloud: Cloud, logged: float) -> None:
    key = CHECKOUT.lower()
    cloud.workload.loads[key] = replace(cloud.workload.loads[key], logged=logged)


@pytest.mark.asyncio
async def test_sample__of_the_made_up_load__is_the_same_each_time_and_fits_the_minute(arm: Arm) -> None:
    with_sample(arm.cloud, 3)
    query = f"{TRAFFIC} | where TimeGenerated >= ago(20m) and TimeGenerated < ago(10m)"
    first = await rows(arm, query)
    again = await rows(arm, query)

    assert first == again
    assert {row["DeploymentName"] for row in first} == {"blue"}
    assert set(Counter(row["TimeGenerated"][:16] for row in first).values()) == {3}
    assert len({row["XRequestId"] for row in first}) == 30


@pytest.mark.asyncio
async def test_sample__where_all_are_logged__counts_what_the_metrics_count(arm: Arm) -> None:
    with_sample(arm.cloud, 100_000)
    found = await rows(arm, f"{TRAFFIC} | where TimeGenerated >= ago(12m) and TimeGenerated < ago(10m)")

    start = int(arm.clock().timestamp() // 60) - 12
    blue = arm.cloud.control.world.find(f"{CHECKOUT}/deployments/blue")
    assert blue is not None
    subject = arm.cloud.source.measured(blue, Window(start, 2, arm.clock().timestamp())).subject
    assert isinstance(subject, deploymentscope.Deployment)
    outcomes = subject.minutes.outcomes
    for i in range(2):
        at = datetime.fromtimestamp(60 * (start + i), UTC).strftime("%Y-%m-%dT%H:%M")
        told = Counter(
            (row["ResponseCode"], row["ModelStatusCode"])
            for row in found
            if row["TimeGenerated"].startswith(at)
        )
        assert told == {outcome: counts[i] for outcome, counts in outcomes.items() if counts[i]}
        assert sum(told.values()) > 100


@pytest.mark.asyncio
async def test_rows__come_in_late__and_each_of_them_once_by_when_they_came(arm: Arm) -> None:
    arm.cloud.settings.change({"logs_delay_min": 180, "logs_delay_max": 600})
    with_sample(arm.cloud, 5)
    until = arm.clock()
    whole = f"{TRAFFIC} | where TimeGenerated >= ago(1h) and TimeGenerated < datetime({until.isoformat()})"
    seen: list[str] = []
    since = until - timedelta(hours=2)
    for _ in range(8):
        now = arm.clock()
        part = (
            f"{whole} | where ingestion_time() >= datetime({since.isoformat()}) and ingestion_time() < now()"
        )
        part = part.replace("ago(1h)", f"datetime({(until - timedelta(hours=1)).isoformat()})")
        seen += [row["XRequestId"] for row in await rows(arm, part)]
        since = now
        arm.clock.tick(120)
    all_of_it = await rows(
        arm, whole.replace("ago(1h)", f"datetime({(until - timedelta(hours=1)).isoformat()})")
    )

    assert len(all_of_it) == 60 * 5
    assert sorted(seen) == sorted(row["XRequestId"] for row in all_of_it)


@pytest.mark.asyncio
async def test_events__tell_what_befell_the_instances(arm: Arm) -> None:
    await arm("PATCH", f"{CHECKOUT}/deployments/green", {"sku": {"capacity": 5}})
    arm.clock.tick(1)
    await arm("DELETE", f"{CHECKOUT}/deployments/green")
    arm.clock.tick(2)
    found = await rows(arm, f"{EVENTS} | where TimeGenerated > ago(1m) | order by TimeGenerated asc")

    assert Counter(row["Name"] for row in found) == {"Pulled": 1, "Created": 1, "Started": 1, "Killing": 5}
    assert len({row["InstanceId"] for row in found}) == 5


@pytest.mark.asyncio
async def test_query__by_shape__orders_projects_and_takes(arm: Arm) -> None:
    for name in ("b", "a", "c"):
        await score(arm, x_ms_client_request_id=name)
        arm.clock.tick(1)
    arm.clock.tick(1)
    found = await rows(
        arm,
        f"{TRAFFIC} | extend Arrived = ingestion_time() | where EndpointName in~ ('CHECKOUT-RISK', 'x')"
        " | where ResponseCode == 200 or (ResponseCode >= 400 and Method != 'GET')"
        " | order by XMSClientRequestId asc | project Id = XMSClientRequestId, Arrived | take 2",
    )

    assert [row["Id"] for row in found] == ["a", "b"]
    assert set(found[0]) == {"Id", "Arrived"}
    assert (await rows(arm, f"{TRAFFIC} | count"))[0] == {"Count": 3}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("Heartbeat", "SemanticError", "named 'Heartbeat'"),
        (f"{TRAFFIC} | where Nothing == 1", "SemanticError", "named 'Nothing'"),
        (f"{TRAFFIC} | where ResponseCode == 'a'", "SemanticError", "types int"),
        (f"{TRAFFIC} | where TimeGenerated > datetime(yesterday)", "SemanticError", "not a datetime"),
        (f"{TRAFFIC} | summarize count() by DeploymentName", "SyntaxError", "'summarize' is not served"),
        (f"{TRAFFIC} | where", "SyntaxError", "<EOF>"),
        (f"{TRAFFIC} where", "SyntaxError", "at 'where'"),
        (f"{TRAFFIC} | take many", "SyntaxError", "at 'many'"),
        (f"{TRAFFIC} | where Method == 'a' ; drop", "SyntaxError", "at ';'"),
    ],
)
async def test_query__that_is_not_understood__is_refused_with_its_causes(
    arm: Arm, query: str, kind: str, said: str
) -> None:
    found = await ask(arm, query)

    assert (found.status, found.code) == (400, "BadArgumentError")
    inner = found.body["error"]["innererror"]
    assert inner["code"] == kind
    assert said in inner["innererror"]["message"]


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": TRAFFIC, "timespan": "yesterday"}])
async def test_body__that_asks_nothing__is_refused(arm: Arm, body: dict[str, Any]) -> None:
    response = await arm.client.post(
        f"/logs/v1{LOGS}/query", json=body, headers={"Authorization": f"Bearer {arm.token(AUDIENCE)}"}
    )

    assert response.status == 400
    assert (await response.json())["error"]["code"] == "BadArgumentError"


@pytest.mark.asyncio
@pytest.mark.parametrize("where", [LOGS + "x", f"/workspaces/{GUID}000000000000", "/subscriptions/1"])
async def test_workspace__that_is_not_there__is_not_found(arm: Arm, where: str) -> None:
    assert (await ask(arm, where=where)).status == 404


@pytest.mark.asyncio
async def test_token__for_something_else__is_not_accepted(arm: Arm) -> None:
    assert (await ask(arm, audience="https://management.azure.com")).status == 401


@pytest.mark.asyncio
async def test_identity__without_the_action__has_insufficient_access(arm: Arm, cloud: Cloud) -> None:
    arm.identity = "reader"
    allowed = await ask(arm)
    index = next(i for i, one in enumerate(cloud.tokens.identities) if one.name == "reader")
    cloud.tokens.identities[index] = replace(
        cloud.tokens.identities[index], actions=("Microsoft.Insights/*/read",)
    )
    denied = await ask(arm)

    assert (allowed.status, denied.status, denied.code) == (200, 403, "InsufficientAccessError")


@pytest.mark.asyncio
async def test_timespan__beside_the_query__narrows_it(arm: Arm) -> None:
    await score(arm)
    arm.clock.tick(100)
    now = arm.clock()

    assert len(await rows(arm, timespan=f"{(now - timedelta(hours=1)).isoformat()}/{now.isoformat()}")) == 1
    assert await rows(arm, timespan=f"{(now - timedelta(seconds=50)).isoformat()}/{now.isoformat()}") == []
    assert await rows(arm, timespan="PT50S") == []


@pytest.mark.asyncio
async def test_answer__with_more_rows_than_the_cap__is_cut_and_says_so(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"logs_row_cap": 2}})
    for _ in range(3):
        await score(arm)
    arm.clock.tick(1)
    found = await ask(arm)

    assert found.status == 200
    assert len(found.body["tables"][0]["rows"]) == 2
    assert found.code == "PartialError"


@pytest.mark.asyncio
async def test_queries__beyond_the_limit__are_throttled_until_the_window_moves_on(
    arm: Arm, cloud: Cloud
) -> None:
    now = [0.0]
    cloud.logs_quota = Quota(lambda: now[0], 30)
    cloud.settings.change({"logs_queries": 2})
    first = [(await ask(arm)).status for _ in range(2)]
    third = await ask(arm)
    now[0] = 31.0

    assert first == [200, 200]
    assert (third.status, third.headers["Retry-After"]) == (429, "30")
    assert (await ask(arm)).status == 200


@pytest.mark.asyncio
async def test_queries__of_one_caller__run_five_at_once_and_the_rest_wait(arm: Arm, cloud: Cloud) -> None:
    cloud.settings.change({"logs_query_ms": 60})
    loop = asyncio.get_running_loop()
    began = loop.time()
    found = await asyncio.gather(*(ask(arm) for _ in range(11)))

    assert [one.status for one in found] == [200] * 11
    assert loop.time() - began >= 0.18


def test_scenario__with_a_sample_that_is_none__is_refused() -> None:
    told = {
        "subscriptions": {"a": GUID + "000000000001"},
        "workspaces": {"w": {"subscription": "a", "group": "g", "location": "westeurope"}},
        "endpoints": [{"name": "one", "workspace": "w", "load": {"rpm": 5, "logged": -1}}],
    }
    with pytest.raises(ScenarioError, match="logged is a number of 0 or more"):
        parse(told)
