"""Starts `python -m emulator` as a process of its own and hands out its addresses: for tests and the demo.

    with launch(Path("somewhere")) as azure:
        azure.admin.fault(kind="status", status=409, method="PUT", times=1)

Only the standard library and `cryptography` (for the certificates) are used, so any test may import this.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.adminclient import AdminClient
from emulator.certificates import ensure_ca
from emulator.values import Json

ROOT = Path(__file__).resolve().parent.parent
_START_LIMIT = 30.0


class EmulatorFailed(RuntimeError):
    """The process ended, or did not begin to listen in time; the text is what it wrote."""


@dataclass(slots=True)
class Emulator:
    """A running emulator process and how to reach it."""

    folder: Path
    arguments: list[str]
    tls: bool = True
    where: Json = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def arm(self) -> str:
        """Base URL of ARM, `https://127.0.0.1:…`."""
        return str(self.where["arm"])

    @property
    def metrics(self) -> str:
        """The metrics data plane, `https://127.0.0.1:…/metrics/{region}`."""
        return str(self.where["metrics"])

    @property
    def logs(self) -> str:
        """Where logs are queried, `https://127.0.0.1:…/logs`."""
        return str(self.where["logs"])

    @property
    def prices(self) -> str:
        """Where the retail price list is, `https://127.0.0.1:…/retail/prices`."""
        return str(self.where["prices"])

    @property
    def vault(self) -> str:
        """Where secrets are read, `https://127.0.0.1:…`: the scenario's first vault."""
        return str(self.where["vault"])

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def identity_endpoint(self) -> str:
        return str(self.where["identity_endpoint"])

    @property
    def identity_header(self) -> str:
        return str(self.where["identity_header"])

    @property
    def admin(self) -> AdminClient:
        return AdminClient(str(self.where["admin"]))

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to reach this cloud with a managed identity."""
        told = {"IDENTITY_ENDPOINT": self.identity_endpoint, "IDENTITY_HEADER": self.identity_header}
        if self.tls:
            told.update(REQUESTS_CA_BUNDLE=str(self.ca_file), SSL_CERT_FILE=str(self.ca_file))
        return told

    def cloud_metadata(self) -> dict[str, str]:
        """The `cloud_metadata` of an SDK client."""
        return {
            "azure_portal": f"{self.arm}/portal",
            "resource_manager": self.arm,
            "active_directory": f"{self.arm}/login",
            "aml_resource_id": "https://ml.azure.com",
            "storage_endpoint": "core.emulated.invalid",
            "registry_discovery_endpoint": f"{self.arm}/registry/discovery",
        }

    def start(self) -> None:
        """Start the process and wait until it listens. A second start takes the ports of the first again."""
        ports_file = self.folder / "emulator.ports.json"
        ports_file.unlink(missing_ok=True)
        errors = (self.folder / "emulator.stderr").open("wb")
        with errors:
            self.process = subprocess.Popen(  # noqa: S603 - our own module with arguments of our own tests
                [
                    sys.executable,
                    "-m",
                    "emulator",
                    *self._ports(),
                    *self.arguments,
                    "--until-stdin-closes",
                    "--ports-file",
                    str(ports_file),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,  # closes with us, however we end: the emulator then ends too
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self.where = self._wait(ports_file)

    def stop(self) -> None:
        """End it as an operator would, and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would, and wait."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same ports, with the same state folder."""
        self.stop()
        self.start()

    def _ports(self) -> list[str]:
        ports = self.where.get("ports", {"arm": 0, "identity": 0, "admin": 0})
        told = ["--port", ports["arm"], "--identity-port", ports["identity"], "--admin-port", ports["admin"]]
        header = ["--identity-header", self.identity_header] if self.where else []
        return [str(item) for item in (*told, *header)]

    def _wait(self, ports_file: Path) -> Json:
        process = self._running()
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if ports_file.exists():
                return dict(json.loads(ports_file.read_text(encoding="utf-8")))
            if process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        said = (self.folder / "emulator.stderr").read_text(encoding="utf-8", errors="replace")
        raise EmulatorFailed(f"The emulator does not listen (exit code {process.poll()}): {said}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise EmulatorFailed("The emulator was not started.")
        return self.process

    def _end(self, number: int) -> None:
        process = self._running()
        if process.poll() is None:
            os.kill(process.pid, number)
        process.wait(timeout=15)
        if process.stdin is not None:
            process.stdin.close()


@contextmanager
def launch(
    folder: Path, *, scenario: str = "small", tls: bool = True, keep_state: bool = True, **options: Any
) -> Iterator[Emulator]:
    """A running emulator; certificates, state and messages go into `folder`.

    Other options are those of the command line: `fleet="200x3"`, `latency_ms=80`, `arm_buckets=True`.
    """
    arguments = [] if "fleet" in options else ["--scenario", scenario]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        arguments += [flag] if value is True else [flag, str(value)]
    if keep_state:
        arguments += ["--state", str(folder / "state")]
    folder.mkdir(parents=True, exist_ok=True)
    if tls:
        certificates = ensure_ca(folder)
        arguments += ["--cert", str(certificates.cert), "--key", str(certificates.key)]
    emulator = Emulator(folder, arguments, tls)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()
