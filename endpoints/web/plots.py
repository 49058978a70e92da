"""What each chart shows: lines and limits out of a series, the answer in words, and the numbers as a table. Pure.

A percentile is never averaged: a minute's is Azure's own, an hour's is its median minute's, beside its worst one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.inventory.selectors import SplitSpan
from endpoints.metrics.selectors import BudgetRow, Series, Share
from endpoints.metrics.windows import Grain
from endpoints.web import captions, tables
from endpoints.web.chart_axis import Axis
from endpoints.web.charts import SEGMENTS, Figure, Form, Limit, Line, Mark, Panel, Values, figure, runs
from endpoints.web.numbers import ms, share
from endpoints.web.tables import Column, Table

MOST_SUBJECTS = len(SEGMENTS)
"""Deployments in one chart; more than four hues can't be told apart."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A deployment as charts show it: its place in the split chooses the pattern. `weight` is percent, now.

    `born`: when Azure created it, None if it does not say.
    """

    id: int
    name: str
    place: int
    weight: int
    born: datetime | None = None

    @property
    def label(self) -> str:
        """What fits at the end of a line."""
        return self.name if len(self.name) <= 12 else f"{self.name[:11]}…"


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the charts of one stretch are made of. `splits`: when which one was certainly in force."""

    series: Series
    axis: Axis
    subjects: tuple[Subject, ...]
    budgets: tuple[BudgetRow, ...] = ()
    shares: Mapping[int, Share] | None = None
    marks: tuple[Mark, ...] = ()
    splits: tuple[SplitSpan, ...] = ()

    def values(self, subject: Subject, column: str) -> Values:
        """A column of a deployment; unknown all along where the series does not have it."""
        found = self.series.by_deployment.get(subject.id, {})
        return found.get(column) or (None,) * len(self.series.times)

    def requests(self, subject: Subject) -> Values:
        """Requests of each step: certainly none in steps that were over before the deployment was created."""
        values, born, step = self.values(subject, "requests"), subject.born, self.series.grain.step
        if born is None:
            return values
        return tuple(
            0.0 if value is None and begin + step <= born else value
            for begin, value in zip(self.series.times, values, strict=True)
        )

    @property
    def by_minute(self) -> bool:
        return self.series.grain is Grain.MINUTE


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `forms` say in words what each kind of line is, where a chart has several."""

    key: str
    title: str
    unit: str
    panels: tuple[Panel, ...]
    caption: str
    table: Table
    gaps: tuple[tuple[int, int], ...] = ()
    forms: str = ""
    same_top: bool = True

    def figure(self, scene: Scene) -> Figure:
        return figure(self.panels, scene.axis, marks=scene.marks, gaps=self.gaps, same_top=self.same_top)


def label_of(found: Chart) -> str:
    """What the picture is called for who does not see it: its title and its answer."""
    return f"{found.title}, {found.unit}. {found.caption}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A chart by its name in addresses, and what it needs to know of minutes, and of hours and days."""

    title: str
    unit: str
    minute: tuple[str, ...]
    rolled: tuple[str, ...]
    build: Callable[[Scene], Chart]

    def columns(self, grain: Grain) -> tuple[str, ...]:
        return self.minute if grain is Grain.MINUTE else self.rolled


def latency(scene: Scene) -> Chart:
    """One panel for each deployment, all to one scale."""
    panels = tuple(_latency_panel(scene, subject) for subject in scene.subjects)
    return Chart(
        key="latency",
        title="Latency",
        unit="ms",
        panels=panels,
        caption=captions.latency(scene.subjects, scene.series, scene.shares or {}, scene.budgets),
        table=_latency_table(scene),
        gaps=_gaps(scene, "requests", "p95"),
        forms="p50 dotted, p95 thick, p99 dashed"
        if scene.by_minute
        else f"median minute of each {scene.series.grain}: p50 dotted, p95 thick; worst minute's p95 dashed",
    )


def _latency_panel(scene: Scene, subject: Subject) -> Panel:
    third = ("p99", "p99") if scene.by_minute else ("p95_max", "p95, worst minute")
    wanted: tuple[tuple[str, str, Form], ...] = (
        ("p50", "p50", "low"),
        ("p95", "p95", "main"),
        (*third, "high"),
    )
    lines = tuple(
        Line(
            name=words,
            values=scene.values(subject, column),
            place=subject.place,
            form=form,
            hover="%{y:,.4~r} ms",
            label="worst" if column == "p95_max" else words,
        )
        for column, words, form in wanted
    )
    limits = _latency_limits(scene)
    over = _over(scene, scene.values(subject, "p95" if scene.by_minute else "p95_max"))
    return Panel(
        title=subject.name,
        lines=lines,
        limits=limits,
        limit_words=f"budget {ms(limits[-1].value)}" if limits else "",
        over=tuple(runs(over, join=max(1, len(over) // 200))),
    )


def _latency_limits(scene: Scene) -> tuple[Limit, ...]:
    return tuple(Limit(row.p95_ms, row.since, row.until) for row in scene.budgets if row.p95_ms is not None)


def limit_at(budgets: Sequence[BudgetRow], moment: datetime) -> float | None:
    """The latency limit in force at a moment."""
    for row in reversed(budgets):
        if row.since <= moment and (row.until is None or moment < row.until):
            return row.p95_ms
    return None


def _over(scene: Scene, values: Values) -> list[bool]:
    found = []
    for moment, value in zip(scene.series.times, values, strict=True):
        limit = None if value is None else limit_at(scene.budgets, moment)
        found.append(value is not None and limit is not None and value > limit)
    return found


def _latency_table(scene: Scene) -> Table:
    columns = []
    for subject in scene.subjects:
        known = _any_known(scene, subject, "requests", "p95")
        worst = scene.values(subject, "p95" if scene.by_minute else "p95_max")
        tail = scene.values(subject, "p99" if scene.by_minute else "p99_max")
        columns.append(Column(f"{subject.name}: worst p95", worst, "max", ms, known))
        columns.append(Column(f"{subject.name}: worst p99", tail, "max", ms, known))
        if scene.by_minute and scene.budgets:
            over = [
                None if value is None else float(flag)
                for value, flag in zip(worst, _over(scene, worst), strict=True)
            ]
            columns.append(Column(f"{subject.name}: minutes over", over, "sum", tables.whole, known))
    return tables.fold(scene.series, columns)


def errors(scene: Scene) -> Chart:
    """The classes of errors apart, as parts of all requests, to one scale."""
    classes = (
        ("status_5xx", "5xx"),
        ("model_errors", "Model errors (424, 408)"),
        ("status_429", "429, every replica busy"),
        ("status_4xx", "All 4xx, those included"),
    )
    limits = tuple(
        Limit(row.failure_share * 100, row.since, row.until)
        for row in scene.budgets
        if row.failure_share is not None
    )
    words = f"; budget {share(limits[-1].value / 100)} with model errors" if limits else ""
    panels = tuple(
        Panel(
            title=title + (words if column == "status_5xx" else ""),
            lines=tuple(_share_line(scene, subject, column) for subject in scene.subjects),
            limits=limits if column == "status_5xx" else (),
            top=1.0,
            ticks=" %",
        )
        for column, title in classes
    )
    columns = [
        Column(f"{subject.name}: {words}", scene.values(subject, column), "sum", tables.whole)
        for subject in scene.subjects
        for column, words in (
            ("requests", "requests"),
            ("status_5xx", "5xx"),
            ("model_errors", "model errors"),
            ("status_429", "429"),
            ("status_4xx", "all 4xx"),
        )
    ]
    return Chart(
        key="errors",
        title="Errors by class",
        unit="% of requests",
        panels=panels,
        caption=captions.errors(scene.subjects, scene.series, scene.budgets),
        table=tables.fold(scene.series, columns),
        gaps=_gaps(scene, "requests"),
    )


def _share_line(scene: Scene, subject: Subject, column: str) -> Line:
    parts, whole = scene.values(subject, column), scene.values(subject, "requests")
    values = [
        None if part is None or not all_ else part / all_ * 100
        for part, all_ in zip(parts, whole, strict=True)
    ]
    return _line(subject, values, "%{y:,.3~r} %")


def _line(subject: Subject, values: Values, hover: str, *, form: Form = "main") -> Line:
    return Line(subject.name, values, subject.place, form, hover, subject.label)


def requests(scene: Scene) -> Chart:
    """How much each deployment serves."""
    lines = tuple(_line(one, requests_per_minute(scene, one), "%{y:,.4~r}/min") for one in scene.subjects)
    columns = [Column(one.name, scene.values(one, "requests"), "sum", tables.whole) for one in scene.subjects]
    return Chart(
        key="requests",
        title="Requests",
        unit="per minute" if scene.by_minute else f"per minute, mean of the {scene.series.grain}",
        panels=(Panel("", lines),),
        caption=captions.requests(scene.subjects, scene.series),
        table=tables.fold(scene.series, columns),
        gaps=_gaps(scene, "requests"),
    )


def requests_per_minute(scene: Scene, subject: Subject) -> Values:
    """The minute's requests; of an hour or a day, the mean of those of its minutes that are known."""
    found = scene.values(subject, "requests")
    return found if scene.by_minute else _ratio(found, scene.values(subject, "request_minutes"))


def _ratio(parts: Values, wholes: Values) -> Values:
    return [
        None if part is None or not whole else part / whole for part, whole in zip(parts, wholes, strict=True)
    ]


def use(scene: Scene) -> Chart:
    """How busy the replicas are: of each minute the busiest one's."""
    kinds = (("cpu_max", "CPU"), ("memory_max", "memory"), ("gpu_max", "GPU"))
    shown = [
        (column, words)
        for column, words in kinds
        if column != "gpu_max" or any(_known(scene.values(one, column)) for one in scene.subjects)
    ]
    panels = tuple(
        Panel(
            title=f"{words[0].upper()}{words[1:]}, busiest replica",
            lines=tuple(_line(one, scene.values(one, column), "%{y:,.3~r} %") for one in scene.subjects),
            top=100,
            ticks=" %",
        )
        for column, words in shown
    )
    columns = [
        Column(f"{one.name}: {words}", scene.values(one, column), "max", tables.percent)
        for one in scene.subjects
        for column, words in shown
    ]
    return Chart(
        key="use",
        title="Utilisation",
        unit="%",
        panels=panels,
        caption=captions.use(scene.subjects, scene.series),
        table=tables.fold(scene.series, columns),
        gaps=_gaps(scene, "cpu_max", "memory_max"),
    )


def replicas(scene: Scene) -> Chart:
    """How many replicas Azure runs."""
    lines = tuple(_line(one, replicas_of(scene, one), "%{y:,.3~r}", form="step") for one in scene.subjects)
    columns = [Column(one.name, replicas_of(scene, one), "range", tables.plain) for one in scene.subjects]
    return Chart(
        key="replicas",
        title="Replicas",
        unit="running" if scene.by_minute else f"running, mean of the {scene.series.grain}",
        panels=(Panel("", lines, top=2),),
        caption=captions.replicas(scene.subjects, [replicas_of(scene, one) for one in scene.subjects]),
        table=tables.fold(scene.series, columns),
        gaps=_gaps(scene, "instances" if scene.by_minute else "instance_minutes"),
    )


def replicas_of(scene: Scene, subject: Subject) -> Values:
    if scene.by_minute:
        return scene.values(subject, "instances")
    return _ratio(scene.values(subject, "instance_minutes"), scene.values(subject, "capacity_minutes"))


def split(scene: Scene) -> Chart:
    """Whether traffic went as ordered: the ordered share as steps, the observed one as dots."""
    observed = observed_shares(scene)
    lines = []
    for subject in scene.subjects:
        ordered = ordered_share(scene, subject)
        lines.append(
            Line(f"{subject.name} ordered", ordered, subject.place, "step", "%{y:.0f} %", subject.label)
        )
        lines.append(
            Line(f"{subject.name} observed", observed[subject.id], subject.place, "dots", "%{y:,.3~r} %")
        )
    columns = []
    for subject in scene.subjects:
        columns.append(
            Column(f"{subject.name}: ordered", ordered_share(scene, subject), "range", tables.percent)
        )
        columns.append(
            Column(f"{subject.name}: requests", scene.values(subject, "requests"), "sum", tables.whole)
        )
    return Chart(
        key="split",
        title="Split, ordered and observed",
        unit="% of requests",
        panels=(Panel("", tuple(lines), top=100, ticks=" %"),),
        caption=captions.split(
            scene.subjects, [scene.requests(one) for one in scene.subjects], scene.series.grain
        ),
        table=tables.fold(scene.series, columns),
        gaps=_gaps(scene, "requests"),
        forms="ordered as a line, observed as dots",
    )


def ordered_share(scene: Scene, subject: Subject) -> Values:
    """The share that the split in force in the middle of each step gives it; None while that is not certain."""
    found: list[float | None] = []
    spans, half = iter(scene.splits), scene.series.grain.step / 2
    span = next(spans, None)
    for moment in scene.series.times:
        middle = min(moment + half, scene.axis.until)
        while span is not None and span.until < middle:
            span = next(spans, None)
        is_in = span is not None and span.since <= middle
        found.append(float(span.traffic.get(subject.name.lower(), 0)) if span is not None and is_in else None)
    return found


def observed_shares(scene: Scene) -> dict[int, list[float | None]]:
    """Each deployment's part of the requests of each step; unknown where those of one that existed are.

    Steps with fewer than 20 requests say nothing about a split, and are left out.
    """
    rows = [scene.requests(one) for one in scene.subjects]
    totals = [
        None if any(part is None for part in parts) else sum(part or 0.0 for part in parts)
        for parts in zip(*rows, strict=True)
    ]
    return {
        one.id: [
            None if total is None or total < FEWEST_REQUESTS or part is None else part / total * 100
            for part, total in zip(row, totals, strict=True)
        ]
        for one, row in zip(scene.subjects, rows, strict=True)
    }


FEWEST_REQUESTS = 20


def weight(scene: Scene) -> Chart:
    """The role of one deployment over time: the share of traffic that the split in force gave it."""
    subject = scene.subjects[0]
    shares = ordered_share(scene, subject)
    return Chart(
        key="weight",
        title="Share of traffic",
        unit="% ordered",
        panels=(Panel("", (_line(subject, shares, "%{y:.0f} %", form="step"),), top=100, ticks=" %"),),
        caption=captions.weight(subject.name, shares),
        table=tables.fold(scene.series, [Column("Ordered share", shares, "range", tables.percent)]),
        gaps=tuple(runs(value is None for value in shares)),
    )


def _known(values: Values) -> bool:
    return any(value is not None for value in values)


def _any_known(scene: Scene, subject: Subject, *columns: str) -> list[bool]:
    rows = [scene.values(subject, column) for column in columns]
    return [any(value is not None for value in parts) for parts in zip(*rows, strict=True)]


def _gaps(scene: Scene, *columns: str) -> tuple[tuple[int, int], ...]:
    """Where none of these columns is known of any deployment. What is only about to come is no gap."""
    return gaps_of([scene.values(one, column) for one in scene.subjects for column in columns], scene.series)


def gaps_of(rows: Sequence[Values], series: Series) -> tuple[tuple[int, int], ...]:
    """Where none of these rows has a value. What is only about to come is no gap."""
    if not rows:
        return ((0, len(series.times)),)
    unknown = [all(value is None for value in parts) for parts in zip(*rows, strict=True)]
    found = runs(unknown)
    if found and found[-1][1] == len(unknown) and found[-1][1] - found[-1][0] <= _TO_COME[series.grain]:
        found.pop()
    return tuple(found)


# The newest steps that Azure has not delivered yet: nothing is missing there, it is only early.
_TO_COME = {Grain.MINUTE: 5, Grain.HOUR: 2, Grain.DAY: 1}


_USED = ("cpu_avg", "cpu_max", "memory_avg", "memory_max", "gpu_avg", "gpu_max")
_COUNTED = ("requests", "status_4xx", "status_429", "status_5xx", "model_errors")
KINDS: Mapping[str, Kind] = {
    "latency": Kind(
        "Latency",
        "ms",
        ("p50", "p95", "p99", "requests"),
        ("p50", "p95", "p95_max", "p99_max", "requests", "idle_minutes"),
        latency,
    ),
    "errors": Kind("Errors by class", "% of requests", _COUNTED, _COUNTED, errors),
    "requests": Kind("Requests", "per minute", ("requests",), ("requests", "request_minutes"), requests),
    "split": Kind("Split, ordered and observed", "% of requests", ("requests",), ("requests",), split),
    "use": Kind(
        "Utilisation",
        "%",
        _USED,
        _USED,
        use,
    ),
    "replicas": Kind(
        "Replicas", "running", ("instances",), ("instance_minutes", "capacity_minutes"), replicas
    ),
    "weight": Kind("Share of traffic", "% ordered", (), (), weight),
}
