"""What endpoints are called, owned and tagged by: what a rule by selector is matched against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from endpoints.inventory.marks import owner_of
from endpoints.inventory.models import Endpoint, EndpointRevision


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


def labels_on_record(endpoint_id: int, known: datetime) -> EndpointLabels | None:
    """What the newest state that was on record by `known` said: what rules were matched against then; None: nothing."""
    found = EndpointRevision.objects.filter(endpoint=endpoint_id, known_at__lte=known, deleted=False)
    row = found.select_related("endpoint").order_by("-latest", "-pk").first()
    if row is None:
        return None
    tags = row.state.get("tags", {})
    return EndpointLabels(endpoint_id, row.endpoint.workspace_id, row.endpoint.name, owner_of(tags), tags)
