"""The charts of a rollout's page: what happened to candidate and stable since it started, and what gates made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, JsonResponse
from django.urls import reverse

from endpoints.access.policies import Action
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.selectors import ChangeProgress, Measured, change_progress, measurements_of
from endpoints.core.errors import NotFound
from endpoints.inventory import selectors as inventory
from endpoints.metrics import selectors as metrics
from endpoints.metrics.windows import MINUTE, Window
from endpoints.web import display, exports
from endpoints.web.business import MOST_FIGURES, chart_of
from endpoints.web.chart_axis import axis
from endpoints.web.charts import Figure as Drawn
from endpoints.web.charts import Mark
from endpoints.web.metrics import Figure
from endpoints.web.metrics import scene as scene_of
from endpoints.web.pages import PageRequest, on_object, page
from endpoints.web.plots import MOST_SUBJECTS, Chart, Scene, Subject, label_of
from endpoints.web.rollout import order, roles, step_marks
from endpoints.web.rollout_plots import COMPARED, begin_of, compared, gate_chart, step_of
from endpoints.web.wording import iso

BEFORE, SHORTEST = timedelta(minutes=15), timedelta(minutes=30)
MOST_MEASUREMENTS = 20_000
COLUMNS = (
    "step", "gate", "outcome", "value", "limit", "low", "high", "stable", "requests", "excused", "dry_run", "reason",
    "until", "measured_at",
)  # fmt: skip


def window_of(progress: ChangeProgress) -> Window:
    """From shortly before it started until it ended, or now; never so short that lines are dots."""
    now = display.current().moment()
    began = progress.row.started_at or now
    since = begin_of(began - BEFORE)
    return Window(since, max(progress.row.ended_at or now, since + SHORTEST))


def section(progress: ChangeProgress) -> dict[str, Any]:
    """All charts with their words and tables, for the page; nothing for a change that never started."""
    if progress.row.started_at is None or progress.live is None:
        return {"figures": [], "gate_figures": [], "subjects": (), "every": 60}
    window = window_of(progress)
    one = _scene(progress, window)
    query = urlencode({"since": iso(window.since), "until": iso(window.until)})
    place = {"ws": progress.row.workspace, "name": progress.row.endpoint}
    csv = f"{reverse('web:metrics_file', kwargs={**place, 'form': 'csv'})}?{query}"
    sent = f"{reverse('web:figures_file', kwargs={**place, 'form': 'csv'})}?{query}"
    said = reverse("web:change_measurements", kwargs={"number": progress.row.id, "form": "csv"})
    measured = measurements_of(progress.row.id, limit=MOST_MEASUREMENTS)
    known = roles(progress)
    charts = [_figure(progress, compared(kind, one, known), csv, "all metrics") for kind in COMPARED]
    charts += [_figure(progress, chart, sent, "all business figures") for chart in _business(progress, one)]
    return {
        "figures": charts,
        "gate_figures": [
            _figure(progress, _gate(progress, place, window, measured)[0], said, "all measurements")
            for place in range(len(progress.rollout.terms.gates))
        ],
        "subjects": [_named(subject, known) for subject in one.subjects],
        "zone_words": one.axis.title,
        "every": 60,
    }


def _figure(progress: ChangeProgress, chart: Chart, csv: str, all_of: str) -> Figure:
    address = reverse("web:change_chart", kwargs={"number": progress.row.id, "chart": chart.key})
    return Figure(chart, address, csv, all_of)


def _named(subject: Subject, known: dict[str, str]) -> Subject:
    role = known.get(subject.name.lower())
    return replace(subject, name=f"{role}: {subject.name}") if role else subject


def _scene(progress: ChangeProgress, window: Window) -> Scene:
    row = progress.row
    shown = inventory.endpoint_page(row.workspace_id, row.endpoint)
    lives = inventory.deployments_between(row.endpoint_id, since=window.since, until=window.until)
    subjects = _subjects(progress, lives)
    marks = tuple(Mark(at, label) for at, label in step_marks(progress))
    return scene_of(shown, subjects, window, ("latency", "errors", "requests"), marks)


def _subjects(progress: ChangeProgress, lives: Sequence[inventory.DeploymentLife]) -> list[Subject]:
    """The deployments of the plan; the place of each is the one that it has in the page's bars."""
    names = {name for step in progress.steps for name in (*step.split, *step.mirror, step.deployment) if name}
    names |= {*progress.base.split}
    placed = order(progress)
    newest = {life.name_key: life for life in lives if life.name_key in names}
    ranked = sorted(newest.values(), key=lambda life: placed.index(life.name_key))
    return [
        Subject(life.id, life.name, placed.index(life.name_key), 0, life.azure_created_at)
        for life in ranked[:MOST_SUBJECTS]
    ]


def _business(progress: ChangeProgress, one: Scene) -> list[Chart]:
    rows = metrics.figures(progress.row.endpoint_id, ended=False, limit=MOST_FIGURES).rows
    sent = metrics.figure_series(
        sorted(rows, key=lambda row: row.name),
        since=one.axis.since,
        until=one.axis.until,
        grain=one.series.grain,
    )
    return [chart_of(one, each) for each in sent]


def _gate(
    progress: ChangeProgress, place: int, window: Window, measured: Sequence[Measured]
) -> tuple[Chart, Drawn]:
    spec: GateSpec = progress.rollout.terms.gates[place]
    length = max(MINUTE, step_of(window.length))
    where = axis(window.since, window.until, begin=window.since, step=length, zone=display.current().zone)
    mine = [one for one in measured if one.gate == spec.name]
    marks = [Mark(at, label) for at, label in step_marks(progress)]
    found = gate_chart(spec, f"gate-{place}", mine, where, marks)
    return found.chart, found.figure


@page(on_object(Action.VIEW))
def chart(request: PageRequest, *, number: int, chart: str) -> HttpResponseBase:
    """One chart's figure with its words and table, as JSON for the page's own script."""
    progress = change_progress(request.principal, number)
    if progress.row.started_at is None or progress.live is None:
        raise NotFound(f"CR-{number} has no charts: it never started, or its endpoint is gone.")
    found, drawn = _drawn(progress, chart)
    return JsonResponse(
        {
            "figure": drawn,
            "caption": found.caption,
            "label": label_of(found),
            "table": {"head": found.table.head, "rows": found.table.rows},
        }
    )


def _drawn(progress: ChangeProgress, key: str) -> tuple[Chart, Drawn]:
    window = window_of(progress)
    places = {f"gate-{place}": place for place in range(len(progress.rollout.terms.gates))}
    if key in places:
        measured = measurements_of(progress.row.id, limit=MOST_MEASUREMENTS)
        return _gate(progress, places[key], window, measured)
    one = _scene(progress, window)
    if key in COMPARED:
        found: Chart | None = compared(key, one, roles(progress))
    else:
        found = next((each for each in _business(progress, one) if each.key == key), None)
    if found is None:
        raise NotFound(f"CR-{progress.row.id} has no chart {key}.")
    return found, found.figure(one)


@page(on_object(Action.VIEW))
def measurements_file(request: PageRequest, *, number: int, form: str) -> HttpResponseBase:
    """Everything that gates said, newest first."""
    if form not in ("csv", "json"):
        raise NotFound("Measurements are to be had as csv and json.")
    progress = change_progress(request.principal, number)
    found = measurements_of(progress.row.id, limit=MOST_MEASUREMENTS + 1)
    rows = [_row(one) for one in found[:MOST_MEASUREMENTS]]
    title = f"gates-CR-{number}"
    if form == "csv":
        return exports.as_csv(title, COLUMNS, rows)
    about = {
        "made_at": display.current().moment(),
        "change": f"CR-{number}",
        "complete": len(found) <= MOST_MEASUREMENTS,
    }
    return exports.as_json(title, COLUMNS, rows, about=about)


def _row(one: Measured) -> dict[str, Any]:
    return {
        "step": one.step + 1,
        "gate": one.gate,
        "outcome": one.outcome.value,
        "value": one.value,
        "limit": one.limit,
        **{name: one.detail.get(name) for name in ("low", "high", "stable")},
        "requests": one.requests,
        "excused": one.excused,
        "dry_run": one.dry_run,
        "reason": one.reason,
        "until": one.until,
        "measured_at": one.at,
    }
