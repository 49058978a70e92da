"""Charts of a pack as lines and texts on a plane, for its SVG files and its PDF alike. Pure.

What is not known is a gap: no line crosses it, and it is never drawn as zero. Lines differ by dashes as well as
colours, and never by the name of a deployment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from endpoints.challenges.pack.parts import Chart, Line
from endpoints.challenges.words import clock, decimal

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 62
_TICKS = 6
INK, FAINT, MARK = "#1C2430", "#C5CAD3", "#A8141C"
_STYLES = (("#4A5361", ()), ("#B45309", (6, 3)), ("#00695C", (2, 2)), ("#5B3A8C", (8, 3, 2, 3)))
_LEGEND_WIDTH = 150
_MOST_NAMED = 4
_LONGEST_NAME = 22


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; y grows downwards."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    dashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A text whose baseline is at y. `anchor`: "start", "middle" or "end" at x."""

    x: float
    y: float
    text: str
    size: int = 10
    anchor: str = "start"
    is_bold: bool = False


def drawn(chart: Chart) -> tuple[Stroke | Words, ...]:
    """Everything that is to be drawn of a chart."""
    most = ceiling(chart)
    return (
        Words(8, 18, f"{chart.title} ({chart.unit})", 12, is_bold=True),
        *_frame(chart, most),
        *(stroke for place, line in enumerate(chart.lines) for stroke in _strokes(chart, line, place, most)),
        *_mark(chart),
        *_legend(chart),
    )


def svg(chart: Chart) -> bytes:
    """The chart as a file of its own, with its values in words for those who can't see it."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif">',
        f"<title>{escape(chart.title)}</title>",
        f"<desc>{escape(in_words(chart))}</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        *(_stroke_svg(one) if isinstance(one, Stroke) else _words_svg(one) for one in drawn(chart)),
        "</svg>",
    ]
    return ("\n".join(parts) + "\n").encode()


def in_words(chart: Chart) -> str:
    """Each line's smallest and largest value, how much of it is unknown, and what it was at the mark."""
    return " ".join([*(_line_in_words(chart, line) for line in chart.lines), chart.source]).strip()


def ceiling(chart: Chart) -> float:
    """A round number that no value passes."""
    most = max((value for line in chart.lines for value in line.values if value is not None), default=0.0)
    if most <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(most))
    return float(next(step * unit for step in (1, 2, 2.5, 5, 10) if step * unit >= most * 0.999999))


def _line_in_words(chart: Chart, line: Line) -> str:
    known = [value for value in line.values if value is not None]
    if not known:
        return f"{line.name}: nothing is known."
    missing = len(line.values) - len(known)
    gaps = f", {missing} of {len(line.values)} not known" if missing else ""
    told = f"{line.name}: {_number(min(known))} to {_number(max(known))} {chart.unit}{gaps}"
    place = _place_of_mark(chart)
    if place is None:
        return f"{told}."
    there = line.values[place]
    return f"{told}; at the request {'not known' if there is None else _number(there)}."


def _place_of_mark(chart: Chart) -> int | None:
    before = [place for place, at in enumerate(chart.times) if chart.mark is not None and at <= chart.mark]
    return before[-1] if before else None


def _number(value: float) -> str:
    return decimal(value, 2) or ""


def _x(chart: Chart, at: datetime) -> float:
    first, last = chart.times[0], chart.times[-1]
    whole = (last - first).total_seconds() or 1.0
    share = (at - first).total_seconds() / whole
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 2)


def _y(value: float, most: float) -> float:
    return round(HEIGHT - _BOTTOM - value / most * (HEIGHT - _TOP - _BOTTOM), 2)


def _frame(chart: Chart, most: float) -> Iterator[Stroke | Words]:
    for share in (0.0, 0.5, 1.0):
        y = _y(share * most, most)
        yield Stroke(((_LEFT, y), (WIDTH - _RIGHT, y)), FAINT)
        yield Words(_LEFT - 6, y + 3, _number(share * most), anchor="end")
    for at in _ticks(chart.times):
        yield Words(_x(chart, at), HEIGHT - _BOTTOM + 14, f"{at.astimezone(UTC):%H:%M}", anchor="middle")
    if chart.times:
        yield Words(_LEFT, HEIGHT - _BOTTOM + 28, f"{chart.times[0].astimezone(UTC):%Y-%m-%d} UTC")


def _ticks(times: Sequence[datetime]) -> Sequence[datetime]:
    return times[:: max(1, math.ceil(len(times) / _TICKS))]


def _strokes(chart: Chart, line: Line, place: int, most: float) -> Iterator[Stroke]:
    colour, dashes = _STYLES[place % len(_STYLES)]
    known = zip(chart.times, line.values, strict=True)
    for is_known, run in groupby(known, key=lambda one: one[1] is not None):
        if is_known:
            points = [(_x(chart, at), _y(value or 0.0, most)) for at, value in run]
            yield Stroke(tuple(_stepped(points) if chart.is_stepped else _wide(points)), colour, 1.8, dashes)


def _wide(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A single value between two gaps is seen as a short line."""
    return [*points, (points[0][0] + 2, points[0][1])] if len(points) == 1 else points


def _stepped(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    corners = [points[0]]
    for x, y in points[1:]:
        corners += [(x, corners[-1][1]), (x, y)]
    return _wide(corners)


def _mark(chart: Chart) -> Iterator[Stroke | Words]:
    if chart.mark is None or not chart.times or not chart.times[0] <= chart.mark <= chart.times[-1]:
        return
    x = _x(chart, chart.mark)
    yield Stroke(((x, _TOP - 4), (x, HEIGHT - _BOTTOM)), MARK, 1.2, (3, 2))
    yield Words(WIDTH - _RIGHT, HEIGHT - _BOTTOM + 28, f"request at {clock(chart.mark)}", anchor="end")


def _legend(chart: Chart) -> Iterator[Stroke | Words]:
    for place, line in enumerate(chart.lines[:_MOST_NAMED]):
        x, y = _LEFT + place * _LEGEND_WIDTH, HEIGHT - 12
        colour, dashes = _STYLES[place % len(_STYLES)]
        yield Stroke(((x, y - 4), (x + 22, y - 4)), colour, 1.8, dashes)
        name = line.name if len(line.name) <= _LONGEST_NAME else f"{line.name[: _LONGEST_NAME - 1]}…"
        yield Words(x + 28, y, name)


def _stroke_svg(one: Stroke) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in one.points)
    dashes = f' stroke-dasharray="{",".join(map(str, one.dashes))}"' if one.dashes else ""
    return f'<polyline fill="none" stroke="{one.colour}" stroke-width="{one.width:g}"{dashes} points="{points}"/>'


def _words_svg(one: Words) -> str:
    bold = ' font-weight="bold"' if one.is_bold else ""
    return (
        f'<text x="{one.x:g}" y="{one.y:g}" font-size="{one.size}" text-anchor="{one.anchor}" fill="{INK}"{bold}>'
        f"{escape(one.text)}</text>"
    )
