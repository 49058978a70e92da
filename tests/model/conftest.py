"""The twin in Promela is checked where Spin is installed. Where it is not, the run says so in its first lines."""

from __future__ import annotations

import shutil

INSTALLED = bool(shutil.which("spin") and shutil.which("cc"))
collect_ignore = [] if INSTALLED else ["test_spin_twin.py"]


def pytest_report_header() -> str:
    if INSTALLED:
        return "Spin: installed; the model's twin in Promela is checked too"
    return "Spin: not installed; the twin in Promela is not checked, the model in Python is"
