"""Reads one secret from Key Vault, for one call: no log, no error and no record shows it."""

from __future__ import annotations

from collections.abc import Mapping

from endpoints.azure_gateway import arm, places
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import Secret
from endpoints.azure_gateway.settings import CloudSettings
from endpoints.azure_gateway.wire import Wire


async def read_secret(wire: Wire, cloud: CloudSettings, secret_uri: str) -> Secret:
    """The secret that a URI names: the newest version of it where the URI names none."""
    address = places.secret_address(cloud, secret_uri)
    origin = places.origin(address)
    answer = await wire.read_secret(
        origin, wire.url(address.removeprefix(origin), arm.KEY_VAULT, base=origin)
    )
    document = answer.document(address)
    value = document.get("value") if isinstance(document, Mapping) else None
    if not isinstance(value, str) or not value:
        raise Malformed(address, "the vault's answer has no value", status=answer.status, ids=answer.ids)
    return Secret(value=value, version=_version(str(document.get("id") or "")))


def _version(identifier: str) -> str:
    """What follows the name: https://vault/secrets/name/version."""
    parts = identifier.split("/")
    return parts[5] if len(parts) > 5 else ""
