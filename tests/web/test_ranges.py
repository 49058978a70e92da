"""The stretch that a page shows, out of its address; and the small line of a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from endpoints.web import display, ranges
from endpoints.web.sparks import recent, spark_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_berlin() -> Iterator[None]:
    with display.showing(display.Display(BERLIN, BERLIN, NOW)):
        yield


def asked(query: str) -> ranges.Shown:
    return ranges.shown(QueryDict(query))


def test_range__not_named__is_the_last_six_hours() -> None:
    assert asked("").window.length == timedelta(hours=6)


@pytest.mark.parametrize("name", ranges.CHIPS)
def test_range__by_name__ends_now_and_is_marked(name: str) -> None:
    found = asked(f"range={name}")
    assert found.window.name == name
    assert found.window.until >= NOW
    assert [chip.name for chip in ranges.chips(found, "/x") if chip.current] == [name]


def test_range__typed_without_an_offset__is_in_the_zone_of_the_page() -> None:
    found = asked("since=2026-11-25T10:00&until=2026-11-25T11:00")
    assert found.window.since == datetime(2026, 11, 25, 9, tzinfo=UTC)
    assert found.typed() == {"since": "2026-11-25T10:00", "until": "2026-11-25T11:00"}


def test_range__typed_in_the_hour_that_comes_twice__holds_both() -> None:
    found = asked("since=2026-10-25T02:30&until=2026-10-25T02:45")
    assert found.window.length == timedelta(minutes=75)


def test_range__as_a_fixed_link__means_the_same_to_everybody() -> None:
    first = asked("range=1h")
    again = asked(first.fixed)
    assert again.window.since == first.window.since
    assert again.window.name == ""


@pytest.mark.parametrize(
    "query",
    [
        "range=2y",
        "since=yesterday",
        "since=2026-11-25T10:00&until=2026-11-25T09:00",
        "since=0001-01-01T00:00",
        "since=9999-12-31T23:59",
        "since=2024-01-01T00:00&until=2026-11-01T00:00",
        "until=2026-11-25T10:00",
        "since=2026-11-25T10:00&range=1h",
        "since=%F0%9F%99%82",
    ],
)
def test_range__that_makes_no_sense__says_so_and_shows_the_usual_one(query: str) -> None:
    found = asked(query)
    assert found.window.length == timedelta(hours=6)
    assert "The last 6 hours are shown." in found.problem


def test_spark__older_than_now__moves_left_and_leaves_the_rest_unknown() -> None:
    points = [float(number) for number in range(24)]
    shown = recent(points, NOW - timedelta(hours=3), NOW)
    assert shown == [*points[3:], None, None, None]
    assert recent(points, NOW - timedelta(days=2), NOW) == []


def test_spark__has_gaps_where_nothing_is_known_and_no_end_there() -> None:
    found = spark_of([1.0, None, None, 4.0, 5.0, None])
    assert found is not None
    assert found.path.count("M") == 2
    assert len(found.gaps) == 2
    assert found.end is None


def test_spark__of_nothing_known__is_none_and_of_zeros_lies_on_the_ground() -> None:
    assert spark_of([None] * 24) is None
    flat = spark_of([0.0, 0.0])
    assert flat is not None
    assert flat.path == "M2 20.0L94 20.0"
