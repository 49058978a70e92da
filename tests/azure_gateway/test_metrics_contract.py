"""Microsoft's own answers of metrics: every value in them is in the series."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from endpoints.azure_gateway import metrics_codec
from endpoints.azure_gateway.metrics_codec import Parsed
from endpoints.azure_gateway.records import ENDPOINT_METRICS, MetricQuery

pytestmark = pytest.mark.contract


def example(folder: Path, name: str) -> dict[str, Any]:
    document = json.loads((folder / "examples" / "monitor" / name).read_text())
    body: dict[str, Any] = document["responses"]["200"]["body"]
    return body


def asked(
    since: datetime, until: datetime, names: tuple[str, ...], dimensions: tuple[str, ...]
) -> MetricQuery:
    return MetricQuery(ENDPOINT_METRICS, names, ("Average", "Maximum", "Minimum"), since, until, dimensions)


def in_steps_of_a_minute(document: dict[str, Any]) -> dict[str, Any]:
    """The examples are in quarters of an hour, which the portal never asks for."""
    return {"values": [{**value, "interval": "PT1M"} for value in document["values"]]}


def points(metric: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [series["data"] for series in metric["timeseries"]]


def seconds(point: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(point["timeStamp"]).timestamp())


def check(parsed: Parsed, metrics: list[dict[str, Any]]) -> None:
    assert parsed.unreadable == ()
    expected = [data for metric in metrics for data in points(metric)]
    assert len(parsed.series) == len(expected) > 0
    for series, data in zip(parsed.series, expected, strict=True):
        assert series.minutes == tuple(seconds(point) for point in data)
        assert series.average == tuple(point.get("average") for point in data)
        assert series.maximum == tuple(point.get("maximum") for point in data)
        assert series.minimum == tuple(point.get("minimum") for point in data)


def test_single__microsofts_example__keeps_every_value_and_no_more(facts: Path) -> None:
    document = example(facts, "GetMetric.json")
    resource = document["value"][0]["id"].partition("/providers/Microsoft.Insights")[0]
    since, until = datetime(2017, 4, 14, 2, 20, tzinfo=UTC), datetime(2017, 4, 14, 4, 20, tzinfo=UTC)
    parsed = metrics_codec.single(document, resource, asked(since, until, ("blobcapacity",), ("BlobType",)))
    check(parsed, document["value"])
    assert [series.dimensions for series in parsed.series] == [
        {"blobtype": "PageBlob"},
        {"blobtype": "BlockBlob"},
    ]
    assert {series.metric for series in parsed.series} == {"blobcapacity"}
    # A minute with a count alone has no average: it is unknown, not 0.
    assert parsed.series[1].average == (None, None, None, 245.0)


def test_batch__microsofts_example__keeps_every_value_of_every_resource(facts: Path) -> None:
    document = example(facts, "MetricBatchExample.json")
    metrics = [metric for value in document["values"] for metric in value["value"]]
    resources = {metric["id"].partition("/providers/Microsoft.Insights")[0] for metric in metrics}
    names = tuple(sorted({metric["name"]["value"] for metric in metrics}))
    since, until = datetime(2023, 2, 1, 20, tzinfo=UTC), datetime(2023, 2, 1, 23, 15, tzinfo=UTC)
    query = asked(since, until, names, ("ApiName", "Authentication"))
    parsed = metrics_codec.batch(in_steps_of_a_minute(document), resources, query)
    check(parsed, metrics)
    assert {series.resource_id for series in parsed.series} == {resource.lower() for resource in resources}


def test_batch__microsofts_example_as_it_is__is_not_taken_for_minutes(facts: Path) -> None:
    document = example(facts, "MetricBatchExample.json")
    resource = document["values"][0]["value"][0]["id"].partition("/providers/Microsoft.Insights")[0]
    since, until = datetime(2023, 2, 1, 20, tzinfo=UTC), datetime(2023, 2, 1, 23, tzinfo=UTC)
    parsed = metrics_codec.batch(document, (resource,), asked(since, until, ("Ingress",), ("ApiName",)))
    assert parsed.series == ()
    assert any("'PT15M'" in item.reason for item in parsed.unreadable)
