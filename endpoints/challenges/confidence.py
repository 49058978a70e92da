"""Where a confidence stands among that day's of the same model. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

FEWEST = 30
"""Others below which a place says nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """`lower` of `of` others had less; ties count half. `is_all`: all of that day, not only the nearest in time."""

    lower: float
    of: int
    is_all: bool

    @property
    def percentile(self) -> int | None:
        """From 0 to 100; None where there are too few others."""
        return round(100 * self.lower / self.of) if self.of >= FEWEST else None


@dataclass(frozen=True, slots=True)
class ModelSpan:
    """A deployment's model from one revision on: it began between `earliest` (None: not known) and `latest`."""

    model: str
    earliest: datetime | None
    latest: datetime


def place(confidence: float, others: Sequence[float], *, is_all: bool) -> Place:
    """Among others, in any order."""
    lower = sum(1 for one in others if one < confidence)
    same = sum(1 for one in others if one == confidence)
    return Place(lower + same / 2, len(others), is_all)


def same_model_around(
    spans: Sequence[ModelSpan], at: datetime, since: datetime, until: datetime
) -> tuple[datetime, datetime]:
    """The part of a stretch, around a moment, in which certainly no other model was there. `spans` oldest first.

    Empty when the model of the moment itself is not certain.
    """
    current = next((span for span in reversed(spans) if span.latest <= at), None)
    if current is None:
        return at, at
    begin, end = since, until
    for span in reversed(spans):
        if span.latest <= at:
            if span.model != current.model:
                break
            begin = max(since, span.latest)
    for span in spans:
        if span.latest > at and span.model != current.model:
            end = min(until, span.earliest or at)
            break
    return min(begin, at), max(end, at)
