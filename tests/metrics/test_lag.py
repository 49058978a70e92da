"""Which minutes a collector reads: those it has not read to the end, whatever its clock did meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.metrics import lag

NOW = datetime(2026, 11, 25, 12, 0, 42, tzinfo=UTC)
UNTIL = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
REREAD = timedelta(minutes=10)


def test_stretch__of_a_new_collector__is_the_last_half_hour() -> None:
    assert lag.stretch(NOW, None, reread=REREAD) == lag.Stretch(UNTIL - lag.FIRST, UNTIL)


def test_stretch__a_minute_later__reads_the_settling_minutes_again() -> None:
    found = lag.stretch(NOW, UNTIL - timedelta(minutes=1), reread=REREAD)
    assert found == lag.Stretch(UNTIL - timedelta(minutes=11), UNTIL)


def test_stretch__after_hours__is_the_newest_hour_and_a_gap_without_a_hole() -> None:
    found = lag.stretch(NOW, UNTIL - timedelta(hours=7), reread=REREAD)
    assert found.until - found.since == lag.LONGEST
    assert found.gap == (UNTIL - timedelta(hours=7) - REREAD, found.since)


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=400)])
def test_stretch__when_the_clock_was_set_back__is_never_empty_or_turned_around(ahead: timedelta) -> None:
    found = lag.stretch(NOW, NOW + ahead, reread=REREAD)
    assert found == lag.Stretch(UNTIL - REREAD, UNTIL)


def test_stretch__over_the_night_with_an_hour_twice__has_as_many_minutes_as_went_by() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    found = lag.stretch(datetime(2026, 10, 25, 1, 15, tzinfo=UTC), before, reread=REREAD)
    assert (found.until - found.since) == timedelta(minutes=55)
