"""An emulator for the room's readings, with metrics that come in at once and settle at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from emulator.launch import Emulator, launch
from tests.inventory.conftest import point_at


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The small world, whose minutes are whole as soon as they are over."""
    with launch(tmp_path / "emulator", scenario="small") as emulator:
        emulator.admin.settings(behaviour={"metrics_lag_seconds": 0, "metrics_settle_seconds": 0})
        point_at(emulator, monkeypatch)
        config = settings.OPSPORTAL.model_copy(
            update={"azure_metrics_endpoint": emulator.metrics, "remote_call_seconds": 10.0}
        )
        monkeypatch.setattr(settings, "OPSPORTAL", config)
        yield emulator
