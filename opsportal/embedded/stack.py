"""Starts the demo's servers and processes in the order in which they need each other.

Steps that are already done for the same code are skipped, and what does not depend on each other starts at
the same time: a second start takes seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opsportal.embedded import azure, commands, evidence, fingerprint, mirror, roles
from opsportal.embedded.children import Child, Service
from opsportal.embedded.console import Console
from opsportal.embedded.postgres import Postgres
from opsportal.embedded.processes import free_port
from opsportal.embedded.state import State
from opsportal.embedded.supervisor import Supervisor
from opsportal.embedded.theirs import TheirDatabase, check_broker
from opsportal.embedded.valkey import Valkey
from opsportal.grants import OWNER_ROLE, RUNTIME_ROLE

ROOT = fingerprint.ROOT
_DATABASE = "opsportal"
_READY_SECONDS = 180


class NotStarted(RuntimeError):
    """The demo can't start; the text says why and what to do."""


class Stack:
    """One run of the stack."""

    def __init__(self, state: State, console: Console, port: int, fleet: str = "") -> None:
        self.state = state
        self.console = console
        self.port = port
        self.fleet = fleet
        self.secrets = state.secrets()
        self.supervisor = Supervisor(console=console, run_dir=state.run_dir, log_dir=state.log_dir)
        self.cloud = azure.prepare(state.folder / "azure", fleet)
        self.theirs = TheirDatabase.from_environment()
        self.environment: dict[str, str] = {}
        self.owner_url = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._describe_environment()
        with (
            self.console.step("PostgreSQL, Valkey and the Azure emulator are up"),
            ThreadPoolExecutor() as pool,
        ):
            collecting = pool.submit(self._collect_static)
            starting = [pool.submit(start) for start in (self._postgres, self._valkey, self._emulator)]
            for one in starting:
                one.result()
        collecting.result()
        self._prepare()
        for name, command in commands.LONG_RUNNING.items():
            self.supervisor.run(self._service(name, command))
        self._wait_until_synced()

    def make_first_changes(self) -> None:
        """Once: they go through approval and executor like all others, so the fleet must be there."""
        if not self.state.remembers("metrics", "ordered"):
            with self.console.step("the past of metrics is being read in the background"):
                self._run_once("metrics", (*commands.SEED_DEMO, "--metrics", *self._of_fleet()), {})
            self.state.remember("metrics", "ordered")
        if self.fleet:
            return
        if not self.state.remembers("changes", "made"):
            with self.console.step("the first changes of traffic are made"):
                self._run_once("changes", (*commands.SEED_DEMO, "--changes"), {})
                self.cloud.move_traffic_by_hand()
            self.state.remember("changes", "made")
        if not self.state.remembers("cases", "made"):
            with self.console.step("the first predictions are challenged"):
                self._run_once("cases", (*commands.SEED_DEMO, "--cases"), {})
            self.state.remember("cases", "made")
        if not self.state.remembers("capacity", "made"):
            with self.console.step("idle capacity is found, and some of it saved"):
                self._run_once("capacity", (*commands.SEED_DEMO, "--capacity"), {})
            self.state.remember("capacity", "made")

    def _of_fleet(self) -> tuple[str, ...]:
        return ("--fleet", ",".join(self.cloud.workspaces())) if self.fleet else ()

    def _describe_environment(self) -> None:
        """What every process of the portal is told. Servers of your own replace the embedded ones."""
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "opsportal.settings.embedded",
            "SECRET_KEY": self.secrets.secret_key,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "OPSPORTAL_VAR": str(self.state.folder),
            "OPSPORTAL_LOG_FORMAT": os.environ.get("OPSPORTAL_LOG_FORMAT", "console"),
            "UVICORN_HOST": "127.0.0.1",
            "UVICORN_PORT": str(self.port),
            "WEB_CONCURRENCY": "1",
            # Celery's advice to root is for production, which does not run as root.
            "PYTHONWARNINGS": "ignore:You're running the worker,ignore:An entry for the specified gid",
            # A day and a week by default: here people want to see what comes after them.
            "OPSPORTAL_SCREAM_TEST_SECONDS": os.environ.get("OPSPORTAL_SCREAM_TEST_SECONDS", "600"),
            "OPSPORTAL_SAVING_SECONDS": os.environ.get("OPSPORTAL_SAVING_SECONDS", "180"),
            **evidence.prepare(self.state.folder / "evidence"),
        }
        if self.theirs is not None:
            self.theirs.check()
            self.environment["DATABASE_URL"] = self.theirs.url
            self.owner_url = self.theirs.owner_url
        if given := os.environ.get("BROKER_URL"):
            check_broker(given)
            self.environment["BROKER_URL"] = given

    def _postgres(self) -> None:
        if self.theirs is not None:
            return
        postgres = Postgres(
            data=self.state.folder / "postgres",
            run_dir=self.state.run_dir,
            port=free_port(),
            password=self.secrets.admin,
        )
        self._keep("postgres", lambda output: postgres.start(output=output))
        admin = postgres.admin_url()
        roles.ensure_roles(admin, owner_password=self.secrets.owner, runtime_password=self.secrets.runtime)
        roles.ensure_database(admin, _DATABASE)
        self.owner_url = roles.url_for(
            admin, role=OWNER_ROLE, password=self.secrets.owner, database=_DATABASE
        )
        self.environment["DATABASE_URL"] = roles.url_for(
            admin, role=RUNTIME_ROLE, password=self.secrets.runtime, database=_DATABASE
        )

    def _valkey(self) -> None:
        if "BROKER_URL" in self.environment:
            return
        valkey = Valkey(run_dir=self.state.run_dir, port=free_port(), password=self.secrets.broker)
        self._keep("valkey", lambda output: valkey.start(output=output))
        self.environment["BROKER_URL"] = valkey.url

    def _keep(self, name: str, start: Callable[[int], Child]) -> None:
        """Keep a server running whose own start knows when it is up. Its output goes to its log only."""

        def launch() -> Child:
            output = self.supervisor.output(name, quiet=True)
            try:
                return start(output)
            finally:
                os.close(output)

        self.supervisor.keep(name, launch)

    def _emulator(self) -> None:
        child = self.supervisor.run(self._service("azure", self.cloud.command), quiet=True)
        self.environment |= self.cloud.describe(child)

    def _collect_static(self) -> None:
        code = fingerprint.of_static_files()
        if self.state.remembers("static", code) and (self.state.folder / "staticfiles").exists():
            return
        # Needs valid settings, but neither database nor broker.
        unused = {"DATABASE_URL": "postgresql://unused@127.0.0.1/unused"}
        self._run_once("static", commands.COLLECT_STATIC, unused)
        self.state.remember("static", code)
        self.console.say("          static files are collected")

    def _prepare(self) -> None:
        schema, people = fingerprint.of_schema(), fingerprint.of_demo()
        # Theirs may be another database each time, for all we know.
        theirs = self.theirs is not None
        if theirs or not self.state.remembers("schema", schema):
            command = self.theirs.prepare if self.theirs is not None else commands.PREPARE
            with self.console.step("the database is migrated"):
                self._run_once("prepare", command, {"DATABASE_URL": self.owner_url})
            self.state.remember("schema", schema)
        if theirs or not self.state.remembers("people", people):
            with self.console.step("people, workspaces and policies are in place"):
                told = self._run_once("seed", (*commands.SEED_DEMO, *self._of_fleet()), {})
            (self.state.folder / "logins.txt").write_text(told)
            self.state.remember("people", people)
        mirror.read_anew(self.owner_url, nobody_else=not theirs)

    def _run_once(self, name: str, command: tuple[str, ...], environment: dict[str, str]) -> str:
        """Run to the end and return what it printed. `environment` goes before the common one."""
        done = subprocess.run(  # noqa: S603 - our own commands
            commands.with_this_python(command),
            cwd=ROOT,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        (self.state.log_dir / f"{name}.log").write_text(done.stdout + done.stderr)
        if done.returncode:
            raise NotStarted(f"`{' '.join(command)}` failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
        return done.stdout

    def _service(
        self, name: str, command: tuple[str, ...], environment: dict[str, str] | None = None
    ) -> Service:
        return Service(
            name=name,
            command=commands.with_this_python(command),
            environment={**self.environment, **(environment or {})},
            cwd=ROOT,
        )

    def _wait_until_synced(self) -> None:
        last: dict[str, Any] = {}
        began = time.monotonic()

        def done() -> bool:
            nonlocal last
            last = _ask(f"{self.url}/readyz")
            passed = time.monotonic() - began
            return _is_synced(last, within=passed) or passed > _READY_SECONDS

        with self.console.step("the portal is up and the fleet has been read"):
            self.supervisor.watch(until=done)
        if not _is_synced(last, within=_READY_SECONDS):
            raise NotStarted(
                f"The portal was not ready within {_READY_SECONDS} s: {json.dumps(last) or 'no answer'}. "
                f"The logs in {self.state.log_dir} say why."
            )


def _ask(url: str) -> dict[str, Any]:
    """The JSON at a URL of ours, or nothing while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http URL
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, ValueError):
        return {}


def _is_synced(told: dict[str, Any], *, within: float) -> bool:
    """Whether all of the fleet was read in the last `within` seconds: what an earlier run read is not enough."""
    executor, fleet = told.get("executor", {}), told.get("fleet", {})
    return bool(executor.get("alive") and fleet.get("synced") and fleet["oldest_seconds"] <= within)
