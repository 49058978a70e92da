"""Queries of logs: over TLS to a server of the test's own, and beside the SDK's client against the emulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import errors, logs_codec
from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.credentials import CachedCredential, TokenCache
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.records import LogPlace, LogSpan, TrafficRow
from endpoints.azure_gateway.settings import CLOUDS, CloudSettings, GatewaySettings
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, connected, gateway, serve, settings_for
from tests.azure_gateway.test_logs_codec import TRAFFIC, answer
from tests.emulator.arm import CHECKOUT, PROD_WORKSPACE

pytestmark = pytest.mark.asyncio

GROUP = PROD_WORKSPACE.partition("/providers/")[0]
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-mlw-prod-weu"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPAN = LogSpan(NOON, NOON + timedelta(minutes=10))
READER = "11111111-0000-4000-8000-000000000002"


def answers(status: int = 200, body: Any = None, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, headers=named)

    return handler


async def test_query__over_tls__goes_to_the_workspaces_address_with_a_token_of_its_own(
    certificates: Certificates,
) -> None:
    async with gateway(certificates, answers(body=answer(TRAFFIC), x_ms_request_id="azure-1")) as (
        fake,
        azure,
    ):
        page = await azure.read_traffic_log(LOGS, SPAN, ["risk"])

    assert [row.deployment for row in page.rows] == ["blue"]
    assert (page.rest, page.unreadable, page.azure_request_id) == (None, (), "azure-1")
    (call,) = fake.calls
    assert (call.method, call.path) == ("POST", f"/logs/v1{LOGS}/query")
    assert call.body == {"query": logs_codec.traffic_query(SPAN, ["risk"])}
    assert call.headers["Authorization"] == "Bearer a-logs-token"
    assert call.headers["Prefer"] == "wait=25"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "BadArgumentError", errors.Rejected),
        (401, "InvalidTokenError", errors.Unauthenticated),
        (403, "InsufficientAccessError", errors.Forbidden),
        (404, "WorkspaceNotFoundError", errors.NotFoundInAzure),
        (500, "InternalServerError", errors.ServerError),
        (504, "GatewayTimeout", errors.ServerError),
    ],
)
async def test_query__refused__raises_its_kind_after_one_request(
    certificates: Certificates, status: int, code: str, expected: type[errors.GatewayError]
) -> None:
    handler = answers(status, {"error": {"code": code, "message": "no"}})
    async with gateway(certificates, handler) as (fake, azure):
        with pytest.raises(errors.GatewayError) as caught:
            await azure.read_model_lines(LOGS, SPAN)
    assert type(caught.value) is expected
    assert len(fake.calls) == 1


async def test_query__forbidden__names_the_action_and_the_workspace(certificates: Certificates) -> None:
    handler = answers(403, {"error": {"code": "InsufficientAccessError", "message": "insufficient access"}})
    async with gateway(certificates, handler) as (_fake, azure):
        with pytest.raises(errors.Forbidden) as caught:
            await azure.read_model_lines(LOGS, SPAN)
    assert caught.value.action == "Microsoft.OperationalInsights/workspaces/query/read"
    assert caught.value.scope == LOGS


async def test_query__of_a_log_into_which_nothing_came__is_missing_and_not_empty(
    certificates: Certificates,
) -> None:
    said = (
        "'where' operator: Failed to resolve table or column expression named 'AmlOnlineEndpointConsoleLog'"
    )
    inner = {
        "code": "SemanticError",
        "message": "A semantic error occurred.",
        "innererror": {"message": said},
    }
    body = {"error": {"code": "BadArgumentError", "message": "invalid properties", "innererror": inner}}
    async with gateway(certificates, answers(400, body)) as (_fake, azure):
        with pytest.raises(errors.LogMissing):
            await azure.read_model_lines(LOGS, SPAN)


async def test_query__throttled__closes_its_own_lane_only(certificates: Certificates) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path.startswith("/logs/"):
            return web.json_response({}, status=429, headers={"Retry-After": "90"})
        return web.json_response({"value": []})

    async with gateway(certificates, handler) as (fake, azure):
        with pytest.raises(errors.Throttled) as caught:
            await azure.read_model_lines(LOGS, SPAN)
        with pytest.raises(errors.Throttled, match=r"budget of queries of logs .*nothing was sent"):
            await azure.read_traffic_log(LOGS, SPAN, ["risk"])
        await azure.list_endpoints(PROD_WORKSPACE)
    assert caught.value.retry_after == 90.0
    assert [call.method for call in fake.calls] == ["POST", "GET"]


async def test_query__in_a_cloud_without_logs__is_refused_and_sends_nothing(
    certificates: Certificates,
) -> None:
    async with serve(certificates, answers(body=answer())) as fake:
        settings = settings_for(fake.url, certificates)
        settings = replace(settings, cloud=replace(settings.cloud, logs=""))
        async with connected(settings) as azure:
            with pytest.raises(errors.LogsRefused, match=r"TestCloud names no place .*nothing was sent"):
                await azure.read_model_lines(LOGS, SPAN)
    assert fake.calls == []


@pytest.mark.parametrize(
    "workspace",
    ["", "/subscriptions/a", CHECKOUT, f"{LOGS}/x", f"{LOGS}?a=b", f"{LOGS}{{endpoint}}", "00000000-0000"],
)
async def test_query__of_what_is_no_log_workspace__sends_nothing(
    certificates: Certificates, workspace: str
) -> None:
    async with gateway(certificates, answers(body=answer())) as (fake, azure):
        with pytest.raises(ValueError, match="not the ARM id of a Log Analytics workspace"):
            await azure.read_model_lines(workspace, SPAN)
    assert fake.calls == []


@pytest.mark.parametrize("names", [[], ["a"] * 201, ["a'b"], ["a) or (1==1"], [""]])
async def test_query__of_names_that_are_none__sends_nothing(
    certificates: Certificates, names: list[str]
) -> None:
    async with gateway(certificates, answers(body=answer())) as (fake, azure):
        with pytest.raises(ValueError, match=r"can't be asked|not the name"):
            await azure.read_traffic_log(LOGS, SPAN, names)
    assert fake.calls == []


async def test_page__that_does_not_get_on__is_malformed(certificates: Certificates) -> None:
    place = LogPlace(NOON + timedelta(minutes=4, microseconds=123456), NOON)
    handler = answers(body=answer(TRAFFIC, error={"code": "PartialError"}))
    async with gateway(certificates, handler) as (_fake, azure):
        with pytest.raises(errors.Malformed, match="can't be told apart"):
            await azure.read_traffic_log(LOGS, replace(SPAN, after=place), ["risk"])


async def test_clouds__each__have_a_place_for_logs_of_their_own() -> None:
    assert len({cloud.logs for cloud in CLOUDS.values()}) == len(CLOUDS)
    with pytest.raises(ValueError, match="address of logs"):
        CloudSettings(logs="http://logs.example")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        emulator.admin.settings(logs_delay_min=0, logs_delay_max=0)
        yield emulator


@pytest.fixture
def settings(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySettings]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    own = CloudSettings(
        name="EmulatedCloud", resource_manager=cloud.arm, logs=cloud.logs, ca_bundle=str(cloud.ca_file)
    )
    yield GatewaySettings(cloud=own)
    cloud.admin.clear_faults()
    cloud.admin.settings(logs_queries=200, behaviour={"logs_row_cap": 500_000})


@pytest_asyncio.fixture
async def azure(settings: GatewaySettings) -> AsyncIterator[Azure]:
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as connection:
        yield connection


async def scored(cloud: Emulator, azure: Azure, *names: str) -> dict[str, str]:
    """Real scoring requests with these client ids: Azure's id of each."""
    import ssl

    trust = ssl.create_default_context(cafile=str(cloud.ca_file))
    uri = (await azure.get_endpoint(CHECKOUT)).value.scoring_uri
    found = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        # The key is nobody's business but the emulator's: a refused request has a row as well.
        for name in names:
            async with session.post(uri, json={}, headers={"x-ms-client-request-id": name}) as response:
                found[name] = response.headers["x-request-id"]
    return found


async def all_of(azure: Azure, span: LogSpan) -> list[TrafficRow]:
    rows: list[TrafficRow] = []
    while True:
        page = await azure.read_traffic_log(LOGS, span, ["checkout-risk"])
        rows += page.rows
        if page.rest is None:
            return rows
        span = replace(span, after=page.rest)


async def test_rows__beside_the_sdks_own_client__agree(
    cloud: Emulator, settings: GatewaySettings, azure: Azure
) -> None:
    from azure.monitor.query.aio import LogsQueryClient

    since = datetime.now(UTC)
    sent = await scored(cloud, azure, "a", "b")
    span = LogSpan(since, datetime.now(UTC) + timedelta(minutes=1))
    rows = await all_of(azure, span)
    async with (
        CachedCredential(settings, TokenCache()) as credential,
        LogsQueryClient(
            credential,
            endpoint=settings.cloud.logs,
            audience=settings.cloud.logs_audience,
            connection_verify=settings.cloud.ca_bundle,
            retry_total=0,
        ) as client,
    ):
        result = await client.query_resource(
            LOGS, logs_codec.traffic_query(span, ["checkout-risk"]), timespan=timedelta(hours=1)
        )
    told = [dict(zip(result.tables[0].columns, row, strict=True)) for row in result.tables[0].rows]

    assert {row.client_id: row.request_id for row in rows} == sent
    assert [(row.at, row.request_id, row.status) for row in rows] == [
        (one["TimeGenerated"], one["XRequestId"], one["ResponseCode"]) for one in told
    ]


async def test_pages__of_an_answer_that_is_cut__bring_every_row(cloud: Emulator, azure: Azure) -> None:
    since = datetime.now(UTC)
    sent = await scored(cloud, azure, *(f"n-{i}" for i in range(7)))
    cloud.admin.settings(behaviour={"logs_row_cap": 3})
    rows = await all_of(azure, LogSpan(since, datetime.now(UTC) + timedelta(minutes=1)))

    assert {row.client_id: row.request_id for row in rows} == sent
    assert len(rows) > len(sent)  # the last row of a page is the first of the next


async def test_query__of_too_many__is_throttled_with_a_time(cloud: Emulator, azure: Azure) -> None:
    cloud.admin.settings(logs_queries=1)
    with pytest.raises(errors.Throttled) as caught:
        for _ in range(3):
            await azure.read_model_lines(LOGS, SPAN)
    assert (caught.value.retry_after or 0) >= 1


async def test_query__of_an_identity_that_may_not__is_forbidden(
    cloud: Emulator, settings: GatewaySettings
) -> None:
    own = replace(settings, client_id=READER)
    cloud.admin.identity("reader", actions=["Microsoft.MachineLearningServices/*/read"])
    try:
        async with connect(own, tokens=TokenCache(), buckets=Buckets(own.rates)) as azure:
            with pytest.raises(errors.Forbidden):
                await azure.read_model_lines(LOGS, SPAN)
    finally:
        cloud.admin.identity("reader", actions=["*/read"])


async def test_query__of_a_workspace_that_is_gone__is_not_found(azure: Azure) -> None:
    with pytest.raises(errors.NotFoundInAzure):
        await azure.read_model_lines(f"{LOGS}-gone", SPAN)


async def test_query__half_open__ends_at_the_deadline(cloud: Emulator, settings: GatewaySettings) -> None:
    cloud.admin.fault("half_open", plane="logs")
    short = replace(settings, deadline=0.5)
    async with connect(short, tokens=TokenCache(), buckets=Buckets(short.rates)) as azure:
        with pytest.raises(errors.Unreachable):
            await azure.read_model_lines(LOGS, SPAN)
