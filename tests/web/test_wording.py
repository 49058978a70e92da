"""Moments, ages and shares as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from endpoints.web import display, wording

NOON = datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)


def seen_from(name: str) -> display.Display:
    zone = display.zone_named(name)
    return display.Display(zone, zone, NOON)


def test_clock__in_utc__names_the_zone() -> None:
    assert wording.clock(NOON) == "2026-11-23\u00a012:00:05\u00a0UTC"


def test_clock__in_a_zone_of_ones_own__shows_its_offset_of_that_day() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with display.showing(seen_from("Europe/Warsaw")):
        assert wording.clock(night) == "2026-10-25\u00a002:30:00\u00a0CEST"
        assert wording.clock(night + timedelta(hours=1)) == "2026-10-25\u00a002:30:00\u00a0CET"


def test_clock__without_a_moment__says_unknown() -> None:
    assert wording.clock(None) == wording.age(None) == wording.duration(None) == "unknown"


def test_other_zones__name_utc_first_and_repeat_nothing() -> None:
    assert wording.other_zones(NOON) == "2026-11-23 12:00:05 UTC"
    with display.showing(seen_from("Asia/Tokyo")):
        assert wording.other_zones(NOON) == "2026-11-23 12:00:05 UTC, 2026-11-23 21:00:05 JST"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0\u00a0s"),
        (59.9, "59\u00a0s"),
        (60, "1\u00a0min"),
        (3599, "59\u00a0min"),
        (7200, "2\u00a0h"),
        (172_800, "2\u00a0d"),
    ],
)
def test_age__is_told_in_the_largest_unit_that_says_enough(seconds: float, text: str) -> None:
    with display.showing(display.Display(ZoneInfo("UTC"), ZoneInfo("UTC"), NOON)):
        assert wording.age(NOON - timedelta(seconds=seconds)) == text


def test_age__of_a_moment_that_another_clock_puts_ahead__is_not_negative() -> None:
    with display.showing(display.Display(ZoneInfo("UTC"), ZoneInfo("UTC"), NOON)):
        assert wording.age(NOON + timedelta(seconds=2)) == "0\u00a0s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0\u00a0s"), (0.4, "under 1\u00a0s"), (72, "1\u00a0m 12\u00a0s"), (3600, "1\u00a0h")],
)
def test_duration__says_every_part_that_is_not_zero(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_split__that_was_never_read__is_not_no_traffic() -> None:
    assert wording.split(None) == "unknown"
    assert wording.split({}) == "no traffic"
    assert wording.percent(None) == "unknown"


def test_zone__that_nobody_knows__is_utc() -> None:
    assert display.zone_named("Mars/Olympus") is display.UTC_ZONE
    assert display.zone_named("../../etc/passwd") is display.UTC_ZONE


def test_count__parts_thousands_by_a_space_that_does_not_break() -> None:
    assert wording.count(12481) == "12\u202f481"
    assert wording.plural(1, "record") == "1\u00a0record"
    assert wording.plural(2, "record") == "2\u00a0records"
