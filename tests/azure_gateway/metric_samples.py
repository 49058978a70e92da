"""Metrics as Azure Monitor answers them, for tests that need an answer and change a point or two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.azure_gateway.records import DEPLOYMENT_METRICS, ENDPOINT_METRICS, MetricQuery
from tests.azure_gateway import samples

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EPOCH = int(START.timestamp())
P95 = "RequestLatency_P95"


def query(minutes: int = 10, **changes: Any) -> MetricQuery:
    asked: dict[str, Any] = {
        "namespace": ENDPOINT_METRICS,
        "names": (P95,),
        "aggregations": ("Average",),
        "since": START,
        "until": START + timedelta(minutes=minutes),
        "dimensions": ("deployment",),
    }
    return MetricQuery(**{**asked, **changes})


def deployment_query(**changes: Any) -> MetricQuery:
    return query(namespace=DEPLOYMENT_METRICS, dimensions=(), **changes)


def stamp(minute: float) -> str:
    moment = START + timedelta(minutes=minute)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def point(minute: float, average: Any = None, **more: Any) -> dict[str, Any]:
    """`average=None` is a timestamp without a value, as Azure sends it: with no field at all."""
    return {"timeStamp": stamp(minute), **({} if average is None else {"average": average}), **more}


def series(data: list[Any], dimensions: Mapping[str, Any] | None = None) -> dict[str, Any]:
    split = {"deployment": "blue"} if dimensions is None else dimensions
    return {
        "metadatavalues": [
            {"name": {"value": name, "localizedValue": name}, "value": value} for name, value in split.items()
        ],
        "data": data,
    }


def metric(
    *timeseries: Any, name: str = P95, resource: str = samples.ENDPOINT, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"{resource}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": "what it is",
        "unit": "MilliSeconds",
        "timeseries": list(timeseries),
        "errorCode": "Success",
        **more,
    }


def resource(*metrics: Any, arm_id: str = samples.ENDPOINT, **more: Any) -> dict[str, Any]:
    return {
        "starttime": stamp(0),
        "endtime": stamp(10),
        "interval": "PT1M",
        "namespace": ENDPOINT_METRICS,
        "resourceregion": "westeurope",
        "resourceid": arm_id,
        "value": list(metrics),
        **more,
    }


def answer(*resources: Any) -> dict[str, Any]:
    return {"values": list(resources)}


def of_points(*data: Any) -> dict[str, Any]:
    """The answer for one endpoint with one series."""
    return answer(resource(metric(series(list(data)))))
