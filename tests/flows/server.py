"""A PostgreSQL of one's own, for whoever wants to kill it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
from django.db import connections

from opsportal.embedded.children import Child
from opsportal.embedded.postgres import Postgres
from opsportal.embedded.processes import free_port
from opsportal.embedded.throwaway import Servers, external
from tests.flows.stage import wait_for


class Server:
    """A PostgreSQL that forgets nothing, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(
            data=folder / "data", run_dir=folder / "run", port=free_port(), password="to-be-killed"
        )
        self.child: Child = self.postgres.start()
        self.servers: Servers = external(self.postgres.admin_url(), "redis://127.0.0.1:1/0")

    def kill(self) -> None:
        """PostgreSQL's immediate shutdown: no session ends in order, and the log is replayed at the next start."""
        pid = int((self.postgres.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        wait_for("the server's end", lambda: self.child.poll() is not None)

    def start(self) -> None:
        connections.close_all()
        self.child = self.postgres.start()

    def cut_off(self) -> None:
        """End every session, whatever it is doing."""
        with psycopg.connect(self.postgres.admin_url(), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'opsportal_runtime'"
            )
