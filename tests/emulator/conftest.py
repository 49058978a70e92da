"""An emulator inside the test's own process with a clock of its own, and one as a real process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from emulator.build import build
from emulator.cli import SCENARIOS
from emulator.cloud import Cloud
from emulator.launch import Emulator, launch
from emulator.scenario import load
from emulator.server import azure
from tests.emulator.arm import AZURE_FACTS, Arm, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


@pytest.fixture
def make_cloud(clock: Clock) -> Callable[..., Cloud]:
    def make(**options: Any) -> Cloud:
        return build(load(SCENARIOS / "small.yaml"), clock=clock, identity_header="secret", **options)

    return make


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Iterator[Cloud]:
    made = make_cloud()
    yield made
    made.control.log.close()


@pytest_asyncio.fixture
async def arm(cloud: Cloud, clock: Clock) -> AsyncIterator[Arm]:
    """Signed-in requests to an emulator in this process, over plain HTTP."""
    async with TestClient(TestServer(azure(cloud))) as client:
        yield Arm(client, cloud, clock)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator as a process of its own, over HTTPS. Tests that share it use endpoints of their own."""
    with launch(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def facts() -> Path:
    """Microsoft's schemas and examples. Without them these tests are skipped, unless everything is required."""
    if not (AZURE_FACTS / "schemas").is_dir():
        reason = f"{AZURE_FACTS} holds no schemas; OPSPORTAL_AZURE_FACTS names another folder."
        if os.environ.get("OPSPORTAL_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return AZURE_FACTS
