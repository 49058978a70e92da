"""How a collector's reading window is chosen, and what a reading tells of how late Azure is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
# One reading at most: what was missed for longer is filled in beside it, by a back-fill.
LONGEST = timedelta(hours=1)
# What a new collector reads first, so that figures are there at once.
FIRST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What to read now, and a gap before it that somebody has to fill in; None where there is none."""

    since: datetime
    until: datetime
    gap: tuple[datetime, datetime] | None = None


def stretch(now: datetime, complete_until: datetime | None, *, reread: timedelta) -> Stretch:
    """The minutes up to now that were not read yet, and `reread` before them, which Azure still revises."""
    until = floored(now)
    if complete_until is None:
        return Stretch(until - FIRST, until)
    # A clock that was set back must not make a stretch of nothing.
    since = min(floored(complete_until), until) - reread
    if until - since <= LONGEST:
        return Stretch(since, until)
    recent = until - LONGEST
    return Stretch(recent, until, (since, recent))


def floored(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
