"""Metrics, discovery and diagnostic settings against a cloud of their own, with Azure's typed clients as the oracle."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from emulator.launch import Emulator, launch
from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure, connect
from endpoints.azure_gateway.credentials import CachedCredential, TokenCache
from endpoints.azure_gateway.limiter import Buckets
from endpoints.azure_gateway.records import (
    DEPLOYMENT_METRICS,
    ENDPOINT_METRICS,
    MetricQuery,
    MetricSeries,
    MetricsReading,
)
from endpoints.azure_gateway.settings import CloudSettings, GatewaySettings
from tests.azure_gateway.test_emulator import CHECKOUT, PROD, READER, SHADOWED, TEST, TRIAGE

pytestmark = [pytest.mark.processes, pytest.mark.asyncio]

REGION = "westeurope"
SUBSCRIPTION = PROD.split("/")[2]
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=20)
# Everything that one of the typed clients makes of a point, in this order.
Row = tuple[int, float | None, float | None, float | None]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(Path(tmp_path_factory.mktemp("emulator")), scenario="small", keep_state=False) as emulator:
        yield emulator


@pytest.fixture
def settings(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySettings]:
    monkeypatch.setenv("IDENTITY_ENDPOINT", cloud.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    own = CloudSettings(
        name="EmulatedCloud",
        resource_manager=cloud.arm,
        metrics=cloud.metrics,
        ca_bundle=str(cloud.ca_file),
    )
    yield GatewaySettings(cloud=own)
    cloud.admin.clear_faults()
    cloud.admin.settings(metrics_points_per_minute=0)


@pytest_asyncio.fixture
async def azure(settings: GatewaySettings) -> Any:
    async with connect(settings, tokens=TokenCache(), buckets=Buckets(settings.rates)) as connection:
        yield connection


def asked(*names: str, minutes: int = 60, **changes: Any) -> MetricQuery:
    told: dict[str, Any] = {
        "namespace": ENDPOINT_METRICS,
        "names": names,
        "aggregations": ("Average",),
        "since": END - timedelta(minutes=minutes),
        "until": END,
        **changes,
    }
    return MetricQuery(**told)


SPLIT = asked("RequestsPerMinute", dimensions=("deployment", "statusCode"))
LATENCIES = asked("RequestLatency_P50", "RequestLatency_P95", dimensions=("deployment",))
CPU = asked(
    "CpuUtilizationPercentage",
    "DeploymentCapacity",
    namespace=DEPLOYMENT_METRICS,
    aggregations=("Average", "Maximum", "Minimum"),
    dimensions=("instanceId",),
)
DEPLOYMENTS = [f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"]


def by_key(series: tuple[MetricSeries, ...]) -> dict[Any, list[Row]]:
    return {(one.resource_id, one.metric, tuple(sorted(one.dimensions.items()))): rows(one) for one in series}


def rows(one: MetricSeries) -> list[Row]:
    unasked = (None,) * len(one.minutes)
    columns = [column or unasked for column in (one.average, one.maximum, one.minimum)]
    return list(zip(one.minutes, *columns, strict=True))


def options_of_the_sdk(settings: GatewaySettings) -> dict[str, Any]:
    return {"connection_verify": settings.cloud.ca_bundle, "retry_total": 0}


async def batch_by_the_sdk(
    settings: GatewaySettings, ids: list[str], query: MetricQuery
) -> dict[Any, list[Row]]:
    from azure.monitor.querymetrics.aio import MetricsClient

    cloud = settings.cloud
    async with (
        CachedCredential(settings, TokenCache()) as credential,
        MetricsClient(
            cloud.metrics_at(REGION),
            credential,
            audience=cloud.metrics_audience,
            **options_of_the_sdk(settings),
        ) as client,
    ):
        results = await client.query_resources(
            resource_ids=ids,
            metric_namespace=query.namespace,
            metric_names=list(query.names),
            timespan=(query.since, query.until),
            granularity=timedelta(minutes=1),
            aggregations=list(query.aggregations),
            max_results=query.top,
            filter=" and ".join(f"{name} eq '*'" for name in query.dimensions),
        )
    found = {}
    for arm_id, result in zip(ids, results, strict=True):
        for metric in result.metrics:
            for one in metric.timeseries:
                key = (arm_id.lower(), metric.name, tuple(sorted(one.metadata_values.items())))
                found[key] = [
                    (int(at.timestamp.timestamp()), at.average, at.maximum, at.minimum) for at in one.data
                ]
    return found


async def one_by_the_sdk(settings: GatewaySettings, arm_id: str, query: MetricQuery) -> dict[Any, list[Row]]:
    from azure.mgmt.monitor.aio import MonitorManagementClient

    cloud = settings.cloud
    async with (
        CachedCredential(settings, TokenCache()) as credential,
        MonitorManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=cloud.resource_manager,
            credential_scopes=[cloud.scope],
            **options_of_the_sdk(settings),
        ) as client,
    ):
        result = await client.metrics.list(
            arm_id,
            timespan=f"{query.since:%Y-%m-%dT%H:%M:%SZ}/{query.until:%Y-%m-%dT%H:%M:%SZ}",
            interval="PT1M",
            metricnames=",".join(query.names),
            metricnamespace=query.namespace,
            aggregation=",".join(query.aggregations),
            filter=" and ".join(f"{name} eq '*'" for name in query.dimensions),
            top=query.top,
        )
    found = {}
    for metric in result.value:
        for one in metric.timeseries:
            split = tuple(sorted((item.name.value, item.value) for item in one.metadatavalues))
            found[arm_id.lower(), metric.name.value, split] = [
                (int(at.time_stamp.timestamp()), at.average, at.maximum, at.minimum) for at in one.data
            ]
    return found


async def ask(azure: Azure, ids: list[str], query: MetricQuery) -> MetricsReading:
    return await azure.query_metrics(ids, query, region=REGION)


@pytest.mark.parametrize(
    ("ids", "query"),
    [([CHECKOUT, TRIAGE, SHADOWED], SPLIT), ([CHECKOUT, TRIAGE], LATENCIES), (DEPLOYMENTS, CPU)],
    ids=["requests", "latencies", "instances"],
)
async def test_batch__beside_the_sdks_own_types__agrees_in_every_value(
    settings: GatewaySettings, azure: Azure, ids: list[str], query: MetricQuery
) -> None:
    reading = await ask(azure, ids, query)
    assert (reading.unreadable, reading.truncated) == ((), ())
    assert len(reading.series) >= len(ids)
    assert {one.resource_id for one in reading.series} == {arm_id.lower() for arm_id in ids}
    assert all(len(one.minutes) == 60 for one in reading.series)
    assert by_key(reading.series) == await batch_by_the_sdk(settings, ids, query)


@pytest.mark.parametrize(
    ("arm_id", "query"),
    [(CHECKOUT, SPLIT), (TRIAGE, LATENCIES), (DEPLOYMENTS[0], CPU)],
    ids=["requests", "latencies", "instances"],
)
async def test_list__beside_the_sdks_own_types_and_the_batch__agrees_in_every_value(
    settings: GatewaySettings, azure: Azure, arm_id: str, query: MetricQuery
) -> None:
    reading = await azure.list_metrics(arm_id, query)
    assert reading.unreadable == ()
    assert by_key(reading.series) == await one_by_the_sdk(settings, arm_id, query)
    assert reading.series == (await ask(azure, [arm_id], query)).series


async def test_batch__cut_by_top__says_so(azure: Azure) -> None:
    reading = await ask(azure, [TRIAGE, SHADOWED], replace(LATENCIES, top=2))
    assert TRIAGE.lower() in reading.truncated
    assert (await ask(azure, [TRIAGE], LATENCIES)).truncated == ()


async def test_batch__of_a_deleted_endpoint__spoils_no_other_or_is_not_served(azure: Azure) -> None:
    gone = f"{PROD}/onlineEndpoints/gone"
    try:
        reading = await ask(azure, [CHECKOUT, gone], LATENCIES)
    except errors.BatchRefused as refused:
        assert refused.status == 404
    else:
        assert {one.resource_id for one in reading.series} == {CHECKOUT.lower()}
        assert [item.item for item in reading.unreadable] == [gone.lower()]


async def test_batch__of_another_region__is_rejected(azure: Azure) -> None:
    with pytest.raises(errors.Rejected):
        await azure.query_metrics([CHECKOUT], LATENCIES, region="northeurope")


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "-3.5", '"many"', "true", "1e999"])
async def test_batch__values_that_can_not_be__are_unknown_and_counted(
    cloud: Emulator, azure: Azure, value: str
) -> None:
    clean = by_key((await ask(azure, [CHECKOUT], LATENCIES)).series)
    cloud.admin.fault("metric_values", metric="RequestLatency_P95", every=6, value=value)
    reading = await ask(azure, [CHECKOUT], LATENCIES)
    spoilt = [one for one in reading.series if one.metric == "RequestLatency_P95"]
    assert spoilt
    for one in spoilt:
        expected = clean[one.resource_id, one.metric, tuple(sorted(one.dimensions.items()))]
        assert one.average[::6] == (None,) * 10
        assert [row for index, row in enumerate(rows(one)) if index % 6] == [
            row for index, row in enumerate(expected) if index % 6
        ]
    (told,) = reading.unreadable
    assert told.item == CHECKOUT.lower()
    assert f"RequestLatency_P95: {10 * len(spoilt)} value(s) that no measurement can have" in told.reason


async def test_batch__points_doubled_and_in_disorder__are_the_same_series(
    cloud: Emulator, azure: Azure
) -> None:
    clean = await ask(azure, [CHECKOUT], LATENCIES)
    cloud.admin.fault("metric_duplicates", every=4)
    cloud.admin.fault("metric_disorder", every=3)
    spoilt = await ask(azure, [CHECKOUT], LATENCIES)
    assert spoilt.series == clean.series
    assert spoilt.unreadable == ()


async def test_batch__minute_twice_with_different_values__is_unknown(cloud: Emulator, azure: Azure) -> None:
    cloud.admin.fault("metric_duplicates", metric="RequestLatency_P50", every=10, differs=True)
    reading = await ask(azure, [CHECKOUT], LATENCIES)
    spoilt = [one for one in reading.series if one.metric == "RequestLatency_P50"]
    assert spoilt
    assert all(one.average[::10] == (None,) * 6 for one in spoilt)
    assert "minute(s) with different values" in reading.unreadable[0].reason


@pytest.mark.parametrize("listed", [True, False])
async def test_batch__gap__is_unknown_or_missing_and_never_zero(
    cloud: Emulator, azure: Azure, listed: bool
) -> None:
    since, until = END - timedelta(minutes=30), END - timedelta(minutes=20)
    stamps = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    cloud.admin.fault("metric_gap", listed=listed, **stamps)
    reading = await ask(azure, [CHECKOUT], LATENCIES)
    gap = range(int(since.timestamp()), int(until.timestamp()), 60)
    for one in reading.series:
        known = dict(zip(one.minutes, one.average, strict=True))
        assert [known.get(minute) for minute in gap] == [None] * 10
        assert all((minute in known) is listed for minute in gap)
    assert reading.unreadable == ()


async def test_batch__refused__leaves_the_single_call(cloud: Emulator, azure: Azure) -> None:
    cloud.admin.fault("batch_refused")
    with pytest.raises(errors.BatchRefused) as caught:
        await ask(azure, [CHECKOUT], LATENCIES)
    assert caught.value.status == 403
    assert (await azure.list_metrics(CHECKOUT, LATENCIES)).series


async def test_batch__more_points_than_the_region_gives__is_throttled(cloud: Emulator, azure: Azure) -> None:
    cloud.admin.settings(metrics_points_per_minute=10)
    await ask(azure, [CHECKOUT], LATENCIES)  # a full budget lets any one query through
    with pytest.raises(errors.Throttled) as caught:
        await ask(azure, [CHECKOUT], LATENCIES)
    assert caught.value.status == 529
    assert (caught.value.retry_after or 0) >= 1


async def test_metrics__of_an_identity_that_may_not__are_forbidden_or_refused(
    cloud: Emulator, settings: GatewaySettings
) -> None:
    own = replace(settings, client_id=READER)
    cloud.admin.identity("reader", actions=["Microsoft.MachineLearningServices/*/read"])
    try:
        async with connect(own, tokens=TokenCache(), buckets=Buckets(own.rates)) as azure:
            with pytest.raises(errors.BatchRefused):
                await ask(azure, [CHECKOUT], LATENCIES)
            with pytest.raises(errors.Forbidden) as caught:
                await azure.list_metrics(CHECKOUT, LATENCIES)
    finally:
        cloud.admin.identity("reader", actions=["*/read"])
    assert caught.value.action.lower() == "microsoft.insights/metrics/read"


async def test_batch__half_open__ends_at_the_deadline(cloud: Emulator, settings: GatewaySettings) -> None:
    cloud.admin.fault("half_open", plane="metrics")
    short = replace(settings, deadline=0.5)
    async with connect(short, tokens=TokenCache(), buckets=Buckets(short.rates)) as azure:
        with pytest.raises(errors.Unreachable):
            await ask(azure, [CHECKOUT], LATENCIES)


async def rows_by_the_sdk(settings: GatewaySettings, subscriptions: list[str], query: str) -> list[Any]:
    from azure.mgmt.resourcegraph.aio import ResourceGraphClient
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    cloud = settings.cloud
    async with (
        CachedCredential(settings, TokenCache()) as credential,
        ResourceGraphClient(
            credential,
            base_url=cloud.resource_manager,
            credential_scopes=[cloud.scope],
            **options_of_the_sdk(settings),
        ) as client,
    ):
        options = QueryRequestOptions(top=1000, result_format="objectArray")
        page = await client.resources(QueryRequest(query=query, subscriptions=subscriptions, options=options))
    assert page.skip_token is None
    return list(page.data)


async def test_find__beside_the_sdk_and_arms_lists__finds_the_same(
    cloud: Emulator, settings: GatewaySettings, azure: Azure
) -> None:
    subscriptions = [SUBSCRIPTION, TEST.split("/")[2]]
    endpoints = await azure.find_endpoints(subscriptions)
    query = cloud.admin.requests(method="POST")[-1]["body"]["query"]
    told = await rows_by_the_sdk(settings, subscriptions, query)
    assert [(item.arm_id, item.name, item.type, item.location, item.tags) for item in endpoints] == [
        (row["id"], row["name"], row["type"], row["location"], row["tags"] or {}) for row in told
    ]
    prod, test = await asyncio.gather(azure.list_endpoints(PROD), azure.list_endpoints(TEST))
    listed = {(item.arm_id.lower(), tuple(item.tags.items())) for item in (*prod, *test)}
    assert {(item.arm_id.lower(), tuple(item.tags.items())) for item in endpoints} == listed


async def test_find__deployments__are_those_that_arm_lists(azure: Azure) -> None:
    found = await azure.find_deployments([SUBSCRIPTION])
    listed = await asyncio.gather(
        *(azure.list_deployments(arm_id) for arm_id in (CHECKOUT, TRIAGE, SHADOWED))
    )
    expected = {item.arm_id.lower() for listing in listed for item in listing}
    assert {item.arm_id.lower() for item in found} == expected
    assert len(expected) == 7


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_find__resource_graph_down__is_refused(cloud: Emulator, azure: Azure, status: int) -> None:
    cloud.admin.fault("status", status=status, path="Microsoft.ResourceGraph")
    with pytest.raises(errors.DiscoveryRefused):
        await azure.find_endpoints([SUBSCRIPTION])


async def test_diagnostic_settings__of_endpoints__are_told(azure: Azure) -> None:
    (whole,) = await azure.list_diagnostic_settings(CHECKOUT)
    (half,) = await azure.list_diagnostic_settings(SHADOWED)
    assert len(whole.log_categories) == 3
    assert (whole.metrics, half.metrics) == (False, True)
    assert "/workspaces/" in whole.workspace_id
    assert (half.name, half.log_categories) == ("half", ("AmlOnlineEndpointTrafficLog",))
    assert await azure.list_diagnostic_settings(TRIAGE) == ()
