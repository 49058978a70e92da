"""Servers for tests and measurements: one PostgreSQL and one Valkey, shared by all who ask, gone soon after.

Whoever uses them holds a shared lock on a file. A keeper process starts the servers, tries now and then for
the exclusive lock, and ends them when nobody has asked for a while. A crash may lose everything in them.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from opsportal.embedded import roles
from opsportal.embedded.children import Child
from opsportal.embedded.postgres import Postgres, ServerUnavailable
from opsportal.embedded.processes import free_port, wait_until
from opsportal.embedded.valkey import Valkey
from opsportal.grants import OWNER_ROLE, RUNTIME_ROLE

_START_SECONDS = 40
_TICK_SECONDS = 0.5
_PASSWORD = "throw-away"


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the servers answer."""

    admin_url: str
    broker_url: str

    def owner_url(self, database: str) -> str:
        return roles.url_for(self.admin_url, role=OWNER_ROLE, password=_PASSWORD, database=database)

    def runtime_url(self, database: str) -> str:
        return roles.url_for(self.admin_url, role=RUNTIME_ROLE, password=_PASSWORD, database=database)


class Lease:
    """Keeps the servers up while this process lives, or until `close()`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (folder / "users.lock").open("a")
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self.servers = _running(folder) or _start(folder)

    def close(self) -> None:
        self._lock.close()


def external(admin_url: str, broker_url: str) -> Servers:
    """Servers of somebody else's, through a role that may create roles and databases."""
    roles.ensure_roles(admin_url, owner_password=_PASSWORD, runtime_password=_PASSWORD)
    return Servers(admin_url=admin_url, broker_url=broker_url)


def _running(folder: Path) -> Servers | None:
    try:
        told = json.loads((folder / "servers.json").read_text())
        servers = Servers(admin_url=told["admin_url"], broker_url=told["broker_url"])
    except (OSError, ValueError, KeyError):
        return None
    return servers if _keeper_lives(folder) else None


def _keeper_lives(folder: Path) -> bool:
    """The keeper holds this lock for life, so that a dead one is known whatever became of its number."""
    with (folder / "keeper.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _start(folder: Path) -> Servers:
    with (folder / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if running := _running(folder):
            return running
        (folder / "servers.json").unlink(missing_ok=True)
        with (folder / "servers.log").open("w") as log:
            # Returns as soon as the keeper has gone into the background with its lock.
            subprocess.run(  # noqa: S603 - this module
                [sys.executable, "-m", "opsportal.embedded.throwaway", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=Path(__file__).parents[2],
                check=False,
            )
        wait_until(lambda: bool(_running(folder)) or not _keeper_lives(folder), seconds=_START_SECONDS)
        if running := _running(folder):
            return running
    told = (folder / "servers.log").read_text(errors="replace").strip()[-1500:]
    raise ServerUnavailable(f"The servers for tests did not start:\n{told}")


def keep(folder: Path, *, linger_seconds: float) -> None:
    """The keeper's life."""
    with (folder / "keeper.lock").open("a") as life, (folder / "users.lock").open("a") as users:
        fcntl.flock(life, fcntl.LOCK_EX)
        if os.fork():
            # The lock is the child's as well, and stays with it.
            os._exit(0)
        children = _serve(folder)
        try:
            _wait_for_nobody(users, children, linger_seconds)
        finally:
            # The exclusive lock on users is still held: who comes now waits, and then starts a new keeper.
            (folder / "servers.json").unlink(missing_ok=True)
            for child in children:
                child.stop()


def _serve(folder: Path) -> list[Child]:
    password = secrets.token_urlsafe(16)
    run_dir = folder / "run"
    # The password of the data's first start counts, so it lies beside the data.
    remembered = folder / "admin-password"
    if remembered.exists() and (folder / "data" / "PG_VERSION").exists():
        password = remembered.read_text()
    remembered.touch(mode=0o600)
    remembered.write_text(password)
    postgres = Postgres(
        data=folder / "data", run_dir=run_dir, port=free_port(), password=password, durable=False
    )
    valkey = Valkey(run_dir=run_dir, port=free_port(), password=secrets.token_urlsafe(16))
    children = [_start_or_start_over(postgres), valkey.start()]
    roles.ensure_roles(postgres.admin_url(), owner_password=_PASSWORD, runtime_password=_PASSWORD)
    servers = Servers(admin_url=postgres.admin_url(), broker_url=valkey.url)
    told = folder / "servers.json.new"
    told.touch(mode=0o600)
    told.write_text(json.dumps(asdict(servers)))
    told.replace(folder / "servers.json")
    return children


def _start_or_start_over(postgres: Postgres) -> Child:
    """Without fsync a crash may have spoiled the data, and nobody misses it."""
    try:
        return postgres.start()
    except ServerUnavailable:
        shutil.rmtree(postgres.data)
        return postgres.start()


def _wait_for_nobody(users: IO[str], children: list[Child], linger_seconds: float) -> None:
    """Returns with the exclusive lock held once nobody used the servers for so long, or when one has died."""
    unused_since: float | None = None
    while all(child.poll() is None for child in children):
        time.sleep(_TICK_SECONDS)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            unused_since = None
            continue
        unused_since = unused_since or time.monotonic()
        if time.monotonic() - unused_since >= linger_seconds:
            return
        fcntl.flock(users, fcntl.LOCK_UN)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), linger_seconds=float(os.environ.get("OPSPORTAL_TEST_LINGER_SECONDS", "60")))
