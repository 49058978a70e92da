"""Which moments of a day a passport can answer for, and which not: a strip of lanes without gaps. Pure.

Three lanes are what is on record: how fresh the mirror was, how the traffic log was read, which split was in force. The
fourth is what a passport says, by the very rules of `answered.py`, of a request of which nobody named the deployment;
where the log was read it names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from endpoints.challenges.facts import Sure
from endpoints.challenges.words import length
from endpoints.core.traffic import Split, describe

FRESH = timedelta(minutes=5)
"""Between two readings; a split that came and went in a longer gap would have left no trace."""


class Mark(StrEnum):
    """How a part of a lane is drawn and counted."""

    GOOD = "good"
    PARTLY = "partly"  # one of several; known, with reservations
    MISSING = "missing"  # nothing can be said


@dataclass(frozen=True, slots=True)
class Part:
    """From `since` up to `until`; `words` say it for people."""

    since: datetime
    until: datetime
    mark: Mark
    words: str

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Lane:
    """`name`: "mirror", "log", "split" or "answer". Its parts cover the whole stretch."""

    name: str
    label: str
    parts: tuple[Part, ...]

    def seconds(self, mark: Mark) -> float:
        return sum(part.seconds for part in self.parts if part.mark is mark)


@dataclass(frozen=True, slots=True)
class Logged:
    """What became of the log of a stretch: "read", "off", "failed" or "unread", with the reason for people."""

    since: datetime
    until: datetime
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Possible:
    """The live splits that may have been in force in a stretch; none: not known."""

    since: datetime
    until: datetime
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """A stretch at some moment of which a deployment got another model, or went."""

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """A stretch of an endpoint. `ambiguous_seconds`: the split, or the model behind it, was being changed."""

    since: datetime
    until: datetime
    lanes: tuple[Lane, ...]
    ambiguous_seconds: float

    def lane(self, name: str) -> Lane:
        return next(one for one in self.lanes if one.name == name)

    def sure_at(self, at: datetime) -> Sure:
        """What the strip promises of a moment."""
        part = next((one for one in self.lane("answer").parts if one.since <= at < one.until), None)
        return _SURE[part.mark] if part else Sure.UNKNOWN


_SURE = {Mark.GOOD: Sure.CERTAIN, Mark.PARTLY: Sure.ONE_OF, Mark.MISSING: Sure.UNKNOWN}


def coverage(
    since: datetime,
    until: datetime,
    *,
    readings: Iterable[tuple[datetime, datetime]],
    logged: Iterable[Logged],
    splits: Sequence[Possible],
    switches: Sequence[Switch],
) -> Coverage:
    """`readings` as (began, ended), oldest first, one on each side included where there is one.

    `logged` and `splits` cover the whole stretch, oldest first.
    """
    log = Lane("log", "Traffic log", _joined(_log_part(one) for one in logged))
    split = Lane("split", "Live split", _joined(_split_part(one) for one in splits))
    answer = Lane("answer", "A passport says", _answers(since, until, log, splits, switches))
    lanes = (Lane("mirror", "Readings of Azure", _mirror(since, until, readings)), log, split, answer)
    ambiguous = [(one.since, one.until) for one in splits if len(one.splits) > 1]
    ambiguous += [(one.since, one.until) for one in switches]
    return Coverage(
        since, until, lanes, sum((end - begin).total_seconds() for begin, end in _united(ambiguous))
    )


def _mirror(
    since: datetime, until: datetime, readings: Iterable[tuple[datetime, datetime]]
) -> tuple[Part, ...]:
    """From the beginning of one reading to that of the next; what it saw may be as old as its beginning."""
    parts: list[Part] = []
    last: datetime | None = None
    for began, ended in readings:
        if last is None:
            parts += _clipped(since, until, since, began, Mark.MISSING, "Azure was not read before.")
        else:
            parts += _clipped(since, until, last, began, *_gap(ended - last))
        last = began
    if last is None:
        return (Part(since, until, Mark.MISSING, "Azure was not read."),)
    parts += _clipped(since, until, last, until, Mark.MISSING, "Azure was not read after.")
    return _joined(parts)


def _gap(gap: timedelta) -> tuple[Mark, str]:
    if gap <= FRESH:
        return Mark.GOOD, "Read at least every 5 min."
    return Mark.PARTLY, f"Two readings are {length(gap.total_seconds())} apart."


def _clipped(
    since: datetime, until: datetime, begin: datetime, end: datetime, mark: Mark, words: str
) -> list[Part]:
    first, last = max(since, begin), min(until, end)
    return [Part(first, last, mark, words)] if first < last else []


_LOG = {"read": "Read.", "off": "Not exported.", "failed": "It could not be read.", "unread": "Not read."}


def _log_part(one: Logged) -> Part:
    is_read = one.outcome == "read"
    words = _LOG[one.outcome] if is_read or not one.reason else one.reason
    return Part(one.since, one.until, Mark.GOOD if is_read else Mark.MISSING, words)


def _split_part(one: Possible) -> Part:
    if not one.splits:
        return Part(one.since, one.until, Mark.MISSING, "Not known.")
    words = " or ".join(describe(split) for split in one.splits)
    return Part(one.since, one.until, Mark.GOOD if len(one.splits) == 1 else Mark.PARTLY, words)


def _answers(
    since: datetime, until: datetime, log: Lane, splits: Sequence[Possible], switches: Sequence[Switch]
) -> tuple[Part, ...]:
    edges = _edges(
        since,
        until,
        [part.since for part in log.parts]
        + [edge for one in splits for edge in (one.since, one.until)]
        + [edge for one in switches for edge in (one.since, one.until)],
    )
    parts = []
    for begin, end in pairwise(edges):
        is_logged = any(one.since <= begin < one.until and one.mark is Mark.GOOD for one in log.parts)
        now = next((one.splits for one in splits if one.since <= begin < one.until), ())
        changing = {one.name for one in switches if one.since <= begin < one.until}
        parts.append(Part(begin, end, *_answer(is_logged, now, changing)))
    return _joined(parts)


def _answer(is_logged: bool, splits: tuple[Split, ...], changing: set[str]) -> tuple[Mark, str]:
    weighted = {name for split in splits for name in split}
    affected = sorted(changing & weighted) if splits else sorted(changing)
    if affected:
        return Mark.PARTLY, f"One of several: {', '.join(affected)} was being changed."
    if is_logged:
        return Mark.GOOD, "Certain: the log names the deployment."
    if not splits:
        return Mark.MISSING, "Cannot say: the split is not known."
    if not weighted:
        return Mark.MISSING, "Cannot say: no deployment had traffic."
    if len(splits) > 1:
        return Mark.PARTLY, "One of several: the split was being switched."
    if len(weighted) > 1:
        return Mark.PARTLY, "One of several: more than one deployment had traffic."
    return Mark.GOOD, "Certain: one deployment had all traffic."


def _edges(since: datetime, until: datetime, edges: Iterable[datetime]) -> list[datetime]:
    return sorted({since, until} | {edge for edge in edges if since < edge < until})


def _united(pairs: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Stretches that meet or overlap as one."""
    found: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(pairs):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Neighbours that say the same are one."""
    found: list[Part] = []
    for part in parts:
        if found and (found[-1].mark, found[-1].words, found[-1].until) == (
            part.mark,
            part.words,
            part.since,
        ):
            found[-1] = Part(found[-1].since, part.until, part.mark, part.words)
        else:
            found.append(part)
    return tuple(found)
