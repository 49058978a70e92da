"""The demo itself: from nothing to a fleet that has been read, through kill -9, with its data kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from opsportal.embedded.fingerprint import ROOT
from opsportal.embedded.processes import free_port, is_alive, wait_until
from opsportal.embedded.state import State

pytestmark = pytest.mark.processes

PROCESSES = {"postgres", "valkey", "azure", "web", "executor", "worker", "beat"}


class Demo:
    """One run of the demo on a folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "told.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "opsportal.embedded.demo", "--port", str(self.port), *arguments],
                cwd=ROOT,
                env={**os.environ, "OPSPORTAL_VAR": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def told(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        done = wait_until(
            lambda: "The portal is ready" in self.told() or self.process.poll() is not None, seconds=150
        )
        assert done, self.told()
        assert self.process.poll() is None, self.told()

    def pids(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for path in (self.folder / "demo" / "run").glob("*.pid"):
            with suppress(FileNotFoundError):  # a process may end between the listing and the look
                found[path.stem] = int(path.read_text())
        return found

    def readiness(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        environment = Path(f"/proc/{self.pids()['web']}/environ").read_bytes().split(b"\0")
        told = dict(entry.split(b"=", 1) for entry in environment if b"=" in entry)
        return psycopg.connect(told[b"DATABASE_URL"].decode())


@contextmanager
def _demo(folder: Path, *arguments: str) -> Iterator[Demo]:
    demo = Demo(folder, *arguments)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.send_signal(signal.SIGINT)
        demo.process.wait(timeout=60)


def _all_gone(pids: dict[str, int]) -> bool:
    return not any(is_alive(pid) for pid in pids.values())


def test_the_demo__from_nothing_and_after_any_death__has_a_fleet_that_was_read(folder: Path) -> None:
    with _demo(folder) as first:
        first.wait_until_ready()
        pids = first.pids()
        assert set(pids) == PROCESSES
        assert first.readiness()["fleet"]["synced"] is True
        assert first.readiness()["executor"]["alive"] is True
        with first.connect() as session:
            people = session.execute("SELECT id, username FROM access_user ORDER BY id").fetchall()
            fleet = session.execute("SELECT id, name FROM inventory_endpoint ORDER BY id").fetchall()
        assert len(people) > 5
        assert len(fleet) > 20

        first.process.kill()
        first.process.wait()
        assert wait_until(lambda: _all_gone(pids), seconds=30), (
            "a kill -9 of the supervisor left processes behind"
        )

    with _demo(folder) as second:
        began = time.monotonic()
        second.wait_until_ready()
        passed = time.monotonic() - began
        assert second.readiness()["fleet"]["oldest_seconds"] < passed, "ready means read by this run"
        with second.connect() as session:
            assert session.execute("SELECT id, username FROM access_user ORDER BY id").fetchall() == people
            assert session.execute("SELECT id, name FROM inventory_endpoint ORDER BY id").fetchall() == fleet
            row = session.execute("SELECT count(*) FROM inventory_drift").fetchone()
            assert row == (0,), "a restart of the demo is no drift"

        for name in ("postgres", "valkey", "executor", "worker"):
            os.kill(second.pids()[name], signal.SIGKILL)
        assert wait_until(lambda: "alive" in _told_by(second), seconds=60)
        assert wait_until(lambda: set(second.pids()) == PROCESSES, seconds=60)
        assert wait_until(lambda: _is_well(second), seconds=90), second.told()

        pids = second.pids()
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(timeout=60) == 0
        assert _all_gone(pids)
        assert "Stopped. The data stays in" in second.told()


def _told_by(demo: Demo) -> str:
    try:
        return json.dumps(demo.readiness())
    except OSError:
        return ""


def _is_well(demo: Demo) -> bool:
    told = _told_by(demo)
    return bool(told) and json.loads(told)["executor"]["alive"] and json.loads(told)["fleet"]["synced"]


def test_the_demo__on_a_port_that_is_taken__says_so_and_starts_nothing(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with _demo(folder, "--port", str(taken)) as demo:
            assert demo.process.wait(timeout=30) == 1
    assert demo.told() == f"Port {taken} is in use by another program. Nothing was started.\n"
    assert demo.pids() == {}


@pytest.mark.parametrize("port", ["0", "-1", "65536", "eighty"])
def test_the_demo__on_a_port_that_is_none__says_so_and_starts_nothing(folder: Path, port: str) -> None:
    with _demo(folder, "--port", port) as demo:
        assert demo.process.wait(timeout=30) == 2
    assert "error: argument --port" in demo.told()
    assert "Traceback" not in demo.told()
    assert not (folder / "demo").exists()


def test_the_demo__beside_one_that_runs_on_the_same_data__refuses(folder: Path) -> None:
    held = State(folder / "demo")
    held.acquire()
    held.announce("process 17, http://127.0.0.1:8000")
    with _demo(folder) as demo:
        assert demo.process.wait(timeout=30) == 1
    held.release()
    assert "A stack already runs on" in demo.told()
    assert "process 17, http://127.0.0.1:8000" in demo.told()
