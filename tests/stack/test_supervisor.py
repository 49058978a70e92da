"""What ends is started again, what is stopped stops in order, what was left is ended."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsportal.embedded.children import Service
from opsportal.embedded.console import Console
from opsportal.embedded.processes import is_alive, wait_until
from opsportal.embedded.supervisor import Supervisor, stop_leftovers

pytestmark = pytest.mark.processes

LIVING = "import time, os; print('I am', os.getpid(), flush=True); time.sleep(600)"
DYING = "import sys; sys.exit(3)"


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, said: io.StringIO) -> Iterator[Supervisor]:
    made = Supervisor(console=Console(said), run_dir=tmp_path, log_dir=tmp_path)
    yield made
    made.stop()


def _service(name: str, program: str) -> Service:
    return Service(name=name, command=(sys.executable, "-S", "-c", program))


def test_a_service__that_was_killed__is_started_again(
    supervisor: Supervisor, tmp_path: Path, said: io.StringIO
) -> None:
    supervisor.run(_service("one", LIVING))
    assert wait_until(lambda: "I am" in said.getvalue(), seconds=10)
    first = int((tmp_path / "one.pid").read_text())
    os.kill(first, signal.SIGKILL)
    supervisor.watch(until=lambda: said.getvalue().count("I am") == 2)
    second = int((tmp_path / "one.pid").read_text())
    assert second != first
    assert is_alive(second)
    assert "one      | ended with code 137; starting it again in 0.5 s" in said.getvalue()


def test_a_service__that_keeps_ending__is_started_ever_less_often(
    supervisor: Supervisor, said: io.StringIO
) -> None:
    supervisor.run(_service("one", DYING))
    supervisor.watch(until=lambda: said.getvalue().count("ended with code 3") == 3)
    pauses = [line.rpartition(" in ")[2] for line in said.getvalue().splitlines() if "ended" in line]
    assert pauses == ["0.5 s", "1 s", "2 s"]


def test_services__on_stop__end_last_started_first(
    supervisor: Supervisor, tmp_path: Path, said: io.StringIO
) -> None:
    leaving = (
        "import signal, sys, time; from pathlib import Path;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('left', flush=True)));"
        "print('I am here', flush=True); time.sleep(600)"
    )
    for name in ("first", "second", "third"):
        supervisor.run(_service(name, leaving))
    assert wait_until(lambda: said.getvalue().count("I am here") == 3, seconds=10)
    supervisor.stop()
    assert wait_until(lambda: said.getvalue().count("left") == 3, seconds=10)
    order = [line.split()[0] for line in said.getvalue().splitlines() if line.endswith("left")]
    assert order == ["third", "second", "first"]
    assert not list(tmp_path.glob("*.pid"))


def test_a_services_output__goes_to_its_log_too(
    supervisor: Supervisor, tmp_path: Path, said: io.StringIO
) -> None:
    supervisor.run(_service("one", LIVING))
    assert wait_until(lambda: "I am" in said.getvalue(), seconds=10)
    assert (tmp_path / "one.log").read_text().startswith("I am ")


def test_leftovers__of_a_killed_run__are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    mark = f"OPSPORTAL_VAR={tmp_path}"
    ours = subprocess.Popen(
        [sys.executable, "-S", "-c", LIVING],
        env={**os.environ, "OPSPORTAL_VAR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    stranger = subprocess.Popen([sys.executable, "-S", "-c", LIVING], stdout=subprocess.DEVNULL)
    try:
        (tmp_path / "ours.pid").write_text(str(ours.pid))
        (tmp_path / "reused.pid").write_text(str(stranger.pid))
        (tmp_path / "gone.pid").write_text("999999999")
        assert stop_leftovers(tmp_path, mark=mark, patience_seconds=0.2) == ["ours"]
        assert ours.wait(timeout=10) == -signal.SIGTERM
        assert stranger.poll() is None
        assert not list(tmp_path.glob("*.pid"))
    finally:
        stranger.kill()
        stranger.wait()
