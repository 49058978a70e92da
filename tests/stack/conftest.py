"""A folder for servers of one's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Open to other users, unlike pytest's: PostgreSQL may have to run as one."""
    made = Path(tempfile.mkdtemp(prefix="opsportal-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
