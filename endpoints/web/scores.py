"""How sure an endpoint's models were: each version's figures in a stretch, and their course by deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.challenges.selectors.scores import ENOUGH, Sum, VersionScores, scores
from endpoints.inventory import selectors as inventory
from endpoints.metrics.figures import Kind
from endpoints.metrics.selectors import FigureRow, figure_series
from endpoints.web import ranges
from endpoints.web.business import PREFIX, chart_of
from endpoints.web.metrics import Figure, history_in, marks_of, scene, subjects_of
from endpoints.web.numbers import MISSING, share
from endpoints.web.pages import PageRequest, on_workspace, page, render
from endpoints.web.wording import plural

_UNSURE = "version not certain"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of one version; `note` says of how much, and when that is not enough to compare."""

    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """One version in the table."""

    deployment: str
    version: str
    cells: tuple[Cell, ...]


@page(on_workspace(Action.VIEW))
def scores_page(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The stretch that the address names; the last hours else."""
    shown = inventory.endpoint_page(workspace.id, name)
    asked = ranges.shown(request.GET)
    window = asked.window
    found = scores(shown.id, window.since, window.until)
    lives = inventory.deployments_between(shown.id, since=window.since, until=window.until)
    subjects = subjects_of(shown, lives)
    one = scene(shown, subjects.shown, window, (), marks_of(history_in(shown.id, window)))
    place = {"ws": workspace.slug, "name": shown.name}
    home = reverse("web:scores", kwargs=place)
    csv = f"{reverse('web:figures_file', kwargs={**place, 'form': 'csv'})}?{asked.query}"
    series = figure_series(found.figures, since=one.axis.since, until=one.axis.until, grain=one.series.grain)
    context: dict[str, Any] = {
        "workspace": workspace,
        "name": shown.name,
        "asked": asked,
        "chips": ranges.chips(asked, home),
        "typed": asked.typed(),
        "range_home": home,
        "permalink": f"{home}?{asked.fixed}#metrics",
        "zone_words": one.axis.title,
        "heads": [row.label for row in found.figures],
        "lines": [_line(row, found.figures) for row in found.rows],
        "enough": ENOUGH,
        "subjects": subjects,
        "every": 60 if one.by_minute else 300,
        "charts": [
            Figure(
                chart_of(one, each),
                f"{reverse('web:chart', kwargs={**place, 'chart': PREFIX + each.figure.name})}?{asked.query}",
                csv,
                "all business figures",
            )
            for each in series
        ],
    }
    return render(request, "endpoint/scores.html", context, section="fleet")


def _line(row: VersionScores, figures: tuple[FigureRow, ...]) -> Line:
    cells = tuple(_cell(figure, row.sums[figure.name]) for figure in figures)
    return Line(row.deployment, row.model or _UNSURE, cells)


def _cell(figure: FigureRow, found: Sum) -> Cell:
    if found.value is None:
        return Cell(MISSING, "none")
    text = share(found.value) if figure.kind is Kind.RATE else f"{found.value:,.4g}"
    note = f"of {plural(found.count, 'answer')}"
    return Cell(text, note if found.is_enough else f"{note}: not enough to compare")
