"""Real processes of the portal for tests: started on free ports, killed by their number, gone with the test.

They hang on a pipe of the test process (see `opsportal/embedded/wrapper.py`), so even a killed test run leaves
none behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from opsportal.embedded import commands, fingerprint
from opsportal.embedded.children import Child, Service
from opsportal.embedded.processes import free_port, is_alive, wait_until
from tests.support.databases import ROOT, Database

_START_SECONDS = 30


def environment(
    database: Database, *, broker_url: str = "redis://127.0.0.1:1/0", **more: str
) -> dict[str, str]:
    """What a process of the portal needs to run on a test's database. `more` wins: Azure, waits."""
    return {
        "DJANGO_SETTINGS_MODULE": "opsportal.settings.embedded",
        "DATABASE_URL": database.url,
        "BROKER_URL": broker_url,
        "SECRET_KEY": "tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "OPSPORTAL_LOG_FORMAT": "console",
        "OPSPORTAL_DATABASE_POOL_SIZE": "4",
        "OPSPORTAL_VAR": str(static_files()),
        **more,
    }


@cache
def static_files() -> Path:
    """The state folder of a portal whose static files are collected; made once for the files as they are."""
    folder = ROOT / ".var" / "test" / f"portal-{fingerprint.of_static_files()}"
    if not (folder / "staticfiles" / "staticfiles.json").exists():
        for former in folder.parent.glob("portal-*"):
            shutil.rmtree(former, ignore_errors=True)
        settings = {"DJANGO_SETTINGS_MODULE": "opsportal.settings.check", "OPSPORTAL_VAR": str(folder)}
        subprocess.run(
            commands.with_this_python(commands.COLLECT_STATIC),
            cwd=ROOT,
            env={**os.environ, **settings},
            check=True,
            capture_output=True,
        )
    return folder


class Process:
    """One process and its output."""

    def __init__(self, name: str, command: tuple[str, ...], told: Mapping[str, str], folder: Path) -> None:
        self._service = Service(
            name=name,
            command=commands.with_this_python(command),
            environment={"PYTHONDONTWRITEBYTECODE": "", **told},
            cwd=ROOT,
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.log = folder / f"{name}.log"
        self.child = self._launch()

    @property
    def pid(self) -> int:
        """The process itself, for signals."""
        wait_until(lambda: self.child.pid is not None or self.child.poll() is not None, seconds=5)
        pid = self.child.pid
        assert pid is not None, self.output()
        return pid

    def kill(self) -> None:
        """As the kernel or an operator would, without a last word; returns when it is dead."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(pid), seconds=10)

    def stop(self) -> int:
        """In order; the exit code."""
        return self.child.stop()

    def restart(self) -> None:
        self.child.stop()
        self.child = self._launch()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _launch(self) -> Child:
        with self.log.open("ab") as log:
            return Child(self._service, run_dir=self._folder / "run", output=log.fileno())


@contextmanager
def running(name: str, told: Mapping[str, str], folder: Path) -> Iterator[Process]:
    """`executor`, `worker` or `beat`, until the block ends."""
    process = Process(name, commands.LONG_RUNNING[name], told, folder)
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def web(told: Mapping[str, str], folder: Path) -> Iterator[tuple[str, Process]]:
    """The web process, and its address once it answers."""
    port = free_port()
    listening = {"UVICORN_HOST": "127.0.0.1", "UVICORN_PORT": str(port), "WEB_CONCURRENCY": "1"}
    url = f"http://127.0.0.1:{port}"
    with running("web", {**told, **listening}, folder) as process:
        up = wait_until(
            lambda: answers(f"{url}/healthz") or process.child.poll() is not None, seconds=_START_SECONDS
        )
        assert up and process.child.poll() is None, process.output()
        yield url, process


def answers(url: str) -> bool:
    """Whether a 200 comes back."""
    with suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False
