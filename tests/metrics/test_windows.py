"""Stretches of time: presets, grains, steps, and the night in which a clock shows an hour twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.core.errors import Invalid
from endpoints.metrics.windows import (
    MOST_STEPS,
    RANGES,
    Grain,
    Window,
    ceiled,
    check_steps,
    floored,
    from_local,
    grain_for,
    label,
    steps,
    window,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, 34, 56, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
typed = datetime.fromisoformat
MOMENTS = some.datetimes(typed("1999-01-01"), typed("2100-01-01"), timezones=some.just(UTC))
GRAINS = some.sampled_from(Grain)


@pytest.mark.parametrize("name", RANGES)
def test_preset__up_to_now__is_as_long_as_it_says_and_holds_the_running_minute(name: str) -> None:
    found = window(NOW, name=name)
    assert (found.length, found.name) == (RANGES[name], name)
    assert found.until == datetime(2026, 11, 25, 12, 35, tzinfo=UTC)


def test_window__of_which_nothing_is_said__is_the_last_day() -> None:
    assert window(NOW) == window(NOW, name="24h")


def test_window__chosen__ends_now_at_the_latest_and_is_in_utc() -> None:
    begin = datetime(2026, 11, 24, 1, tzinfo=BERLIN)
    assert window(NOW, since=begin, until=NOW + DAY) == Window(datetime(2026, 11, 24, tzinfo=UTC), NOW)
    assert window(NOW, since=begin) == window(NOW, since=begin, until=NOW)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "2h"}, "range"),
        ({"name": "1h", "since": NOW - HOUR}, "range"),
        ({"until": NOW}, "since"),
        ({"since": NOW, "until": NOW}, "since"),
        ({"since": NOW, "until": NOW - HOUR}, "since"),
        # A clock that jumped back: what was asked for is in the future now.
        ({"since": NOW + HOUR, "until": NOW + 2 * HOUR}, "since"),
    ],
)
def test_window__that_can_not_be__is_refused_by_field(asked: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        window(NOW, **asked)  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize(
    ("length", "ago", "grain"),
    [
        (HOUR, HOUR, Grain.MINUTE),
        (DAY, DAY, Grain.MINUTE),
        (DAY + timedelta(minutes=1), DAY, Grain.HOUR),
        (HOUR, 4 * DAY, Grain.HOUR),
        (31 * DAY, 31 * DAY, Grain.HOUR),
        (32 * DAY, 32 * DAY, Grain.DAY),
        (HOUR, 500 * DAY, Grain.DAY),
    ],
)
def test_grain__by_length_and_what_is_kept__is_the_finest_that_serves(
    length: timedelta, ago: timedelta, grain: Grain
) -> None:
    since = NOW - ago
    found = grain_for(since, since + length, minutes_since=NOW - 3 * DAY, hours_since=NOW - 400 * DAY)
    assert found is grain


@given(MOMENTS, GRAINS)
def test_step__that_holds_a_moment__begins_and_ends_around_it(moment: datetime, grain: Grain) -> None:
    begin, end = floored(moment, grain), ceiled(moment, grain)
    assert begin <= moment <= end
    assert end - begin == (timedelta() if begin == moment else grain.step)
    assert (begin - datetime(1970, 1, 1, tzinfo=UTC)) % grain.step == timedelta()


@given(MOMENTS, some.timedeltas(timedelta(), timedelta(days=3)), GRAINS)
def test_steps__of_a_stretch__follow_on_each_other_and_cover_it(
    since: datetime, length: timedelta, grain: Grain
) -> None:
    until = since + length
    found = steps(since, until, grain)
    assert all(later - former == grain.step for former, later in pairwise(found))
    assert all(time < until and time + grain.step > since for time in found)
    assert not length or (found[0] <= since and found[-1] + grain.step >= until)


def test_steps__too_many__are_refused_with_the_way_out() -> None:
    check_steps(NOW, NOW + MOST_STEPS * HOUR - timedelta(minutes=35), Grain.HOUR)
    with pytest.raises(Invalid, match="Ask for coarser ones"):
        check_steps(NOW, NOW + MOST_STEPS * HOUR, Grain.HOUR)


def test_hours__of_the_night_with_an_hour_twice__are_25_with_labels_of_their_own() -> None:
    since = from_local(typed("2026-10-25T00:00"), BERLIN)
    until = from_local(typed("2026-10-26T00:00"), BERLIN, is_end=True)
    times = steps(since, until, Grain.HOUR)
    labels = [label(time, BERLIN, Grain.HOUR) for time in times]
    assert len(times) == 25
    assert labels[2:4] == ["2026-10-25 02:00 CEST", "2026-10-25 02:00 CET"]
    assert len(set(labels)) == 25


def test_hours__of_the_night_with_an_hour_less__are_23() -> None:
    since, until = (
        from_local(typed("2027-03-28T00:00"), BERLIN),
        from_local(typed("2027-03-29T00:00"), BERLIN),
    )
    labels = [label(time, BERLIN, Grain.HOUR) for time in steps(since, until, Grain.HOUR)]
    assert len(labels) == 23
    assert labels[1:3] == ["2027-03-28 01:00 CET", "2027-03-28 03:00 CEST"]


def test_minutes__of_an_hour_that_a_clock_shows_twice__are_120_when_it_is_typed() -> None:
    """From 02:00 to 03:00 typed on that night: the beginning is the first 02:00."""
    since = from_local(typed("2026-10-25T02:00"), BERLIN)
    until = from_local(typed("2026-10-25T03:00"), BERLIN, is_end=True)
    assert len(steps(since, until, Grain.MINUTE)) == 120
    late = from_local(typed("2026-10-25T02:30"), BERLIN, is_end=True)
    assert late == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert from_local(typed("2026-10-25T02:30"), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("is_end", [True, False])
def test_time__that_a_clock_skips__is_after_the_skip(is_end: bool) -> None:
    found = from_local(typed("2027-03-28T02:30"), BERLIN, is_end=is_end)
    assert found == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert found.astimezone(BERLIN).hour == 3


def test_day__in_another_zone__is_named_as_the_utc_day_that_it_is() -> None:
    day = datetime(2026, 10, 25, tzinfo=UTC)
    assert label(day, ZoneInfo("America/New_York"), Grain.DAY) == "2026-10-25 UTC"
