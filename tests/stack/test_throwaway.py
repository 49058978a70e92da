"""The servers that tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from opsportal.embedded.processes import is_alive, wait_until
from opsportal.embedded.throwaway import Lease, Servers

pytestmark = pytest.mark.processes


def _answers(servers: Servers) -> bool:
    try:
        with psycopg.connect(servers.admin_url, connect_timeout=2) as session:
            return session.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _pid(folder: Path, name: str) -> int:
    return int((folder / "run" / f"{name}.pid").read_text())


def test_servers__with_two_users__are_the_same_and_end_after_the_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSPORTAL_TEST_LINGER_SECONDS", "0")
    first = Lease(folder)
    second = Lease(folder)
    assert first.servers == second.servers
    postgres = _pid(folder, "postgres")
    first.close()
    assert not wait_until(lambda: not is_alive(postgres), seconds=1.5)
    assert _answers(second.servers)
    second.close()
    assert wait_until(lambda: not is_alive(postgres), seconds=20)
    assert wait_until(lambda: not list((folder / "run").glob("*.pid")), seconds=20)


def test_servers__whose_keeper_was_killed__are_gone_and_come_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSPORTAL_TEST_LINGER_SECONDS", "0")
    first = Lease(folder)
    postgres, valkey = _pid(folder, "postgres"), _pid(folder, "valkey")
    os.kill(_keeper_of(postgres), signal.SIGKILL)
    assert wait_until(lambda: not is_alive(postgres) and not is_alive(valkey), seconds=30)
    second = Lease(folder)
    assert second.servers != first.servers
    assert _answers(second.servers)
    first.close()
    postgres = _pid(folder, "postgres")
    second.close()
    assert wait_until(lambda: not is_alive(postgres), seconds=20)


def _keeper_of(server: int) -> int:
    """The wrapper's parent, which started it."""
    return _parent(_parent(server))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
