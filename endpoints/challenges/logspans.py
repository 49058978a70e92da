"""Of which stretches of time an endpoint's traffic log was read, and why of others it was not. Pure.

Only of a stretch that was READ does it mean anything that no row names a request. Rows come in late, so that what
was written lately counts as read only once they had time to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

READ, OFF, FAILED, UNREAD = "read", "off", "failed", "unread"
# Azure speaks of 3 to 10 minutes.
LATE = timedelta(minutes=15)
NOT_YET = "Azure's rows come in up to 15 minutes late: they are read as they come."
NEVER = "The log of this time was never read."
NOT_LOOKED = "Whether its log is exported is not known yet."


@dataclass(frozen=True, slots=True)
class LogSpan:
    """[since, until) of an endpoint's time, and what became of its traffic log there.

    `outcome` is "read", "off" (it was not sent to where it could be read), "failed" or "unread"; `reason` says why.
    """

    since: datetime
    until: datetime
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch as it was written down at `known_at`."""

    since: datetime
    until: datetime
    outcome: str
    reason: str
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """How far a log is read now. `read_until` None: it is not being read, and `reason` says why."""

    read_until: datetime | None
    failures: int
    reason: str


def tail(stretches: Iterable[Stretch], reader: Reader | None, now: datetime) -> Iterator[Stretch]:
    """What the reader knows and nobody wrote down yet: stretches are written a few times a day."""
    told = sorted(stretches, key=lambda one: one.known_at)
    if reader is None:
        return
    if reader.read_until is None:
        last = told[-1] if told else None
        outcome = OFF if last is not None and last.outcome == OFF else UNREAD
        begins = last.until if last is not None else now - timedelta(days=1)
        if begins < now:
            yield Stretch(begins, now, outcome, reader.reason or NOT_LOOKED, now)
        return
    read = [one for one in told if one.outcome == READ]
    begins = covered = reader.read_until - LATE
    if read and read[-1].until < covered:
        yield Stretch(read[-1].until, covered, READ, "", now)
    elif read:
        begins = read[-1].until
    if begins < now:
        outcome = FAILED if reader.failures else UNREAD
        yield Stretch(begins, now, outcome, reader.reason or NOT_YET, now)


def as_known(stretches: Iterable[Stretch], known: datetime) -> Iterator[Stretch]:
    """What was known then. Among the stretches is the last read one that was known: a log that was being read went on
    being read. What is written down after it was known as it was read, but for the time that rows may take, and not
    beyond a failure that was known.
    """
    told = list(stretches)
    reading = [one.until for one in told if one.outcome == READ and one.known_at <= known]
    failures = [one.since for one in told if one.outcome == FAILED and one.known_at <= known]
    for one in told:
        if one.known_at <= known:
            yield one
        elif one.outcome == READ and any(until >= one.since for until in reading):
            begun = [since for since in failures if since >= one.since]
            until = min([one.until, known - LATE, *begun])
            if until > one.since:
                yield replace(one, until=until, known_at=known)


def spans(stretches: Iterable[Stretch], since: datetime, until: datetime) -> tuple[LogSpan, ...]:
    """All of [since, until) without a hole. What was read stays so whatever failed; else the newest word counts."""
    known = [one for one in stretches if one.since < until and one.until > since]
    edges = sorted({since, until, *(_edges(known, since, until))})
    found: list[LogSpan] = []
    for begins, ends in pairwise(edges):
        outcome, reason = _word([one for one in known if one.since <= begins and one.until >= ends])
        if found and (found[-1].outcome, found[-1].reason) == (outcome, reason):
            found[-1] = LogSpan(found[-1].since, ends, outcome, reason)
        else:
            found.append(LogSpan(begins, ends, outcome, reason))
    return tuple(found)


def _edges(known: Iterable[Stretch], since: datetime, until: datetime) -> Iterator[datetime]:
    for one in known:
        yield from (at for at in (one.since, one.until) if since < at < until)


def _word(known: list[Stretch]) -> tuple[str, str]:
    for outcomes in ((READ, OFF), (FAILED,), (UNREAD,)):
        told = [one for one in known if one.outcome in outcomes]
        if told:
            newest = max(told, key=lambda one: one.known_at)
            return newest.outcome, newest.reason
    return UNREAD, NEVER
