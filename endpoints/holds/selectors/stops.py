"""Stops of the line: those in force, for every page's banner, and those that were lifted."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from endpoints.access.policies import Principal
from endpoints.core.errors import NotFound
from endpoints.holds.models import Stop
from endpoints.holds.rows import StopRow
from endpoints.holds.selectors.reach import reaches

_FIELDS = (
    "id",
    "workspace_id",
    "endpoint_id",
    "reason",
    "stopped_by",
    "stopped_at",
    "lifted_by",
    "lifted_at",
    "lift_reason",
)


def standing_stops(workspace_ids: Iterable[int]) -> tuple[StopRow, ...]:
    """What is stopped now in these workspaces, or everywhere: the widest first, then the oldest. One query."""
    rows = _rows(_seen(workspace_ids).filter(lifted_at=None))
    return tuple(sorted(rows, key=_widest))


def lifted_stops(
    workspace_ids: Iterable[int], *, before: int | None = None, limit: int = 50
) -> tuple[tuple[StopRow, ...], int | None]:
    """Stops that were lifted, newest first, and the number to go on before."""
    found = _seen(workspace_ids).filter(lifted_at__isnull=False).order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = _rows(found[: limit + 1])
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def stop_row(workspace_ids: Iterable[int], stop_id: int) -> StopRow:
    """One of them, standing or lifted; NotFound for all others."""
    found = _rows(_seen(workspace_ids).filter(pk=stop_id))
    if not found:
        raise NotFound("There is no such stop.")
    return found[0]


def _seen(workspace_ids: Iterable[int]) -> QuerySet[Stop]:
    ids = list(workspace_ids)
    return Stop.objects.filter(Q(workspace_id__in=ids) | Q(workspace=None)) if ids else Stop.objects.none()


def _rows(found: QuerySet[Stop]) -> tuple[StopRow, ...]:
    return tuple(StopRow(**row) for row in found.values(*_FIELDS))


def stops_seen_by(principal: Principal) -> tuple[StopRow, ...]:
    """What is stopped now that the principal may see. For every page: one query while nothing is stopped."""
    rows = _rows(Stop.objects.filter(lifted_at=None))
    return tuple(sorted((row for row in rows if reaches(principal, row.workspace_id)), key=_widest))


def _widest(row: StopRow) -> tuple[bool, bool, int]:
    return row.workspace_id is not None, row.endpoint_id is not None, row.id
