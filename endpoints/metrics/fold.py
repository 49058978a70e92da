"""What Azure Monitor answered, as minutes of deployments. Pure.

Counts come from endpoint scope, split by deployment and status. Azure names a status only in minutes in which it
occurred, so that a status without a value is mostly one that did not occur. It is a gap where a value was to be
expected, because most minutes have one, and where some value of the resource made no sense: then the sum stands only
if the deployment's own total says that nothing is missing. Where endpoint scope says nothing at all, that total
counts alone, which Azure gives as 0 while nobody asks. What may be cut (`truncated`) is no sum at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
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


# The two scopes count apart: a request that one of them counts a moment later is nothing that is missing.
_SLACK, _SLACK_SHARE = 1.0, 0.01


@dataclass(frozen=True, slots=True)
class Places:
    """Whose series is whose: deployments by endpoint (lower-case ARM id) and name, and by their own ARM id.

    `born`: the first minute of those of which it is known. Under the same name there was another one before.
    """

    by_endpoint: Mapping[str, Mapping[str, int]]
    by_deployment: Mapping[str, int]
    born: Mapping[int, int] = field(default_factory=dict)

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
    # Sums that stand only if nothing is missing in them.
    doubtful: dict[tuple[int, int], list[float | None]] = field(default_factory=dict)

    def requests(self, reading: MetricsReading) -> None:
        """Take in `REQUESTS` of endpoints, split by deployment and status."""
        cut = set(reading.truncated)
        odd = {item.item.lower() for item in reading.unreadable}
        for number, group in self._by_deployment(reading.series).items():
            if group[0].resource_id not in cut:
                self._counts(number, group, is_odd=group[0].resource_id in odd)

    def latencies(self, reading: MetricsReading) -> None:
        """Take in `LATENCIES` of endpoints, split by deployment."""
        for series in reading.series:
            # No request takes no time: a zero is another way to say that there was none.
            self._column(
                series, LATENCIES.get(series.metric, ""), [value or None for value in series.average]
            )

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
        """Take in `REQUESTS` of deployments, for minutes that endpoint scope says nothing of, or nothing certain."""
        for series in reading.series:
            number = self.places.of(series)
            if number is None:
                continue
            for minute, value in zip(series.minutes, series.average, strict=True):
                if value is not None:
                    self._total(number, minute, value)

    def _total(self, number: int, minute: int, value: float) -> None:
        row = self._row(number, minute)
        if row[_PLACE["requests"]] is not None:
            return
        sums = self.doubtful.get((number, minute))
        if sums is not None and value <= (sums[0] or 0.0) * (1 + _SLACK_SHARE) + _SLACK:
            self._put(number, minute, sums)
        elif value == 0:  # nobody asked, so nobody was refused
            self._put(number, minute, [0.0] * len(COUNTS))
        else:
            row[_PLACE["requests"]] = value

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

    def told_until(self) -> int | None:
        """The newest minute of which anybody's requests are known."""
        requests = _PLACE["requests"]
        return max(
            (minute for (_, minute), row in self.rows.items() if row[requests] is not None), default=None
        )

    def found(self) -> list[MinuteRow]:
        """All rows that say anything."""
        born = self.places.born
        return [
            MinuteRow(number, minute, tuple(values))
            for (number, minute), values in self.rows.items()
            if minute >= born.get(number, 0) and any(value is not None for value in values)
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

    def _counts(self, number: int, group: list[MetricSeries], *, is_odd: bool) -> None:
        sums: dict[int, list[float | None]] = {}
        for series in group:
            counted = status_columns(series.dimensions)
            for minute, value in zip(series.minutes, series.average, strict=True):
                if value is not None:
                    _add(sums.setdefault(minute, [0.0] * len(COUNTS)), counted, value)
        missing = _gaps(group, sums.keys(), is_odd=is_odd)
        for minute, counts in sums.items():
            if minute in missing:
                self.doubtful[number, minute] = counts
            else:
                self._put(number, minute, counts)

    def _put(self, number: int, minute: int, counts: Sequence[float | None]) -> None:
        target = self._row(number, minute)
        for place, count in zip(_COUNT_PLACES, counts, strict=True):
            target[place] = count


def _gaps(group: Iterable[MetricSeries], minutes: Set[int], *, is_odd: bool) -> set[int]:
    """The minutes, out of these, in which a series lacks a value that was to be expected."""
    missing: set[int] = set()
    for series in group:
        values = dict(zip(series.minutes, series.average, strict=True))
        lacking = {minute for minute in minutes if values.get(minute) is None}
        if is_odd or 2 * len(lacking) < len(minutes):
            missing |= lacking
    return missing


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
