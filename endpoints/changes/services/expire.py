"""End requests and approvals that nobody used in time."""

from __future__ import annotations

import structlog
from django.db import Error as DatabaseError
from django.db import transaction

from endpoints.audit.actors import SYSTEM_EXECUTOR
from endpoints.changes.lifecycle import State
from endpoints.changes.models import Change
from endpoints.changes.services.moves import move
from endpoints.core.errors import Unavailable
from endpoints.dispatch import db_now

log = structlog.get_logger(__name__)

BATCH = 100
_WAITING = (State.IN_REVIEW, State.APPROVED, State.SCHEDULED)


def expire_due() -> int:
    """How many were ended; called again and again. One that can't be ended must not keep the others alive."""
    due = Change.objects.filter(state__in=_WAITING, started_at=None, approval_expires_at__lte=db_now())
    oldest = due.order_by("approval_expires_at").values_list("pk", flat=True)
    return sum(_expire_if_possible(change_id) for change_id in list(oldest[:BATCH]))


def _expire_if_possible(change_id: int) -> int:
    try:
        return _expire(change_id)
    except (DatabaseError, Unavailable) as error:
        log.warning("change_not_expired", change=change_id, cause=str(error).strip())
        return 0


@transaction.atomic
def _expire(change_id: int) -> int:
    change = Change.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=change_id).first()
    if change is None or change.state not in _WAITING:
        return 0
    if change.approval_expires_at is None or change.approval_expires_at > db_now():
        return 0  # edited or approved since it was found
    move(change=change, to=State.EXPIRED, actor=SYSTEM_EXECUTOR, reason="nobody used it in time")
    return 1
