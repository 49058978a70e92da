"""Freezes for lists and forms: what stands, what is past, and when each holds next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from endpoints.core.errors import NotFound
from endpoints.holds.calendar import Schedule, Span, covering, occurrences
from endpoints.holds.models import Freeze
from endpoints.holds.rows import FreezeRow, FreezeState
from endpoints.holds.selectors.stored import schedule_of, scope_of


@dataclass(frozen=True, slots=True)
class FreezePage:
    """`next` is where the following page begins, None on the last; `frozen` and `coming` count all that stand."""

    rows: tuple[FreezeRow, ...]
    next: int | None
    frozen: int
    coming: int


def standing_freezes(
    workspace_ids: Iterable[int], at: datetime, *, begin: int = 0, limit: int = 50
) -> FreezePage:
    """Freezes that hold now or will, soonest first; those of all workspaces are among them. One query.

    Pages go by position: when each holds next is worked out, not stored.
    """
    found = _seen(workspace_ids).filter(ended_at=None).exclude(over_at__lte=at)
    rows = sorted((_row(freeze, at) for freeze in found), key=_soonest)
    frozen = sum(row.state is FreezeState.FROZEN for row in rows)
    end = begin + limit
    return FreezePage(tuple(rows[begin:end]), end if end < len(rows) else None, frozen, len(rows) - frozen)


def past_freezes(
    workspace_ids: Iterable[int], at: datetime, *, before: int | None = None, limit: int = 50
) -> tuple[tuple[FreezeRow, ...], int | None]:
    """Freezes that were ended or are over, newest made first, and the number to go on before."""
    found = _seen(workspace_ids).filter(Q(ended_at__isnull=False) | Q(over_at__lte=at)).order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = tuple(_row(freeze, at) for freeze in found[: limit + 1])
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def freeze_row(workspace_ids: Iterable[int], freeze_id: int, at: datetime) -> FreezeRow:
    """One of them, standing or past; NotFound for all others."""
    found = _seen(workspace_ids).filter(pk=freeze_id).first()
    if found is None:
        raise NotFound("There is no such freeze.")
    return _row(found, at)


def preview(schedule: Schedule, at: datetime, *, limit: int = 5) -> tuple[Span, ...]:
    """The stretches in which a checked schedule would hold next."""
    return occurrences(schedule, at, limit)


def _seen(workspace_ids: Iterable[int]) -> QuerySet[Freeze]:
    ids = list(workspace_ids)
    # Who sees no workspace sees nothing of what holds them all either.
    return (
        Freeze.objects.filter(Q(workspace_id__in=ids) | Q(workspace=None)) if ids else Freeze.objects.none()
    )


def _row(freeze: Freeze, at: datetime) -> FreezeRow:
    schedule = schedule_of(freeze)
    stands = freeze.ended_at is None
    now = covering(schedule, at) if stands else None
    coming = occurrences(schedule, now.end if now else at, 1) if stands else ()
    return FreezeRow(
        id=freeze.pk,
        scope=scope_of(freeze),
        title=freeze.title,
        reason=freeze.reason,
        schedule=schedule,
        starts_at=freeze.starts_at,
        over_at=freeze.over_at,
        source=freeze.source,
        uid=freeze.uid,
        made_by=freeze.made_by,
        made_at=freeze.made_at,
        ended_by=freeze.ended_by,
        ended_at=freeze.ended_at,
        end_reason=freeze.end_reason,
        state=_state(freeze, now, at),
        now=now,
        next=coming[0] if coming else None,
    )


def _state(freeze: Freeze, now: Span | None, at: datetime) -> FreezeState:
    if freeze.ended_at is not None:
        return FreezeState.ENDED
    if now is not None:
        return FreezeState.FROZEN
    is_over = freeze.over_at is not None and freeze.over_at <= at
    return FreezeState.OVER if is_over else FreezeState.COMING


def _soonest(row: FreezeRow) -> tuple[bool, float, int]:
    """What holds now by its end, then what comes by its start; what is too far away to be looked for comes last."""
    if row.now is not None:
        return False, row.now.end.timestamp(), row.id
    return True, row.next.start.timestamp() if row.next else float("inf"), row.id
