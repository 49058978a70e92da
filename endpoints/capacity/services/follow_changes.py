"""What became of the changes that findings were filed as. Polled: a change knows nothing of findings."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import transaction

from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.capacity.life import Kind, State
from endpoints.capacity.models import Finding
from endpoints.capacity.services.finding_moves import happen
from endpoints.changes.lifecycle import TERMINAL
from endpoints.changes.lifecycle import Kind as ChangeKind
from endpoints.changes.lifecycle import State as ChangeState
from endpoints.changes.models import Change
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref

log = structlog.get_logger(__name__)

_DONE = (State.ACTED, State.VERIFIED)


def follow_changes() -> int:
    """Move findings on whose change has ended, or was rolled back after it had; how many."""
    return sum(_moved(number) for number in [*_ended(), *_undone()])


def _ended() -> Iterable[int]:
    found = Finding.objects.filter(state=State.FILED, change__state__in=TERMINAL)
    return found.order_by("pk").values_list("pk", flat=True)


def _undone() -> Iterable[int]:
    """What a rollback took back that was carried through."""
    back = Change.objects.filter(kind=ChangeKind.ROLLBACK, state=ChangeState.SUCCEEDED, reverts__isnull=False)
    found = Finding.objects.filter(state__in=_DONE, change__in=back.values("reverts"))
    return found.order_by("pk").values_list("pk", flat=True)


def _moved(number: int) -> bool:
    """Whether it moved now; another worker may have been faster."""
    try:
        with transaction.atomic():
            return _move(Finding.objects.select_for_update(no_key=True).get(pk=number))
    except Conflict as error:
        log.info("finding_moved_by_another", finding=number, cause=error.message)
        return False


def _move(row: Finding) -> bool:
    change = row.change
    if change is None or (row.state == State.FILED and change.state not in TERMINAL):
        return False
    told = {"change": ref("change", change.pk), "change_state": change.state}
    if row.state in _DONE:
        happen(finding=row, kind=Kind.UNDONE, actor=SYSTEM_CAPACITY, data=told)
    elif change.state == ChangeState.SUCCEEDED:
        happen(finding=row, kind=Kind.ACTED, actor=SYSTEM_CAPACITY, data=told)
    else:
        happen(finding=row, kind=Kind.CAME_TO_NOTHING, actor=SYSTEM_CAPACITY, data=told)
    return True
