"""When a freeze holds: nights in which the clock is changed, rules that repeat, and rules that can't be."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, reject
from hypothesis import strategies as some

from endpoints.core.errors import Invalid
from endpoints.holds.calendar import (
    Schedule,
    Span,
    bounds,
    checked,
    covering,
    next_start,
    occurrences,
)

ZURICH = "Europe/Zurich"
MINUTES = some.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001 - a clock's own reading
    lambda moment: moment.replace(second=0, microsecond=0)
)
LENGTHS = some.integers(1, 7 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
ZONES = some.sampled_from([ZURICH, "UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])


def shown(text: str) -> datetime:
    """What a clock shows."""
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def once(first: str, last: str, zone: str = ZURICH) -> Schedule:
    return checked(Schedule(zone, shown(first), shown(last)))


def weekend(rule: str = "FREQ=WEEKLY;BYDAY=FR", **more: frozenset[datetime]) -> Schedule:
    return checked(Schedule(ZURICH, shown("2026-10-16T16:00"), shown("2026-10-19T08:00"), rule, **more))


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        # On an ordinary night.
        ("2026-10-24T02:30", "2026-10-24T03:30", "2026-10-24T00:30", "2026-10-24T01:30"),
        # The clock is put back at 03:00: 02:00 to 03:00 comes twice.
        ("2026-10-25T01:30", "2026-10-25T02:30", "2026-10-24T23:30", "2026-10-25T01:30"),
        ("2026-10-25T02:30", "2026-10-25T02:45", "2026-10-25T00:30", "2026-10-25T01:45"),
        ("2026-10-25T02:30", "2026-10-25T03:30", "2026-10-25T00:30", "2026-10-25T02:30"),
        ("2026-10-24T16:00", "2026-10-26T08:00", "2026-10-24T14:00", "2026-10-26T07:00"),
        # The clock is put forward at 02:00: 02:00 to 03:00 is skipped.
        ("2026-03-29T01:30", "2026-03-29T02:30", "2026-03-29T00:30", "2026-03-29T01:30"),
        ("2026-03-29T02:10", "2026-03-29T02:50", "2026-03-29T01:00", "2026-03-29T01:50"),
        ("2026-03-29T02:30", "2026-03-29T03:15", "2026-03-29T01:00", "2026-03-29T01:15"),
        ("2026-03-29T01:30", "2026-03-29T03:30", "2026-03-29T00:30", "2026-03-29T01:30"),
        ("2026-03-28T16:00", "2026-03-30T08:00", "2026-03-28T15:00", "2026-03-30T06:00"),
    ],
)
def test_freeze__around_a_change_of_the_clock__holds_these_moments(
    first: str, last: str, begin: str, end: str
) -> None:
    schedule = once(first, last)
    assert bounds(schedule) == (utc(begin), utc(end))
    assert covering(schedule, utc(begin)) == Span(utc(begin), utc(end))
    assert covering(schedule, utc(begin) - timedelta(seconds=1)) is None
    assert covering(schedule, utc(end)) is None


def test_weekly_freeze__over_the_night_of_the_change__ends_at_the_same_time_of_day() -> None:
    ends = [span.end for span in occurrences(weekend(), utc("2026-10-17"), 3)]
    assert ends == [utc("2026-10-19T06:00"), utc("2026-10-26T07:00"), utc("2026-11-02T07:00")]


def test_nightly_freeze__in_the_night_that_has_an_hour_twice__holds_through_both() -> None:
    nightly = checked(Schedule(ZURICH, shown("2026-10-20T02:15"), shown("2026-10-20T02:45"), "FREQ=DAILY"))
    (span,) = occurrences(nightly, utc("2026-10-25T00:00"), 1)
    assert span == Span(utc("2026-10-25T00:15"), utc("2026-10-25T01:45"))
    assert covering(nightly, utc("2026-10-25T01:05")) == span


@given(MINUTES, LENGTHS, ZONES)
def test_freeze__wherever_the_clock_reads_within_it__holds(
    first: datetime, length: timedelta, zone: str
) -> None:
    """Against the definition itself: minute by minute, the clock is asked."""
    schedule = checked(Schedule(zone, first, first + length))
    begin, end = bounds(schedule)
    assert end is not None
    assert begin < end
    clock = ZoneInfo(zone)
    for moment in (begin + timedelta(minutes=number) for number in range(-130, 131)):
        reading = moment.astimezone(clock).replace(tzinfo=None)
        if first <= reading < first + length:
            assert covering(schedule, moment) == Span(begin, end)


@given(MINUTES, LENGTHS, ZONES)
def test_freeze__wherever_it_lies__is_never_shorter_than_meant_but_for_what_the_clock_skips(
    first: datetime, length: timedelta, zone: str
) -> None:
    begin, end = bounds(checked(Schedule(zone, first, first + length)))
    assert end is not None
    assert length - timedelta(hours=1) <= end - begin <= length + timedelta(hours=2)


@given(MINUTES, some.integers(0, 400 * 24 * 60), ZONES)
def test_next_start__of_any_moment__lies_after_it_and_none_in_between(
    first: datetime, later: int, zone: str
) -> None:
    schedule = checked(Schedule(zone, first, first + timedelta(hours=5), "FREQ=WEEKLY;BYDAY=MO,TH"))
    at = bounds(schedule)[0] + timedelta(minutes=later)
    found = next_start(schedule, at)
    assert found is not None
    assert at < found <= at + timedelta(days=5)
    assert covering(schedule, found) is not None
    assert covering(schedule, found - timedelta(seconds=1)) is None


def test_rule__with_starts_left_out__does_not_hold_on_those() -> None:
    schedule = weekend(excluded=frozenset({shown("2026-10-23T16:00")}))
    assert covering(schedule, utc("2026-10-24T12:00")) is None
    assert next_start(schedule, utc("2026-10-20")) == utc("2026-10-30T15:00")


@pytest.mark.parametrize(
    ("rule", "over"),
    [
        ("FREQ=WEEKLY;BYDAY=FR", None),
        ("FREQ=WEEKLY;BYDAY=FR;COUNT=2", "2026-10-26T07:00"),
        ("RRULE:freq=weekly;byday=fr;until=20261030T150000Z", "2026-11-02T07:00"),
        ("FREQ=WEEKLY;BYDAY=FR;UNTIL=20261030T145959Z", "2026-10-26T07:00"),
        ("FREQ=WEEKLY;BYDAY=FR;UNTIL=20261030", "2026-11-02T07:00"),
        ("FREQ=WEEKLY;BYDAY=FR;UNTIL=99991231", None),
    ],
)
def test_rule__by_its_end__is_over_or_goes_on(rule: str, over: str | None) -> None:
    assert bounds(weekend(rule)) == (utc("2026-10-16T14:00"), utc(over) if over else None)


def test_rule__that_began_years_ago__is_looked_up_quickly() -> None:
    daily = checked(Schedule(ZURICH, shown("2001-01-01T22:00"), shown("2001-01-02T04:00"), "FREQ=DAILY"))
    began = time.perf_counter()
    assert covering(daily, utc("2026-11-25T23:00")) is not None
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("FREQ=HOURLY", "FREQ=HOURLY can't be read"),
        ("FREQ=SECONDLY;COUNT=5", "can't be read"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "BYHOUR can't be part"),
        ("FREQ=YEARLY;BYEASTER=1", "BYEASTER can't be part"),
        ("every friday", "EVERY FRIDAY can't be part"),
        ("BYDAY=FR", "FREQ is missing"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY= can't be read"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX can't be read"),
        ("FREQ=WEEKLY;FREQ=DAILY", "given twice"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL=0 can't be read"),
        ("FREQ=WEEKLY;COUNT=1001", "COUNT is 1000 at most"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270101", "exclude each other"),
        ("FREQ=WEEKLY;UNTIL=20270231", "no date"),
        ("FREQ=WEEKLY;BYDAY=2FR", "Numbered weekdays"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "go with MONTHLY"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "hardly ever meet"),
        ("FREQ=MONTHLY;BYSETPOS=1", "picks among"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "names no day"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "names no day"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=9", "names no day"),
        ("FREQ=WEEKLY;BYDAY=FR;UNTIL=20200101", "names no day"),
        ("FREQ=DAILY", "begin again before it has ended"),
        ("FREQ=WEEKLY;BYDAY=FR,SA", "begin again before it has ended"),
        ("FREQ=WEEKLY;" + "BYDAY=FR;" * 50, "characters"),
    ],
)
def test_rule__that_can_not_be__is_refused_by_its_field(rule: str, says: str) -> None:
    began = time.perf_counter()
    with pytest.raises(Invalid, match=says) as caught:
        weekend(rule)
    assert list(caught.value.fields) == ["rule"]
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        (Schedule("Mars/Olympus", shown("2026-01-01"), shown("2026-01-02")), "zone"),
        (Schedule("../../etc/passwd", shown("2026-01-01"), shown("2026-01-02")), "zone"),
        (Schedule("Europe", shown("2026-01-01"), shown("2026-01-02")), "zone"),
        (Schedule("", shown("2026-01-01"), shown("2026-01-02")), "zone"),
        (Schedule("UTC", shown("1999-12-31"), shown("2000-01-02")), "starts"),
        (Schedule("UTC", shown("9999-12-30"), shown("9999-12-31")), "starts"),
        (Schedule("UTC", shown("2026-01-02"), shown("2026-01-02")), "ends"),
        (Schedule("UTC", shown("2026-01-02"), shown("2026-01-01")), "ends"),
        (Schedule("UTC", shown("2026-01-01"), shown("2027-01-03")), "ends"),
    ],
)
def test_schedule__that_can_not_be__names_the_field(schedule: Schedule, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(schedule)
    assert list(caught.value.fields) == [field]


def test_rule__from_any_year__is_found_to_come_about_when_it_does() -> None:
    """The 29th of February is the hardest day: it comes every four years, from wherever one looks."""
    for year in range(2000, 2088):
        first = datetime(year, 1, 1, 9)  # noqa: DTZ001 - a clock's own reading
        leap = checked(
            Schedule("UTC", first, first + timedelta(hours=1), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
        )
        assert bounds(leap)[0].month == 2
        new_year = checked(Schedule("UTC", first, first + timedelta(hours=1), "FREQ=WEEKLY"))
        assert bounds(new_year)[0].replace(tzinfo=None) == first


FREQUENCIES = some.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])


@given(
    FREQUENCIES,
    some.integers(1, 60),
    some.sampled_from(
        ["", ";BYDAY=MO", ";BYDAY=2TU", ";BYMONTHDAY=-1", ";BYMONTH=2", ";BYDAY=MO,WE;BYSETPOS=-1"]
    ),
    some.sampled_from(["", ";COUNT=3", ";UNTIL=20300101"]),
    MINUTES,
)
def test_rule__of_any_kind__is_refused_or_comes_out_the_same_when_read_again(
    frequency: str, interval: int, by: str, end: str, first: datetime
) -> None:
    typed = f"FREQ={frequency};INTERVAL={interval}{by}{end}"
    try:
        schedule = checked(Schedule(ZURICH, first, first + timedelta(hours=3), typed))
    except Invalid as error:
        assert list(error.fields) == ["rule"]
        return
    assert checked(schedule) == schedule
    starts_at, over_at = bounds(schedule)
    spans = occurrences(schedule, starts_at - timedelta(days=1), 5)
    assert spans[0].start == starts_at
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert over_at is None or spans[-1].end <= over_at
    # A count of rare days may end further away than anybody looks.
    assert over_at is not None or "UNTIL" not in end
    assert over_at is None or end


@given(
    some.sampled_from(["DAILY", "WEEKLY"]),
    some.integers(1, 9),
    some.sampled_from(["", ";BYDAY=MO", ";BYDAY=SU,TU;WKST=SU", ";BYMONTH=2,7"]),
    some.sampled_from(["", ";COUNT=900", ";UNTIL=20280101"]),
    MINUTES,
    some.integers(0, 3 * 365 * 24),
)
def test_rule__looked_up_years_later__holds_when_counting_from_its_start_says_so(
    frequency: str, interval: int, by: str, end: str, first: datetime, hours: int
) -> None:
    """Against dateutil, which counts every start from the first."""
    if frequency == "DAILY" and by:
        interval = 1
    rule = f"FREQ={frequency};INTERVAL={interval}{by}{end}"
    try:
        schedule = checked(Schedule("UTC", first, first + timedelta(hours=3), rule))
    except Invalid:
        reject()  # it names no day: refused, as a test of its own says
    at = first + timedelta(hours=hours)
    counted = rrulestr(schedule.rule, dtstart=first).xafter(at - timedelta(hours=3), count=4)
    found = [span.start.replace(tzinfo=None) for span in occurrences(schedule, at.replace(tzinfo=UTC), 4)]
    assert found == list(counted)
