"""Stretches of time that people ask for: presets, their grain, every step in them, and local times. Pure.

All is UTC; a zone matters only where a person types a time or reads one. A day is a UTC day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from endpoints.core.errors import Invalid

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RANGES: Mapping[str, timedelta] = MappingProxyType(
    {
        "1h": HOUR,
        "6h": 6 * HOUR,
        "24h": DAY,
        "7d": 7 * DAY,
        "30d": 30 * DAY,
        "90d": 90 * DAY,
        "13mo": 396 * DAY,
    }
)
DEFAULT_RANGE = "24h"
# A chart of more steps than this says nothing more, and an answer of them is slow.
MOST_STEPS = 10_000
_MINUTES_UP_TO, _HOURS_UP_TO = DAY, 31 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Grain(StrEnum):
    """How long a step is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def step(self) -> timedelta:
        return _STEPS[self]


_STEPS = {Grain.MINUTE: MINUTE, Grain.HOUR: HOUR, Grain.DAY: DAY}


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` up to, and without, `until`. `name` is a preset's; "" for one that somebody chose."""

    since: datetime
    until: datetime
    name: str = ""

    @property
    def length(self) -> timedelta:
        return self.until - self.since


def window(
    now: datetime, *, name: str = "", since: datetime | None = None, until: datetime | None = None
) -> Window:
    """What is asked for: a preset up to now, or a chosen stretch, which ends now unless it says when.

    Invalid for both at once, for a preset that there is none of, and for a stretch that ends before it begins.
    """
    if since is None and until is None:
        return _preset(now, name or DEFAULT_RANGE)
    if name:
        raise Invalid({"range": ["Give either a range or since and until."]})
    if since is None:
        raise Invalid({"since": ["Say when it begins; until alone is not enough."]})
    end = now if until is None else min(until, now)
    if since >= end:
        raise Invalid({"since": ["It begins after it ends, or in the future."]})
    return Window(since.astimezone(UTC), end.astimezone(UTC))


def _preset(now: datetime, name: str) -> Window:
    if name not in RANGES:
        raise Invalid({"range": [f"There is no such range. Those that are: {', '.join(RANGES)}."]})
    # Up to the end of the running minute, so that the newest one is in it.
    end = ceiled(now, Grain.MINUTE)
    return Window(end - RANGES[name], end, name)


def grain_for(
    since: datetime,
    until: datetime,
    *,
    minutes_since: datetime,
    hours_since: datetime | None = None,
) -> Grain:
    """The finest grain that a stretch is shown in: minutes up to a day, hours up to 31 days, else days.

    `minutes_since` and `hours_since` are from when on these are kept.
    """
    length = until - since
    if length <= _MINUTES_UP_TO and since >= minutes_since:
        return Grain.MINUTE
    if length <= _HOURS_UP_TO and (hours_since is None or since >= hours_since):
        return Grain.HOUR
    return Grain.DAY


def check_steps(since: datetime, until: datetime, grain: Grain) -> None:
    """Invalid when the stretch has more steps than anybody is given at once."""
    count = (ceiled(until, grain) - floored(since, grain)) // grain.step
    if count > MOST_STEPS:
        raise Invalid(
            {
                "grain": [
                    f"{count:,} steps of a {grain} are too many; at most {MOST_STEPS:,}. Ask for coarser ones."
                ]
            }
        )


def floored(moment: datetime, grain: Grain) -> datetime:
    """When the step that holds a moment begins."""
    return moment.astimezone(UTC) - (moment - _EPOCH) % grain.step


def ceiled(moment: datetime, grain: Grain) -> datetime:
    """The end of the step that holds what is right before a moment."""
    return moment.astimezone(UTC) + (_EPOCH - moment) % grain.step


def steps(since: datetime, until: datetime, grain: Grain) -> tuple[datetime, ...]:
    """When each step begins that has any part in the stretch, oldest first."""
    begin, step = floored(since, grain), grain.step
    count = max(0, (ceiled(until, grain) - begin) // step)
    return tuple(begin + number * step for number in range(count))


def from_local(typed: datetime, zone: ZoneInfo, *, is_end: bool = False) -> datetime:
    """What a time without an offset, as a person typed it, means in a zone.

    In the hour that a clock shows twice, a beginning is the first and an end the second, so that the stretch holds
    both. A time that a clock skips is taken by the offset before the skip.
    """
    fold = int(is_end and _exists(typed, zone))
    return typed.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _exists(typed: datetime, zone: ZoneInfo) -> bool:
    there = typed.replace(tzinfo=zone).astimezone(UTC)
    return there.astimezone(zone).replace(tzinfo=None) == typed


def label(moment: datetime, zone: ZoneInfo, grain: Grain) -> str:
    """A step's time for people: "2026-10-25 02:30 CEST"; a day is named as the UTC day that it is."""
    if grain is Grain.DAY:
        return f"{moment.astimezone(UTC):%Y-%m-%d} UTC"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
