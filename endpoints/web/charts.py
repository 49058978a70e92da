"""Plotly figures as plain dicts: lines, limits, marks on the time axis, and where nothing is known. Pure.

A colour is the name of a CSS variable ("--seg-1"): the browser puts in what the theme says. A pattern follows the
place of a deployment in the split, as in traffic bars, and never its name. What is None is a gap: no line crosses it,
and it is never drawn as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from endpoints.web.chart_axis import Axis

Values = Sequence[float | None]
Figure = dict[str, Any]
Form = Literal["main", "low", "high", "step", "dots"]

SEGMENTS = ("--seg-1", "--seg-2", "--seg-3", "--seg-4")
_DASHES = ("solid", "solid", "dash", "dashdot")
_FORMS: dict[Form, dict[str, Any]] = {
    "main": {"width": 2.8},
    "low": {"width": 1.5, "dash": "dot"},
    "high": {"width": 1.2, "dash": "dash"},
    "step": {"width": 2, "shape": "hv"},
    "dots": {"width": 1},
}
_ONE, _MORE, _FRAME = 200, 96, 72
"""Heights in pixels: of a panel alone, of each of several, of all that is around them."""
_GAP = 30
_WORDS_FROM = 0.07
"""A stretch without data takes words when it is at least this part of the axis."""
_LINE = 0.13
"""A line of text as a part of a panel's height."""
_CROWDED = 0.06
"""Marks nearer to each other than this part of the axis share a label."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel. `place` is the deployment's place in the split, from 0; `hover` formats y."""

    name: str
    values: Values
    place: int
    form: Form = "main"
    hover: str = "%{y:,.4~r}"
    label: str = ""
    """What stands at the line's end; "" for nothing."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force from `since` to `until`, None: as far as the axis goes."""

    value: float
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one vertical axis that begins at 0, or below it where a value does.

    `top`: what it reaches to at least; `over` is tinted.
    """

    title: str
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    limit_words: str = ""
    top: float = 0.0
    ticks: str = ""
    over: tuple[tuple[int, int], ...] = ()
    """Runs of steps, from the first up to and without the second, in which the limit was passed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. `label` is a few characters; drift has a line of its own kind."""

    at: datetime
    label: str
    is_drift: bool = False


def figure(
    panels: Sequence[Panel],
    axis: Axis,
    *,
    marks: Iterable[Mark] = (),
    gaps: Iterable[tuple[int, int]] = (),
    same_top: bool = True,
) -> Figure:
    """One figure of panels over one time axis. `gaps`: runs of steps in which nothing is known."""
    domains, height = _domains(len(panels))
    tops = [_top(panel) for panel in panels]
    if same_top:
        tops = [max(tops)] * len(tops)
    layout = _layout(axis, height, len(panels))
    # The first axis is that of the bands: what comes first is drawn below the rest.
    bands = list(gaps)
    layout["yaxis"] = _hidden()
    traces = [_bands(bands, axis)] if bands else []
    for number, (panel, domain, top) in enumerate(zip(panels, domains, tops, strict=True), start=2):
        key = f"y{number}"
        layout[key.replace("y", "yaxis")] = _vertical(panel, domain, top)
        traces += [trace for line in reversed(panel.lines) for trace in _traces(line, axis, key)]
        layout["shapes"] += _limit_shapes(panel, axis, key) + _over_shapes(panel, axis, key, top)
        layout["annotations"] += [
            _heading(panel, domain),
            *_limit_words(panel, axis, key),
            *_ends(panel, key, top),
        ]
    layout["margin"]["r"] = _room(panels)
    layout["annotations"] += _band_words(bands, axis)
    _add_marks(layout, list(marks), axis)
    return {"data": traces, "layout": layout}


def runs(flags: Iterable[bool], *, join: int = 0) -> list[tuple[int, int]]:
    """Where flags are set, as runs; those at most `join` steps apart are one."""
    found: list[tuple[int, int]] = []
    at = 0
    for is_set, group in groupby(flags):
        length = sum(1 for _ in group)
        if is_set:
            if found and at - found[-1][1] <= join:
                found[-1] = (found[-1][0], at + length)
            else:
                found.append((at, at + length))
        at += length
    return found


def rounded(value: float | None) -> float | None:
    """Four digits are more than a chart can show."""
    return None if value is None else float(f"{value:.4g}")


def _domains(count: int) -> tuple[list[tuple[float, float]], int]:
    """From top to bottom, each with its share of the height, and the height of all."""
    if count == 1:
        return [(0.0, 1.0)], _ONE + _FRAME
    inner = count * _MORE + (count - 1) * _GAP
    ends = [1 - number * (_MORE + _GAP) / inner for number in range(count)]
    return [(max(0.0, end - _MORE / inner), end) for end in ends], inner + _FRAME


def _top(panel: Panel) -> float:
    values = [value for line in panel.lines for value in line.values if value is not None]
    limits = [limit.value * 1.15 for limit in panel.limits]
    return max([max(values, default=0.0) * 1.08, *limits, panel.top]) or 1.0


def _bottom(panel: Panel) -> float:
    return min(
        (value for line in panel.lines for value in line.values if value is not None and value < 0), default=0
    )


def _layout(axis: Axis, height: int, panels: int) -> Figure:
    return {
        "height": height,
        "margin": {"l": 52, "r": 16, "t": 26, "b": 46},
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"bgcolor": "--surface", "bordercolor": "--border-strong", "font": {"color": "--text"}},
        "paper_bgcolor": "--surface",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "--text-2", "size": 12},
        "modebar": {"bgcolor": "--surface", "color": "--text-2", "activecolor": "--accent"},
        "dragmode": "zoom",
        "xaxis": {
            "type": "date",
            "range": [axis.at(axis.since), axis.at(axis.until)],
            "anchor": f"y{panels + 1}",
            "title": {"text": axis.title, "font": {"size": 12}, "standoff": 6},
            "gridcolor": "--border-soft",
            "linecolor": "--border-strong",
            "zeroline": False,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": "--text-2",
            "hoverformat": "%Y-%m-%d" if axis.step >= timedelta(days=1) else "%Y-%m-%d %H:%M",
        },
        "shapes": [],
        "annotations": [],
    }


def _vertical(panel: Panel, domain: tuple[float, float], top: float) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "range": [_bottom(panel), top],
        "fixedrange": True,
        "anchor": "x",
        "nticks": 4,
        "gridcolor": "--border-soft",
        "zeroline": True,
        "zerolinecolor": "--border-strong",
        "zerolinewidth": 1,
        "ticksuffix": panel.ticks,
        "tickformat": ",.4~r",
        "separatethousands": True,
    }


def _traces(line: Line, axis: Axis, key: str) -> list[dict[str, Any]]:
    """The line, and its points that have no neighbour: a line through one point is invisible."""
    values = [rounded(value) for value in line.values]
    color = SEGMENTS[min(line.place, len(SEGMENTS) - 1)]
    stroke = {"color": color, "dash": _DASHES[min(line.place, 3)]} | _FORMS[line.form]
    if line.place == 0 and line.form in ("main", "step"):
        stroke["width"] = 1.8  # drawn last, over wider ones: where two are the same, both are seen
    base = {"type": "scatter", "yaxis": key, "xaxis": "x", "connectgaps": False, "name": line.name}
    marker = {
        "color": color,
        "size": 5 if line.form != "dots" else 4,
        "symbol": "circle" if line.place != 1 else "diamond",
    }
    dots = line.form == "dots"
    drawn = base | {
        "mode": "markers" if dots else "lines",
        "x0": axis.at(axis.begin),
        "dx": axis.step_ms,
        "y": values,
        "hovertemplate": f"{line.hover}<extra>{line.name}</extra>",
    }
    drawn |= {"marker": marker} if dots else {"line": stroke}
    alone = [] if dots else _alone(values)
    if not alone:
        return [drawn]
    points = base | {
        "mode": "markers",
        "x": [axis.at(axis.begin + number * axis.step) for number in alone],
        "y": [values[number] for number in alone],
        "marker": marker,
        "hoverinfo": "skip",
    }
    return [drawn, points]


def _alone(values: Values) -> list[int]:
    known = [False, *(value is not None for value in values), False]
    return [
        number
        for number in range(len(values))
        if known[number + 1] and not (known[number] or known[number + 2])
    ]


def _heading(panel: Panel, domain: tuple[float, float]) -> dict[str, Any]:
    return _text(
        panel.title, xref="paper", x=0, xanchor="left", yref="paper", y=domain[1], yanchor="bottom"
    ) | {
        "font": {"color": "--text", "size": 12},
        "bgcolor": "--surface",
        "borderpad": 1,
    }


def _limit_shapes(panel: Panel, axis: Axis, key: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": key,
            "x0": axis.at(max(limit.since or axis.since, axis.since)),
            "x1": axis.at(min(limit.until or axis.until, axis.until)),
            "y0": limit.value,
            "y1": limit.value,
            "line": {"color": "--text", "width": 1.5, "dash": "dash"},
        }
        for limit in panel.limits
    ]


def _limit_words(panel: Panel, axis: Axis, key: str) -> list[dict[str, Any]]:
    if not panel.limits or not panel.limit_words:
        return []
    limit = panel.limits[-1]
    begins = max(limit.since or axis.since, axis.since)
    # Near the right edge there is no room for words that begin where the limit does.
    is_late = begins > axis.since + 0.6 * (axis.until - axis.since)
    place = {
        "xref": "x",
        "x": axis.at(begins),
        "xanchor": "right" if is_late else "left",
        "yref": key,
        "yanchor": "bottom",
    }
    return [
        _text(panel.limit_words, y=limit.value, **place)
        | {
            "font": {"color": "--text", "size": 11},
            "bgcolor": "--surface",
            "borderpad": 0,
        }
    ]


def _over_shapes(panel: Panel, axis: Axis, key: str, top: float) -> list[dict[str, Any]]:
    floor = min((limit.value for limit in panel.limits), default=0.0)
    return [
        {
            "type": "rect",
            "layer": "below",
            "xref": "x",
            "yref": key,
            "x0": axis.at(axis.begin + first * axis.step),
            "x1": axis.at(axis.begin + end * axis.step),
            "y0": floor,
            "y1": top,
            "fillcolor": "--bad-bg",
            "line": {"width": 0},
        }
        for first, end in panel.over
    ]


def _ends(panel: Panel, key: str, top: float) -> list[dict[str, Any]]:
    """Names at the ends of the lines, pushed apart where they would cover each other."""
    ends = []
    for line in panel.lines:
        known = [value for value in line.values if value is not None]
        if line.label and known:
            ends.append((known[-1], line))
    placed: list[dict[str, Any]] = []
    ends.sort(key=lambda one: one[0])
    for height, (_, line) in zip(_spread([value / top for value, _ in ends]), ends, strict=True):
        color = SEGMENTS[min(line.place, 3)] if line.place != 2 else "--text"
        words = _text(
            line.label, xref="paper", x=1.008, xanchor="left", yref=key, y=height * top, yanchor="middle"
        )
        placed.append(words | {"name": "end", "font": {"color": color, "size": 11}})
    return placed


def _spread(heights: Sequence[float]) -> list[float]:
    """Rising heights at least a line of text apart, none beyond the top."""
    found: list[float] = []
    for height in heights:
        found.append(max(height, found[-1] + _LINE if found else height))
    for place in range(len(found) - 1, -1, -1):
        found[place] = min(found[place], 1.0 - (len(found) - 1 - place) * _LINE)
    return found


def _room(panels: Sequence[Panel]) -> int:
    """Pixels on the right for the longest name at a line's end, or the words at a limit's."""
    names = [line.label for panel in panels for line in panel.lines]
    longest = max(map(len, [*names, *(panel.limit_words for panel in panels)]), default=0)
    return 12 + 7 * longest


def _hidden() -> dict[str, Any]:
    return {"domain": [0, 1], "range": [0, 1], "fixedrange": True, "visible": False, "anchor": "x"}


def _bands(gaps: list[tuple[int, int]], axis: Axis) -> dict[str, Any]:
    """Hatched over the whole height. Bars, because a shape can't be hatched."""
    return {
        "type": "bar",
        "name": "no data",
        "xaxis": "x",
        "yaxis": "y",
        "x": [axis.at(axis.begin + first * axis.step) for first, _ in gaps],
        "width": [(end - first) * axis.step_ms for first, end in gaps],
        "offset": 0,
        "y": [1] * len(gaps),
        "hoverinfo": "skip",
        "marker": {
            "color": "--sunken",
            "line": {"width": 0},
            "pattern": {
                "shape": "/",
                "size": 8,
                "solidity": 0.1,
                "fgcolor": "--unknown",
                "bgcolor": "--sunken",
            },
        },
    }


def _band_words(gaps: list[tuple[int, int]], axis: Axis) -> list[dict[str, Any]]:
    wide = [(first, end) for first, end in gaps if axis.part((end - first) * axis.step) >= _WORDS_FROM]
    return [
        _text(
            "no data",
            xref="x",
            x=axis.at(axis.begin + (first + end) / 2 * axis.step),
            xanchor="center",
            yref="paper",
            y=1,
            yanchor="top",
        )
        | {
            "font": {"color": "--unknown", "size": 12},
            "bgcolor": "--surface",
            "borderpad": 3,
            "name": "gap",
        }
        for first, end in wide
    ]


def _add_marks(layout: Figure, marks: list[Mark], axis: Axis) -> None:
    inside = sorted((mark for mark in marks if axis.since <= mark.at <= axis.until), key=lambda mark: mark.at)
    for mark in inside:
        layout["shapes"].append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": axis.at(mark.at),
                "x1": axis.at(mark.at),
                "y0": 0,
                "y1": 1,
                "line": {
                    "color": "--warn" if mark.is_drift else "--text-2",
                    "width": 1.5,
                    "dash": "dashdot" if mark.is_drift else "dot",
                },
            }
        )
    for group in _crowds(inside, axis):
        words = group[0].label if len(group) == 1 else f"{len(group)} marks"
        # At the right edge there is no room for what begins there.
        is_last = axis.part(axis.until - group[0].at) < _CROWDED
        place = {
            "xref": "x",
            "x": axis.at(group[0].at),
            "xanchor": "right" if is_last else "left",
            "yref": "paper",
            "y": 0,
            "yanchor": "bottom",
        }
        color = "--warn" if any(mark.is_drift for mark in group) else "--text-2"
        layout["annotations"].append(
            _text(words, **place)
            | {"font": {"color": color, "size": 11}, "bgcolor": "--surface", "name": "mark"}
        )


def _crowds(marks: list[Mark], axis: Axis) -> list[list[Mark]]:
    found: list[list[Mark]] = []
    for mark in marks:
        if found and axis.part(mark.at - found[-1][-1].at) < _CROWDED:
            found[-1].append(mark)
        else:
            found.append([mark])
    return found


def _text(text: str, **place: Any) -> dict[str, Any]:
    """An annotation without an arrow. A deployment's name is Azure's and can hold no markup; words are ours."""
    return {"text": text, "showarrow": False, **place}
