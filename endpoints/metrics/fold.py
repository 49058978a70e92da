"""What Azure Monitor answered, as minutes of deployments. Pure.

Counts come from endpoint scope, split by deployment and status. Azure names a status only in minutes in which it
occurred: a sum over the series that are there is whole as soon as one of them has a value, and a minute without any
is unknown there. Then, and only then, the deployment's own total counts, which Azure gives as 0 while nobody asks.
What may be cut (`truncated`), and a minute of a resource of which some value made no sense, is no sum at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from endpoints.azure_gateway.records import MetricSeries, MetricsReading
from endpoints.metrics.columns import COUNTS, NAMES
from endpoints.metrics.points import MinuteRow

_PLACE = {name: place for place, name in enumerate(NAMES)}
_COUNT_PLACES = tuple(_PLACE[name] for name in COUNTS)
_WIDTH = len(NAMES)

LATENCIES: Mapping[str, str] = {f"RequestLatency_P{n}": f"p{n}" for n in (50, 90, 95, 99)}
# metric -> the columns of its average and of its maximum; "" where that is not kept.
USES: Mapping[str, tuple[str, str]] = {
    "CpuUtilizationPercentage": ("cpu_avg", "cpu_max"),
    "CpuMemoryUtilizationPercentage": ("memory_avg", "memory_max"),
    "GpuUtilizationPercentage": ("gpu_avg", "gpu_max"),
    "GpuMemoryUtilizationPercentage": ("", "gpu_memory_max"),
    "DiskUtilization": ("", "disk_max"),
}
REQUESTS, CAPACITY = "RequestsPerMinute", "DeploymentCapacity"


@dataclass(frozen=True, slots=True)
class Places:
    """Whose series is whose: deployments by endpoint (lower-case ARM id) and name, and by their own ARM id."""

    by_endpoint: Mapping[str, Mapping[str, int]]
    by_deployment: Mapping[str, int]

    def of(self, series: MetricSeries) -> int | None:
        """The deployment that a series is about; None for one that the mirror does not have."""
        if "deployment" in series.dimensions:
            named = self.by_endpoint.get(series.resource_id, {})
            return named.get(series.dimensions["deployment"].lower())
        return self.by_deployment.get(series.resource_id)


@dataclass(slots=True)
class Minutes:
    """Rows in the making: a deployment's minute and its values."""

    places: Places
    rows: dict[tuple[int, int], list[float | None]] = field(default_factory=dict)

    def requests(self, reading: MetricsReading) -> None:
        """Take in `REQUESTS` of endpoints, split by deployment and status."""
        cut = set(reading.truncated)
        odd = {item.item.lower() for item in reading.unreadable}
        for number, group in self._by_deployment(reading.series).items():
            if group[0].resource_id not in cut:
                self._counts(number, group, partly_odd=group[0].resource_id in odd)

    def latencies(self, reading: MetricsReading) -> None:
        """Take in `LATENCIES` of endpoints, split by deployment."""
        for series in reading.series:
            self._column(series, LATENCIES.get(series.metric, ""), series.average)

    def uses(self, reading: MetricsReading) -> None:
        """Take in `USES` of deployments, over all replicas."""
        for series in reading.series:
            mean, most = USES.get(series.metric, ("", ""))
            self._column(series, mean, series.average)
            self._column(series, most, series.maximum)

    def capacity(self, reading: MetricsReading) -> None:
        """Take in `CAPACITY` of deployments, split by state: replicas in all states together."""
        cut = set(reading.truncated)
        for number, group in self._by_deployment(reading.series).items():
            if group[0].resource_id in cut:
                continue
            sums: dict[int, float] = {}
            for series in group:
                for minute, value in zip(series.minutes, series.average, strict=True):
                    if value is not None:
                        sums[minute] = sums.get(minute, 0.0) + value
            for minute, total in sums.items():
                self._row(number, minute)[_PLACE["instances"]] = total

    def totals(self, reading: MetricsReading) -> None:
        """Take in `REQUESTS` of deployments, for minutes that endpoint scope says nothing of."""
        requests = _PLACE["requests"]
        for series in reading.series:
            number = self.places.of(series)
            if number is None:
                continue
            for minute, value in zip(series.minutes, series.average, strict=True):
                if value is None:
                    continue
                row = self._row(number, minute)
                if row[requests] is None:
                    row[requests] = value
                    if value == 0:  # nobody asked, so nobody was refused
                        for place in _COUNT_PLACES:
                            row[place] = 0.0

    def quiet(self, deployments: Iterable[int], minutes: Sequence[int]) -> list[int]:
        """Those of the deployments that have a minute here without a known number of requests."""
        requests = _PLACE["requests"]
        return [
            number
            for number in deployments
            if any(
                (row := self.rows.get((number, minute))) is None or row[requests] is None
                for minute in minutes
            )
        ]

    def found(self) -> list[MinuteRow]:
        """All rows that say anything."""
        return [
            MinuteRow(number, minute, tuple(values))
            for (number, minute), values in self.rows.items()
            if any(value is not None for value in values)
        ]

    def _row(self, number: int, minute: int) -> list[float | None]:
        row = self.rows.get((number, minute))
        if row is None:
            row = self.rows[number, minute] = [None] * _WIDTH
        return row

    def _column(self, series: MetricSeries, column: str, values: Sequence[float | None]) -> None:
        number = self.places.of(series)
        if number is None or not column or not values:
            return
        place = _PLACE[column]
        for minute, value in zip(series.minutes, values, strict=True):
            if value is not None:
                self._row(number, minute)[place] = value

    def _by_deployment(self, found: Iterable[MetricSeries]) -> dict[int, list[MetricSeries]]:
        groups: dict[int, list[MetricSeries]] = {}
        for series in found:
            number = self.places.of(series)
            if number is not None:
                groups.setdefault(number, []).append(series)
        return groups

    def _counts(self, number: int, group: list[MetricSeries], *, partly_odd: bool) -> None:
        sums: dict[int, list[float | None]] = {}
        unsure: set[int] = set()
        for series in group:
            counted = status_columns(series.dimensions)
            for minute, value in zip(series.minutes, series.average, strict=True):
                if value is not None:
                    _add(sums.setdefault(minute, [0.0] * len(COUNTS)), counted, value)
                elif partly_odd:
                    unsure.add(minute)
        for minute, counts in sums.items():
            if minute not in unsure:
                target = self._row(number, minute)
                for place, count in zip(_COUNT_PLACES, counts, strict=True):
                    target[place] = count


def _add(row: list[float | None], counted: tuple[int, ...] | None, value: float) -> None:
    row[0] = (row[0] or 0.0) + value
    if counted is None and value:  # a status that nobody can read: the total stands, its parts do not
        row[1:] = [None] * (len(COUNTS) - 1)
    for place in counted or ():
        here = row[place]
        row[place] = None if here is None else here + value


def status_columns(dimensions: Mapping[str, str]) -> tuple[int, ...] | None:
    """Which of `COUNTS`, beside the total, a series of this status belongs to; None when its status is no number."""
    text = dimensions.get("statuscode", "")
    if not text.isdecimal():
        return None
    status, found = int(text), []
    if 200 <= status < 300:
        found.append("status_2xx")
    elif 400 <= status < 500:
        found.append("status_4xx")
    elif status >= 500:
        found.append("status_5xx")
    if status == 429:
        found.append("status_429")
    model = dimensions.get("modelstatuscode", "")
    if status in (408, 424) or (model.isdecimal() and not 200 <= int(model) < 300 and status < 500):
        found.append("model_errors")
    return tuple(COUNTS.index(name) for name in found)
