"""What a caller asks of the metrics API, checked as Azure checks it. Pure; refusals are ArmErrors of 400."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emulator.behaviour import Behaviour
from emulator.errors import ArmError
from emulator.monitor import filters
from emulator.monitor.catalogue import NAMESPACES, RETENTION_DAYS, Metric, Namespace
from emulator.values import new_guid

AGGREGATIONS = ("average", "minimum", "maximum", "total", "count")
DEFAULT_TOP = 10
STEPS = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT6H": 360, "PT12H": 720, "P1D": 1440}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True, slots=True)
class Span:
    """Times as they were sent and as they are answered, and the minutes of the epoch between them."""

    starttime: str
    endtime: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    space: Namespace
    metrics: tuple[Metric, ...]
    span: Span
    interval: str
    aggregations: tuple[str, ...]
    wanted: filters.Wanted
    top: int = DEFAULT_TOP
    order: tuple[str, bool] = ("average", True)
    """The aggregation that series are ordered by, and whether the largest come first."""

    @property
    def step(self) -> int:
        return STEPS[self.interval]


def refused(message: str) -> ArmError:
    return ArmError(400, "BadRequest", f"{message}, TraceId: {{{new_guid()}}}")


def parse(sent: Mapping[str, str], space: Namespace, span: Span, behaviour: Behaviour) -> Query:
    """The query of `sent`, whose parameter names are in lower case and without a dollar sign."""
    for name in ("rollupby", "resulttype"):
        if sent.get(name, "data").lower() != "data":
            raise refused(
                f"Detect invalid value: {sent[name]} for query parameter: '{name}', which is not served here"
            )
    metrics = _metrics(sent.get("metricnames"), space)
    interval = _interval(sent.get("interval"), behaviour)
    aggregations = _aggregations(sent.get("aggregation"), metrics, behaviour)
    step = STEPS[interval]
    aligned = Span(span.starttime, span.endtime, span.start // step * step, span.end // step * step)
    return Query(
        space,
        metrics,
        aligned,
        interval,
        aggregations,
        _wanted(sent.get("filter"), metrics),
        _top(sent.get("top")),
        _order(sent.get("orderby")),
    )


def namespace(text: str | None, own: Namespace) -> Namespace:
    """The namespace that is asked for must be the resource's own."""
    if text is None:
        return own
    if NAMESPACES.get(text.lower()) is not own:
        raise refused(
            f"Detect invalid value: {text} for query parameter: 'metricnamespace', the value must be: {own.name}"
            " if specified"
        )
    return own


def span_of(start: datetime, end: datetime, now: datetime, told: tuple[str, str]) -> Span:
    if end < start:
        raise refused(f"Query startTime: {told[0]} is after endTime: {told[1]}")
    if end < now - timedelta(days=RETENTION_DAYS):
        raise refused(
            f"Query endTime: {end:%m/%d/%Y %H:%M:%S} is out of the Max metrics retention period:"
            f" {RETENTION_DAYS}.00:00:00"
        )
    return Span(*told, int(start.timestamp() // 60), int(end.timestamp() // 60))


def batch_span(sent: Mapping[str, str], now: datetime) -> Span:
    """`starttime` and `endtime`; without them the last hour."""
    end = time_of(sent["endtime"], "endtime") if sent.get("endtime") else now
    start = time_of(sent["starttime"], "starttime") if sent.get("starttime") else end - timedelta(hours=1)
    told = sent.get("starttime") or utc(start), sent.get("endtime") or utc(end)
    return span_of(start, end, now, told)


def listed_span(timespan: str | None, now: datetime) -> Span:
    """`start/end`, `start/PT1H` or `PT1H`; without it the last hour."""
    first, _, second = (timespan or "PT1H").partition("/")
    if not second:
        length = _duration(first)
        if length is None:
            raise refused(f"Detect invalid value: {timespan} for query parameter: 'timespan'")
        start, end = now - length, now
    else:
        start = time_of(first, "timespan")
        length = _duration(second)
        end = start + length if length is not None else time_of(second, "timespan")
    return span_of(start, end, now, (utc(start), utc(end)))


def time_of(text: str, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f"Detect invalid value: {text} for query parameter: '{what}'") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(item or 0) for item in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _metrics(text: str | None, space: Namespace) -> tuple[Metric, ...]:
    if not text:
        return (next(iter(space.metrics.values())),)
    found = []
    for name in text.split(","):
        metric = space.metrics.get(name.strip().lower())
        if metric is None:
            valid = ",".join(item.name for item in space.metrics.values())
            raise ArmError(
                400,
                "BadRequest",
                f"Failed to find metric configuration for provider: {space.provider}, resource Type:"
                f" {space.resource_type}, metric: {name.strip()}, Valid metrics: {valid}",
            )
        found.append(metric)
    return tuple(dict.fromkeys(found))


def _interval(text: str | None, behaviour: Behaviour) -> str:
    interval = (text or "PT1M").upper()
    if interval not in STEPS:
        raise refused(
            f"Detect invalid value: {text} for query parameter: 'interval', the value must be: {','.join(STEPS)}"
        )
    if interval != "PT1M" and behaviour.longer_intervals == "refused":
        raise refused(f"Detected invalid time grain input: {text}, supported ones are: PT1M")
    return interval


def _aggregations(text: str | None, metrics: tuple[Metric, ...], behaviour: Behaviour) -> tuple[str, ...]:
    found = []
    for name in (text or "Average").split(","):
        word = name.strip().lower()
        if word not in AGGREGATIONS:
            raise refused(
                f"Detect invalid value: {name.strip()} for query parameter: 'aggregation', the value must be one of:"
                f" {','.join(item.capitalize() for item in AGGREGATIONS)}"
            )
        found.append(word)
    for metric in metrics if behaviour.unadvertised_aggregation == "refused" else ():
        supported = {item.lower() for item in metric.aggregations}
        if not supported.issuperset(found):
            raise refused(
                f"Metric: {metric.name} does not support requested aggregation: {text}, supported ones are:"
                f" {','.join(metric.aggregations)}"
            )
    return tuple(dict.fromkeys(found))


def _wanted(text: str | None, metrics: tuple[Metric, ...]) -> filters.Wanted:
    try:
        wanted = filters.parse(text)
    except filters.FilterError as error:
        raise refused(f"Detect invalid value: {text} for query parameter: '$filter'. {error}") from None
    for metric in metrics:
        if any(metric.dimension(name) is None for name in wanted):
            raise refused(
                f"Metric: {metric.name} does not support requested dimension combination:"
                f" {','.join(name.lower() for name in wanted)}, supported ones are:"
                f" {','.join(metric.dimensions)}"
            )
    return wanted


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_TOP
    if not text.isdecimal() or int(text) < 1:
        raise refused(f"Detect invalid value: {text} for query parameter: 'top'")
    return int(text)


def _order(text: str | None) -> tuple[str, bool]:
    words = (text or "average desc").lower().split()
    if len(words) > 2 or words[0] not in AGGREGATIONS or words[1:] not in ([], ["asc"], ["desc"]):
        raise refused(f"Detect invalid value: {text} for query parameter: 'orderby'")
    return words[0], words[1:] != ["asc"]
