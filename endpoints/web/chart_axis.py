"""The time axis of charts: moments as the chart library takes them, in the zone that the page shows. Pure.

Plotly drops the offset of a time, so it is given naive local times. Those of a zone whose clocks change would run
backwards for an hour: an axis keeps one offset throughout, that of its end, and says so when clocks changed in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Axis:
    """From `since` to `until`. `begin` is when the first step begins, `offset` how far from UTC times are shown."""

    since: datetime
    until: datetime
    begin: datetime
    step: timedelta
    offset: timedelta
    title: str

    @property
    def step_ms(self) -> int:
        return round(self.step.total_seconds() * 1000)

    def at(self, moment: datetime) -> str:
        """A moment's place, as Plotly takes it."""
        return f"{moment.astimezone(timezone(self.offset)):%Y-%m-%d %H:%M:%S}"

    def part(self, length: timedelta) -> float:
        """How much of the axis a length takes, 0 to 1."""
        return length / (self.until - self.since)


def axis(since: datetime, until: datetime, *, begin: datetime, step: timedelta, zone: ZoneInfo) -> Axis:
    """The axis of a stretch in a zone. Days are UTC days, whatever the zone."""
    if step >= DAY:
        return Axis(since, until, begin, step, timedelta(), "UTC days")
    offset = _offset(until, zone)
    return Axis(since, until, begin, step, offset, _title(since, until, zone, offset))


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _title(since: datetime, until: datetime, zone: ZoneInfo, offset: timedelta) -> str:
    short = until.astimezone(zone).tzname() or str(zone)
    if str(zone) == "UTC":
        return "Time (UTC)"
    if not changes_in(since, until, zone):
        return f"Time ({zone}, {short})"
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(round(abs(offset).total_seconds()) // 60, 60)
    return f"Time ({short}, UTC{sign}{hours:02}:{minutes:02} throughout; clocks in {zone} changed in between)"


def changes_in(since: datetime, until: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone's clocks change within a stretch."""
    moment, last = since.astimezone(UTC), _offset(until, zone)
    while moment < until:
        if _offset(moment, zone) != last:
            return True
        moment += DAY
    return False
