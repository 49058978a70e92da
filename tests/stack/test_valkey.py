"""Valkey as the demo starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from opsportal.embedded.processes import free_port
from opsportal.embedded.valkey import Valkey

pytestmark = pytest.mark.processes


def test_valkey__started__answers_to_its_password_alone(folder: Path) -> None:
    valkey = Valkey(run_dir=folder, port=free_port(), password="right")
    with (folder / "log").open("wb") as log:
        child = valkey.start(output=log.fileno())
    try:
        assert valkey.answers()
        with redis.Redis(port=valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        assert child.stop() == 0
    assert not valkey.answers()


def test_valkeys_password__while_it_runs__is_not_for_other_users(folder: Path) -> None:
    Valkey(run_dir=folder, port=free_port(), password="right").service()
    assert (folder / "valkey.conf").stat().st_mode & 0o077 == 0
