"""How far minutes can be read: what is only late, what is in trouble, and what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.metrics.reach import Facts, reach
from endpoints.metrics.telemetry import State

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 25, 12, 0, 20, tzinfo=UTC)
NOON = NOW.replace(second=0)
FLOWING = Facts(
    now=NOW,
    state=State.FLOWING,
    newest=NOON - 2 * MINUTE,
    told=NOON - 3 * MINUTE,
    read_at=NOW - timedelta(seconds=10),
    began_at=NOW - timedelta(seconds=14),
    cadence_seconds=60,
)


def test_a_reading__of_the_present__reaches_to_the_newest_minute_with_requests() -> None:
    found = reach(FLOWING, NOW)
    assert found.read_until == NOON - 2 * MINUTE
    assert found.settled_until == NOON - 4 * MINUTE
    assert (found.waiting, found.unreadable) == ("Azure has told of minutes up to 11:58\u00a0UTC.", "")


def test_a_stretch_of_the_past__that_was_read__waits_for_nothing_whatever_is_wrong_now() -> None:
    found = reach(replace(FLOWING, state=State.FORBIDDEN, reason="No right."), NOON - 30 * MINUTE)
    assert found.read_until == found.settled_until == NOON - 30 * MINUTE
    assert (found.waiting, found.unreadable) == ("", "")


def test_an_endpoint__that_azure_never_told_of__is_waited_for_and_is_no_trouble() -> None:
    found = reach(replace(FLOWING, state=State.NONE_YET, newest=None, told=None), NOW)
    assert (found.read_until, found.settled_until) == (None, None)
    assert (found.waiting, found.unreadable) == ("Azure has not delivered any value so far.", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"read_at": None}, "No metric of it was read yet."),
        ({"state": State.FORBIDDEN, "reason": "The identity may not read."}, "The identity may not read."),
        ({"state": State.THROTTLED}, "Its metrics are throttled."),
        ({"told": NOON - 16 * MINUTE}, "Azure delivers nothing newer than 11:44\u00a0UTC."),
        (
            {"read_at": NOW - 6 * MINUTE},
            "Metrics were last read 6 minutes ago. Nobody reads them: the worker may be stopped.",
        ),
        (
            {"read_at": NOW - 6 * MINUTE, "failures": 4, "error_code": "TookTooLong"},
            "Metrics were last read 6 minutes ago. The last 4 readings failed (TookTooLong).",
        ),
        (
            {"read_at": NOW - 6 * MINUTE, "retry_at": NOON + 5 * MINUTE},
            "Metrics were last read 6 minutes ago. Azure Monitor lets nobody read before 12:05\u00a0UTC.",
        ),
    ],
)
def test_trouble__that_keeps_minutes_away__is_told_in_words(changes: dict[str, object], words: str) -> None:
    assert reach(replace(FLOWING, **changes), NOW).unreadable == words  # type: ignore[arg-type]


def test_a_slow_cadence__that_was_chosen__is_no_trouble() -> None:
    assert reach(replace(FLOWING, read_at=NOW - 6 * MINUTE, cadence_seconds=180), NOW).unreadable == ""


def test_minutes__read_long_ago__are_settled_only_as_far_as_that_reading_could_tell() -> None:
    found = reach(replace(FLOWING, read_at=NOW - 6 * MINUTE, began_at=NOW - 2 * MINUTE), NOW)
    assert found.settled_until == NOON - 10 * MINUTE
