"""What about money a person should look at, newest first, by pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endpoints.capacity.models import Alert
from endpoints.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`kind`: see `alerts.Kind`. `ended_at` None: it still stands."""

    id: int
    workspace_id: int
    workspace: str
    kind: str
    key: str
    words: str
    data: Mapping[str, Any]
    since: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """`next_cursor` is "" on the last page; `count` is of all that match."""

    rows: tuple[AlertRow, ...]
    next_cursor: str
    count: int


def alerts(
    workspace_ids: Collection[int], *, ended: bool = False, cursor: str = "", limit: int = 50
) -> AlertPage:
    """Those that stand, or with `ended` those that do not any more."""
    matching = Alert.objects.filter(workspace_id__in=list(workspace_ids), ended_at__isnull=not ended)
    rows = matching.select_related("workspace").order_by("-pk")
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise Invalid("This page of the list does not exist; start at the first one.")
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows[: limit + 1])
    return AlertPage(
        tuple(map(_row, found[:limit])),
        str(found[limit - 1].pk) if len(found) > limit else "",
        matching.count(),
    )


def _row(row: Alert) -> AlertRow:
    return AlertRow(
        row.pk,
        row.workspace_id,
        row.workspace.slug,
        row.kind,
        row.key,
        row.words,
        row.data,
        row.since,
        row.ended_at,
    )
