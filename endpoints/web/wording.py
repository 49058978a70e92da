"""Moments, ages, shares and maps as people read them. Pure; a value that is not known is never shown as zero."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from endpoints.core import traffic
from endpoints.web import display

UNKNOWN = "unknown"
NBSP = "\u00a0"
_SHARE = re.compile(r" (?=\d)")
"""The space before a share: a name and its percentage stay on one line."""


def clock(moment: datetime | None, *, seconds: bool = True) -> str:
    """`2026-11-23 11:45:31 UTC` in the zone that the page shows."""
    if moment is None:
        return UNKNOWN
    shown = moment.astimezone(display.current().zone)
    return (
        f"{shown:%Y-%m-%d}{NBSP}{shown:%H:%M:%S}{NBSP}{shown:%Z}" if seconds else f"{shown:%Y-%m-%d %H:%M %Z}"
    )


def hours(moment: datetime) -> str:
    """`11:45:31 UTC`: where the day is plain from what stands beside it."""
    return f"{moment.astimezone(display.current().zone):%H:%M:%S\u00a0%Z}"


def moment_words(moment: datetime, *, whole_hour: bool = False, is_day: bool = False) -> str:
    """`at 13:05` today, `on 11-23 at 13:05`; an hour is `between 13:00 and 14:00`, a UTC day `on 2026-11-23`."""
    if is_day:
        return f"on {moment.astimezone(UTC):%Y-%m-%d}"
    zone = display.current().zone
    shown, today = moment.astimezone(zone), display.current().moment().astimezone(zone)
    day = "" if shown.date() == today.date() else f"on {shown:%m-%d} "
    if whole_hour:
        return f"{day}between {shown:%H:%M} and {(moment + timedelta(hours=1)).astimezone(zone):%H:%M}"
    return f"{day}at {shown:%H:%M}"


def iso(moment: datetime) -> str:
    """Always UTC with Z: for machines, exports and the datetime attribute."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def other_zones(moment: datetime) -> str:
    """The same moment in UTC and in the person's own zone, for the title of a time."""
    home = moment.astimezone(display.current().home)
    shown = [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", f"{home:%Y-%m-%d %H:%M:%S %Z}"]
    return ", ".join(dict.fromkeys(shown))


def seconds_since(moment: datetime) -> float:
    """Never negative: two clocks of one house may differ by some milliseconds."""
    return max(0.0, (display.current().moment() - moment).total_seconds())


def age(moment: datetime | None) -> str:
    """`12 s`, `3 min`, `5 h`, `12 d`: how long ago, in the largest unit that says enough."""
    return UNKNOWN if moment is None else span(seconds_since(moment))


def ago(moment: datetime | None) -> str:
    """`12 s ago`; "just now" for what is not a second old."""
    if moment is None:
        return UNKNOWN
    return f"{age(moment)} ago" if seconds_since(moment) >= 1 else "just now"


def ahead(moment: datetime) -> str:
    """`in 43 s`: how long until then; "now" when it is due."""
    seconds = (moment - display.current().moment()).total_seconds()
    return f"in {span(seconds)}" if seconds >= 1 else "now"


def span(seconds: float | timedelta) -> str:
    """A length of time in one unit, rounded down."""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    for size, unit, limit in ((1, "s", 60), (60, "min", 60), (3600, "h", 48)):
        if total < size * limit:
            return f"{int(total // size)}{NBSP}{unit}"
    return f"{int(total // 86_400)}{NBSP}d"


def duration(seconds: float | timedelta | None) -> str:
    """`1 m 12 s`: a length of time that matters to the second."""
    if seconds is None:
        return UNKNOWN
    exact = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if 0 < exact < 1:
        return f"under 1{NBSP}s"
    total = int(exact)
    minutes, rest = divmod(max(total, 0), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    kept = [f"{value}{NBSP}{unit}" for value, unit in parts if value] or [f"0{NBSP}s"]
    return " ".join(kept)


def length(seconds: int) -> str:
    """`20 min`, `6 h`: a planned length of time, exactly."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit}{NBSP}{name}"
    return duration(seconds)


def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}{NBSP}%"


def count(value: int | None) -> str:
    """Thousands parted by a narrow no-break space."""
    return UNKNOWN if value is None else f"{value:,}".replace(",", "\u202f")


def plural(number: int, one: str, many: str = "") -> str:
    return f"{count(number)}{NBSP}{one if number == 1 else many or one + 's'}"


def split(value: Mapping[str, int] | None) -> str:
    """A split map in words; `unknown` when it was never read, which is not the same as no traffic."""
    return UNKNOWN if value is None else _SHARE.sub(NBSP, traffic.describe(value))


def pretty_json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


def compact_json(value: object) -> str:
    """For data attributes; the template escapes it."""
    return json.dumps(value, separators=(",", ":"), default=str)


FILTERS = {
    "clock": clock,
    "hours": hours,
    "iso": iso,
    "age": age,
    "ago": ago,
    "ahead": ahead,
    "span": span,
    "duration": duration,
    "percent": percent,
    "count": count,
    "traffic": split,
    "pretty_json": pretty_json,
    "json": compact_json,
}
