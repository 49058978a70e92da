"""The measurement of rollbacks in small: two runs with short waits, and what is made of runs that went wrong."""

from __future__ import annotations

import math

import pytest

from bench.__main__ import main
from bench.rollback import figures, measure, rank, table_of
from bench.rollback_lane import Run, times
from tests.flows.stage import TIMES


@pytest.mark.processes
def test_the_measurement__of_two_rollbacks__has_every_figure() -> None:
    found = {figure.name: figure for figure in measure(runs=2, pace=0.05)}
    assert found["rollbacks measured"].value == 2
    assert found["broke a rule or never ended"].value == 0
    assert 0 < found["click to confirmed, worst"].value < 60
    assert found["healthy: click to call, worst"].value > 0


def test_waits__at_full_pace__are_the_settings_own() -> None:
    full = times(1.0)
    assert full["OPSPORTAL_LEASE_SECONDS"] == "60"
    assert set(TIMES) <= set(full)


def test_figures__with_a_run_that_never_ended__fall_short() -> None:
    good = Run(kind="healthy", seed=1, confirmed=3.0, refused=1.0, sent=0.1, operation=2.5)
    bad = Run(kind="stopped", seed=2, trouble="it hangs")
    found = {figure.name: figure for figure in figures([good, bad], 2)}
    assert not found["click to confirmed, worst"].ok
    assert not found["broke a rule or never ended"].ok
    assert found["healthy: beyond Azure's operation, worst"].value == pytest.approx(0.5)
    assert found["healthy: click to call, worst"].ok


def test_figures__of_no_healthy_run__fall_short() -> None:
    found = {figure.name: figure for figure in figures([Run(kind="stopped", seed=1, confirmed=1.0)], 1)}
    assert not found["healthy: click to call, worst"].ok


def test_figures__of_fewer_runs_than_wanted__fall_short() -> None:
    found = {figure.name: figure for figure in figures([Run(kind="stopped", seed=1, confirmed=1.0)], 2)}
    assert not found["rollbacks measured"].ok


def test_rank__of_measurements__is_the_nearest_and_never_made_up() -> None:
    assert rank([1.0, 2.0, 3.0], 50) == 2.0
    assert rank([1.0, 2.0, 3.0], 99) == 3.0
    assert math.isnan(rank([], 50))


def test_table__of_runs__names_each_kind_with_what_went_wrong() -> None:
    lines = table_of([Run(kind="stopped", seed=1, confirmed=4.0), Run(kind="stopped", seed=2, trouble="no")])
    assert lines[1].split() == ["stopped", "2", "4.0", "s", "inf", "s", "1"]


@pytest.mark.parametrize("options", [["--walks", "2"], ["--runs"], ["--runs", "many"]])
def test_an_option__that_is_not_known__is_refused_with_those_that_are(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollback", *options]) == 2
    assert "rollback takes --runs, --pace" in capsys.readouterr().err
