"""Starts `manage.py` processes quickly: a process that has already loaded the libraries forks them.

Loading libraries is most of a start, and these tests start an executor or two each. What is forked knows
nothing of settings, database or Django's apps yet: it begins at the first line of manage.py, as always.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from tests.support.databases import ROOT

_LIBRARIES = (
    "aiohttp",
    "azure.core.pipeline.policies",
    "azure.core.pipeline.transport",
    "azure.identity.aio",
    "celery",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.models",
    "django.http",
    "django.urls",
    "psycopg_pool",
    "pydantic_settings",
    "structlog",
)


@dataclass
class Process:
    """A forked process. Its exit code, or minus the signal that ended it, is left in a file."""

    pid: int
    exit_file: Path

    def poll(self) -> int | None:
        try:
            return int(self.exit_file.read_text() or "x")
        except (OSError, ValueError):
            return None

    def wait(self, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Nursery:
    """The loaded process, seen from the tests."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: str, environment: dict[str, str], log: Path) -> Process:
        """`manage.py` with these arguments and exactly this environment, writing to `log`."""
        exit_file = log.with_suffix(".exit")
        order = {
            "arguments": list(arguments),
            "environment": environment,
            "log": str(log),
            "exit": str(exit_file),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Process(int(self._process.stdout.readline()), exit_file)


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Lives until the block ends, or until the tests do."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.flows.nursery"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process)


def _serve(orders: IO[str]) -> None:
    exits: dict[int, str] = {}

    def reap(*_: object) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            Path(exits[pid]).write_text(str(os.waitstatus_to_exitcode(status)))

    signal.signal(signal.SIGCHLD, reap)
    for line in orders:
        order = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until the child is known
        pid = os.fork()
        if not pid:
            _become(order)
        exits[pid] = order["exit"]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        print(pid, flush=True)


def _become(order: dict[str, object]) -> NoReturn:
    """Be `manage.py` from its first line on, to its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    silence = os.open(os.devnull, os.O_RDONLY)
    os.dup2(silence, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(order["environment"])  # type: ignore[arg-type]
    sys.argv = ["manage.py", *order["arguments"]]  # type: ignore[misc]
    runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    raise SystemExit


if __name__ == "__main__":
    for name in _LIBRARIES:
        __import__(name)
    _serve(sys.stdin)
