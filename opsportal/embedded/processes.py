"""Small questions about processes and ports, answered without any tool that a slim machine may lack."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """A port that was free a moment ago. Whoever uses it checks that the answer comes from its own server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_alive(pid: int) -> bool:
    """A zombie is dead: it holds nothing and only waits for its parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def command_line(pid: int) -> str:
    """How a process was started; empty when it is gone."""
    if not Path("/proc/self").exists():
        # macOS, which always has ps where slim Linux images may not.
        asked = ["/bin/ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - a fixed program
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """True as soon as the condition holds, False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True


def end(pid: int, *, first: signal.Signals, grace_seconds: float) -> None:
    """Ask, wait, then kill. Returns when the process is gone."""
    for order in (first, signal.SIGKILL):
        try:
            os.kill(pid, order)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(pid), seconds=grace_seconds):
            return


def _state(pid: int) -> str:
    try:
        # The name in brackets may hold spaces and brackets of its own; the state follows the last one.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
