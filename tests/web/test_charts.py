"""Figures: what is unknown stays a gap, colours are the theme's, and a time is in the zone of the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.web.chart_axis import Axis, axis
from endpoints.web.charts import Limit, Line, Mark, Panel, figure, runs

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def over(steps: int, zone: ZoneInfo = UTC_ZONE, since: datetime = NOON, step: timedelta = MINUTE) -> Axis:
    return axis(since, since + steps * step, begin=since, step=step, zone=zone)


def drawn(values: list[float | None], **more: Any) -> dict[str, Any]:
    return figure([Panel("", (Line("blue", values, 0),))], over(len(values)), **more)


@given(some.lists(some.none() | some.floats(0, 1e9), min_size=1, max_size=60))
def test_figure__of_any_values__keeps_each_unknown_as_a_gap_and_makes_nothing_zero(
    values: list[float | None],
) -> None:
    line = next(trace for trace in drawn(values)["data"] if "x0" in trace)
    assert [value is None for value in line["y"]] == [value is None for value in values]
    assert [value for value in line["y"] if value == 0] == [value for value in values if value == 0]
    assert line["connectgaps"] is False


def test_figure__is_plain_json_with_colours_by_name_and_nothing_that_needs_webgl() -> None:
    text = json.dumps(drawn([1.0, None, 3.0], marks=[Mark(NOON, "CR-1")], gaps=[(1, 2)]))
    assert "bdata" not in text
    assert "gl" not in {trace["type"][-2:] for trace in json.loads(text)["data"]}
    colours = set(_colours(json.loads(text)))
    assert colours
    assert all(one.startswith("--") or one == "rgba(0,0,0,0)" for one in colours)


def _colours(value: Any) -> Any:
    if isinstance(value, list):
        for inner in value:
            yield from _colours(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.endswith(("color", "bgcolor")):
                yield inner
            else:
                yield from _colours(inner)


def test_point__without_neighbours__is_drawn_as_a_point() -> None:
    traces = drawn([None, 7.0, None, 8.0, 9.0])["data"]
    assert [trace["y"] for trace in traces if trace["mode"] == "markers"] == [[7.0]]


def test_bands__stand_where_nothing_is_known_for_as_long_as_it_is() -> None:
    found = drawn([1.0, None, None, 2.0], gaps=[(1, 3)])
    (band,) = [trace for trace in found["data"] if trace["type"] == "bar"]
    assert (band["x"], band["width"]) == (["2026-11-25 12:01:00"], [120_000])


def test_limit__that_changed__is_drawn_for_the_time_of_each() -> None:
    limits = (Limit(200, None, NOON + 2 * MINUTE), Limit(300, NOON + 2 * MINUTE))
    panel = Panel("", (Line("blue", [1.0] * 4, 0),), limits=limits, limit_words="budget 300 ms")
    shapes = [one for one in figure([panel], over(4))["layout"]["shapes"] if one["type"] == "line"]
    assert [(one["y0"], one["x0"][-8:-3], one["x1"][-8:-3]) for one in shapes] == [
        (200, "12:00", "12:02"),
        (300, "12:02", "12:04"),
    ]


def test_vertical_axes__begin_at_zero_and_are_one_for_small_multiples() -> None:
    panels = [Panel("a", (Line("a", [5.0], 0),)), Panel("b", (Line("b", [50.0], 0),))]
    layout = figure(panels, over(1))["layout"]
    assert layout["yaxis2"]["range"] == layout["yaxis3"]["range"]
    assert layout["yaxis2"]["range"][0] == 0
    assert layout["yaxis3"]["range"][1] >= 50


def test_marks__near_each_other__share_a_label_and_keep_their_lines() -> None:
    marks = [Mark(NOON + number * MINUTE, f"CR-{number}") for number in (1, 2, 50)]
    layout = drawn([1.0] * 60, marks=marks)["layout"]
    assert len([one for one in layout["shapes"] if one["type"] == "line"]) == 3
    assert [one["text"] for one in layout["annotations"] if one.get("name") == "mark"] == ["2 marks", "CR-50"]


def test_mark__outside_of_the_range__is_not_drawn() -> None:
    assert drawn([1.0] * 5, marks=[Mark(NOON - MINUTE, "CR-1")])["layout"]["shapes"] == []


@pytest.mark.parametrize(
    ("flags", "join", "found"),
    [
        ([0, 1, 1, 0, 1], 0, [(1, 3), (4, 5)]),
        ([0, 1, 1, 0, 1], 1, [(1, 5)]),
        ([0, 0], 0, []),
        ([1], 0, [(0, 1)]),
    ],
)
def test_runs(flags: list[int], join: int, found: list[tuple[int, int]]) -> None:
    assert runs((bool(flag) for flag in flags), join=join) == found


def test_axis__in_a_persons_zone__has_local_times_and_names_the_zone() -> None:
    shown = over(60, BERLIN)
    assert shown.at(NOON) == "2026-11-25 13:00:00"
    assert shown.title == "Time (Europe/Berlin, CET)"
    assert over(60).title == "Time (UTC)"


def test_axis__through_the_night_with_an_hour_twice__never_runs_backwards_and_says_so() -> None:
    """On 2026-10-25 clocks in Berlin went from 03:00 back to 02:00."""
    since = datetime(2026, 10, 24, 22, tzinfo=UTC)
    shown = over(8 * 60, BERLIN, since)
    places = [shown.at(since + number * MINUTE) for number in range(8 * 60)]
    assert places == sorted(set(places))
    assert "UTC+01:00 throughout" in shown.title
    assert "clocks in Europe/Berlin changed" in shown.title


def test_axis__of_days__is_in_utc_days_whatever_the_zone() -> None:
    shown = over(30, BERLIN, datetime(2026, 10, 10, tzinfo=UTC), timedelta(days=1))
    assert shown.title == "UTC days"
    assert shown.at(shown.begin) == "2026-10-10 00:00:00"
