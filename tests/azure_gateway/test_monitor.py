"""Queries of metrics over real TLS: what is sent where, with whose token, and how refusals end."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from aiohttp import web

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.limiter import METRICS, READS, Buckets
from endpoints.azure_gateway.settings import RateSettings
from tests.azure_gateway import samples
from tests.azure_gateway.certificates import Certificates
from tests.azure_gateway.fakes import Handler, connected, gateway, serve, settings_for
from tests.azure_gateway.metric_samples import (
    EPOCH,
    P95,
    START,
    answer,
    deployment_query,
    metric,
    of_points,
    point,
    query,
    resource,
    series,
)

pytestmark = pytest.mark.asyncio

BATCH_PATH = f"/metrics/westeurope/subscriptions/{samples.SUBSCRIPTION}/metrics:getBatch"


def answers(status: int = 200, body: Any = None, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, headers=named)

    return handler


def refuses(status: int, code: str = "X", **headers: str) -> Handler:
    return answers(status, {"error": {"code": code, "message": "no"}}, **headers)


async def ask(azure: Any, *ids: str, **options: Any) -> Any:
    return await azure.query_metrics(ids or (samples.ENDPOINT,), query(), region="westeurope", **options)


async def test_batch__over_tls__gives_series_times_and_azures_request_id(certificates: Certificates) -> None:
    body = of_points(point(0, 12.5), point(1))
    async with gateway(certificates, answers(body=body, x_ms_request_id="azure-1")) as (fake, azure):
        reading = await ask(azure)
    (found,) = reading.series
    assert (found.resource_id, found.metric) == (samples.ENDPOINT.lower(), P95)
    assert (found.minutes, found.average) == ((EPOCH, EPOCH + 60), (12.5, None))
    assert (reading.unreadable, reading.truncated, reading.calls) == ((), (), 1)
    assert reading.azure_request_id == "azure-1"
    assert reading.request_began <= reading.response_ended
    (call,) = fake.calls
    assert (call.method, call.path, call.body) == ("POST", BATCH_PATH, {"resourceids": [samples.ENDPOINT]})
    assert call.headers["Authorization"] == "Bearer a-metrics-token"
    assert call.headers["User-Agent"] == "opsportal"
    assert len(call.headers["x-ms-client-request-id"]) == 32


async def test_batch__query__says_everything_that_azure_would_assume_otherwise(
    certificates: Certificates,
) -> None:
    asked = query(
        names=(P95, "RequestsPerMinute"),
        aggregations=("Average", "Maximum"),
        dimensions=("deployment", "statusCode"),
        since=START.astimezone(timezone(timedelta(hours=2))),
    )
    sent: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        sent.update(request.query)
        return web.json_response(answer())

    async with gateway(certificates, handler) as (_fake, azure):
        await azure.query_metrics([samples.ENDPOINT], asked, region="West Europe")
    assert sent == {
        "api-version": "2024-02-01",
        "starttime": "2026-03-01T12:00:00.000Z",
        "endtime": "2026-03-01T12:10:00.000Z",
        "interval": "PT1M",
        "metricnamespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        "metricnames": "RequestLatency_P95,RequestsPerMinute",
        "aggregation": "Average,Maximum",
        "filter": "deployment eq '*' and statusCode eq '*'",
        "top": "1000",
    }


async def test_batch__of_deployments_not_split__sends_no_filter(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=answer())) as (fake, azure):
        reading = await azure.query_metrics([samples.DEPLOYMENT], deployment_query(), region="westeurope")
    assert "filter" not in fake.calls[0].query
    assert [item.item for item in reading.unreadable] == [samples.DEPLOYMENT.lower()]


async def test_batch__same_resource_twice_in_other_case__is_asked_once(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=of_points())) as (fake, azure):
        await ask(azure, samples.ENDPOINT, samples.ENDPOINT.upper())
    assert len(fake.calls[0].body["resourceids"]) == 1


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "Metrics of 0 resources can't be asked at once"),
        ([f"{samples.ENDPOINT}-{number}" for number in range(51)], "Metrics of 51 resources"),
        ([samples.ENDPOINT, samples.ENDPOINT.replace("1111-2222", "1111-3333")], "different subscriptions"),
        ([samples.DEPLOYMENT], "not the ARM id of an endpoint"),
        ([f"{samples.ENDPOINT}?x=1"], "not the ARM id of an endpoint"),
    ],
)
async def test_batch__ids_that_can_not_be_asked_together__sends_nothing(
    certificates: Certificates, ids: list[str], said: str
) -> None:
    async with gateway(certificates, answers(body=answer())) as (fake, azure):
        with pytest.raises(ValueError, match=said):
            await azure.query_metrics(ids, query(), region="westeurope")
    assert fake.calls == []


@pytest.mark.parametrize("region", ["", "west-europe", "evil.example/", "x@y", "a" * 41, "ｗesteurope"])
async def test_batch__region_that_is_none__sends_nothing(certificates: Certificates, region: str) -> None:
    async with gateway(certificates, answers(body=answer())) as (fake, azure):
        with pytest.raises(ValueError, match="not the name of an Azure region"):
            await azure.query_metrics([samples.ENDPOINT], query(), region=region)
    assert fake.calls == []


@pytest.mark.parametrize("status", [403, 404, 405, 501, 401])
async def test_batch__not_to_be_had__is_refused_and_the_single_call_still_works(
    certificates: Certificates, status: int
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path.startswith("/metrics/"):
            return web.json_response({"error": {"code": "X", "message": "not you"}}, status=status)
        return web.json_response(resource(metric(series([point(0, 3)]))))

    async with gateway(certificates, handler) as (fake, azure):
        with pytest.raises(errors.BatchRefused, match="not you") as caught:
            await ask(azure)
        reading = await azure.list_metrics(samples.ENDPOINT, query())
    assert (caught.value.status, caught.value.code) == (status, "X")
    assert caught.value.client_request_id == fake.calls[0].headers["x-ms-client-request-id"]
    assert [found.average for found in reading.series] == [(3,)]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (refuses(400, "BadRequest"), errors.Rejected),
        (refuses(401, "InvalidAuthenticationToken"), errors.Unauthenticated),
        (refuses(500), errors.ServerError),
        (refuses(503), errors.ServerError),
        (answers(302, None, Location="https://elsewhere.example/"), errors.Rejected),
    ],
)
async def test_batch__azure_refuses__raises_its_kind_after_one_request(
    certificates: Certificates, handler: Handler, expected: type[errors.GatewayError]
) -> None:
    async with gateway(certificates, handler) as (fake, azure):
        with pytest.raises(errors.GatewayError) as caught:
            await ask(azure)
    assert type(caught.value) is expected
    assert len(fake.calls) == 1
    assert not caught.value.applied_unknown


@pytest.mark.parametrize("status", [429, 529])
async def test_batch__throttled__says_for_how_long_and_closes_its_own_lane_only(
    certificates: Certificates, status: int
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path.startswith("/metrics/"):
            return web.json_response({}, status=status, headers={"Retry-After": "30"})
        return web.json_response(samples.endpoint())

    async with gateway(certificates, handler) as (fake, azure):
        with pytest.raises(errors.Throttled) as caught:
            await ask(azure)
        with pytest.raises(errors.Throttled, match=r"budget of metric queries .*nothing was sent"):
            await ask(azure, urgent=True)
        await azure.get_endpoint(samples.ENDPOINT)
    assert (caught.value.status, caught.value.retry_after) == (status, 30.0)
    assert [call.method for call in fake.calls] == ["POST", "GET"]


async def test_batch__many__spend_nothing_of_arms_budget(certificates: Certificates) -> None:
    async with serve(certificates, answers(body=of_points())) as fake:
        settings = settings_for(fake.url, certificates)
        buckets = Buckets(settings.rates)
        async with connected(settings, buckets=buckets) as azure:
            await asyncio.gather(*(ask(azure) for _ in range(20)))
            arms = buckets.level(samples.SUBSCRIPTION, READS)
            ours = buckets.level(f"{samples.SUBSCRIPTION}, westeurope", METRICS)
    assert arms == settings.rates.read_burst
    assert ours < settings.rates.metrics_burst - 10


async def test_batch__two_regions__have_a_budget_and_an_address_each(certificates: Certificates) -> None:
    rates = RateSettings(metrics_burst=1, metrics_refill=0.001)
    async with gateway(certificates, answers(body=of_points()), rates=rates, patience=0.05) as (fake, azure):
        await ask(azure)
        await azure.query_metrics([samples.ENDPOINT], query(), region="northeurope")
        with pytest.raises(errors.Throttled):
            await ask(azure)
    assert [call.path.split("/")[2] for call in fake.calls] == ["westeurope", "northeurope"]


async def test_batch__cloud_without_a_data_plane__is_refused_and_sends_nothing(
    certificates: Certificates,
) -> None:
    async with serve(certificates, answers(body=of_points())) as fake:
        settings = settings_for(fake.url, certificates)
        settings = replace(settings, cloud=replace(settings.cloud, metrics=""))
        async with connected(settings) as azure:
            with pytest.raises(
                errors.BatchRefused, match=r"TestCloud names no data plane .*nothing was sent"
            ):
                await ask(azure)
    assert fake.calls == []


async def test_batch__dripping_answer__ends_at_the_deadline(certificates: Certificates) -> None:
    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    async with gateway(certificates, drips, deadline=0.4) as (_fake, azure):
        with pytest.raises(errors.Unreachable, match=r"within 0\.4 s"):
            await ask(azure)


@pytest.mark.parametrize("text", ["<html>proxy</html>", '"<html>"', "[]", '{"values": 1}', '{"values": [1}'])
async def test_batch__answer_that_is_none__is_malformed(certificates: Certificates, text: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    async with gateway(certificates, handler) as (_fake, azure):
        with pytest.raises(errors.Malformed):
            await ask(azure)


async def test_batch__answer_encoded_twice__is_read(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=json.dumps(of_points(point(0, 3))))) as (_fake, azure):
        reading = await ask(azure)
    assert [found.average for found in reading.series] == [(3,)]


async def test_batch__compressed_answer__is_read(certificates: Certificates) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert "gzip" in request.headers["Accept-Encoding"]
        body = gzip.compress(json.dumps(of_points(point(0, 3))).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=body, headers=headers)

    async with gateway(certificates, handler) as (_fake, azure):
        reading = await ask(azure)
    assert [found.average for found in reading.series] == [(3,)]


async def test_batch__nan_in_the_answer__is_unknown_and_named(certificates: Certificates) -> None:
    async with gateway(certificates, answers(body=of_points(point(0, float("nan"))))) as (_fake, azure):
        reading = await ask(azure)
    assert reading.series[0].average == (None,)
    assert [item.item for item in reading.unreadable] == [samples.ENDPOINT.lower()]


async def test_list__of_a_deployment__asks_arm_with_arms_token(certificates: Certificates) -> None:
    sent: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        sent.update(request.query)
        item = resource(metric(series([point(0, 3)], {}), resource=samples.DEPLOYMENT))
        del item["resourceid"]
        return web.json_response(item, headers={"x-ms-request-id": "azure-2"})

    async with gateway(certificates, handler) as (fake, azure):
        reading = await azure.list_metrics(samples.DEPLOYMENT, deployment_query())
    assert [found.resource_id for found in reading.series] == [samples.DEPLOYMENT.lower()]
    assert (reading.azure_request_id, reading.calls) == ("azure-2", 1)
    (call,) = fake.calls
    assert call.path == f"{samples.DEPLOYMENT}/providers/Microsoft.Insights/metrics"
    assert call.headers["Authorization"] == "Bearer a-token"
    assert sent == {
        "api-version": "2024-02-01",
        "timespan": "2026-03-01T12:00:00.000Z/2026-03-01T12:10:00.000Z",
        "interval": "PT1M",
        "metricnamespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
        "metricnames": P95,
        "aggregation": "Average",
        "top": "1000",
    }


async def test_list__split__filters_by_every_dimension(certificates: Certificates) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.query["$filter"] == "deployment eq '*'"
        return web.json_response(resource(metric(series([point(0, 3)]))))

    async with gateway(certificates, handler) as (_fake, azure):
        assert len((await azure.list_metrics(samples.ENDPOINT, query())).series) == 1


async def test_list__refused_by_the_provider__has_its_words(certificates: Certificates) -> None:
    handler = answers(400, {"code": "BadRequest", "message": "no such dimension"})
    async with gateway(certificates, handler) as (_fake, azure):
        with pytest.raises(errors.Rejected, match="BadRequest: no such dimension"):
            await azure.list_metrics(samples.ENDPOINT, query())
