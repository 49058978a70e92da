"""Charts of business figures: what somebody's own systems say of each deployment, beside what Azure measures. Pure."""

from __future__ import annotations

from endpoints.metrics.figures import MOST_FIGURES, Kind
from endpoints.metrics.selectors import FigureRow, FigureSeries
from endpoints.metrics.windows import Grain
from endpoints.web import tables
from endpoints.web.charts import Line, Panel, Values
from endpoints.web.numbers import MISSING, percentage
from endpoints.web.plots import Chart, Scene, Subject, gaps_of
from endpoints.web.tables import Column
from endpoints.web.wording import NBSP, count, plural

__all__ = ["MOST_FIGURES", "PREFIX", "chart_of"]

PREFIX = "figure-"
"""Of such a chart's name in addresses, before the figure's own."""


def chart_of(scene: Scene, sent: FigureSeries) -> Chart:
    """One figure of all deployments. A step that nobody sent is a gap."""
    row = sent.figure
    lines = tuple(
        Line(one.name, _values(sent, one), one.place, hover=_hover(row), label=one.label)
        for one in scene.subjects
    )
    columns = [
        column
        for one in scene.subjects
        for column in (
            Column(one.name, _values(sent, one), "range", lambda value: _shown(row, value)),
            Column(f"{one.name}: observations", _counts(sent, one), "sum", tables.whole),
        )
    ]
    is_rate = row.kind is Kind.RATE
    return Chart(
        key=PREFIX + row.name,
        title=row.label,
        unit=_unit(row, scene.series.grain),
        panels=(Panel("", lines, ticks=" %" if is_rate else ""),),
        caption=_caption(scene, sent),
        table=tables.fold(scene.series, columns),
        gaps=gaps_of([_values(sent, one) for one in scene.subjects], scene.series),
    )


def _unit(row: FigureRow, grain: Grain) -> str:
    unit = "%" if row.kind is Kind.RATE else row.unit or "mean"
    return unit if grain is Grain.MINUTE else f"{unit}, by the {grain}"


def _hover(row: FigureRow) -> str:
    return "%{y:,.4~r} %" if row.kind is Kind.RATE else "%{y:,.4~r}"


def _values(sent: FigureSeries, one: Subject) -> Values:
    """A rate in percent, a mean in its unit."""
    found = sent.values.get(one.name.lower(), (None,) * len(sent.times))
    if sent.figure.kind is Kind.MEAN:
        return found
    return tuple(None if value is None else value * 100 for value in found)


def _counts(sent: FigureSeries, one: Subject) -> Values:
    return sent.counts.get(one.name.lower(), (None,) * len(sent.times))


def _shown(row: FigureRow, value: float | None) -> str:
    if value is None:
        return MISSING
    if row.kind is Kind.RATE:
        return percentage(value)
    return f"{value:,.4g}" + (f"{NBSP}{row.unit}" if row.unit else "")


def _caption(scene: Scene, sent: FigureSeries) -> str:
    said = [_sentence(scene, sent, one) for one in scene.subjects]
    if scene.series.grain is not Grain.MINUTE:
        said.append("Made of the minutes that are still kept.")
    return " ".join(said) or "It has no deployment, so there is nothing to show."


def _sentence(scene: Scene, sent: FigureSeries, one: Subject) -> str:
    """The figure of the whole range: counts and totals add up, so this is no mean of ratios."""
    values, counts = _values(sent, one), _counts(sent, one)
    known = [number for number in counts if number is not None]
    if not known:
        return f"{one.name}: nobody sent a value in this range."
    total = sum(known)
    if not total:
        return f"{one.name}: no observation in {plural(len(known), str(scene.series.grain))} that were sent."
    whole = sum(value * number for value, number in _both(values, counts)) / total
    text = f"{one.name}: {_shown(sent.figure, whole)} of {plural(round(total), 'observation')}"
    missing = _missing(scene, sent, one)
    unknown = f"; {count(missing)} {scene.series.grain}s were not sent" if missing else ""
    return f"{text}{unknown}."


def _both(values: Values, counts: Values) -> list[tuple[float, float]]:
    pairs = zip(values, counts, strict=True)
    return [(value, number) for value, number in pairs if value is not None and number is not None]


def _missing(scene: Scene, sent: FigureSeries, one: Subject) -> int:
    """Steps without a value since somebody sends it and the deployment is there, those aside that may only be late."""
    counts = _counts(sent, one)
    known = [place for place, number in enumerate(counts) if number is not None]
    began = min(scene.series.times[known[0]], max(sent.figure.made_at, one.born or sent.figure.made_at))
    steps = zip(scene.series.times[: known[-1]], counts[: known[-1]], strict=True)
    return sum(1 for time, number in steps if number is None and time >= began)
