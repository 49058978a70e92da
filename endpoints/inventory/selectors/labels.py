"""What endpoints are called, owned and tagged by: what a rule by selector is matched against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from endpoints.inventory.models import Endpoint


@dataclass(frozen=True, slots=True)
class EndpointLabels:
    """As Azure said last. `owner` is "" when no tag names one."""

    id: int
    workspace_id: int
    name: str
    owner: str
    tags: Mapping[str, str]


def endpoint_labels(endpoint_ids: Iterable[int]) -> dict[int, EndpointLabels]:
    """Those of many endpoints, deleted ones too; ids that nobody has are left out. One query."""
    rows = Endpoint.objects.filter(pk__in=set(endpoint_ids))
    found = rows.values_list("pk", "workspace_id", "name", "owner", "tags")
    return {row[0]: EndpointLabels(*row) for row in found}
