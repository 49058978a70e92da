"""No child outlives its owner, whatever becomes of either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opsportal.embedded.children import Child, Service
from opsportal.embedded.fingerprint import ROOT
from opsportal.embedded.processes import is_alive, wait_until

pytestmark = pytest.mark.processes

SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(600)")
DEAF = (
    *(sys.executable, "-S", "-c"),
    "import signal, time, pathlib, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "pathlib.Path(sys.argv[1]).touch(); time.sleep(600)",
)
WITH_GRANDCHILD = (
    *(sys.executable, "-S", "-c"),
    "import subprocess, sys, pathlib, time;"
    "p = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)']);"
    "f = pathlib.Path(sys.argv[1]); f.with_suffix('.new').write_text(str(p.pid)); f.with_suffix('.new').rename(f);"
    "time.sleep(float(sys.argv[2]))",
)
OWNER = """
import sys, time
from pathlib import Path
from opsportal.embedded.children import Child, Service
child = Child(Service(name="it", command=tuple(sys.argv[2:])), run_dir=Path(sys.argv[1]))
time.sleep(600)
"""


def _started(child: Child) -> int:
    assert wait_until(lambda: child.pid is not None, seconds=10)
    assert child.pid
    return child.pid


def test_a_child__whose_owner_is_killed__ends(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), *SLEEP], cwd=ROOT)
    pid_file = tmp_path / "it.pid"
    assert wait_until(lambda: pid_file.exists() and bool(pid_file.read_text()), seconds=10)
    pid = int(pid_file.read_text())
    assert is_alive(pid)
    owner.kill()
    owner.wait()
    assert wait_until(lambda: not is_alive(pid), seconds=10)


def test_a_child__asked_to_stop__gets_its_own_signal(tmp_path: Path) -> None:
    child = Child(Service(name="it", command=SLEEP, stop_signal=signal.SIGINT), run_dir=tmp_path)
    _started(child)
    # Python's own answer to SIGINT: a KeyboardInterrupt that nobody catches.
    with (tmp_path / "err").open("wb"):
        assert child.stop() == 128 + signal.SIGINT


def test_a_child__deaf_to_its_signal__is_killed_after_its_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    child = Child(Service(name="it", command=(*DEAF, str(ready)), grace_seconds=0.3), run_dir=tmp_path)
    assert wait_until(ready.exists, seconds=10)
    assert child.stop() == 128 + signal.SIGKILL


@pytest.mark.parametrize("seconds", ["0.2", "600"])
def test_what_a_child_started__ends_with_it(tmp_path: Path, seconds: str) -> None:
    told = tmp_path / "grandchild"
    child = Child(Service(name="it", command=(*WITH_GRANDCHILD, str(told), seconds)), run_dir=tmp_path)
    assert wait_until(told.exists, seconds=10)
    grandchild = int(told.read_text())
    if seconds == "600":
        child.ask_to_stop()
    assert wait_until(lambda: child.poll() is not None, seconds=10)
    assert wait_until(lambda: not is_alive(grandchild), seconds=10)


def test_a_child__whose_wrapper_was_killed__is_swept_up(tmp_path: Path) -> None:
    child = Child(Service(name="it", command=SLEEP), run_dir=tmp_path)
    pid = _started(child)
    wrapper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(wrapper, signal.SIGKILL)
    assert child.stop() == -signal.SIGKILL
    assert wait_until(lambda: not is_alive(pid), seconds=10)


def test_a_program__that_does_not_exist__is_named(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = Child(
            Service(name="it", command=("/no/such/program",)), run_dir=tmp_path, output=log.fileno()
        )
    assert wait_until(lambda: child.poll() is not None, seconds=10)
    assert child.poll() == 127
    assert "/no/such/program: No such file or directory" in (tmp_path / "log").read_text()
    child.stop()


def test_a_childs_exit_code__reaches_its_owner(tmp_path: Path) -> None:
    child = Child(Service(name="it", command=(sys.executable, "-c", "raise SystemExit(7)")), run_dir=tmp_path)
    assert wait_until(lambda: child.poll() is not None, seconds=10)
    assert child.stop() == 7
    assert child.pid is None
