"""Runs one command and ends it when its owner goes away, by whatever death.

The owner holds the other end of our standard input. A closed pipe is the only stop order there is: a clean
stop and a kill -9 of the owner are then the same path, and nothing can be left behind.
Run as a script with nothing but the standard library, because one of these stands beside every child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_TICK_SECONDS = 0.5


def main() -> int:
    order: dict[str, Any] = json.loads(sys.argv[1])
    pid_file = Path(order["pid_file"])
    try:
        child = _start(order)
    except OSError as error:
        sys.stderr.write(f"{order['command'][0]}: {error.strerror or error}\n")
        return 127
    pid_file.write_text(str(child.pid))
    try:
        return _watch(child, order)
    finally:
        _end_group(child.pid)
        pid_file.unlink(missing_ok=True)


def _start(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the order comes from our owner, over argv
        order["command"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=order["uid"],
        group=order["gid"],
        extra_groups=None if order["uid"] is None else [],
    )


def _watch(child: subprocess.Popen[bytes], order: dict[str, Any]) -> int:
    """Until the child ends or the owner goes. SIGCHLD wakes the wait through a pipe of its own."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    owner = sys.stdin.fileno()
    while child.poll() is None:
        ready, _, _ = select.select([owner, woken], [], [], _TICK_SECONDS)
        if owner in ready and not os.read(owner, 1024):
            return _stop(child, order)
        if woken in ready:
            os.read(woken, 1024)
    return _exit_code(child)


def _stop(child: subprocess.Popen[bytes], order: dict[str, Any]) -> int:
    """Ask the child itself: its own children, such as a worker's pool, are for it to end in order."""
    child.send_signal(order["stop_signal"])
    deadline = time.monotonic() + order["grace_seconds"]
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if child.poll() is None:
        child.kill()
        child.wait()
    return _exit_code(child)


def _exit_code(child: subprocess.Popen[bytes]) -> int:
    code = child.wait()
    return 128 - code if code < 0 else code


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Gone already, which is the usual case; macOS says "not permitted" about a group of zombies.
        return


if __name__ == "__main__":
    # Handlers that do nothing, rather than "ignore": the child would inherit that, and be deaf.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.exit(main())
