"""A real emulator process and the portal's settings pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from emulator.launch import Emulator, launch


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The small world in a process of its own, reached as production reaches Azure: through settings alone."""
    with launch(tmp_path / "emulator", scenario="small") as emulator:
        point_at(emulator, monkeypatch)
        yield emulator


def point_at(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    config = settings.OPSPORTAL.model_copy(
        update={
            "azure_cloud": "EmulatedCloud",
            "azure_resource_manager": emulator.arm,
            "azure_ca_bundle": emulator.ca_file,
            # A stalled machine is no refusal of Azure: only tests that let it hang cut it short.
            "remote_call_seconds": 10.0,
        }
    )
    monkeypatch.setattr(settings, "OPSPORTAL", config)


@pytest.fixture
def twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Two workspaces of one subscription, two endpoints in each."""
    with launch(tmp_path / "emulator", fleet="4x1", workspaces=2, subscriptions=1) as emulator:
        point_at(emulator, monkeypatch)
        yield emulator
