"""Keeps services running and stops them in order.

A child that ends is started again, after a pause that doubles while it keeps ending. All children hang on
pipes of this process (see `wrapper.py`), so its death, of whatever kind, is their stop order.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opsportal.embedded.children import Child, Service
from opsportal.embedded.console import Console, relay
from opsportal.embedded.processes import end, is_alive, wait_until

_TICK_SECONDS = 0.2
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LONG_ENOUGH = 60.0


@dataclass
class _Kept:
    start: Callable[[], Child]
    child: Child
    started: float
    pause: float = _FIRST_PAUSE
    due: float | None = None


class Supervisor:
    """Services in the order of their start; they stop in the reverse order."""

    def __init__(self, *, console: Console, run_dir: Path, log_dir: Path) -> None:
        self._console = console
        self._run_dir = run_dir
        self._log_dir = log_dir
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def output(self, name: str, *, quiet: bool = False) -> int:
        """A descriptor that a process writes to; its lines go to its log, and to the console unless quiet."""
        reading, writing = os.pipe()
        relay(reading, name, self._log_dir / f"{name}.log", None if quiet else self._console)
        return writing

    def run(self, service: Service, *, quiet: bool = False) -> Child:
        """Start a service and keep it running. A quiet one writes to its log only."""
        return self.keep(service.name, lambda: self._launch(service, quiet=quiet))

    def keep(self, name: str, start: Callable[[], Child]) -> Child:
        """Keep running what `start` starts; for servers that need more than a command."""
        child = start()
        with self._lock:
            self._kept[name] = _Kept(start=start, child=child, started=time.monotonic())
        return child

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Restart what ends, until the condition holds or `stop()` was called."""
        while not until() and not self._stopping.wait(_TICK_SECONDS):
            with self._lock:
                kept = list(self._kept.items())
            for name, one in kept:
                self._look_after(name, one)

    def stop(self) -> None:
        """Stop everything, last started first."""
        self._stopping.set()
        with self._lock:
            kept = list(self._kept.items())
        for _, one in reversed(kept):
            one.child.stop()

    def _launch(self, service: Service, *, quiet: bool) -> Child:
        output = self.output(service.name, quiet=quiet)
        try:
            return Child(service, run_dir=self._run_dir, output=output)
        finally:
            os.close(output)

    def _look_after(self, name: str, one: _Kept) -> None:
        now = time.monotonic()
        if one.due is not None:
            if now >= one.due and not self._stopping.is_set():
                self._restart(name, one)
            return
        code = one.child.poll()
        if code is None or self._stopping.is_set():
            return
        if now - one.started > _LONG_ENOUGH:
            one.pause = _FIRST_PAUSE
        one.child.stop()
        one.due = now + one.pause
        self._console.line_of(name, f"ended with code {code}; starting it again in {one.pause:g} s")
        one.pause = min(one.pause * 2, _LONGEST_PAUSE)

    def _restart(self, name: str, one: _Kept) -> None:
        one.started, one.due = time.monotonic(), None
        try:
            one.child = one.start()
        except RuntimeError as error:
            one.due = time.monotonic() + one.pause
            one.pause = min(one.pause * 2, _LONGEST_PAUSE)
            self._console.line_of(name, str(error))


def stop_leftovers(run_dir: Path, *, mark: str, patience_seconds: float = 15) -> list[str]:
    """End what a killed supervisor left. Its wrappers do that by themselves; this waits, then helps.

    Only processes whose environment carries `mark` are ours: pid numbers are used again.
    """
    left = {
        path.stem: pid for path in run_dir.glob("*.pid") if (pid := _read(path)) and _is_marked(pid, mark)
    }
    if left:
        wait_until(
            lambda: not any(is_alive(pid) for pid in left.values()), seconds=patience_seconds, every=0.05
        )
    for pid in left.values():
        if is_alive(pid):
            end(pid, first=signal.SIGTERM, grace_seconds=3)
    for path in run_dir.glob("*.pid"):
        path.unlink(missing_ok=True)
    return sorted(left)


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _is_marked(pid: int, mark: str) -> bool:
    if not is_alive(pid):
        return False
    try:
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        # No such file on this system: the pid files lie in our own folder, so believe them.
        return not Path("/proc/self").exists()
