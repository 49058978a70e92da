"""The answer for one resource as JSON text: series picked by the filter, the largest first, cut at `top`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.faults import Fault
from emulator.monitor import blemishes, filters
from emulator.monitor.catalogue import Metric
from emulator.monitor.parts import Labels, Part, Values, coarser, together
from emulator.monitor.query import Query
from emulator.monitor.source import Measured
from emulator.monitor.text import Writer, labels, stamps
from emulator.monitor.window import Window, visible


@dataclass(frozen=True, slots=True)
class Frame:
    """What all resources of one call share."""

    query: Query
    window: Window
    writer: Writer

    @property
    def points(self) -> int:
        return len(self.writer.stamps)


def frame(query: Query, *, now: float, lag: float, settle: float) -> Frame:
    window = visible(query.span.start, query.span.end, now=now, lag=lag, settle=settle)
    return Frame(query, window, Writer(stamps(window.start, window.count, query.step)))


def metrics(frame: Frame, resource_id: str, measured: Measured, faults: Sequence[Fault] = ()) -> str:
    """`value`: every metric that was asked for, with its series."""
    return (
        "["
        + ",".join(_metric(frame, resource_id, item, measured, faults) for item in frame.query.metrics)
        + "]"
    )


def missing(frame: Frame, resource_id: str) -> str:
    """`value` for a resource that is not there, where it spoils only itself."""
    return json.dumps(
        [
            {
                **_head(metric, resource_id),
                "timeseries": [],
                "errorCode": "ResourceNotFound",
                "errorMessage": f"The resource '{resource_id}' was not found.",
            }
            for metric in frame.query.metrics
        ]
    )


def _metric(
    frame: Frame, resource_id: str, metric: Metric, measured: Measured, faults: Sequence[Fault]
) -> str:
    own = [fault for fault in faults if blemishes.concerns(fault, metric.name)]
    found = [] if any(fault.kind == "no_metrics" for fault in own) else _series(frame, metric, measured)
    texts = [_element(frame, metric, part, own) for part in found]
    if not texts and not frame.query.wanted:
        texts = [f'{{"metadatavalues":[],"data":{frame.writer.points({}, "")}}}']
    head = json.dumps({**_head(metric, resource_id), "errorCode": "Success"}, separators=(",", ":"))
    return f'{head[:-1]},"timeseries":[{",".join(texts)}]}}'


def _series(frame: Frame, metric: Metric, measured: Measured) -> list[Part]:
    query = frame.query
    wanted = {metric.dimension(name) or name: values for name, values in query.wanted.items()}
    grouped: dict[tuple[str, ...], list[Part]] = {}
    for part in measured.parts(metric.name, frozenset(wanted)):
        if filters.holds(wanted, part.labels):
            grouped.setdefault(tuple(part.labels[name] for name in wanted), []).append(part)
    found = [
        _stepped(together(parts, dict(zip(wanted, values, strict=True))), query.step)
        for values, parts in grouped.items()
    ]
    if len(found) > 1:
        aggregation, largest_first = query.order
        found.sort(key=lambda part: _size(part.values(aggregation)), reverse=largest_first)
    return found[: query.top]


def _stepped(part: Part, step: int) -> Part:
    if step == 1:
        return part
    return Part(
        part.labels,
        coarser(part.average, step, _mean),
        coarser(part.values("minimum"), step, min),
        coarser(part.values("maximum"), step, max),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _size(values: Values) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def _element(frame: Frame, metric: Metric, part: Part, faults: Sequence[Fault]) -> str:
    advertised = {name.lower() for name in metric.aggregations}
    columns = {name: part.values(name) for name in frame.query.aggregations if name in advertised}
    form = _form(metric, frame.query.step)
    if faults and columns:
        data = blemishes.spoilt(frame.writer, columns, form, faults)
    else:
        data = frame.writer.points(columns, form)
    return f'{{"metadatavalues":{_labels(frame, metric, part.labels)},"data":{data}}}'


def _labels(frame: Frame, metric: Metric, values: Labels) -> str:
    return labels([metric.dimension(name) or name for name in frame.query.wanted], values)


def _form(metric: Metric, step: int) -> str:
    if step == 1 and metric.unit == "Count" and metric.name != "GpuEnergyJoules":
        return "%s"
    return "%.3f"


def _head(metric: Metric, resource_id: str) -> dict[str, object]:
    return {
        "id": f"{resource_id}/providers/Microsoft.Insights/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric.name, "localizedValue": metric.name},
        "displayDescription": metric.description,
        "unit": metric.unit,
    }
