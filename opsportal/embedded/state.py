"""The folder in which an embedded stack keeps all it has: data, passwords, logs. Deleting it starts over."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class AlreadyRunning(RuntimeError):
    """Another process owns the folder."""


@dataclass(frozen=True)
class Secrets:
    """Made at the first start. They guard the demo from other users of the machine."""

    admin: str
    owner: str
    runtime: str
    broker: str
    secret_key: str


class State:
    """Held by one stack at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run_dir = self.folder / "run"
        self.log_dir = self.folder / "log"
        self._lock: IO[str] | None = None

    def acquire(self) -> None:
        """Take the folder. The lock ends with this process, however it ends."""
        lock = (self.folder / "stack.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            told = lock.read().strip() or "still starting"
            lock.close()
            raise AlreadyRunning(
                f"A stack already runs on {self.folder} ({told}). "
                "Stop that one, or set OPSPORTAL_VAR to another folder. Nothing was started."
            ) from None
        self._lock = lock
        self.run_dir.mkdir(exist_ok=True)
        self.log_dir.mkdir(exist_ok=True)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def announce(self, text: str) -> None:
        """What the next one who tries to start is told."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.write(text)
            self._lock.flush()

    def wipe(self) -> None:
        """Delete everything but the lock that is held."""
        for entry in self.folder.iterdir():
            if entry.name == "stack.lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.run_dir.mkdir()
        self.log_dir.mkdir()

    def secrets(self) -> Secrets:
        path = self.folder / "secrets.json"
        if path.exists():
            return Secrets(**json.loads(path.read_text()))
        made = Secrets(
            admin=secrets.token_urlsafe(24),
            owner=secrets.token_urlsafe(24),
            runtime=secrets.token_urlsafe(24),
            broker=secrets.token_urlsafe(24),
            secret_key=secrets.token_urlsafe(64),
        )
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made.__dict__, file)
        return made

    def remembers(self, name: str, value: str) -> bool:
        """Whether step `name` was last done for exactly this."""
        try:
            return (self.folder / f"{name}.done").read_text() == value
        except OSError:
            return False

    def remember(self, name: str, value: str) -> None:
        (self.folder / f"{name}.done").write_text(value)
