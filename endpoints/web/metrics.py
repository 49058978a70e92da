"""Metrics of one endpoint or deployment on its page: the stretch, its charts with words and tables, and files of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from django.urls import reverse

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.core.errors import Invalid, NotFound
from endpoints.inventory import selectors as inventory
from endpoints.inventory.selectors import DeploymentLife, EndpointPage, HistoryItem
from endpoints.metrics import selectors as metrics
from endpoints.metrics.columns import MINUTE
from endpoints.metrics.selectors import COLUMNS, Brief, FigureRow, FigureSeries, Series
from endpoints.metrics.selectors.boundaries import finest_grain
from endpoints.metrics.windows import Window
from endpoints.web import display, exports, ranges
from endpoints.web.bars import order_of
from endpoints.web.business import MOST_FIGURES, PREFIX, chart_of
from endpoints.web.chart_axis import axis
from endpoints.web.charts import Mark
from endpoints.web.fresh import Chip
from endpoints.web.latest import STATES
from endpoints.web.pages import PageRequest, on_workspace, page
from endpoints.web.plots import KINDS, MOST_SUBJECTS, Chart, Scene, Subject, label_of
from endpoints.web.wording import moment_words, span

CHARTS = ("latency", "errors", "requests", "split", "use", "replicas")
DEPLOYMENT_CHARTS = ("latency", "errors", "requests", "weight", "use", "replicas")
FIGURE_COLUMNS = ("time", "figure", "deployment", "count", "total", "value")
MOST_MARKS = 200
MOST_ROWS = 60_000
"""Rows in a file of metrics: a day of minutes of forty deployments."""
_TOO_MANY = (
    f"That is more than {MOST_ROWS:,} rows. Ask for one deployment, or for a shorter time. No file was made."
)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The deployments that charts show, and how many more there are."""

    shown: tuple[Subject, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart in a page: what it says without the picture, and where the picture's data is. `csv` holds `all_of`."""

    chart: Chart
    address: str
    csv: str
    all_of: str = "all metrics"

    @property
    def panels(self) -> int:
        return len(self.chart.panels)


def subjects_of(shown: EndpointPage, lives: Sequence[DeploymentLife], only: str = "") -> Subjects:
    """Those with most traffic first; the place of each is the one that it has in traffic bars."""
    order = order_of(shown.traffic, names=[life.name for life in lives])
    newest: dict[str, DeploymentLife] = {}
    for life in lives:
        newest.setdefault(life.name_key, life)
    ranked = sorted(
        newest.values(), key=lambda life: (life.deleted_at is not None, order.index(life.name_key))
    )
    found = [
        Subject(
            life.id,
            life.name,
            order.index(life.name_key),
            shown.traffic.get(life.name_key, 0),
            life.azure_created_at,
        )
        for life in ranked
        if not only or life.name_key == only.lower()
    ]
    return Subjects(tuple(found[:MOST_SUBJECTS]), max(0, len(found) - MOST_SUBJECTS))


def scene(
    shown: EndpointPage,
    subjects: Sequence[Subject],
    window: Window,
    kinds: Iterable[str],
    marks: tuple[Mark, ...],
) -> Scene:
    """Everything that these charts need, in one query for the values and a few for what they are held against."""
    now, wanted = display.current().moment(), [KINDS[kind] for kind in kinds]
    ids = [one.id for one in subjects]
    found = _series(ids, window, wanted, now)
    is_latency = any(kind.build is KINDS["latency"].build for kind in wanted)
    is_split = any(kind.build in (KINDS["split"].build, KINDS["weight"].build) for kind in wanted)
    place = axis(
        window.since,
        window.until,
        begin=found.times[0] if found.times else window.since,
        step=found.grain.step,
        zone=display.current().zone,
    )
    return Scene(
        series=found,
        axis=place,
        subjects=tuple(subjects),
        budgets=metrics.budgets_between(shown.id, window.since, window.until),
        shares=metrics.over_budget(shown.id, ids, since=window.since, until=window.until, now=now)
        if is_latency
        else None,
        marks=marks,
        splits=inventory.split_spans(shown.id, since=window.since, until=window.until) if is_split else (),
    )


def _series(ids: list[int], window: Window, kinds: Sequence[Any], now: datetime) -> Series:
    """The columns of these charts. The grain is the series' own choice, and columns follow from it."""
    grain = finest_grain(window.since, window.until, now)
    columns = tuple(dict.fromkeys(column for kind in kinds for column in kind.columns(grain)))
    return metrics.series(
        ids, since=window.since, until=window.until, grain=grain, columns=columns or ("requests",), now=now
    )


def marks_of(items: Iterable[HistoryItem]) -> tuple[Mark, ...]:
    """Changes, drift and other new states on the time axis."""
    return tuple(Mark(item.latest, _label(item), item.cause == "drift") for item in items)


def _label(item: HistoryItem) -> str:
    kind, _, number = item.cause.partition(":")
    if kind == "change":
        return f"CR-{number}"
    if item.cause == "drift":
        return "drift"
    if item.is_deletion:
        return "deleted"
    return item.changes[0].label[:12] if item.changes else "changed"


def history_in(endpoint_id: int, window: Window, deployment: str = "") -> tuple[HistoryItem, ...]:
    """What began in the stretch: of the endpoint and its deployments, or of the endpoint and one of them."""
    items = inventory.history(endpoint_id, limit=MOST_MARKS).items
    return tuple(
        item
        for item in items
        if not item.is_first
        and window.since <= item.latest <= window.until
        and (not deployment or item.deployment in ("", deployment))
    )


def section(request: PageRequest, shown: EndpointPage, *, home: str, deployment: str = "") -> dict[str, Any]:
    """The Metrics section of a page at `home`, of all deployments or of one."""
    asked = ranges.shown(request.GET)
    lives = inventory.deployments_between(shown.id, since=asked.window.since, until=asked.window.until)
    subjects = subjects_of(shown, lives, deployment)
    items = history_in(shown.id, asked.window, deployment)
    names: tuple[str, ...] = DEPLOYMENT_CHARTS if deployment else CHARTS
    if not deployment and len(subjects.shown) < 2:
        names = tuple(name for name in names if name != "split")
    one = scene(shown, subjects.shown, asked.window, names, marks_of(items))
    place = {"ws": shown.workspace, "name": shown.name}
    query = asked.query + (f"&deployment={deployment}" if deployment else "")
    files = {form: reverse("web:metrics_file", kwargs={**place, "form": form}) for form in ("csv", "json")}
    return {
        "scene": one,
        "asked": asked,
        "chips": ranges.chips(asked, home),
        "typed": asked.typed(),
        "range_home": home,
        "permalink": f"{home}?{asked.fixed}#metrics",
        "zone_words": one.axis.title,
        "grain": one.series.grain,
        "figures": [
            Figure(
                KINDS[name].build(one),
                f"{reverse('web:chart', kwargs={**place, 'chart': name})}?{query}",
                f"{files['csv']}?{query}",
            )
            for name in names
        ],
        "business": _business(one, shown, query),
        "subjects": subjects,
        "metric_files": {form: f"{address}?{query}" for form, address in files.items()},
        "known_until": one.series.known_until,
        "marked": items,
        "every": 60 if one.by_minute else 300,
    }


def _business(one: Scene, shown: EndpointPage, query: str) -> list[Figure]:
    """The business figures of the stretch; there are none unless somebody sends some."""
    place = {"ws": shown.workspace, "name": shown.name}
    csv = f"{reverse('web:figures_file', kwargs={**place, 'form': 'csv'})}?{query}"
    return [
        Figure(
            chart_of(one, each),
            f"{reverse('web:chart', kwargs={**place, 'chart': PREFIX + each.figure.name})}?{query}",
            csv,
            "all business figures",
        )
        for each in _sent(one, metrics.figures(shown.id, ended=False, limit=MOST_FIGURES).rows)
    ]


def _sent(one: Scene, rows: Sequence[FigureRow]) -> tuple[FigureSeries, ...]:
    window = one.axis
    return metrics.figure_series(
        sorted(rows, key=lambda row: row.name), since=window.since, until=window.until, grain=one.series.grain
    )


@page(on_workspace(Action.VIEW))
def chart(request: PageRequest, *, workspace: WorkspaceRow, name: str, chart: str) -> HttpResponseBase:
    """One chart's figure with its words and table, as JSON for the page's own script."""
    is_business = chart.startswith(PREFIX)
    if chart not in KINDS and not is_business:
        raise NotFound(f"There is no chart {chart}.")
    shown = inventory.endpoint_page(workspace.id, name)
    row = metrics.figure_named(shown.id, chart.removeprefix(PREFIX)) if is_business else None
    asked = ranges.shown(request.GET)
    only = request.GET.get("deployment", "")[:64]
    lives = inventory.deployments_between(shown.id, since=asked.window.since, until=asked.window.until)
    subjects = subjects_of(shown, lives, only)
    if not subjects.shown and row is None:
        raise NotFound(f"{name} has no deployment {only}.")
    marks = marks_of(history_in(shown.id, asked.window, only))
    one = scene(shown, subjects.shown, asked.window, () if row else (chart,), marks)
    found = chart_of(one, _sent(one, [row])[0]) if row else KINDS[chart].build(one)
    return JsonResponse(
        {
            "figure": found.figure(one),
            "caption": found.caption,
            "label": label_of(found),
            "table": {"head": found.table.head, "rows": found.table.rows},
        }
    )


@page(on_workspace(Action.VIEW))
def metrics_file(request: PageRequest, *, workspace: WorkspaceRow, name: str, form: str) -> HttpResponseBase:
    """Every value of the stretch, in UTC: one row for a deployment and a step."""
    if form not in ("csv", "json"):
        raise NotFound("Metrics are to be had as csv and json.")
    shown = inventory.endpoint_page(workspace.id, name)
    asked = ranges.shown(request.GET)
    if asked.problem:
        raise Invalid(asked.problem)
    only = request.GET.get("deployment", "")[:64].lower()
    lives = inventory.deployments_between(shown.id, since=asked.window.since, until=asked.window.until)
    chosen = {life.id: life.name for life in lives if not only or life.name_key == only}
    window = asked.window
    found = metrics.series(chosen, since=window.since, until=window.until, now=display.current().moment())
    if len(found.times) * len(chosen) > MOST_ROWS:
        raise Invalid(_TOO_MANY)
    columns = ("time", "deployment", "grain", *COLUMNS[found.grain])
    rows = (
        {"time": time, "deployment": chosen[number], "grain": str(found.grain)}
        | {column: values[at] for column, values in found.by_deployment[number].items()}
        for number in chosen
        for at, time in enumerate(found.times)
        if any(values[at] is not None for values in found.by_deployment[number].values())
    )
    title = f"metrics-{workspace.slug}-{shown.name}-{window.since:%Y%m%dT%H%MZ}-{window.until:%Y%m%dT%H%MZ}"
    if form == "csv":
        return exports.as_csv(title, columns, rows)
    about = {
        "made_at": display.current().moment(),
        "workspace": workspace.slug,
        "endpoint": shown.name,
        "since": window.since,
        "until": window.until,
        "units": {column.name: column.unit for column in MINUTE},
        "left_out": "steps of which nothing is known",
    }
    return exports.as_json(title, columns, rows, about=about)


@page(on_workspace(Action.VIEW))
def figures_file(request: PageRequest, *, workspace: WorkspaceRow, name: str, form: str) -> HttpResponseBase:
    """Every value of the stretch that somebody sent, in UTC: one row for a figure, a deployment and a minute."""
    if form not in ("csv", "json"):
        raise NotFound("Business figures are to be had as csv and json.")
    shown = inventory.endpoint_page(workspace.id, name)
    asked = ranges.shown(request.GET)
    if asked.problem:
        raise Invalid(asked.problem)
    window, only = asked.window, request.GET.get("deployment", "")[:64]
    rows: list[dict[str, Any]] = []
    for row in metrics.figures(shown.id, ended=False, limit=MOST_FIGURES).rows:
        left = MOST_ROWS - len(rows)
        found = metrics.sent_minutes(row.id, window.since, window.until, deployment=only, limit=left or 1)
        if found.next_after or (found.rows and not left):
            raise Invalid(_TOO_MANY)
        rows += [
            {
                "time": one.minute,
                "figure": row.name,
                "deployment": one.deployment,
                "count": one.count,
                "total": one.total,
                "value": one.value,
            }
            for one in found.rows
        ]
    title = f"figures-{workspace.slug}-{shown.name}-{window.since:%Y%m%dT%H%MZ}-{window.until:%Y%m%dT%H%MZ}"
    if form == "csv":
        return exports.as_csv(title, FIGURE_COLUMNS, rows)
    about = {
        "made_at": display.current().moment(),
        "workspace": workspace.slug,
        "endpoint": shown.name,
        "since": window.since,
        "until": window.until,
        "left_out": "minutes that nobody sent",
    }
    return exports.as_json(title, FIGURE_COLUMNS, rows, about=about)


# Azure delivers a minute some three minutes after it is over; an endpoint's data older than that is late.
_OLD_SECONDS, _LOST_SECONDS = 360, 1200


def chip_of_metrics(brief: Brief) -> Chip:
    """How old the newest known minute is; why there is none, else."""
    if brief.minute is None or brief.age_seconds is None:
        return Chip("lost", f"Metrics: {STATES.get(brief.state, str(brief.state))}")
    seconds = brief.age_seconds
    text = f"Metrics {span(seconds)} old, the newest minute {moment_words(brief.minute)}"
    if brief.state in STATES:
        text += f": {STATES[brief.state]}"
    if seconds > _LOST_SECONDS:
        return Chip("lost", text)
    return Chip("old" if seconds > _OLD_SECONDS or brief.state in STATES else "fresh", text)
