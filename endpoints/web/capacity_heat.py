"""When capacity is used: deployments by hour of the week, as rows of one hue with words and numbers beside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from endpoints.capacity.selectors.heatmap import HOURS, Cell, HeatRow
from endpoints.web.capacity_money import cents, part_of
from endpoints.web.numbers import MISSING
from endpoints.web.wording import NBSP, UNKNOWN, plural

UNIT = 6
"""SVG units of an hour."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNKNOWN_LEVEL = -1
LEGEND = (
    (0, "no request"),
    (1, f"up to 25{NBSP}% of the time"),
    (2, f"to 50{NBSP}%"),
    (3, f"to 75{NBSP}%"),
    (4, "more"),
    (UNKNOWN_LEVEL, "not known"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Hours side by side of one level."""

    left: int
    width: int
    level: int


@dataclass(frozen=True, slots=True)
class HeatLine:
    """One deployment. `values`: percent by hour of the week, "" where it is not known."""

    name: str
    workspace: str
    deployment_id: int
    money: str
    idle: str
    label: str
    runs: tuple[Run, ...]
    values: str
    table: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Heat:
    caption: str
    zone: str
    currency: str
    lines: tuple[HeatLine, ...]


def heat(rows: Sequence[HeatRow], zone: str) -> Heat:
    """The rows as they came: those whose idle time costs most first."""
    currencies = {row.currency for row in rows}
    one = currencies.pop() if len(currencies) == 1 else ""
    return Heat(_caption(rows), zone, one, tuple(_line(row, one) for row in rows))


def level(cell: Cell) -> int:
    """0: nobody asked; 1 to 4: quarters of the time; -1: not known."""
    if cell.served is None:
        return UNKNOWN_LEVEL
    return 0 if cell.served <= 0 else min(4, 1 + int(cell.served * 4 - 1e-9))


def percent(cell: Cell) -> str:
    """Whole percent; some is never told as none."""
    if cell.served is None:
        return MISSING
    return "<1" if 0 < cell.served < 0.01 else f"{cell.served * 100:.0f}"


def _line(row: HeatRow, currency: str) -> HeatLine:
    name = f"{row.endpoint}/{row.deployment}"
    money = UNKNOWN if row.unserved is None else cents(row.unserved)
    return HeatLine(
        name=name,
        workspace=row.workspace,
        deployment_id=row.deployment_id,
        money=money if currency or row.unserved is None else f"{money}{NBSP}{row.currency}",
        idle=part_of_seconds(row),
        label=f"{name}: {_words(row)}",
        runs=_runs(row.cells),
        values=",".join("" if cell.served is None else percent(cell) for cell in row.cells),
        table=tuple(
            (day, tuple(percent(cell) for cell in row.cells[at * HOURS : (at + 1) * HOURS]))
            for at, day in enumerate(DAYS)
        ),
    )


def part_of_seconds(row: HeatRow) -> str:
    """How much of its paid time was idle."""
    return MISSING if not row.paid_seconds else f"{row.unserved_seconds / row.paid_seconds * 100:.0f}{NBSP}%"


def _words(row: HeatRow) -> str:
    work, off = _share(row.cells, is_off=False), _share(row.cells, is_off=True)
    missing = sum(cell.served is None for cell in row.cells)
    gap = f"; {plural(missing, 'hour')} of the week not known" if missing else ""
    return f"used in {work} of working hours and {off} of nights and weekends{gap}"


def _is_off(place: int) -> bool:
    """Nights and weekends, as most people keep them."""
    day, hour = divmod(place, HOURS)
    return day > 4 or not 7 <= hour < 20


def _share(cells: Sequence[Cell], *, is_off: bool) -> str:
    known = [
        cell.served for at, cell in enumerate(cells) if _is_off(at) is is_off and cell.served is not None
    ]
    return "an unknown part" if not known else f"{sum(known) / len(known) * 100:.0f}{NBSP}%"


def _caption(rows: Sequence[HeatRow]) -> str:
    if not rows:
        return "No paid time without requests is known in these days."
    cells = [cell for row in rows for cell in row.cells]
    work = _mean([row.cells for row in rows], is_off=False)
    off = _mean([row.cells for row in rows], is_off=True)
    missing = sum(cell.served is None for cell in cells)
    gap = f" {part_of(Decimal(missing), Decimal(len(cells)))} of the cells are not known." if missing else ""
    return (
        f"The {plural(len(rows), 'deployment')} whose idle time costs most served requests in {work} of working hours"
        f" (7:00 to 20:00, Monday to Friday) and in {off} of nights and weekends.{gap}"
    )


def _mean(rows: Sequence[Sequence[Cell]], *, is_off: bool) -> str:
    known = [
        cell.served
        for cells in rows
        for at, cell in enumerate(cells)
        if _is_off(at) is is_off and cell.served is not None
    ]
    return "an unknown part" if not known else f"{sum(known) / len(known) * 100:.0f}{NBSP}%"


def _runs(cells: Sequence[Cell]) -> tuple[Run, ...]:
    """Neighbours of one level are one shape."""
    found = []
    for level_of, group in groupby(enumerate(cells), key=lambda pair: level(pair[1])):
        places = [at for at, _ in group]
        found.append(Run(places[0] * UNIT, len(places) * UNIT, level_of))
    return tuple(found)
