"""One measured figure, its yardstick and its bar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_HEADINGS = ("figure", "value", "yardstick", "ratio", "bar", "")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`bar` is the worst acceptable `value`, or with `of_yardstick` the worst acceptable ratio to it."""

    name: str
    value: float
    bar: float
    unit: str = "s"
    yardstick: float | None = None
    of_yardstick: bool = False
    more_is_better: bool = False

    def __post_init__(self) -> None:
        if self.of_yardstick and not self.yardstick:
            raise ValueError(f"{self.name}: a ratio needs a yardstick that is not zero")

    @property
    def ratio(self) -> float | None:
        return self.value / self.yardstick if self.yardstick else None

    @property
    def ok(self) -> bool:
        judged = self.ratio if self.of_yardstick else self.value
        # Not-a-number compares false both ways, and must be short.
        return judged is not None and (judged >= self.bar if self.more_is_better else judged <= self.bar)


def table(figures: Iterable[Figure]) -> list[str]:
    """One line per figure under a line of headings, in columns."""
    rows = [_HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _row(figure: Figure) -> tuple[str, ...]:
    bound = "≥" if figure.more_is_better else "≤"
    unit = " x yardstick" if figure.of_yardstick else f" {figure.unit}"
    return (
        figure.name,
        f"{figure.value:.4g} {figure.unit}",
        "-" if figure.yardstick is None else f"{figure.yardstick:.4g} {figure.unit}",
        "-" if figure.ratio is None else f"{figure.ratio:.3g}",
        f"{bound} {figure.bar:.4g}{unit}",
        "ok" if figure.ok else "short",
    )
