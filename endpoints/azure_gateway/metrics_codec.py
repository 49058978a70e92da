"""Azure Monitor's answers to series of minutes. Pure.

What belongs to nothing that was asked for, and what can't be understood, is set aside and named once for each
resource; so is a metric that Azure did not answer for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from endpoints.azure_gateway.codec import storable_text
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.metrics_minutes import Minutes
from endpoints.azure_gateway.metrics_troubles import Key, Troubles
from endpoints.azure_gateway.records import MetricQuery, MetricSeries, Unreadable
from endpoints.core.ids import arm_key

_MINUTE_STEPS = frozenset({"pt1m", "pt60s", "00:01:00"})
_OF_A_METRIC = "/providers/microsoft.insights/metrics/"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The contents of one answer; see MetricsReading."""

    series: tuple[MetricSeries, ...]
    unreadable: tuple[Unreadable, ...]
    truncated: tuple[str, ...]


def batch(document: Any, resource_ids: Iterable[str], query: MetricQuery) -> Parsed:
    """The answer to a query of many resources; Malformed when it is no such answer at all."""
    values = document.get("values") if isinstance(document, dict) else None
    if not isinstance(values, list):
        raise Malformed("metrics", "the answer has no list of values")
    answer = _Answer(resource_ids, query)
    for index, value in enumerate(values):
        answer.add(value, where=f"item {index} of the metrics")
    return answer.parsed()


def single(document: Any, resource_id: str, query: MetricQuery) -> Parsed:
    """The answer to the query of one resource; Malformed when it is no such answer at all."""
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        raise Malformed(resource_id, "the answer has no list of metrics")
    answer = _Answer((resource_id,), query)
    answer.add({**document, "resourceid": resource_id}, where=resource_id)
    return answer.parsed()


class _Answer:
    """Collects one answer: first all series by what they are of, then their points."""

    def __init__(self, resource_ids: Iterable[str], query: MetricQuery) -> None:
        self._query = query
        self._names = {name.lower(): name for name in query.names}
        self._split_by = frozenset(name.lower() for name in query.dimensions)
        # Metrics that were asked of each resource and have not been answered yet.
        self._open = {arm_key(resource_id): set(query.names) for resource_id in resource_ids}
        self._points: dict[Key, list[Any]] = {}
        self._truncated: dict[str, None] = {}
        self._troubles = Troubles()

    def add(self, value: Any, *, where: str) -> None:
        """All metrics of one resource."""
        resource = _resource_of(value)
        if resource not in self._open:
            self._troubles.tell(
                resource or where, "nobody asked for this resource" if resource else "it has no id"
            )
            return
        step, metrics = value.get("interval"), value.get("value")
        if isinstance(step, str) and step.lower() not in _MINUTE_STEPS:
            self._troubles.tell(resource, f"the values are not of minutes but of {step[:20]!a}")
            self._open[resource].clear()
        elif not isinstance(metrics, list):
            self._troubles.tell(resource, "it has no list of metrics")
            self._open[resource].clear()
        else:
            for metric in metrics:
                self._add_metric(resource, metric)

    def parsed(self) -> Parsed:
        minutes = Minutes(self._query, self._troubles)
        for resource, names in self._open.items():
            for name in sorted(names):
                self._troubles.tell(resource, f"{name}: Azure did not answer for it")
        return Parsed(
            series=tuple(minutes.series(key, data) for key, data in self._points.items()),
            unreadable=self._troubles.listed(),
            truncated=tuple(self._truncated),
        )

    def _add_metric(self, resource: str, metric: Any) -> None:
        name = self._names.get(_name_of(metric).lower())
        if name is None:
            self._troubles.tell(resource, "a metric that nobody asked for")
            return
        self._open[resource].discard(name)
        series, error, said = (metric.get(field) for field in ("timeseries", "errorCode", "errorMessage"))
        if isinstance(error, str) and error.lower() not in ("", "success"):
            text = f"{error} {said}" if isinstance(said, str) else error
            self._troubles.tell(resource, f"{name}: Azure answered {text[:200]!a}")
        if not isinstance(series, list):
            self._troubles.tell(resource, f"{name}: it has no list of series")
            return
        if self._split_by and len(series) >= self._query.top:
            self._truncated[resource] = None
        for one in series:
            self._add_series(resource, name, one)

    def _add_series(self, resource: str, name: str, series: Any) -> None:
        data = series.get("data") if isinstance(series, dict) else None
        dimensions = _dimensions_of(series)
        if not isinstance(data, list) or dimensions is None:
            self._troubles.tell(resource, f"{name}: a series without readable dimensions and data")
        elif self._split_by <= dimensions.keys():
            key = (resource, name, tuple(sorted(dimensions.items())))
            before = self._points.get(key)
            # The same series twice is judged like the same minute twice.
            self._points[key] = data if before is None else before + data
        elif data:
            missing = ", ".join(sorted(self._split_by - dimensions.keys()))
            self._troubles.tell(resource, f"{name}: a series that is not split by {missing}")


def _resource_of(value: Any) -> str:
    """The ARM id, as it is compared, of the resource that an item is about; "" when it does not say."""
    if not isinstance(value, dict):
        return ""
    resource, metrics = value.get("resourceid"), value.get("value")
    if isinstance(resource, str):
        return arm_key(resource)
    first = metrics[0] if isinstance(metrics, list) and metrics else None
    identifier = first.get("id") if isinstance(first, dict) else None
    return arm_key(identifier).partition(_OF_A_METRIC)[0] if isinstance(identifier, str) else ""


def _name_of(metric: Any) -> str:
    """`metric.name.value`; "" when there is none."""
    name = metric.get("name") if isinstance(metric, dict) else None
    value = name.get("value") if isinstance(name, dict) else None
    return value if isinstance(value, str) else ""


def _dimensions_of(series: Any) -> dict[str, str] | None:
    """Names, lower-cased, and values; None when something in them is no text that can be kept."""
    listed = series.get("metadatavalues") if isinstance(series, dict) else None
    found: dict[str, str] = {}
    try:
        for item in listed or ():
            name, value = item["name"]["value"], item["value"]
            if not storable_text(name + value):
                return None
            found[name.lower()] = value
    except (AttributeError, KeyError, TypeError):
        return None
    return found
