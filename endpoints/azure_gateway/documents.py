"""What goes back to Azure. Pure.

Azure has no partial update of traffic, so the whole endpoint goes back: the document as it was read, less
what only Azure writes, with one thing changed. Whatever it carries that this code has never heard of goes
back too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endpoints.azure_gateway.records import Document

# Absent from the body: the URL names the resource, and the rest is Azure's to write.
_READ_ONLY = frozenset({"id", "name", "type", "systemData", "etag"})
_READ_ONLY_PROPERTIES = frozenset({"provisioningState", "scoringUri", "swaggerUri", "keys"})
# Names the last operation, with a signature in it; Azure writes the next one itself.
_OPERATION = "AzureAsyncOperationUri"


def endpoint_body(
    document: Document, *, traffic: Mapping[str, int], mirror_traffic: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The PUT body that changes live traffic, and mirrored traffic unless None, and nothing else."""
    read = document["properties"]
    properties = {
        name: value for name, value in read.items() if name not in _READ_ONLY_PROPERTIES and value is not None
    }
    if isinstance(own := properties.get("properties"), Mapping):
        properties["properties"] = {name: value for name, value in own.items() if name != _OPERATION}
    properties["traffic"] = _as_known(traffic, read.get("traffic"))
    if mirror_traffic is not None:
        properties["mirrorTraffic"] = _as_known(mirror_traffic, read.get("mirrorTraffic"))
    body = {name: value for name, value in document.items() if name not in _READ_ONLY and value is not None}
    body["properties"] = properties
    if isinstance(identity := body.get("identity"), Mapping):
        body["identity"] = _identity(identity)
    return body


def capacity_body(instances: int) -> dict[str, Any]:
    """The PATCH body that sets a deployment's instance count; PATCH keeps every other field."""
    if instances < 0:
        raise ValueError(f"{instances} instances can't be had")
    return {"sku": {"capacity": instances}}


def _as_known(split: Mapping[str, int], known: Mapping[str, int] | None) -> dict[str, int]:
    """No zeros, as Azure stores it; names in the case that Azure already uses for them."""
    cases = {name.lower(): name for name in known or {}}
    return {cases.get(name.lower(), name): weight for name, weight in split.items() if weight}


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Type and ids of user-assigned identities; principals and tenants are Azure's to answer."""
    kept: dict[str, Any] = {"type": identity.get("type")}
    if assigned := identity.get("userAssignedIdentities"):
        kept["userAssignedIdentities"] = {arm_id: {} for arm_id in assigned}
    return kept
