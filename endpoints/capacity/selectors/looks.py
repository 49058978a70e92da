"""When findings were looked for last, and what was left alone, with the reasons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from endpoints.capacity.models import LeftAlone, Looked
from endpoints.capacity.selectors.keys import UNPRICED, money, place
from endpoints.core.money import Money
from endpoints.inventory.models import Deployment


@dataclass(frozen=True, slots=True)
class LeftAloneRow:
    """A deployment of which something could be saved, were it not for `reasons`. `high`: a month's; None: not known."""

    endpoint_id: int
    endpoint: str
    workspace: str
    deployment: str
    kind: str
    high: Money | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftAlonePage:
    """`next_cursor` is "" on the last page; `count` is of all."""

    rows: tuple[LeftAloneRow, ...]
    next_cursor: str
    count: int


@dataclass(frozen=True, slots=True)
class LookedRow:
    """The last look at a workspace: over how many deployments, how long it took; `failed`: why it came to nothing."""

    workspace_id: int
    at: datetime
    deployments: int
    seconds: float
    failed: str


def left_alone(workspace_ids: Collection[int], *, cursor: str = "", limit: int = 50) -> LeftAlonePage:
    """The highest saving first, what has no known price last. Invalid for a cursor that no page gave."""
    found = LeftAlone.objects.filter(workspace_id__in=list(workspace_ids))
    ordered = found.annotate(worth=Coalesce(F("high_nanos"), UNPRICED))
    if cursor:
        high, number = place(cursor)
        ordered = ordered.filter(Q(worth__lt=high) | Q(worth=high, pk__gt=number))
    rows = list(ordered.order_by("-worth", "pk")[: limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    names = _names([row.pk for row in rows[:limit]])
    return LeftAlonePage(
        tuple(
            LeftAloneRow(
                endpoint_id=row.endpoint_id,
                endpoint=names[row.pk][0],
                workspace=names[row.pk][1],
                deployment=names[row.pk][2],
                kind=row.kind,
                high=money(row.high_nanos, row.currency),
                reasons=tuple(row.reasons),
            )
            for row in rows[:limit]
        ),
        f"{last.worth}.{last.pk}" if last else "",
        found.count(),
    )


def looked(workspace_ids: Collection[int]) -> tuple[LookedRow, ...]:
    """By workspace; one that was never looked at is left out."""
    rows = Looked.objects.filter(workspace_id__in=list(workspace_ids)).order_by("workspace_id")
    return tuple(
        LookedRow(row.workspace_id, row.at, row.deployments, row.seconds, row.failed) for row in rows
    )


def _names(deployment_ids: Collection[int]) -> dict[int, tuple[str, str, str]]:
    """Endpoint, workspace and deployment."""
    rows = Deployment.objects.filter(pk__in=deployment_ids)
    told = rows.values_list("pk", "endpoint__name", "endpoint__workspace__slug", "name")
    return {number: (endpoint, workspace, name) for number, endpoint, workspace, name in told}
