"""The switch under which nothing may be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsportal.embedded.fingerprint import ROOT

SKIPPING = """
import pytest
@pytest.mark.skipif(True, reason="There is no Chromium.")
def test_one(): pass
def test_two(): pytest.skip("No schemas.")
def test_three(): assert True
"""
SKIPPED_WHOLE = "import pytest\npytest.skip('Not here.', allow_module_level=True)\n"


def _run(folder: Path, required: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            os.devnull,
            "-p",
            "tests.support.require_all",
            str(folder),
        ],
        cwd=ROOT,
        env={**os.environ, "OPSPORTAL_REQUIRE_ALL": required, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_skipped_tests__where_they_may_be__pass(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(SKIPPING)
    code, told = _run(tmp_path, "")
    assert code == 0
    assert "1 passed, 2 skipped" in told


def test_skipped_tests__where_all_are_required__fail_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(SKIPPING)
    code, told = _run(tmp_path, "1")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "There is no Chromium. - but OPSPORTAL_REQUIRE_ALL=1" in told
    assert "1 failed, 1 passed, 1 error" in told


def test_a_module__that_skips_itself_where_all_are_required__is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_whole.py").write_text(SKIPPED_WHOLE)
    code, told = _run(tmp_path, "1")
    assert code == pytest.ExitCode.INTERRUPTED
    assert "Not here. - but OPSPORTAL_REQUIRE_ALL=1" in told
