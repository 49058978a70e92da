"""A day's coverage as a strip: lanes of rectangles for the eye, and the same in words and tables. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.challenges.coverage import Coverage, Lane, Mark, Part
from endpoints.web.wording import duration, hours

_KINDS = {Mark.GOOD: "good", Mark.PARTLY: "partly", Mark.MISSING: "missing"}
_NARROWEST = 0.15
"""Percent of the strip: some seconds of a day must still be seen."""


@dataclass(frozen=True, slots=True)
class Block:
    """`left` and `width` in percent of the strip."""

    left: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One lane; `told` is what a strip without eyes says."""

    name: str
    label: str
    blocks: tuple[Block, ...]
    told: str
    parts: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """`mark` is where a moment lies, in percent; None: none is marked, or it lies outside."""

    rows: tuple[Row, ...]
    mark: float | None
    begins: datetime
    ends: datetime
    ambiguous: str


def strip(found: Coverage, at: datetime | None = None) -> Strip:
    """All lanes of a stretch; `at` is a moment to be marked."""
    length = (found.until - found.since).total_seconds()
    mark = (at - found.since).total_seconds() / length * 100 if at is not None and length else None
    return Strip(
        rows=tuple(_row(lane, found.since, length) for lane in found.lanes),
        mark=round(mark, 3) if mark is not None and 0 <= mark <= 100 else None,
        begins=found.since,
        ends=found.until,
        ambiguous=duration(found.ambiguous_seconds),
    )


def _row(lane: Lane, since: datetime, length: float) -> Row:
    return Row(
        name=lane.name,
        label=lane.label,
        blocks=tuple(_block(part, since, length) for part in lane.parts),
        told=_told(lane, length),
        parts=tuple(
            (hours(part.since), hours(part.until), duration(part.seconds), part.words) for part in lane.parts
        ),
    )


def _block(part: Part, since: datetime, length: float) -> Block:
    left = (part.since - since).total_seconds() / length * 100
    width = max(_NARROWEST, part.seconds / length * 100)
    return Block(round(min(left, 100 - _NARROWEST), 3), round(width, 3), _KINDS[part.mark])


def _told(lane: Lane, length: float) -> str:
    words = {Mark.GOOD: "known", Mark.PARTLY: "with reservations", Mark.MISSING: "not known"}
    shares = [(mark, lane.seconds(mark) / length * 100) for mark in Mark]
    return ", ".join(f"{_share(share)} {words[mark]}" for mark, share in shares if share)


def _share(share: float) -> str:
    """A part is never rounded to nothing, nor to all."""
    if share == 100:
        return "100\u00a0%"
    return f"{min(max(share, 0.1), 99.9):.1f}\u00a0%"
