"""A calendar file (RFC 5545) as schedules. What can't be read is named with the reason; the rest goes on.

All-day events and times without a zone are on the clock of the zone that the importing person names. A changed
instance of a repeated event is one of its own, left out of the series; added dates are events of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar, Component

from endpoints.core.errors import Invalid
from endpoints.holds.calendar import Schedule

MOST_BYTES = 512 * 1024
MOST_EVENTS = 300
_LONGEST_TITLE = 120
_STAMP = "%Y%m%dT%H%M%S"
_DATES = ("DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True)
class Event:
    """One freeze to be: `uid` tells it from all others, also in the next file of the same calendar."""

    uid: str
    title: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Unread:
    """An event that could not be taken over, and why."""

    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds. Schedules are not checked yet."""

    events: tuple[Event, ...]
    unread: tuple[Unread, ...]


class _NotReadable(Exception):
    """Why one event can't be read."""


def read(data: bytes, zone: str) -> Read:
    """The events of a file. Invalid for the field `file` when it is none, or holds too much."""
    found = _components(data)
    moved = _moved_instances(found)
    events: list[Event] = []
    unread: list[Unread] = []
    for component in found:
        try:
            events.extend(_events(component, zone, moved))
        except (_NotReadable, ValueError, OverflowError, AttributeError) as error:
            # Values that are no times at all surface as errors of many kinds deep in the parser.
            known = isinstance(error, _NotReadable)
            unread.append(Unread(_title(component), str(error) if known else "Its times can't be read."))
    return Read(tuple(events), tuple(unread))


def _components(data: bytes) -> list[Component]:
    if not data.strip():
        raise _bad(f"Choose a calendar file; it has {MOST_BYTES // 1024} KiB at most.")
    if len(data) > MOST_BYTES:
        raise _bad(f"A calendar file has {MOST_BYTES // 1024} KiB at most; this has {len(data) // 1024}.")
    try:
        calendars = Calendar.from_ical(data.decode("utf-8-sig"), multiple=True)
        found = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except UnicodeDecodeError as error:
        raise _bad("This is no calendar file: it is not UTF-8 text.") from error
    except (ValueError, RecursionError) as error:
        raise _bad("This is no calendar file (.ics), or it is damaged.") from error
    if not found:
        raise _bad("No events were found in this file, or it ends too early.")
    if len(found) > MOST_EVENTS:
        raise _bad(f"A file has {MOST_EVENTS} events at most; this has {len(found)}.")
    return found


def _bad(sentence: str) -> Invalid:
    return Invalid({"file": [f"{sentence} Nothing was imported."]})


def _moved_instances(components: Iterable[Component]) -> dict[str, list[Any]]:
    """By UID: the instances at which something else happens than the series says."""
    found: dict[str, list[Any]] = {}
    for component in components:
        instance = component.get("RECURRENCE-ID")
        if instance is not None and not component.errors:
            found.setdefault(_text(component, "UID"), []).append(instance)
    return found


def _events(component: Component, zone: str, moved: dict[str, list[Any]]) -> list[Event]:
    """The event with its series, then one for each added date."""
    _refuse(component)
    schedule = _schedule(component, zone)
    title = _title(component)
    uid = _text(component, "UID") or sha256(component.to_ical()).hexdigest()[:32]
    instance = component.get("RECURRENCE-ID")
    if instance is not None:
        uid = f"{uid}#{_start(instance, schedule):{_STAMP}}"
    elif schedule.rule:
        others = {_start(instance, schedule) for instance in moved.get(uid, ())}
        schedule = replace(schedule, excluded=schedule.excluded | others)
    added = sorted(_listed(component, "RDATE", schedule) - {schedule.first_start})
    return [
        Event(uid, title, schedule),
        *(
            Event(f"{uid}+{start:{_STAMP}}", title, Schedule(schedule.zone, start, start + schedule.length))
            for start in added
        ),
    ]


def _refuse(component: Component) -> None:
    broken = sorted({name for name, _ in component.errors if name in _DATES})
    if broken:
        raise _NotReadable(f"{', '.join(broken)} can't be read.")
    if _text(component, "STATUS").upper() == "CANCELLED":
        raise _NotReadable("It is cancelled.")
    if component.get("DTSTART") is None:
        raise _NotReadable("It has no start.")
    instance = component.get("RECURRENCE-ID")
    if instance is not None and instance.params.get("RANGE"):
        raise _NotReadable("It changes a series from one date on; make that freeze by hand.")


def _schedule(component: Component, zone: str) -> Schedule:
    start = component.get("DTSTART")
    zone = _zone_of(start, zone)
    first = _on_clock(start.dt, zone)
    excluded = _listed(component, "EXDATE", Schedule(zone, first, first))
    return Schedule(zone, first, _end(component, zone, first), _rule(component), frozenset(excluded))


def _end(component: Component, zone: str, first: datetime) -> datetime:
    end, duration = component.get("DTEND"), component.get("DURATION")
    if end is not None:
        return _on_clock(end.dt, _zone_of(end, zone), zone)
    if duration is not None:
        length: timedelta = duration.dt
        if not isinstance(length, timedelta):
            raise _NotReadable("It has a time where a duration belongs.")
        return first + length
    if isinstance(component.get("DTSTART").dt, datetime):
        raise _NotReadable("It has neither an end nor a duration.")
    return first + timedelta(days=1)


def _rule(component: Component) -> str:
    found = component.get("RRULE")
    if found is None:
        return ""
    if isinstance(found, list):
        raise _NotReadable("It has more than one rule.")
    text: str = found.to_ical().decode()
    return text


def _listed(component: Component, name: str, schedule: Schedule) -> set[datetime]:
    """The starts in EXDATE or RDATE."""
    found = component.get(name)
    parts = found if isinstance(found, list) else [found] if found is not None else []
    return {_start(each, schedule) for part in parts for each in part.dts}


def _start(value: Any, schedule: Schedule) -> datetime:
    """A start within the series, on its clock; a date alone is that day's."""
    if not isinstance(value.dt, date):
        raise _NotReadable("It has periods in place of times, which are not understood.")
    if isinstance(value.dt, datetime):
        return _on_clock(value.dt, _zone_of(value, schedule.zone), schedule.zone)
    return datetime.combine(value.dt, schedule.first_start.time())


def _zone_of(value: Any, given: str) -> str:
    """The zone that a time names; the person's where it names none."""
    moment = value.dt
    tzid = str(value.params.get("TZID", ""))
    if not isinstance(moment, datetime) or (moment.tzinfo is None and not tzid):
        return given
    name = str(getattr(moment.tzinfo, "key", "") or tzid)
    if name not in available_timezones():
        raise _NotReadable(f"{name} is not a time zone that is known here.")
    return name


def _on_clock(moment: date, zone: str, shown_in: str = "") -> datetime:
    """What the clock of `zone` shows then, or that of `shown_in`; a day begins at its midnight."""
    if not isinstance(moment, date):
        raise _NotReadable("It has a duration or a period where a time belongs.")
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time.min)
    wanted = ZoneInfo(shown_in or zone)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(wanted).replace(tzinfo=None, fold=0)


def _title(component: Component) -> str:
    return _text(component, "SUMMARY")[:_LONGEST_TITLE] or "Freeze without a title"


def _text(component: Component, name: str) -> str:
    """One line of text; what no page could show is left out."""
    found = component.get(name)
    value = str(found[0] if isinstance(found, list) else found or "")
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())
