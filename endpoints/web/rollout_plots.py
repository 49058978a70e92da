"""Charts of a rollout: candidate beside stable on one scale, and what each gate saw. Pure.

A gate's chart is of its measurements: the value, what the true one may be, and the limit. It is greyed while fewer
requests were known than the gate asks for, because then it says nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from endpoints.changes.gatespec import GateSpec
from endpoints.changes.selectors import Measured
from endpoints.web import captions, plots, tables
from endpoints.web.chart_axis import Axis
from endpoints.web.charts import SEGMENTS, Figure, Limit, Line, Mark, Panel, Values, figure, rounded, runs
from endpoints.web.numbers import MISSING, amount, ms, share
from endpoints.web.plots import Chart, Scene, Subject
from endpoints.web.rollout import figure as value_words
from endpoints.web.rollout import in_points, limit_words
from endpoints.web.tables import Column, Table
from endpoints.web.wording import clock

COMPARED = ("p95", "errors", "requests")
_APART = 4
"""Steps of a gate's chart between two measurements that one line may cross."""
MOST_ROWS = 50


def compared(kind: str, scene: Scene, roles: Mapping[str, str]) -> Chart:
    """One of `COMPARED`, of all deployments of the plan."""
    build = {"p95": _p95, "errors": _errors, "requests": _requests}[kind]
    return build(scene, roles)


def _line(subject: Subject, values: Values, hover: str, roles: Mapping[str, str]) -> Line:
    role = roles.get(subject.name.lower(), "")
    return Line(subject.name, values, subject.place, "main", hover, role or subject.label)


def _p95(scene: Scene, roles: Mapping[str, str]) -> Chart:
    """p95 as Azure tells it for each minute; of an hour, its worst minute's."""
    column = "p95" if scene.by_minute else "p95_max"
    rows = {one.id: scene.values(one, column) for one in scene.subjects}
    limits = tuple(Limit(row.p95_ms, row.since, row.until) for row in scene.budgets if row.p95_ms is not None)
    lines = tuple(_line(one, rows[one.id], "%{y:,.4~r} ms", roles) for one in scene.subjects)
    columns = [Column(f"{one.name}: worst p95", rows[one.id], "max", ms) for one in scene.subjects]
    return Chart(
        key="p95",
        title="p95 latency",
        unit="ms" if scene.by_minute else f"ms, worst minute of the {scene.series.grain}",
        panels=(Panel("", lines, limits, f"budget {ms(limits[-1].value)}" if limits else ""),),
        caption=captions.latency(scene.subjects, scene.series, scene.shares or {}, scene.budgets),
        table=tables.fold(scene.series, columns),
        gaps=plots.gaps_of(list(rows.values()), scene.series),
    )


def _errors(scene: Scene, roles: Mapping[str, str]) -> Chart:
    """What part of the requests failed, by the service's fault or the model's."""
    rows = {one.id: _failed(scene, one) for one in scene.subjects}
    limits = tuple(
        Limit(row.failure_share * 100, row.since, row.until)
        for row in scene.budgets
        if row.failure_share is not None
    )
    lines = tuple(_line(one, rows[one.id], "%{y:,.3~r} %", roles) for one in scene.subjects)
    words = f"budget {share(limits[-1].value / 100)}" if limits else ""
    columns = [
        Column(f"{one.name}: worst minute", rows[one.id], "max", tables.percent) for one in scene.subjects
    ]
    return Chart(
        key="errors",
        title="Failed requests",
        unit="% of requests, 5xx and model errors",
        panels=(Panel("", lines, limits, words, top=1.0, ticks=" %"),),
        caption=captions.errors(scene.subjects, scene.series, scene.budgets),
        table=tables.fold(scene.series, columns),
        gaps=plots.gaps_of(list(rows.values()), scene.series),
    )


def _failed(scene: Scene, subject: Subject) -> list[float | None]:
    columns = [scene.values(subject, name) for name in ("status_5xx", "model_errors", "requests")]
    return [
        None if service is None or model is None or not whole else (service + model) / whole * 100
        for service, model, whole in zip(*columns, strict=True)
    ]


def _requests(scene: Scene, roles: Mapping[str, str]) -> Chart:
    found = plots.requests(scene)
    lines = tuple(
        replace(line, label=roles.get(line.name.lower(), line.label)) for line in found.panels[0].lines
    )
    return replace(found, panels=(replace(found.panels[0], lines=lines),))


@dataclass(frozen=True, slots=True)
class GateChart:
    """One gate's measurements over time, as a chart and as its figure."""

    chart: Chart
    figure: Figure


def gate_chart(
    spec: GateSpec, key: str, measured: Sequence[Measured], axis: Axis, marks: Sequence[Mark] = ()
) -> GateChart:
    """Value, interval and limit of each measurement; `measured` is newest first."""
    steps = max(1, int((axis.until - axis.begin) / axis.step) + 1)
    newest: list[Measured | None] = [None] * steps
    for one in reversed(measured):
        place = int((one.until - axis.begin) / axis.step)
        if 0 <= place < steps:
            newest[place] = one
    values = _percents(newest, lambda one: one.value)
    low = _percents(newest, lambda one: one.detail.get("low"))
    high = _percents(newest, lambda one: one.detail.get("high"))
    beside = _percents(newest, lambda one: one.detail.get("stable"))
    limit = (spec.share if spec.counts_minutes else spec.limit) * 100
    shown = Line(spec.name, values, 1, "main", "%{y:,.3~r}", "candidate")
    lines = [shown]
    if not in_points(spec) and any(value is not None for value in beside):
        lines.append(Line("stable", beside, 0, "low", "%{y:,.3~r}", "stable"))
    panel = Panel("", tuple(lines), (Limit(limit),), "limit", top=_top(high, limit))
    chart = Chart(
        key=key,
        title=spec.name,
        unit="points beyond stable" if in_points(spec) else "% of minutes" if spec.counts_minutes else "%",
        panels=(panel,),
        caption=_gate_words(spec, measured),
        table=_gate_table(spec, measured),
        forms="band: what the true value may be" if any(value is not None for value in high) else "",
    )
    drawn = figure(chart.panels, axis, marks=marks)
    drawn["data"] = _band(low, high, axis) + drawn["data"]
    drawn["layout"]["shapes"] += _too_few(spec, newest, axis)
    return GateChart(chart, drawn)


def _percents(newest: Sequence[Measured | None], value: Callable[[Measured], float | None]) -> Values:
    """What was said last holds until another thing is said, for as long as measurements keep coming."""
    found: list[float | None] = []
    last: Measured | None = None
    for place, one in enumerate(newest):
        last = one or last
        goes_on = any(newest[place : place + _APART])
        number = value(last) if last is not None and goes_on else None
        found.append(None if number is None else number * 100)
    return found


def _top(high: Values, limit: float) -> float:
    """An interval of a few requests reaches up to everything, and would make the rest flat."""
    known = [value for value in high if value is not None]
    return min(max(known, default=0.0), limit * 4)


def _band(low: Values, high: Values, axis: Axis) -> list[Figure]:
    if not any(value is not None for value in high):
        return []
    color = SEGMENTS[1]
    base = {
        "type": "scatter", "mode": "lines", "xaxis": "x", "yaxis": "y2", "connectgaps": False,
        "x0": axis.at(axis.begin), "dx": axis.step_ms, "line": {"color": color, "width": 0.8}, "hoverinfo": "skip",
    }  # fmt: skip
    return [
        base | {"name": "lowest", "y": [rounded(value) for value in low]},
        base
        | {
            "name": "highest",
            "y": [rounded(value) for value in high],
            "fill": "tonexty",
            "fillcolor": "--band",
        },
    ]


def _too_few(spec: GateSpec, newest: Sequence[Measured | None], axis: Axis) -> list[Figure]:
    few = [one is not None and (one.requests or 0) < spec.min_requests for one in newest]
    return [
        {
            "type": "rect",
            "layer": "below",
            "xref": "x",
            "yref": "paper",
            "x0": axis.at(axis.begin + first * axis.step),
            "x1": axis.at(axis.begin + end * axis.step),
            "y0": 0,
            "y1": 1,
            "fillcolor": "--sunken",
            "line": {"width": 0},
        }
        for first, end in runs(few, join=2)
    ]


_OUTCOMES = {
    "pass": "within",
    "fail": "over",
    "inconclusive": "not enough data",
    "error": "cannot tell",
    "warn": "warning",
}


def _gate_words(spec: GateSpec, measured: Sequence[Measured]) -> str:
    if not measured:
        return "It was not measured yet."
    last = measured[0]
    low, high = last.detail.get("low"), last.detail.get("high")
    between = (
        f" The true value is between {value_words(spec, low)} and {value_words(spec, high)}."
        if low is not None and high is not None
        else ""
    )
    few = (
        f" Greyed: fewer than the {amount(spec.min_requests)} requests that it needs."
        if (last.requests or 0) < spec.min_requests
        else ""
    )
    said = limit_words(spec, last.limit, known=last.value is not None)
    return f"{value_words(spec, last.value).capitalize()}; {said}.{between}{few}"


def _gate_table(spec: GateSpec, measured: Sequence[Measured]) -> Table:
    """Evenly thinned where there are many: the newest and as many before it as can be read."""
    every = max(1, -(-len(measured) // MOST_ROWS))
    rows = tuple(
        (
            clock(one.until),
            value_words(spec, one.value),
            _interval(spec, one),
            MISSING if one.requests is None else amount(one.requests),
            "excused" if one.excused else _OUTCOMES[one.outcome.value],
        )
        for one in measured[::every]
    )
    length = "one measurement" if every == 1 else f"one in {every} measurements"
    return Table(length, ("Value", "True value between", "Requests", "Said"), rows)


def _interval(spec: GateSpec, one: Measured) -> str:
    low, high = one.detail.get("low"), one.detail.get("high")
    return (
        MISSING if low is None or high is None else f"{value_words(spec, low)} and {value_words(spec, high)}"
    )


def step_of(length: timedelta) -> timedelta:
    """How long a step of a gate's chart is: a minute, or as much as makes some hundreds of them."""
    return timedelta(minutes=max(1, round(length / timedelta(minutes=400))))


def begin_of(since: datetime) -> datetime:
    return since.replace(second=0, microsecond=0)
