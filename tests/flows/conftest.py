"""One emulator per module, put back to its first state before each test; one database per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.launch import Emulator, launch
from tests.flows.judge import judge
from tests.flows.nursery import Nursery, nursery
from tests.flows.stage import Stage, back_to_the_start, stage
from tests.support.databases import Database


@pytest.fixture(scope="module")
def running_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with launch(tmp_path_factory.mktemp("azure"), scenario="small") as azure:
        yield azure


@pytest.fixture
def emulated_azure(running_azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Everything allowed, checkout-risk as the scenario made it, and no fault left over."""
    for name, value in running_azure.environment().items():
        monkeypatch.setenv(name, value)
    back_to_the_start(running_azure)
    return running_azure


@pytest.fixture(scope="session")
def executors() -> Iterator[Nursery]:
    with nursery() as found:
        yield found


@pytest.fixture
def world(
    emulated_azure: Emulator, executors: Nursery, committed_db: Database, tmp_path: Path
) -> Iterator[Stage]:
    """The stage. After every test, whatever it was about, the record is held against what Azure saw."""
    with stage(emulated_azure, executors, committed_db, tmp_path) as found:
        yield found
        found.stop()
        judge(found)
