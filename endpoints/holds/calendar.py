"""When a freeze holds: a stretch on the clock of a zone, once or repeated by an RRULE.

Starts and ends are what that clock shows, so a weekly freeze to 08:00 ends at 08:00 also after a night in which the
clock was changed. A time that comes twice begins a freeze the first time and ends it the second time. A time that
the clock skips begins it at the jump, and ends it as late as if the clock had not been changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr  # type: ignore[import-untyped]

from endpoints.core.errors import Invalid
from endpoints.holds import recurrence

# One freeze. Who wants a longer one wants to stop the line.
LONGEST = timedelta(days=366)
# How far ahead anything is looked for.
HORIZON = timedelta(days=12 * 366)
# Years in which a freeze may begin: with HORIZON within one century, in which leap years are regular.
_YEARS = range(2000, 2088)
# 28 years, so that each order of weekdays and leap years begins in one of them; HORIZON later is before the last.
_LAST_YEARS = range(9957, 9985)
# A rule with an end further away than this counts as having none.
_FAR = timedelta(days=50 * 366)
# How many of a rule's starts are held against each other: years of any pattern that people use.
_COMPARED = 400
# Days or weeks that are passed over at once on the way to the present.
_STRIDE = 32
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`first_start`, `first_end` and `excluded` are naive: what the clock of `zone` shows. `rule` "": only once."""

    zone: str
    first_start: datetime
    first_end: datetime
    rule: str = ""
    excluded: frozenset[datetime] = frozenset()

    @property
    def length(self) -> timedelta:
        return self.first_end - self.first_start


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of real time, in UTC; `end` is not part of it."""

    start: datetime
    end: datetime


def checked(schedule: Schedule) -> Schedule:
    """The schedule with its rule in one form. Invalid names the field: zone, starts, ends or rule."""
    check_zone(schedule.zone)
    _check_stretch(schedule)
    if not schedule.rule.strip():
        return replace(schedule, rule="")
    rule = recurrence.normalised(schedule.rule, ZoneInfo(schedule.zone))
    found = replace(schedule, rule=rule)
    _check_repeats(found)
    return found


def bounds(schedule: Schedule) -> tuple[datetime, datetime | None]:
    """When it begins the first time, and when it has ended the last time; None: it goes on."""
    zone = ZoneInfo(schedule.zone)
    starts = _starts(schedule)
    first = last = next(starts)
    over = recurrence.has_end(schedule.rule)
    for last in starts if over else ():
        if last > schedule.first_start + _FAR:
            over = False
            break
    return _begin(first, zone), _end(last + schedule.length, zone) if over else None


def occurrences(schedule: Schedule, after: datetime, limit: int) -> tuple[Span, ...]:
    """The stretches that end after `after`, in order: at most `limit`, within HORIZON."""
    found = (span for span in _spans(schedule, after) if span.end > after)
    return tuple(islice(found, limit))


def covering(schedule: Schedule, at: datetime) -> Span | None:
    """The stretch that `at` lies in. Two that a change of the clock pushed into each other are one."""
    found: Span | None = None
    for span in occurrences(schedule, at, 4):
        if found is None:
            if span.start > at:
                return None
            found = span
        elif span.start <= found.end:
            found = Span(found.start, max(found.end, span.end))
    return found


def next_start(schedule: Schedule, at: datetime) -> datetime | None:
    """When it begins again after `at`; None: never, or not within HORIZON."""
    return next((span.start for span in _spans(schedule, at) if span.start > at), None)


def _spans(schedule: Schedule, around: datetime) -> Iterator[Span]:
    """All stretches from one that certainly ended before `around` on, up to the horizon."""
    zone = ZoneInfo(schedule.zone)
    since = around.astimezone(zone).replace(tzinfo=None) - schedule.length - 2 * _DAY
    until = since + HORIZON
    for start in _starts(schedule, since):
        if start > until:
            return
        yield Span(_begin(start, zone), _end(start + schedule.length, zone))


def _starts(schedule: Schedule, since: datetime | None = None) -> Iterator[datetime]:
    """What the clock shows at each start from `since` on."""
    if not schedule.rule:
        found: Iterator[datetime] = iter([schedule.first_start])
    else:
        found = iter(_rule(schedule.rule, _from(schedule, since)))
    return (start for start in found if start not in schedule.excluded and (since is None or start >= since))


def _from(schedule: Schedule, since: datetime | None) -> datetime:
    """A start from which the rule goes on just the same from `since` on: years of days need not be counted."""
    step = recurrence.step_of(schedule.rule)
    if since is None or step is None or since <= schedule.first_start:
        return schedule.first_start
    # In strides, so that the rule of a freeze is made anew once in a while only.
    stride = _STRIDE * step
    return schedule.first_start + (since - schedule.first_start) // stride * stride


@lru_cache(maxsize=512)
def _rule(text: str, first: datetime) -> rrule:
    return rrulestr(text, dtstart=first)


def _begin(shown: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows this, or jumps past it."""
    earlier, later = _readings(shown, zone)
    if earlier == later or earlier.astimezone(zone).replace(tzinfo=None) == shown:
        return earlier
    return _jump(earlier, later, zone)


def _end(shown: datetime, zone: ZoneInfo) -> datetime:
    """The last moment that this can mean."""
    return _readings(shown, zone)[1]


def _readings(shown: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The two moments that a clock's reading can mean, the earlier first; nearly always they are the same."""
    one, other = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(one, other), max(one, other)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the clock was put forward, to the second."""
    offset = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def check_zone(name: str) -> None:
    """Invalid for the field `zone` when no such time zone is known."""
    if name not in _zones():
        raise Invalid(
            {"zone": [f"{name or 'Nothing'} is not a time zone that is known here. One is Europe/Zurich."]}
        )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_stretch(schedule: Schedule) -> None:
    if schedule.first_start.year not in _YEARS:
        raise Invalid({"starts": [f"A freeze begins in the years {_YEARS[0]} to {_YEARS[-1]}."]})
    if schedule.length <= timedelta(0):
        raise Invalid({"ends": ["It must end after it starts."]})
    if schedule.length > LONGEST:
        raise Invalid(
            {"ends": [f"A freeze lasts {LONGEST.days} days at most; without an end, stop the line."]}
        )


def _check_repeats(schedule: Schedule) -> None:
    until = schedule.first_start + HORIZON
    try:
        starts = (
            list(islice(takewhile(lambda start: start <= until, _starts(schedule)), _COMPARED))
            if _comes_about(schedule)
            else []
        )
    except ValueError as error:
        raise Invalid({"rule": [f"This rule can't be followed: {error}."]}) from error
    if not starts:
        raise Invalid({"rule": ["This rule names no day within twelve years, so it would never hold."]})
    if any(later - earlier <= schedule.length for earlier, later in pairwise(starts)):
        raise Invalid(
            {
                "rule": [
                    "It would begin again before it has ended. Make it shorter, or one freeze without a rule."
                ]
            }
        )


def _comes_about(schedule: Schedule) -> bool:
    """Whether the rule names any day within HORIZON, whenever it ends.

    dateutil looks for a day up to the year 9999, for seconds when there is none. So it is asked close to that year:
    weekdays and leap years come again in the same order after 28 years, within a century.
    """
    first = schedule.first_start
    january = date(first.year, 1, 1).weekday()
    late = next(
        year for year in _LAST_YEARS if year % 4 == first.year % 4 and date(year, 1, 1).weekday() == january
    )
    moved = first.replace(year=late)
    found = next(iter(rrulestr(recurrence.without_end(schedule.rule), dtstart=moved)), None)
    return found is not None and found <= moved + HORIZON
