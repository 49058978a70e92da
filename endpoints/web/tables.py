"""A chart's numbers as a table that a person can read: at most some fifty rows, of sums and worst values. Pure.

What is unknown within a row is not left out in silence: the row then says "≥", for a sum and a maximum can only
be larger. Every single value is in the CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from endpoints.metrics.selectors import Series
from endpoints.metrics.windows import Grain
from endpoints.web.charts import Values
from endpoints.web.numbers import MISSING, amount, at_least, percentage
from endpoints.web.wording import clock, count

MOST_ROWS = 50
_SIZES = {
    Grain.MINUTE: (1, 5, 10, 15, 30, 60),
    Grain.HOUR: (1, 2, 3, 6, 12, 24),
    Grain.DAY: (1, 2, 7, 14, 28),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`known` says of which steps something is known, where a value's absence alone does not: an idle minute."""

    heading: str
    values: Values
    how: Literal["sum", "max", "range"]
    show: Callable[[float | None], str]
    known: Sequence[bool] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`head` without the time's column; each row begins with when it begins. Newest first."""

    length: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def fold(series: Series, columns: Sequence[Column]) -> Table:
    """As many steps to a row as make the table short enough to read."""
    size = _size(series)
    begins = range(0, len(series.times), size)
    rows = [
        (
            _time(series, at),
            *(_cell(column, at, min(at + size, len(series.times))) for column in columns),
        )
        for at in reversed(begins)
    ]
    return Table(_length(series.grain, size), tuple(column.heading for column in columns), tuple(rows))


def whole(value: float | None) -> str:
    return MISSING if value is None else count(round(value))


def plain(value: float | None) -> str:
    return amount(value)


def percent(value: float | None) -> str:
    return percentage(value)


def _size(series: Series) -> int:
    sizes = _SIZES[series.grain]
    return next((size for size in sizes if len(series.times) <= size * MOST_ROWS), sizes[-1])


def _length(grain: Grain, size: int) -> str:
    return f"one {grain}" if size == 1 else f"{size} {grain}s"


def _time(series: Series, at: int) -> str:
    moment = series.times[at]
    if series.grain.step >= timedelta(days=1):
        return f"{moment:%Y-%m-%d}"
    return clock(moment, seconds=False)


def _cell(column: Column, begin: int, end: int) -> str:
    found = [value for value in column.values[begin:end] if value is not None]
    known = (
        column.known[begin:end] if column.known else [value is not None for value in column.values[begin:end]]
    )
    if not found:
        return MISSING
    if column.how == "range":
        least, most = column.show(min(found)), column.show(max(found))
        return least if least == most else f"{least} to {most}"
    value = sum(found) if column.how == "sum" else max(found)
    return at_least(column.show(value), not all(known))
