"""Calendar files: what becomes a freeze, what is left and why, and nothing twice."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.core.errors import Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.holds import ics
from endpoints.holds.calendar import bounds, checked
from endpoints.holds.models import Freeze
from endpoints.holds.scope import Scope
from endpoints.holds.services import Imported, end_freeze, import_ics
from tests.holds.support import freeze, shown, utc
from tests.support.people import principal

ZURICH = "Europe/Zurich"
CUSTOM_ZONE = """BEGIN:VTIMEZONE
TZID:Our own zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def calendar_of(*events: str, extra: str = "") -> bytes:
    """A file with these events, each given by its lines without BEGIN and END."""
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:tests\n{extra}{body}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def one(lines: str, zone: str = ZURICH) -> tuple[datetime, datetime | None]:
    """When the only event of a file holds first, and is over."""
    found = ics.read(calendar_of(lines), zone)
    assert found.unread == ()
    (event,) = found.events
    return bounds(checked(event.schedule))


def why_not(lines: str, extra: str = "") -> str:
    found = ics.read(calendar_of(lines, extra=extra), ZURICH)
    assert found.events == ()
    return found.unread[0].why


@pytest.mark.parametrize(
    ("lines", "begin", "end"),
    [
        ("DTSTART:20271224T160000Z\nDTEND:20271227T080000Z", "2027-12-24T16:00", "2027-12-27T08:00"),
        ("DTSTART:20271224T160000\nDTEND:20271227T080000", "2027-12-24T15:00", "2027-12-27T07:00"),
        ("DTSTART:20271224T160000\nDURATION:PT2H", "2027-12-24T15:00", "2027-12-24T17:00"),
        (
            "DTSTART;TZID=America/New_York:20271224T160000\nDTEND;TZID=America/New_York:20271224T180000",
            "2027-12-24T21:00",
            "2027-12-24T23:00",
        ),
        (
            "DTSTART;TZID=W. Europe Standard Time:20271224T160000\nDTEND:20271224T170000Z",
            "2027-12-24T15:00",
            "2027-12-24T17:00",
        ),
        ("DTSTART;VALUE=DATE:20271224", "2027-12-23T23:00", "2027-12-24T23:00"),
        ("DTSTART;VALUE=DATE:20271224\nDTEND;VALUE=DATE:20271227", "2027-12-23T23:00", "2027-12-26T23:00"),
        ("DTSTART;VALUE=DATE:20271224\nDURATION:P3D", "2027-12-23T23:00", "2027-12-26T23:00"),
        # The night of the change: a day of 25 hours.
        ("DTSTART;VALUE=DATE:20261025", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_event__however_its_times_are_given__holds_then(lines: str, begin: str, end: str) -> None:
    assert one(f"UID:1\nSUMMARY:Holidays\n{lines}") == (utc(begin), utc(end))


def test_series__with_dates_left_out_added_and_moved__is_read_as_its_calendar_shows_it() -> None:
    series = """UID:1
SUMMARY:Weekends
DTSTART;TZID=Europe/Zurich:20271001T160000
DTEND;TZID=Europe/Zurich:20271004T080000
RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20271231T000000Z
EXDATE;TZID=Europe/Zurich:20271008T160000
EXDATE:20271015T140000Z
RDATE;TZID=Europe/Zurich:20271020T160000"""
    moved = """UID:1
SUMMARY:Weekends
RECURRENCE-ID:20271022T140000Z
DTSTART;TZID=Europe/Zurich:20271021T120000
DTEND;TZID=Europe/Zurich:20271025T080000"""
    found = ics.read(calendar_of(series, moved), "UTC")
    assert found.unread == ()
    by_uid = {event.uid: event.schedule for event in found.events}
    assert by_uid["1"].excluded == {shown(f"2027-10-{day}T16:00") for day in ("08", "15", "22")}
    assert by_uid["1"].zone == ZURICH
    assert by_uid["1+20271020T160000"].length == timedelta(days=2, hours=16)
    assert by_uid["1#20271022T160000"].first_start == shown("2027-10-21T12:00")
    assert len(by_uid) == 3


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("UID:1\nDTSTART:some day\nDURATION:PT2H", "DTSTART can't be read."),
        ("UID:1\nDTSTART:20271224T160000\nDURATION:long", "DURATION can't be read."),
        ("UID:1\nDTSTART:20271224T160000\nDURATION:PT2H\nRRULE:FREQ=SOMETIMES", "RRULE can't be read."),
        ("UID:1\nDURATION:PT2H", "It has no start."),
        ("UID:1\nDTSTART:20271224T160000", "neither an end nor a duration"),
        (
            "UID:1\nDTSTART;TZID=Mars/Olympus:20271224T160000\nDURATION:PT2H",
            "Mars/Olympus is not a time zone",
        ),
        (
            "UID:1\nDTSTART;TZID=Our own zone:20271224T160000\nDURATION:PT2H",
            "Our own zone is not a time zone",
        ),
        ("UID:1\nSTATUS:CANCELLED\nDTSTART:20271224T160000\nDURATION:PT2H", "It is cancelled."),
        (
            "UID:1\nDTSTART:20271224T160000\nDURATION:PT2H\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY",
            "more than one rule",
        ),
        (
            "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20271224T160000\nDTSTART:20271224T160000\nDURATION:PT2H",
            "from one date on",
        ),
        (
            "UID:1\nDTSTART:20271224T160000\nDURATION:PT2H\nRDATE;VALUE=PERIOD:20271225T000000Z/PT1H",
            "periods",
        ),
    ],
)
def test_event__that_can_not_be_read__is_named_with_the_reason(lines: str, says: str) -> None:
    assert says in why_not(lines, CUSTOM_ZONE if "Our own" in lines else "")


def test_title__of_an_event__is_one_line_of_what_can_be_shown() -> None:
    event = "UID:1\nSUMMARY:A\\nb\\, \x07c" + "x" * 200 + "\nDTSTART;VALUE=DATE:20271224"
    (found,) = ics.read(calendar_of(event), "UTC").events
    assert found.title.startswith("A b, cx") or found.title.startswith("A b,  cx".replace("  ", " "))
    assert len(found.title) == 120
    (untitled,) = ics.read(calendar_of("DTSTART;VALUE=DATE:20271224"), "UTC").events
    assert (untitled.title, len(untitled.uid)) == ("Freeze without a title", 32)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Choose a calendar file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"hello", "no calendar file"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "No events"),
        (calendar_of("UID:1\nDTSTART;VALUE=DATE:20271224")[:-20], "No events"),
        (b"x" * (ics.MOST_BYTES + 1), "512 KiB at most"),
        (calendar_of(*["UID:1\nDTSTART;VALUE=DATE:20271224"] * (ics.MOST_EVENTS + 1)), "300 events at most"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 20000, "No events"),
    ],
)
def test_file__that_is_none_or_too_much__is_refused_whole(data: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        ics.read(data, "UTC")
    assert list(caught.value.fields) == ["file"]


@pytest.mark.parametrize("start", ["PT1H", "-P1D", "P2W"])
def test_event__with_a_duration_for_its_start__is_told_and_left_out(start: str) -> None:
    found = ics.read(calendar_of(f"UID:1\nSUMMARY:odd\nDTSTART:{start}"), "UTC")
    assert not found.events
    assert [unread.title for unread in found.unread] == ["odd"]


@given(some.binary(max_size=300) | some.text(max_size=300).map(str.encode))
def test_file__of_anything__is_read_or_refused_and_never_worse(data: bytes) -> None:
    for wrapped in (data, calendar_of("UID:1\nDTSTART:" + data.decode("utf-8", "ignore"))):
        try:
            ics.read(wrapped, "UTC")
        except Invalid as error:
            assert list(error.fields) == ["file"]


HOLIDAYS = "UID:holidays\nSUMMARY:Holidays\nDTSTART;VALUE=DATE:20271224\nDTEND;VALUE=DATE:20271227"
PAST = "UID:past\nSUMMARY:Last year\nDTSTART;VALUE=DATE:20201224"
WEEKENDS = "UID:weekends\nSUMMARY:Weekends\nDTSTART:20270101T160000\nDURATION:P2D\nRRULE:FREQ=WEEKLY;BYDAY=FR"
HOURLY = "UID:hourly\nSUMMARY:Each hour\nDTSTART:20270101T160000\nDURATION:PT5M\nRRULE:FREQ=HOURLY"


def bring(
    user: User, workspace: Workspace | None, *events: str, pattern: str = "", zone: str = ZURICH
) -> Imported:
    return import_ics(
        principal=principal(user),
        scope=Scope(workspace.pk if workspace else None, pattern),
        zone=zone,
        data=calendar_of(*events),
        reason="The company's calendar.",
    )


def test_import__of_a_calendar__makes_what_it_can_and_says_the_rest(
    operator: User, workspace: Workspace
) -> None:
    found = bring(operator, workspace, HOLIDAYS, PAST, WEEKENDS, HOURLY)
    made = Freeze.objects.order_by("pk")
    assert [row.pk for row in made] == list(found.made)
    assert [(row.title, row.uid, row.source) for row in made] == [
        ("Holidays", "holidays", "ics"),
        ("Weekends", "weekends", "ics"),
    ]
    assert (found.over, found.known) == (("Last year",), ())
    ((title, why),) = [(each.title, each.why) for each in found.unread]
    assert title == "Each hour"
    assert "FREQ=HOURLY can't be read" in why
    assert Entry.objects.filter(action="freeze.made").count() == 2


def test_import__of_the_same_file_again__brings_nothing_twice(operator: User, workspace: Workspace) -> None:
    bring(operator, workspace, HOLIDAYS, WEEKENDS)
    again = bring(operator, workspace, HOLIDAYS, WEEKENDS)
    assert (again.made, again.known, again.unread) == ((), ("Holidays", "Weekends"), ())
    assert Freeze.objects.count() == 2
    # For other endpoints it is another freeze.
    assert len(bring(operator, workspace, HOLIDAYS, pattern="fraud-*").made) == 1


def test_import__of_an_event_whose_times_changed__leaves_the_freeze_and_says_so(
    operator: User, workspace: Workspace
) -> None:
    (number,) = bring(operator, workspace, HOLIDAYS).made
    longer = HOLIDAYS.replace("20271227", "20280103")
    found = bring(operator, workspace, longer)
    assert (found.made, found.known) == ((), ())
    assert "imported before with other times" in found.unread[0].why
    end_freeze(principal=principal(operator), freeze_id=number, reason="It is longer now.")
    assert len(bring(operator, workspace, longer).made) == 1


def test_import__of_two_events_with_one_uid__takes_the_first(operator: User, workspace: Workspace) -> None:
    found = bring(operator, workspace, HOLIDAYS, HOLIDAYS.replace("20271227", "20271228"))
    assert len(found.made) == 1
    assert "same UID" in found.unread[0].why


def test_import__by_who_may_not__brings_nothing(
    operator: User, reviewer: User, workspace: Workspace, other_workspace: Workspace
) -> None:
    for user, where in ((reviewer, workspace), (operator, None), (operator, other_workspace)):
        with pytest.raises((Refused, NotFound)):
            bring(user, where, HOLIDAYS)
    with pytest.raises(Invalid) as caught:
        bring(operator, workspace, HOLIDAYS, zone="Nowhere")
    assert list(caught.value.fields) == ["zone"]
    assert not Freeze.objects.exists()


def test_import__of_the_largest_file__takes_seconds(operator: User, workspace: Workspace) -> None:
    """Rules that never come about cost most."""
    bad = "UID:{}\nSUMMARY:x\nDTSTART:20270101T160000\nDURATION:PT5M\nRRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=9"
    began = time.perf_counter()
    found = bring(operator, workspace, *[bad.format(number) for number in range(ics.MOST_EVENTS)])
    assert len(found.unread) == ics.MOST_EVENTS
    assert time.perf_counter() - began < 15


def test_hand_made_freezes__of_any_number__share_no_uid(operator: User, workspace: Workspace) -> None:
    made = [freeze(operator, Scope(workspace.pk)) for _ in range(2)]
    assert {row.uid for row in made} == {""}
    assert Freeze.objects.filter(made_at__lte=db_now()).count() == 2
