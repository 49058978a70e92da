"""What charts say in words and tables: exact where it is exact, and unknown where it is unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from endpoints.metrics.observed import Stretch, compare
from endpoints.metrics.selectors import BudgetRow, Coverage, ObservedSplit, Series, Share
from endpoints.metrics.windows import Grain
from endpoints.web import captions, tables
from endpoints.web.chart_axis import Axis
from endpoints.web.numbers import amount, ms, per_minute, percentage, share
from endpoints.web.observed_view import seen
from endpoints.web.plots import Scene, Subject, observed_shares
from endpoints.web.tables import Column
from tests.web.reading import words

BEGIN = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Named:
    id: int
    name: str


BLUE = Named(1, "blue")
AXIS = Axis(BEGIN, BEGIN + timedelta(hours=4), BEGIN, Grain.HOUR.step, timedelta(0), "Time (UTC)")
BUDGET = BudgetRow(1, 1, 250.0, 0.01, BEGIN - timedelta(days=9), None, "user:1", "", "")


def series_of(grain: Grain = Grain.MINUTE, missing: int = 0, **columns: list[float | None]) -> Series:
    count = len(next(iter(columns.values())))
    times = tuple(BEGIN + number * grain.step for number in range(count))
    known = {1: {name: tuple(values) for name, values in columns.items()}}
    return Series(grain, times, known, None, {1: Coverage(count - missing, count)})


def latency(found: Share, missing: int = 0, budgets: tuple[BudgetRow, ...] = (BUDGET,)) -> str:
    shown = series_of(p95=[1.0] * 1440, missing=missing)
    return words(captions.latency([BLUE], shown, {1: found}, budgets))


def test_latency__over_the_budget__says_how_often_how_bad_and_what_is_unknown() -> None:
    found = Share(1440, 1412, 0, 14, 14, BEGIN + timedelta(hours=1, minutes=5), 412.0)
    assert latency(found, missing=28) == (
        "blue: p95 was over its budget of 250 ms in 14 of 1 412 known minutes;"
        " worst minute 412 ms on 11-24 at 13:05; 28 minutes unknown."
    )


def test_latency__within_the_budget__says_of_how_many_minutes() -> None:
    found = Share(1440, 1400, 40, 0, 0, BEGIN, 231.0)
    assert latency(found) == (
        "blue: p95 stayed within its budget of 250 ms in all 1 400 known minutes;"
        " worst minute 231 ms on 11-24 at 12:00; 40 minutes without requests."
    )


def test_latency__budget_set_within_the_range__says_since_when_minutes_are_held_against_it() -> None:
    young = replace(BUDGET, since=BEGIN + timedelta(hours=10))
    said = latency(Share(1440, 60, 0, 0, 0, BEGIN, 231.0), budgets=(young,))
    assert "within its budget of 250 ms, set on 11-24 at 22:00, in all 60 known minutes" in said


def test_latency__counted_from_histograms__is_told_from_so_many_to_so_many() -> None:
    found = Share(1440, 1400, 0, 3, 9, BEGIN, 300.0, Grain.HOUR)
    said = latency(found)
    assert "in 3 to 9 of 1 400 known minutes" in said
    assert "worst minute 300 ms on 11-24 between 12:00 and 13:00" in said


def test_latency__of_which_nothing_is_known__is_not_called_good() -> None:
    said = latency(Share(1440), missing=1440)
    assert said == "blue: its latency is not known in this range; 1 440 minutes unknown."


def test_latency__without_a_budget__says_that_there_is_none() -> None:
    said = latency(Share(1440, 0, 0, 0, 0, BEGIN, 90.0), budgets=())
    assert said == "blue: worst minute 90 ms on 11-24 at 12:00. No latency budget is set."


def test_errors__are_told_with_their_n_and_what_is_unknown() -> None:
    shown = series_of(
        requests=[100, 200, 100], status_5xx=[1, 0, None], model_errors=[0, 2, None], status_429=[0, 5, None]
    )
    assert words(captions.errors([BLUE], shown, [BUDGET])) == (
        "blue: 1.0 % failed, within its budget of 1.0 % (3 of 300: 1 5xx, 2 model errors);"
        " 5 refused with 429; errors of 1 minute unknown."
    )


def test_errors__never_read__are_unknown_and_not_zero() -> None:
    shown = series_of(requests=[100.0], status_5xx=[None], model_errors=[None], status_429=[None])
    assert words(captions.errors([BLUE], shown, [])) == "blue: its errors are not known in this range."


@pytest.mark.parametrize(
    ("values", "missing", "said"),
    [
        ([5, 7, None], 1, "blue: at least 12 requests; peak 7/min on 11-24 at 12:01."),
        ([0, 0], 0, "blue: no request in 2 known minutes."),
        ([None, None], 2, "blue: its requests are not known in this range."),
    ],
)
def test_requests(values: list[float | None], missing: int, said: str) -> None:
    assert words(captions.requests([BLUE], series_of(requests=values, missing=missing))) == said


def test_table__marks_rows_of_which_a_part_is_unknown() -> None:
    shown = series_of(requests=[10.0] * 30 + [None] * 30 + [None] * 60)
    column = Column("blue", shown.by_deployment[1]["requests"], "sum", tables.whole)
    table = tables.fold(shown, [column])
    assert table.length == "5 minutes"
    assert len(table.rows) == 24
    cells = [cell for _, cell in table.rows]
    assert cells[:18] == ["-"] * 18
    assert cells[18:] == ["50"] * 6
    halved = tables.fold(
        series_of(requests=[1.0, None] * 60), [Column("blue", (1.0, None) * 60, "sum", tables.whole)]
    )
    assert {words(cell) for _, cell in halved.rows} == {"≥ 3", "≥ 2"}


def test_table__of_worst_minutes__never_averages() -> None:
    values = [100.0] * 299 + [900.0]
    table = tables.fold(series_of(p95=values), [Column("worst p95", values, "max", ms)])
    assert table.rows[0][1] == ms(900.0)
    assert {cell for _, cell in table.rows[1:]} == {ms(100.0)}


def test_table__of_an_idle_minute__is_no_unknown() -> None:
    column = Column("worst p95", [None, 100.0], "max", ms, known=[True, True])
    (row,) = tables.fold(series_of(p95=[None, 100.0] * 1), [column]).rows[:1]
    assert "≥" not in row[1]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (ms(231.4), "231 ms"),
        (ms(4.23), "4.2 ms"),
        (ms(1180), "1.18 s"),
        (ms(None), "-"),
        (share(0), "0 %"),
        (share(0.00001), "<0.01 %"),
        (share(0.0038), "0.38 %"),
        (percentage(99.99), ">99.9 %"),
        (percentage(12.44), "12.4 %"),
        (amount(0.4), "0.4"),
        (amount(0.01), "<0.1"),
        (per_minute(1204.2), "1 204/min"),
        (per_minute(None), "-"),
    ],
)
def test_numbers(shown: str, text: str) -> None:
    assert words(shown) == text


def observed(*stretches: Stretch, changing: int = 0) -> ObservedSplit:
    return ObservedSplit(BEGIN, BEGIN + timedelta(hours=1), compare(stretches), None, 60, changing, 0)


def test_observed__far_from_the_order__differs_and_tells_how_sure() -> None:
    found = seen(observed(Stretch({"blue": 90, "green": 10}, {}, {"blue": 5000, "green": 5000}), changing=3))
    assert (found.kind, found.verdict) == ("warn", "Differs from the order")
    assert "blue\u00a050.0\u00a0%, green\u00a050.0\u00a0%" in found.words
    assert any("fit any share from" in note for note in found.notes)
    assert any("this is an estimate" in note for note in found.notes)
    assert any("3\u00a0minutes left out" in note for note in found.notes)


def test_observed__at_weight_zero__is_certain_to_be_by_header() -> None:
    found = seen(observed(Stretch({"blue": 100}, {}, {"blue": 900, "green": 7})))
    assert any(
        "7\u00a0requests reached green at weight 0" in note and "for certain" in note for note in found.notes
    )


def test_observed__unknown__is_not_called_same() -> None:
    found = seen(observed())
    assert (found.kind, found.verdict, found.words) == ("unknown", "Cannot tell", "unknown")


def test_split__before_a_deployment_was_created__is_known_to_give_it_nothing() -> None:
    young = Subject(2, "green", 1, 0, BEGIN + 2 * Grain.HOUR.step)
    old = Subject(1, "blue", 0, 100)
    times = tuple(BEGIN + number * Grain.HOUR.step for number in range(4))
    known = {1: {"requests": (60.0, 60.0, None, 30.0)}, 2: {"requests": (None, None, 40.0, 90.0)}}
    shown = Scene(Series(Grain.HOUR, times, known, None, {}), AXIS, (old, young))
    assert shown.requests(young) == (0.0, 0.0, 40.0, 90.0)
    assert shown.requests(old) == (60.0, 60.0, None, 30.0)
    assert observed_shares(shown) == {1: [100.0, 100.0, None, 25.0], 2: [0.0, 0.0, None, 75.0]}
    said = captions.split((old, young), [shown.requests(one) for one in (old, young)], Grain.HOUR)
    assert words(said) == "Of 240 requests in 3 hours: blue 62.5 %, green 37.5 %."
