"""The list of faults is complete, names tests that exist, and is what the documentation shows; and a run in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.faultlist import FAULTS, as_table
from bench.faults import broken_seeds, run_lane, thrown, told
from bench.faults_chaos import INJECTIONS
from bench.faults_lane import Life

ROOT = Path(__file__).resolve().parents[2]


def test_the_list__of_faults__has_each_from_1_to_40_once() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, 41))


def test_the_list__of_faults__names_what_must_come_of_each_and_what_shows_it() -> None:
    for fault in FAULTS:
        assert fault.injected, fault
        assert fault.expected, fault
        assert fault.tests, fault


@pytest.mark.parametrize("test", sorted({test for fault in FAULTS for test in fault.tests}))
def test_the_list__of_faults__names_tests_that_there_are(test: str) -> None:
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()


def test_the_list__of_faults__names_every_injection_and_no_other() -> None:
    assert {name for fault in FAULTS for name in fault.injections} == set(INJECTIONS)


def test_the_documentation__of_proofs__shows_the_list() -> None:
    page = (ROOT / "docs" / "explanation" / "proofs.md").read_text()
    assert "\n".join(as_table()) in page


@pytest.mark.processes
def test_the_measurement__of_a_few_faults__keeps_every_rule() -> None:
    (life,) = run_lane([2], 8, 0.05)
    assert life.trouble == ""
    assert thrown([life]) == 8
    assert life.changes >= 1


def test_lives__in_virtual_time__break_no_rule() -> None:
    assert broken_seeds(50) == 0


def test_what_is_told__of_a_world_that_broke_a_rule__has_its_seed_and_reason() -> None:
    lines = told([Life(seed=7, thrown={"killed": 2}, calls=3, trouble="AssertionError: a step backwards")])
    assert "world 7: AssertionError: a step backwards" in "\n".join(lines)
    assert lines[0].split() == ["killed", "2"]
