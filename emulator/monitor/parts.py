"""Series before they are selected: parts of a metric with their labels, and how parts are put together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Values = Sequence[float | None]
Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One item a minute; minimum and maximum only where they differ from the average."""

    labels: Labels
    average: Values
    minimum: Values | None = None
    maximum: Values | None = None
    weight: Sequence[int] | None = None
    """Requests behind each value, for means; None for counts, which add up."""

    def values(self, aggregation: str) -> Values:
        if aggregation == "minimum":
            return self.average if self.minimum is None else self.minimum
        if aggregation == "maximum":
            return self.average if self.maximum is None else self.maximum
        return self.average


def together(parts: Sequence[Part], labels: Labels) -> Part:
    """One part from several: counts are summed, other figures are meant over their requests."""
    if len(parts) == 1:
        only = parts[0]
        return Part(labels, only.average, only.minimum, only.maximum, only.weight)
    if all(part.weight is not None for part in parts):
        return Part(labels, _mean(parts), weight=_sum_of([part.weight or () for part in parts]))
    return Part(
        labels,
        added([part.average for part in parts]),
        added([part.values("minimum") for part in parts]),
        added([part.values("maximum") for part in parts]),
    )


def added(columns: Sequence[Values]) -> Values:
    """Sums, in which None adds nothing; None where all are None."""
    if not any(None in column for column in columns):
        return [sum(row) for row in zip(*columns, strict=True)]
    rows = ([item for item in row if item is not None] for row in zip(*columns, strict=True))
    return [sum(row) if row else None for row in rows]


def coarser(values: Values, step: int, how: Callable[[list[float]], float]) -> Values:
    """Every `step` minutes as one."""
    groups = (values[i : i + step] for i in range(0, len(values), step))
    known = ([item for item in group if item is not None] for group in groups)
    return [how(group) if group else None for group in known]


def _mean(parts: Sequence[Part]) -> Values:
    found: list[float | None] = []
    columns = [zip(part.average, part.weight or (), strict=True) for part in parts]
    for row in zip(*columns, strict=True):
        known = [(value, max(weight, 1)) for value, weight in row if value is not None]
        total = sum(weight for _, weight in known)
        found.append(sum(value * weight for value, weight in known) / total if known else None)
    return found


def _sum_of(columns: Sequence[Sequence[int]]) -> list[int]:
    return [sum(row) for row in zip(*columns, strict=True)]
