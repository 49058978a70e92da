"""How old the mirror's data is, per workspace, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.access.rows import WorkspaceRow
from endpoints.access.selectors import workspaces
from endpoints.inventory import marks
from endpoints.inventory.marks import Mark
from endpoints.inventory.models import SyncTarget

# From here on what is shown may not be true any more, whatever the cause.
STALE_AFTER = timedelta(minutes=5)
_MISSED_CADENCES = 4
_FIELDS = (
    "workspace_id",
    "cadence_seconds",
    "cadence_reason",
    "failures",
    "retry_at",
    "due_at",
    "claimed_until",
    "covered_by__reads_ended",
    "covered_by__unreadable",
    "last_run__outcome",
    "last_run__error",
    "last_run__error_code",
    "last_run__azure_request_id",
    "looked_at",
)
_WORKSPACE_FIELDS = tuple(f"workspace__{field.name}" for field in fields(WorkspaceRow) if field.name != "id")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One item that the last reading could not understand."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """The state of a workspace's reading.

    `read_at` is when the newest successful reading ended, None when there was none. `cause` says why the last
    one failed, "" when it did not. `stale_after` is the age from which the data counts as unknown.
    """

    workspace_id: int
    read_at: datetime | None
    age_seconds: float | None
    stale_after: timedelta
    is_stale: bool
    cadence_seconds: float | None
    cadence_reason: str
    cause: str
    error_code: str
    failures: int
    retry_at: datetime | None
    due_at: datetime | None
    is_being_read: bool
    unreadable: tuple[Unreadable, ...]
    azure_request_id: str

    @property
    def is_failing(self) -> bool:
        return bool(self.cause)


@dataclass(frozen=True, slots=True)
class Place:
    """A connected workspace, and how its reading goes."""

    workspace: WorkspaceRow
    freshness: Freshness


def places(principal: Principal) -> list[Place]:
    """The connected workspaces that this principal may see, by slug. One query, two while one was never read."""
    seen = visible_workspaces(principal)
    rows = SyncTarget.objects.filter(workspace_id__in=seen).annotate(looked_at=Now())
    found = [
        Place(_workspace(row), _freshness(row))
        for row in rows.values_list(*_FIELDS, *_WORKSPACE_FIELDS, named=True)
    ]
    known = {place.workspace.id for place in found}
    if not seen <= known:
        found += [Place(row, _never_read(row.id)) for row in workspaces(principal) if row.id not in known]
    connected = [place for place in found if place.workspace.disconnected_at is None]
    return sorted(connected, key=lambda place: place.workspace.slug)


def freshness(workspace_id: int) -> Freshness:
    return freshness_of([workspace_id])[workspace_id]


def freshness_of(workspace_ids: Iterable[int]) -> dict[int, Freshness]:
    """For every workspace asked for, those that were never read included, by the database's time. One query."""
    wanted = list(workspace_ids)
    rows = SyncTarget.objects.filter(workspace_id__in=wanted).annotate(looked_at=Now())
    found = {row.workspace_id: _freshness(row) for row in rows.values_list(*_FIELDS, named=True)}
    return {workspace_id: found.get(workspace_id) or _never_read(workspace_id) for workspace_id in wanted}


def with_age(found: tuple[Mark, ...], age: Freshness) -> tuple[Mark, ...]:
    """Marks, worst first, with the one that old data gets."""
    if not age.is_stale:
        return found
    now = (age.read_at or datetime.min.replace(tzinfo=UTC)) + timedelta(seconds=age.age_seconds or 0.0)
    old = marks.stale(age.read_at, now, after=age.stale_after, cause=age.cause)
    return tuple(sorted((*found, *([old] if old else [])), key=lambda mark: -mark.severity))


def _workspace(row: Any) -> WorkspaceRow:
    return WorkspaceRow(row.workspace_id, *(getattr(row, name) for name in _WORKSPACE_FIELDS))


def _freshness(row: Any) -> Freshness:
    """Out of `_FIELDS`: objects of three models for each workspace would take longer than the query."""
    read_at, now = row.covered_by__reads_ended, row.looked_at
    age = max(0.0, (now - read_at).total_seconds()) if read_at else None
    limit = max(STALE_AFTER, timedelta(seconds=_MISSED_CADENCES * (row.cadence_seconds or 0)))
    failed = row.last_run__outcome == "failed"
    return Freshness(
        workspace_id=row.workspace_id,
        read_at=read_at,
        age_seconds=age,
        stale_after=limit,
        is_stale=age is None or age > limit.total_seconds(),
        cadence_seconds=row.cadence_seconds,
        cadence_reason=row.cadence_reason,
        cause=row.last_run__error if failed else "",
        error_code=row.last_run__error_code if failed else "",
        failures=row.failures,
        retry_at=row.retry_at,
        due_at=row.due_at,
        is_being_read=row.claimed_until is not None and row.claimed_until > now,
        unreadable=tuple(Unreadable(one["item"], one["reason"]) for one in row.covered_by__unreadable or ()),
        azure_request_id=row.last_run__azure_request_id or "",
    )


def _never_read(workspace_id: int) -> Freshness:
    return Freshness(
        workspace_id=workspace_id,
        read_at=None,
        age_seconds=None,
        stale_after=STALE_AFTER,
        is_stale=True,
        cadence_seconds=None,
        cadence_reason="",
        cause="",
        error_code="",
        failures=0,
        retry_at=None,
        due_at=None,
        is_being_read=False,
        unreadable=(),
        azure_request_id="",
    )


def read_until(workspace_id: int) -> datetime | None:
    """Up to here the mirror knows the workspace: its newest whole reading began then. None: it was never read."""
    return (
        SyncTarget.objects.filter(workspace_id=workspace_id)
        .values_list("covered_by__reads_began", flat=True)
        .first()
    )
