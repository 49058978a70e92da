"""The platform metrics of endpoints and deployments as Azure lists them. A contract test holds them to the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator import names
from emulator.values import Json

GRAIN = "PT1M"
RETENTION_DAYS = 93
LOG_CATEGORIES = (
    "AmlOnlineEndpointTrafficLog",
    "AmlOnlineEndpointConsoleLog",
    "AmlOnlineEndpointEventLog",
)
AVERAGE = ("Average",)
ALL = ("Minimum", "Maximum", "Average")


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    unit: str
    aggregations: tuple[str, ...]
    dimensions: tuple[str, ...]
    category: str
    exported: bool
    """Whether a diagnostic setting can export it."""
    description: str

    def dimension(self, name: str) -> str | None:
        """The dimension's own spelling; names compare without regard to case."""
        return next((item for item in self.dimensions if item.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    metrics: Mapping[str, Metric]
    """By lower-case name."""

    @property
    def provider(self) -> str:
        return self.name.partition("/")[0].lower()

    @property
    def resource_type(self) -> str:
        return self.name.partition("/")[2].lower()


def _latency(percentile: str, *dimensions: str) -> Metric:
    return Metric(
        f"RequestLatency_{percentile}",
        "Milliseconds",
        AVERAGE,
        dimensions,
        "Traffic",
        exported=True,
        description=f"{percentile} of the request latency, averaged over what was collected in the period",
    )


def _load(
    name: str, description: str, *dimensions: str, unit: str = "Percent", exported: bool = True
) -> Metric:
    return Metric(name, unit, ALL, ("instanceId", *dimensions), "Resource", exported, description)


def _collection(word: str, told: str, category: str, *dimensions: str) -> Metric:
    description = f"Data collection events {told} a minute"
    return Metric(f"DataCollection{word}PerMinute", "Count", ALL, dimensions, category, False, description)


def _traffic(name: str, unit: str, description: str, *dimensions: str, exported: bool = False) -> Metric:
    return Metric(name, unit, AVERAGE, dimensions, "Traffic", exported, description)


_PERCENTILES = ("P50", "P90", "P95", "P99")
_ENDPOINT = (
    _traffic("ConnectionsActive", "Count", "Open TCP connections of clients"),
    _collection("Errors", "dropped", "Traffic", "deployment", "reason", "type"),
    _collection("Events", "processed", "Traffic", "deployment", "type"),
    _traffic("NetworkBytes", "BytesPerSecond", "Bytes a second that the endpoint serves"),
    _traffic("NewConnectionsPerSecond", "CountPerSecond", "New TCP connections a second"),
    _traffic("RequestLatency", "Milliseconds", "Mean time to answer a request", "deployment", exported=True),
    *(_latency(percentile, "deployment") for percentile in _PERCENTILES),
    _traffic(
        "RequestsPerMinute",
        "Count",
        "Requests sent to the endpoint within a minute",
        *("deployment", "statusCode", "statusCodeClass", "modelStatusCode"),
    ),
)
_DEPLOYMENT = (
    _load("CpuMemoryUtilizationPercentage", "Memory in use on an instance"),
    _load("CpuUtilizationPercentage", "CPU in use on an instance"),
    _collection("Errors", "dropped", "Resource", "instanceId", "reason", "type"),
    _collection("Events", "processed", "Resource", "instanceId", "type"),
    _load("DeploymentCapacity", "Instances of the deployment", "State", unit="Count", exported=False),
    _load("DiskUtilization", "Disk in use on an instance", "disk"),
    _load("GpuEnergyJoules", "Energy that a GPU node used in the interval", unit="Count", exported=False),
    _load("GpuMemoryUtilizationPercentage", "GPU memory in use on an instance"),
    _load("GpuUtilizationPercentage", "GPU in use on an instance"),
    *(_latency(percentile) for percentile in _PERCENTILES),
    _traffic("RequestsPerMinute", "Count", "Requests sent to the deployment a minute", "envoy_response_code"),
)
ENDPOINT = Namespace(names.ENDPOINT_TYPE, {metric.name.lower(): metric for metric in _ENDPOINT})
DEPLOYMENT = Namespace(names.DEPLOYMENT_TYPE, {metric.name.lower(): metric for metric in _DEPLOYMENT})
NAMESPACES = {space.name.lower(): space for space in (ENDPOINT, DEPLOYMENT)}


def of_kind(kind: str) -> Namespace | None:
    """The namespace of a resource's own metrics; workspaces have none here."""
    return {"endpoint": ENDPOINT, "deployment": DEPLOYMENT}.get(kind)


def definitions(space: Namespace, resource_id: str) -> list[Json]:
    """The answer of metricDefinitions."""
    return [_definition(space, metric, resource_id) for metric in space.metrics.values()]


def _definition(space: Namespace, metric: Metric, resource_id: str) -> Json:
    return {
        "id": f"{resource_id}/providers/microsoft.insights/metricdefinitions/{metric.name}",
        "resourceId": resource_id,
        "namespace": space.name,
        "category": metric.category,
        "name": {"value": metric.name, "localizedValue": metric.name},
        "displayDescription": metric.description,
        "isDimensionRequired": False,
        "unit": metric.unit,
        "primaryAggregationType": "Average",
        "supportedAggregationTypes": list(metric.aggregations),
        "metricAvailabilities": [{"timeGrain": GRAIN, "retention": f"P{RETENTION_DAYS}D"}],
        "dimensions": [{"value": name, "localizedValue": name} for name in metric.dimensions],
    }
