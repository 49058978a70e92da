"""The model's twin in Promela, checked by Spin where Spin is installed: another hand, another tool, the same answers.

It has once found what the model in Python had left out. Without Spin the file is not collected; see conftest.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("rollout.pml")
MUTANTS = [
    "NO_RECHECK",
    "NO_BOUND",
    "NO_TAKE_OVER_BOUND",
    "SAME_GENERATION",
    "EDGE",
    "ONE_READING",
    "GATE_UNFENCED",
    "MANY_EXPLANATIONS",
]


def verifier(folder: Path, *flags: str) -> Path:
    """The verifier that Spin makes of the model under these flags."""
    shutil.copy(MODEL, folder / MODEL.name)
    subprocess.run(["spin", "-a", *flags, MODEL.name], cwd=folder, check=True, capture_output=True)
    subprocess.run(
        ["cc", "-O1", "-DNFAIR=5", "-o", "pan", "pan.c"], cwd=folder, check=True, capture_output=True
    )
    return folder / "pan"


def errors(pan: Path, *how: str) -> int:
    """How many errors it finds. A search that was cut off has found nothing out, and fails here."""
    done = subprocess.run(
        [str(pan), "-m200000", "-a", *how],
        cwd=pan.parent,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = re.search(r"errors: (\d+)", done.stdout)
    assert found, done.stdout
    assert "Search not completed" not in done.stdout or found[1] != "0", done.stdout
    assert "max search depth too small" not in done.stdout, done.stdout
    return int(found[1])


@pytest.mark.parametrize(
    "faults", ["-DCRASHES=1 -DLOSSES=1", "-DCRASHES=0 -DLOSSES=0 -DPAUSES=1 -DFAILURES=1"]
)
def test_twin__with_every_protection__is_safe_and_comes_to_rest(tmp_path: Path, faults: str) -> None:
    pan = verifier(tmp_path, *faults.split())
    assert errors(pan, "-N", "stays") == 0
    assert errors(pan, "-f", "-N", "settles") == 0


def test_twin__with_three_kinds_of_fault__is_safe(tmp_path: Path) -> None:
    assert errors(verifier(tmp_path, "-DPAUSES=1"), "-N", "stays") == 0


@pytest.mark.parametrize("mutant", MUTANTS)
def test_twin__with_a_protection_off__fails(tmp_path: Path, mutant: str) -> None:
    assert errors(verifier(tmp_path, f"-D{mutant}", "-DPAUSES=1", "-DFAILURES=1"), "-N", "stays") == 1


def test_twin__names_every_mutant__that_is_checked() -> None:
    """Where Spin is not installed, at least no mutant is forgotten."""
    switches = set(re.findall(r"#ifn?def ([A-Z_]+)", MODEL.read_text()))
    faults = {"CRASHES", "PAUSES", "LOSSES", "FAILURES"}
    assert switches - faults == set(MUTANTS)
