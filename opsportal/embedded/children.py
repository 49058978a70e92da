"""Starts commands under `wrapper.py`, so that none outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opsportal.embedded.account import DIRECT, Account
from opsportal.embedded.processes import is_alive

_WRAPPER = Path(__file__).with_name("wrapper.py")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One long-running command and how it wants to be stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    account: Account = DIRECT
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10


class Child:
    """A running service. `stop()` and the death of this process end it the same way."""

    def __init__(self, service: Service, *, run_dir: Path, output: int | None = None) -> None:
        """`output` is a file descriptor for both streams; without one they are ours."""
        run_dir.mkdir(parents=True, exist_ok=True)
        self.service = service
        self.pid_file = run_dir / f"{service.name}.pid"
        self.pid_file.unlink(missing_ok=True)
        ours, theirs = _pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own wrapper
                [sys.executable, "-I", "-S", str(_WRAPPER), self._order()],
                stdin=theirs,
                stdout=output,
                stderr=output,
                cwd=service.cwd,
                env={**os.environ, **service.environment},
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        self._leash: int | None = ours

    def _order(self) -> str:
        service = self.service
        return json.dumps(
            {
                "command": [*service.account.prefix, *service.command],
                "uid": service.account.uid,
                "gid": service.account.gid,
                "stop_signal": int(service.stop_signal),
                "grace_seconds": service.grace_seconds,
                "pid_file": str(self.pid_file),
            }
        )

    @property
    def pid(self) -> int | None:
        """The service's own process, not its wrapper; None before it started and after it ended."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None

    def stop(self) -> int:
        """Stop in order and return the exit code. The wrapper kills what does not stop in its grace."""
        self.ask_to_stop()
        code = self._process.wait()
        self._sweep()
        return code

    def _sweep(self) -> None:
        """End what is left when the wrapper itself was killed."""
        pid = self.pid
        if pid is not None and is_alive(pid):
            os.killpg(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)


def _pipe() -> tuple[int, int]:
    """(our end, the child's end). Ours is not inherited: a copy in a sibling would keep the child alive."""
    theirs, ours = os.pipe()
    return ours, theirs
