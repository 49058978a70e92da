"""Of which time a log was read: the newest word counts, what was read stays read, and there are no holes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.challenges.logspans import (
    LATE,
    NEVER,
    NOT_LOOKED,
    NOT_YET,
    LogSpan,
    Reader,
    Stretch,
    as_known,
    spans,
    tail,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def told(since: float, until: float, outcome: str, known: float, reason: str = "") -> Stretch:
    return Stretch(at(since), at(until), outcome, reason, at(known))


def shown(found: tuple[LogSpan, ...]) -> list[tuple[float, float, str]]:
    return [
        ((one.since - NOON).total_seconds() / 60, (one.until - NOON).total_seconds() / 60, one.outcome)
        for one in found
    ]


def test_spans__of_which_nothing_is_known__are_one_that_was_never_read():
    assert spans([], at(0), at(10)) == (LogSpan(at(0), at(10), "unread", NEVER),)


def test_spans__side_by_side__are_joined_and_holes_are_told():
    found = spans(
        [told(0, 10, "read", 30), told(10, 20, "read", 40), told(25, 40, "read", 60)], at(-5), at(50)
    )

    assert shown(found) == [
        (-5, 0, "unread"),
        (0, 20, "read"),
        (20, 25, "unread"),
        (25, 40, "read"),
        (40, 50, "unread"),
    ]


@pytest.mark.parametrize("known", [5, 50])
def test_spans__that_failed_and_were_read_before_or_after__are_read(known):
    found = spans([told(0, 20, "read", 30), told(5, 30, "failed", known, "No.")], at(0), at(30))

    assert shown(found) == [(0, 20, "read"), (20, 30, "failed")]
    assert found[1].reason == "No."


def test_spans__read_and_later_known_to_be_off__are_off_from_then_on():
    found = spans([told(0, 60, "read", 60), told(30, 90, "off", 90, "Off.")], at(0), at(90))

    assert shown(found) == [(0, 30, "read"), (30, 90, "off")]


def test_spans__outside_what_was_asked__are_left_out():
    assert shown(spans([told(-100, -50, "read", 0), told(100, 200, "read", 300)], at(0), at(10))) == [
        (0, 10, "unread")
    ]


def test_tail__of_a_reader_that_reads__goes_on_where_it_was_written_down_last():
    now = at(400)
    found = list(tail([told(0, 360, "read", 380)], Reader(at(399), 0, ""), now))

    assert shown(spans(found, at(360), now)) == [(360, 399 - LATE.seconds / 60, "read"), (384, 400, "unread")]
    assert found[-1].reason == NOT_YET


def test_tail__of_a_reader_that_fails__failed_since_it_read_last():
    now = at(400)
    found = list(tail([told(0, 300, "read", 320)], Reader(at(330), 3, "Azure is gone."), now))

    assert shown(spans(found, at(300), now)) == [(300, 315, "read"), (315, 400, "failed")]
    assert found[-1].reason == "Azure is gone."


def test_tail__of_a_log_that_is_not_exported__is_off_as_far_as_is_known():
    found = list(tail([told(0, 60, "off", 60, "Off.")], Reader(None, 0, "Off."), at(90)))

    assert shown(spans(found, at(60), at(90))) == [(60, 90, "off")]


def test_tail__of_a_log_of_which_nothing_is_known__is_unread():
    (found,) = tail([], Reader(None, 0, ""), at(90))

    assert (found.outcome, found.reason) == ("unread", NOT_LOOKED)
    assert list(tail([], None, at(90))) == []


def test_known__at_some_moment__has_what_was_read_by_then_and_nothing_later():
    written = [told(0, 60, "read", 75), told(60, 360, "read", 380), told(400, 500, "off", 500, "Off.")]

    assert shown(spans(as_known(written, at(200)), at(0), at(500))) == [
        (0, 185, "read"),
        (185, 500, "unread"),
    ]
    assert list(as_known(written, at(600))) == written


def test_known__before_anybody_read__is_nothing():
    assert list(as_known([told(0, 360, "read", 380)], at(370))) == []


def test_known__while_nobody_read__ends_where_reading_stopped():
    written = [told(0, 60, "read", 75), told(60, 120, "read", 400), told(120, 385, "read", 480)]

    assert shown(spans(as_known(written, at(300)), at(0), at(300))) == [
        (0, 120, "read"),
        (120, 300, "unread"),
    ]
    assert shown(spans(as_known(written, at(420)), at(0), at(420))) == [
        (0, 385, "read"),
        (385, 420, "unread"),
    ]


def test_known__while_readings_failed__ends_where_they_began_to():
    written = [told(0, 60, "read", 75), told(100, 160, "failed", 160, "No."), told(60, 360, "read", 380)]

    assert shown(spans(as_known(written, at(200)), at(0), at(200))) == [
        (0, 100, "read"),
        (100, 160, "failed"),
        (160, 200, "unread"),
    ]
