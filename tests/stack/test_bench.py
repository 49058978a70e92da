"""A measurement is judged by its bars, and no figure passes by being missing."""

from __future__ import annotations

import math

import pytest

from bench.__main__ import main, report
from bench.figures import Figure, table


def test_a_figure__within_its_bar__is_ok() -> None:
    assert Figure(name="sync", value=1.4, bar=1.5).ok
    assert not Figure(name="sync", value=1.6, bar=1.5).ok


def test_a_figure__of_which_more_is_better__is_short_below_its_bar() -> None:
    assert Figure(name="rate", value=12, bar=10, more_is_better=True).ok
    assert not Figure(name="rate", value=9, bar=10, more_is_better=True).ok


def test_a_ratio__to_its_yardstick__is_what_the_bar_judges() -> None:
    assert Figure(name="paced", value=18, yardstick=15.2, bar=1.2, of_yardstick=True).ok
    assert not Figure(name="paced", value=19, yardstick=15.2, bar=1.2, of_yardstick=True).ok


def test_a_ratio__without_a_yardstick__is_refused() -> None:
    with pytest.raises(ValueError, match="needs a yardstick"):
        Figure(name="paced", value=19, bar=1.2, of_yardstick=True)


def test_a_figure__that_is_not_a_number__is_short() -> None:
    assert not Figure(name="sync", value=math.nan, bar=1.5).ok
    assert not Figure(name="rate", value=math.nan, bar=1.5, more_is_better=True).ok


def test_the_table__of_figures__has_a_line_each() -> None:
    lines = table([Figure(name="sync", value=1.25, yardstick=2.5, bar=1.5)])
    assert lines[1].split() == ["sync", "1.25", "s", "2.5", "s", "0.5", "≤", "1.5", "s", "ok"]


def test_the_report__with_one_figure_short__fails(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = Figure(name="a", value=1, bar=2), Figure(name="b", value=3, bar=2)
    assert report([good]) == 0
    assert report([good, bad]) == 1
    assert "machine: " in capsys.readouterr().out


def test_the_report__of_nothing__fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([]) == 1


def test_a_measurement__that_does_not_exist__is_named_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["nothing"]) == 2
    assert "where NAME is one of" in capsys.readouterr().err
