"""The demo's Azure: the emulator over HTTPS, reached through the settings that any other cloud has.

Its addresses are kept from start to start, because endpoints carry them in their scoring URIs and a new address
would look like a change of every endpoint.
"""

from __future__ import annotations

import json
import secrets
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from emulator.adminclient import AdminClient
from emulator.certificates import ensure_ca
from opsportal import demo
from opsportal.embedded.children import Child
from opsportal.embedded.postgres import ServerUnavailable
from opsportal.embedded.processes import free_port, port_is_free

COMMAND = ("python", "-m", "emulator")
_START_SECONDS = 30
_MOVED = f"{demo.WORKSPACES[0].arm_id}/onlineEndpoints/basket-upsell"


@dataclass(frozen=True, kw_only=True)
class Azure:
    """How to start the emulator and what the portal must know of it."""

    command: tuple[str, ...]
    ca_file: Path
    ports_file: Path

    def describe(self, child: Child) -> dict[str, str]:
        """Wait until it listens, and tell what the portal must know: what any other cloud's operator would set."""
        self._wait_until_up(child)
        told = json.loads(self.ports_file.read_text())
        trusted = ssl.create_default_context(cafile=str(self.ca_file))
        with urlopen(f"{told['arm']}/metadata/endpoints", timeout=10, context=trusted) as answer:  # noqa: S310 - https
            cloud = json.load(answer)[0]
        return {
            "OPSPORTAL_AZURE_CLOUD": cloud["name"],
            "OPSPORTAL_AZURE_CLOUD_METADATA": json.dumps(cloud),
            "OPSPORTAL_AZURE_RESOURCE_MANAGER": told["arm"],
            "OPSPORTAL_AZURE_CA_BUNDLE": str(self.ca_file),
            "OPSPORTAL_AZURE_CREDENTIAL": "managed_identity",
            "IDENTITY_ENDPOINT": told["identity_endpoint"],
            "IDENTITY_HEADER": told["identity_header"],
        }

    def workspaces(self) -> list[str]:
        """The ARM ids of all workspaces that there are."""
        return sorted(one["id"] for one in self._admin().world().values() if one["kind"] == "workspace")

    def _admin(self) -> AdminClient:
        return AdminClient(str(json.loads(self.ports_file.read_text())["admin"]))

    def move_traffic_by_hand(self) -> None:
        """Somebody with `az` moves traffic past the portal, which then has a drift to show."""
        self._admin().foreign(_MOVED, who="K. Lindqvist (az ml)", traffic={"blue": 60, "green": 40})

    def _wait_until_up(self, child: Child) -> None:
        """It writes its addresses when it listens."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and child.poll() is None:
            if self.ports_file.exists():
                return
            time.sleep(0.02)
        raise ServerUnavailable("The Azure emulator did not start; its log (azure.log) says why.")


def prepare(folder: Path, fleet: str = "") -> Azure:
    """Certificates and addresses in `folder`, made at the first start. `fleet` such as 2000x3: a made-up one."""
    folder.mkdir(parents=True, exist_ok=True)
    certificates = ensure_ca(folder)
    ports_file = folder / "listening.json"
    ports_file.unlink(missing_ok=True)
    kept = _kept(folder / "addresses.json")
    return Azure(
        command=(
            *COMMAND,
            *(("--fleet", fleet) if fleet else ("--scenario", "demo")),
            *("--port", str(kept["arm"]), "--identity-port", str(kept["identity"])),
            *("--admin-port", str(kept["admin"]), f"--identity-header={kept['header']}"),
            *("--cert", str(certificates.cert), "--key", str(certificates.key)),
            *("--state", str(folder / "state"), "--ports-file", str(ports_file)),
        ),
        ca_file=certificates.ca,
        ports_file=ports_file,
    )


def _kept(path: Path) -> dict[str, int | str]:
    try:
        kept: dict[str, int | str] = json.loads(path.read_text())
        if all(port_is_free(int(kept[name])) for name in ("arm", "identity", "admin")):
            return kept
    except (OSError, ValueError, KeyError):
        pass
    made: dict[str, int | str] = {name: free_port() for name in ("arm", "identity", "admin")}
    made["header"] = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made))
    return made
