"""The real clients of Azure Monitor and Resource Graph against the emulator's process, and Microsoft's documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.launch import Emulator
from emulator.monitor.catalogue import NAMESPACES
from tests.emulator.arm import CHECKOUT, PHOTO, PROD
from tests.emulator.metrics import ENDPOINTS

pytestmark = [pytest.mark.filterwarnings("ignore")]
AUDIENCE = "https://metrics.monitor.azure.com"
SPLIT = "deployment eq '*' and statusCode eq '*'"


@pytest.fixture(scope="module")
def credential(running: Emulator) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment().items():
            patch.setenv(name, value)
        from azure.identity import ManagedIdentityCredential

        with ManagedIdentityCredential() as made:
            yield made


@pytest.fixture(scope="module")
def metrics_client(running: Emulator, credential: Any) -> Iterator[Any]:
    from azure.monitor.querymetrics import MetricsClient

    endpoint = running.metrics.format(region="westeurope")
    with MetricsClient(
        endpoint, credential, audience=AUDIENCE, connection_verify=str(running.ca_file), retry_total=0
    ) as client:
        yield client


@pytest.fixture(scope="module")
def monitor_client(running: Emulator, credential: Any) -> Iterator[Any]:
    from azure.mgmt.monitor import MonitorManagementClient

    with MonitorManagementClient(
        credential,
        PROD,
        base_url=running.arm,
        credential_scopes=[f"{running.arm}/.default"],
        connection_verify=str(running.ca_file),
        retry_total=0,
    ) as client:
        yield client


def hour() -> tuple[datetime, datetime]:
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=20)
    return end - timedelta(hours=1), end


@pytest.mark.processes
def test_metrics_client__batch__is_read_into_its_own_types(metrics_client: Any) -> None:
    start, end = hour()
    results = metrics_client.query_resources(
        resource_ids=[CHECKOUT, PHOTO],
        metric_namespace=ENDPOINTS,
        metric_names=["RequestsPerMinute"],
        timespan=(start, end),
        granularity=timedelta(minutes=1),
        aggregations=["Average"],
        filter=SPLIT,
        max_results=1000,
        order_by="average desc",
    )

    assert [(item.namespace, item.resource_region, item.granularity) for item in results] == [
        (ENDPOINTS.lower(), "westeurope", timedelta(minutes=1))
    ] * 2
    [metric] = results[1].metrics
    assert (metric.name, metric.unit) == ("RequestsPerMinute", "Count")
    labels = [one.metadata_values for one in metric.timeseries]
    assert {"deployment": "main", "statuscode": "200"} in labels
    points = metric.timeseries[0].data
    assert (points[0].timestamp, len(points)) == (start, 60)
    assert all(point.average > 0 for point in points)


@pytest.mark.processes
def test_metrics_client__refused__raises_with_code(metrics_client: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as refused:
        metrics_client.query_resources(
            resource_ids=[CHECKOUT], metric_namespace=ENDPOINTS, metric_names=["Unknown"], timespan=hour()
        )

    assert (refused.value.status_code, refused.value.error.code) == (400, "BadRequest")


@pytest.mark.processes
def test_monitor_client__list__is_read_into_its_own_types(monitor_client: Any, metrics_client: Any) -> None:
    start, end = hour()
    listed = monitor_client.metrics.list(
        CHECKOUT,
        timespan=f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        interval="PT1M",
        metricnames="RequestLatency_P95",
        metricnamespace=ENDPOINTS,
        aggregation="Average",
        filter="deployment eq 'blue'",
        top=50,
    )
    [batch] = metrics_client.query_resources(
        resource_ids=[CHECKOUT],
        metric_namespace=ENDPOINTS,
        metric_names=["RequestLatency_P95"],
        timespan=(start, end),
        granularity=timedelta(minutes=1),
        aggregations=["Average"],
        filter="deployment eq 'blue'",
    )

    [metric] = listed.value
    [one] = metric.timeseries
    assert (one.metadatavalues[0].name.value, one.metadatavalues[0].value) == ("deployment", "blue")
    assert [(point.time_stamp, point.average) for point in one.data] == [
        (point.timestamp, point.average) for point in batch.metrics[0].timeseries[0].data
    ]


@pytest.mark.processes
def test_monitor_client__definitions_and_namespaces__are_read(monitor_client: Any) -> None:
    definitions = list(monitor_client.metric_definitions.list(CHECKOUT))
    spaces = list(monitor_client.metric_namespaces.list(CHECKOUT))

    assert len(definitions) == 11
    found = next(item for item in definitions if item.name.value == "RequestsPerMinute")
    assert [item.value for item in found.dimensions] == [
        *("deployment", "statusCode", "statusCodeClass", "modelStatusCode")
    ]
    assert [item.properties.metric_namespace_name for item in spaces] == [ENDPOINTS]


@pytest.mark.processes
def test_resource_graph_client__pages__are_read(running: Emulator, credential: Any) -> None:
    from azure.mgmt.resourcegraph import ResourceGraphClient
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    query = f"resources | where type =~ '{ENDPOINTS}' | project id, name, tags | order by id asc"
    with ResourceGraphClient(
        credential,
        base_url=running.arm,
        credential_scopes=[f"{running.arm}/.default"],
        connection_verify=str(running.ca_file),
        retry_total=0,
    ) as client:
        ids: list[str] = []
        options = QueryRequestOptions(top=2, result_format="objectArray")
        while True:
            page = client.resources(QueryRequest(query=query, subscriptions=[PROD], options=options))
            ids += [row["id"] for row in page.data]
            if page.skip_token is None:
                break
            options.skip_token = page.skip_token

    assert page.total_records == 3
    assert [item.rpartition("/")[2] for item in ids] == ["checkout-risk", "photo-triage", "shadowed"]


@pytest.mark.contract
def test_catalogue__of_both_scopes__is_microsofts(facts: Path) -> None:
    told = json.loads((facts / "facts/metrics.json").read_text(encoding="utf-8"))

    for name, space in NAMESPACES.items():
        wanted = {
            item["name"]: (
                item["unit"],
                sorted(item["aggregations"]),
                item["dimensions"],
                item["category"],
                item["timeGrains"],
                item["dsExport"],
            )
            for item in told[name]["metrics"]
        }
        ours = {
            item.name: (
                item.unit,
                sorted(item.aggregations),
                list(item.dimensions),
                item.category,
                ["PT1M"],
                item.exported,
            )
            for item in space.metrics.values()
        }
        assert ours == wanted
        assert all(item.description for item in space.metrics.values())


def shape(value: Any) -> Any:
    """Names and types of a document; lists by their first item, numbers alike."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) else type(value).__name__


@pytest.mark.contract
@pytest.mark.processes
def test_batch__in_the_shape_of_microsofts_example(facts: Path, metrics_client: Any) -> None:
    from azure.core.rest import HttpRequest

    example = json.loads((facts / "examples/monitor/MetricBatchExample.json").read_text(encoding="utf-8"))
    start, end = hour()
    request = HttpRequest(
        "POST",
        f"/subscriptions/{PROD}/metrics:getBatch",
        params={
            "api-version": example["parameters"]["api-version"],
            "starttime": start.isoformat().replace("+00:00", ".123Z"),
            "endtime": end.isoformat().replace("+00:00", ".345Z"),
            "interval": example["parameters"]["interval"],
            "metricnamespace": ENDPOINTS,
            "metricnames": "DataCollectionEventsPerMinute,RequestLatency_P95",
            "aggregation": "average",
            "top": example["parameters"]["top"],
            "orderby": example["parameters"]["orderby"],
            "filter": "deployment eq '*'",
        },
        json={"resourceids": [CHECKOUT, PHOTO]},
    )
    answered = metrics_client.send_request(request)

    assert answered.status_code == 200, answered.text()
    wanted = example["responses"]["200"]["body"]["values"][0]
    ours = answered.json()["values"][0]
    metric, theirs = ours["value"][1], wanted["value"][0]
    assert shape({**ours, "value": []}) == shape({**wanted, "value": []})
    assert ours["starttime"].endswith(".123Z")
    assert shape({**metric, "timeseries": []}) == shape({**theirs, "timeseries": []})
    series, their_series = metric["timeseries"][0], theirs["timeseries"][0]
    assert shape(series["metadatavalues"]) == shape(their_series["metadatavalues"])
    their_point = next(point for point in their_series["data"] if len(point) > 1)
    assert shape(series["data"][0]) == shape({name: their_point[name] for name in ("timeStamp", "average")})
    assert [len(series["data"])] == [4]  # quarters of an hour


@pytest.mark.contract
@pytest.mark.processes
def test_list__in_the_shape_of_microsofts_example(
    facts: Path, running: Emulator, monitor_client: Any
) -> None:
    from azure.core.rest import HttpRequest

    example = json.loads((facts / "examples/monitor/GetMetric.json").read_text(encoding="utf-8"))
    request = HttpRequest(
        "GET",
        f"{running.arm}{CHECKOUT}/providers/Microsoft.Insights/metrics",
        params={
            "api-version": example["parameters"]["api-version"],
            "metricnames": "RequestsPerMinute",
            "$filter": "deployment eq '*'",
        },
    )
    answered = monitor_client._send_request(request)

    assert answered.status_code == 200
    ours, wanted = answered.json(), example["responses"]["200"]["body"]
    assert shape({**ours, "value": []}) == shape({**wanted, "value": []})
    metric, theirs = ours["value"][0], wanted["value"][0]
    assert set(metric) - set(theirs) == {"errorCode"}  # newer versions have it
    assert shape(metric["timeseries"][0]["metadatavalues"]) == shape(
        theirs["timeseries"][0]["metadatavalues"]
    )


@pytest.mark.processes
def test_diagnostic_settings__by_the_clients_pipeline__name_the_logs(
    running: Emulator, monitor_client: Any
) -> None:
    from azure.core.rest import HttpRequest

    url = f"{running.arm}{CHECKOUT}/providers/Microsoft.Insights/diagnosticSettings"
    answered = monitor_client._send_request(
        HttpRequest("GET", url, params={"api-version": "2021-05-01-preview"})
    )

    [setting] = answered.json()["value"]
    assert sum(item["enabled"] for item in setting["properties"]["logs"]) == 3
    assert "/Microsoft.OperationalInsights/workspaces/" in setting["properties"]["workspaceId"]
