"""What other rooms need as it is, of many endpoints at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from endpoints.holds.models import Protection


@dataclass(frozen=True, slots=True)
class Protected:
    """`deployment` in lower case, "": the whole endpoint. `cause` is opaque ("case:7")."""

    endpoint_id: int
    deployment: str
    cause: str
    reason: str


def protections_of(endpoint_ids: Collection[int], at: datetime) -> dict[int, list[Protected]]:
    """Those in force, by endpoint. One query."""
    not_ended = Q(ended_at=None) | Q(ended_at__gt=at)
    not_over = Q(until=None) | Q(until__gt=at)
    rows = Protection.objects.filter(not_ended, not_over, since__lte=at, endpoint_id__in=set(endpoint_ids))
    found: dict[int, list[Protected]] = {}
    for row in rows.order_by("pk"):
        told = Protected(row.endpoint_id, row.deployment, row.cause, row.reason)
        found.setdefault(row.endpoint_id, []).append(told)
    return found
