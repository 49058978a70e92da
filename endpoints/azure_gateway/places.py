"""Addresses outside the resource manager to which a token or a key may go: vaults and scoring URIs. Pure.

What an address may consist of is said narrowly, so that no two readers of it disagree on where it leads.
"""

from __future__ import annotations

import re

from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.settings import CloudSettings

_ADDRESS = re.compile(
    r"https://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?P<port>:[0-9]{1,5})?"
    r"(?P<path>/[a-z0-9._~%!$&'()*+,;=:@/-]*)",
    re.IGNORECASE,
)
_SECRET = re.compile(r"/secrets/[a-z0-9-]{1,127}(/[a-z0-9]{1,64})?/?", re.IGNORECASE)


def secret_address(cloud: CloudSettings, uri: str) -> str:
    """The address of a secret in a vault of this cloud; Malformed for anything else."""
    path = _path(uri, cloud.key_vault_suffix, "a vault of this cloud")
    if not _SECRET.fullmatch(path):
        raise Malformed(_shown(uri), "it names no secret of a vault; nothing was sent")
    return uri.rstrip("/")


def scoring_address(cloud: CloudSettings, uri: str) -> str:
    """The address at which an endpoint of this cloud scores; Malformed for anything else."""
    _path(uri, cloud.scoring_suffix, "an endpoint of this cloud")
    return uri


def origin(address: str) -> str:
    """Scheme, host and port of an address that was checked here."""
    return address[: address.index("/", len("https://"))].lower()


def _path(uri: str, suffix: str, what: str) -> str:
    """The path of an https address whose host is `suffix` or a name under it, at the port that it says."""
    found = _ADDRESS.fullmatch(uri)
    place = f"{found['host']}{found['port'] or ''}".lower().removesuffix(":443") if found else ""
    if not found or not suffix or not (place == suffix or place.endswith(f".{suffix}")):
        raise Malformed(_shown(uri), f"it does not lead to {what} over https; nothing was sent there")
    return found["path"]


def _shown(uri: str) -> str:
    return ascii(uri)[1:-1][:200]
