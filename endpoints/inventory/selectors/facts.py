"""What identifies an endpoint, and the splits that Azure ever reported of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from endpoints.core.errors import NotFound
from endpoints.core.traffic import Split
from endpoints.inventory.models import Endpoint, EndpointRevision

_SUCCEEDED = "succeeded"
# Revisions; each change makes two or three.
_LOOK_BACK = 500
# Out of a state's document, whose tags and identities can be long.
_SPLIT = {
    "live": F("state__traffic"),
    "mirror": F("state__mirror_traffic"),
    "provisioning_state": F("state__provisioning_state"),
}


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What identifies an endpoint. `deleted_at` set: it is gone, and its row is history."""

    id: int
    workspace_id: int
    name: str
    arm_id: str
    azure_created_at: datetime | None
    deleted_at: datetime | None
    location: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedSplit:
    """A split that Azure reported as in force.

    It began between `earliest` and `latest`, ordered by `cause`.
    """

    revision_id: int
    traffic: Split
    mirror_traffic: Split
    earliest: datetime | None
    latest: datetime
    cause: str


def endpoint_facts(endpoint_id: int) -> EndpointFacts:
    row = Endpoint.objects.filter(pk=endpoint_id).first()
    if row is None:
        raise NotFound("There is no such endpoint.")
    return facts_of(row)


def facts_of(row: Endpoint) -> EndpointFacts:
    """Of a row that was read already."""
    return EndpointFacts(
        row.pk, row.workspace_id, row.name, row.arm_id, row.azure_created_at, row.deleted_at, row.location
    )


def endpoint_id_by_name(workspace_id: int, name: str) -> int:
    """The living endpoint of that name; NotFound when the workspace has none."""
    found = Endpoint.objects.filter(workspace_id=workspace_id, name_key=name.lower(), deleted_at=None)
    endpoint_id = found.values_list("pk", flat=True).first()
    if endpoint_id is None:
        raise NotFound(f"This workspace has no endpoint {name}.")
    return endpoint_id


def verified_splits(endpoint_id: int, *, limit: int = 20) -> tuple[VerifiedSplit, ...]:
    """The splits that Azure ever reported while the endpoint was Succeeded, newest first, repeats joined.

    A split that was only seen while Azure was still at work (Updating) or after it failed is not among them.
    """
    rows = EndpointRevision.objects.filter(endpoint_id=endpoint_id).order_by("-latest", "-pk")
    fields = rows.values("pk", "deleted", "earliest", "latest", "cause", **_SPLIT)[:_LOOK_BACK]
    return tuple(reversed(_distinct_splits(reversed(fields))))[:limit]


def raw_document(endpoint_id: int) -> dict[str, Any]:
    """The endpoint's newest document as Azure sent it, without keys and secrets."""
    body = Endpoint.objects.filter(pk=endpoint_id, latest_revision__document__isnull=False)
    found = body.values_list("latest_revision__document__body", flat=True).first()
    if found is None:
        raise NotFound("No document of this endpoint is on record.")
    document: dict[str, Any] = found
    return document


def _distinct_splits(rows: Iterable[Mapping[str, Any]]) -> list[VerifiedSplit]:
    """Oldest first. A split begins with the first revision that shows it, whatever Azure still did then."""
    found: list[VerifiedSplit] = []
    begun: VerifiedSplit | None = None
    for row in rows:
        if row["deleted"]:
            begun = None
            continue
        split = _split(row)
        if begun is None or not _same(begun, split):
            begun = split
        is_new = not found or not _same(found[-1], begun)
        if is_new and (row["provisioning_state"] or "").lower() == _SUCCEEDED:
            found.append(begun)
    return found


def _split(row: Mapping[str, Any]) -> VerifiedSplit:
    return VerifiedSplit(row["pk"], row["live"], row["mirror"], row["earliest"], row["latest"], row["cause"])


def _same(one: VerifiedSplit, other: VerifiedSplit) -> bool:
    return one.traffic == other.traffic and one.mirror_traffic == other.mirror_traffic
