"""By when a challenge is to be answered: the house's own aims and deadlines of law, as data with their source. Pure.

A clock runs real hours from the moment a case was raised, nights and weekends included: whoever asked waits through
them too. It presses from four fifths of its time on. No clock ends a case, and none decides one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MOST_CLOCKS = 6
MOST_HOURS = 24 * 366
NAME_LENGTH = 60
SOURCE_LENGTH = 120
PRESSING = 0.8
_UNITS = ("hours", "days")


@dataclass(frozen=True, slots=True)
class Clock:
    """A length of time with its name. `target`: the house's own aim; otherwise a deadline that `source` sets."""

    name: str
    length: timedelta
    source: str
    target: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A clock that runs, or ran, for one case."""

    name: str
    since: datetime
    at: datetime
    source: str
    target: bool

    @property
    def presses_at(self) -> datetime:
        """When four fifths of it are over."""
        return self.since + (self.at - self.since) * PRESSING


class Tick(StrEnum):
    """How a clock stands. The values are what people read."""

    RUNNING = "in time"
    PRESSING = "due soon"
    OVER = "over"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock at one moment: how much of it was used, and how it stands. `share` may pass 1."""

    due: Due
    tick: Tick
    used: timedelta
    share: float

    @property
    def total(self) -> timedelta:
        return self.due.at - self.due.since


USUAL = (Clock("Same-day answer", timedelta(hours=8), "house rule", target=True),)
"""What counts while a workspace has no policy of its own."""

KNOWN_DEADLINES: tuple[Clock, ...] = (
    # One month in law; the shortest month there is, so that no month is missed by counting days.
    Clock("Answer to the person", timedelta(days=28), "GDPR Art. 12(3): one month", target=False),
    Clock(
        "Extended answer", timedelta(days=84), "GDPR Art. 12(3): two further months, if told", target=False
    ),
)
"""Deadlines that a policy may take over by name. Whether one applies is a lawyer's word, not the portal's."""


def problems(clocks: Sequence[Clock]) -> list[str]:
    """Every reason why these can't be a policy's clocks."""
    found = []
    if len(clocks) > MOST_CLOCKS:
        found.append(f"At most {MOST_CLOCKS} clocks; these are {len(clocks)}.")
    for number, clock in enumerate(clocks, 1):
        if not 0 < len(clock.name.strip()) <= NAME_LENGTH:
            found.append(f"Clock {number}: name it with 1 to {NAME_LENGTH} characters.")
        if not 0 < len(clock.source.strip()) <= SOURCE_LENGTH:
            found.append(f"Clock {number}: say in 1 to {SOURCE_LENGTH} characters where it comes from.")
        if not timedelta(minutes=1) <= clock.length <= timedelta(hours=MOST_HOURS):
            found.append(f"Clock {number}: give from one minute to 366 days.")
    if len({clock.name.strip().lower() for clock in clocks}) != len(clocks):
        found.append("Two clocks have the same name.")
    return found


def to_json(clocks: Iterable[Clock]) -> list[dict[str, Any]]:
    """As a policy stores them; whole days as days."""
    return [
        {"name": one.name, **_length(one.length), "source": one.source, "target": one.target}
        for one in clocks
    ]


def from_json(raw: Iterable[Mapping[str, Any]]) -> tuple[Clock, ...]:
    """The reverse; ValueError for what is none."""
    return tuple(clock_of(**one) for one in raw)


def clock_of(
    *, name: str, source: str, target: bool, hours: float | None = None, days: float | None = None
) -> Clock:
    """A clock of so many hours or days, one of them; ValueError for both, neither, or what is no length."""
    given = [(unit, amount) for unit, amount in zip(_UNITS, (hours, days), strict=True) if amount is not None]
    if len(given) != 1 or not math.isfinite(given[0][1]):
        raise ValueError("give hours or days, one of them")
    unit, amount = given[0]
    if not 0 < amount <= MOST_HOURS:
        raise ValueError("give from one minute to 366 days")
    return Clock(name.strip(), timedelta(**{unit: amount}), source.strip(), target)


def started(clocks: Iterable[Clock], at: datetime) -> tuple[Due, ...]:
    """The clocks of a case that is raised at that moment, soonest first."""
    running = [Due(one.name, at, at + one.length, one.source, one.target) for one in clocks]
    return tuple(sorted(running, key=lambda due: (due.at, due.name)))


def restarted(dues: Iterable[Due], clocks: Iterable[Clock], at: datetime) -> tuple[Due, ...]:
    """Of a case that is re-opened: the house's aims begin anew, deadlines of law stay as they were."""
    kept = [due for due in dues if not due.target]
    fresh = [due for due in started(clocks, at) if due.target]
    return tuple(sorted([*kept, *fresh], key=lambda due: (due.at, due.name)))


def presses_at(dues: Iterable[Due]) -> datetime | None:
    """From when on the case presses: when the first of its clocks does. None: it has none."""
    return min((due.presses_at for due in dues), default=None)


def passed(dues: Iterable[Due], now: datetime) -> list[tuple[Due, Tick]]:
    """What there is to tell of an open case: each clock that presses, and each that is over."""
    told = []
    for due in dues:
        if due.presses_at <= now:
            told.append((due, Tick.PRESSING))
        if due.at <= now:
            told.append((due, Tick.OVER))
    return told


def read(due: Due, now: datetime, *, ended_at: datetime | None = None) -> Reading:
    """How a clock stands now, or stood when the case was closed."""
    upto = ended_at or now
    used = max(upto - due.since, timedelta())
    share = used / (due.at - due.since)
    if ended_at is not None:
        tick = Tick.MET if ended_at <= due.at else Tick.MISSED
    elif upto >= due.at:
        tick = Tick.OVER
    else:
        tick = Tick.PRESSING if upto >= due.presses_at else Tick.RUNNING
    return Reading(due, tick, used, share)


def dues_to_json(dues: Iterable[Due]) -> list[dict[str, Any]]:
    """As a case stores them."""
    return [
        {
            "name": due.name,
            "since": due.since.isoformat(),
            "at": due.at.isoformat(),
            "source": due.source,
            "target": due.target,
        }
        for due in dues
    ]


def dues_from_json(raw: Iterable[Mapping[str, Any]]) -> tuple[Due, ...]:
    """The reverse."""
    return tuple(
        Due(
            one["name"],
            datetime.fromisoformat(one["since"]),
            datetime.fromisoformat(one["at"]),
            one["source"],
            one["target"],
        )
        for one in raw
    )


def _length(length: timedelta) -> dict[str, float | int]:
    hours = length / timedelta(hours=1)
    if hours >= 24 and hours % 24 == 0:
        return {"days": int(hours // 24)}
    return {"hours": int(hours) if hours == int(hours) else hours}
