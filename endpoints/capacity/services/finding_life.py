"""What people do with findings: take them on, give them back, put them off, turn them down, talk about them."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from endpoints.access.policies import Principal
from endpoints.capacity.life import Kind
from endpoints.capacity.services.finding_guards import ahead, lock_finding, person_id, said, within
from endpoints.capacity.services.finding_moves import happen


@transaction.atomic
def claim(
    *,
    principal: Principal,
    finding_id: int,
    seen: int | None = None,
    due: date | None = None,
    comment: str = "",
) -> None:
    """It is the principal's from now on, also when it was somebody else's. Its content does not change any more."""
    row = lock_finding(finding_id, principal, seen)
    by = person_id(principal)
    happen(
        finding=row,
        kind=Kind.CLAIMED,
        actor=principal.actor,
        data={"due": due.isoformat()} if due else {},
        words=within(comment, "comment"),
        author_id=by,
        claimed_by=by,
        due=ahead(due, "due", today=True) if due else None,
    )


@transaction.atomic
def release(*, principal: Principal, finding_id: int, seen: int | None = None, comment: str = "") -> None:
    """Nobody has it any more, and its content follows the facts again."""
    happen(
        finding=lock_finding(finding_id, principal, seen),
        kind=Kind.RELEASED,
        actor=principal.actor,
        words=within(comment, "comment"),
        author_id=person_id(principal),
    )


@transaction.atomic
def postpone(
    *, principal: Principal, finding_id: int, until: date, reason: str, seen: int | None = None
) -> None:
    """Not before `until`, unless the facts are others earlier."""
    row = lock_finding(finding_id, principal, seen)
    happen(
        finding=row,
        kind=Kind.POSTPONED,
        actor=principal.actor,
        data={"until": until.isoformat()},
        words=said(reason, "reason", "Say why it has to wait."),
        author_id=person_id(principal),
        until=ahead(until, "until", today=False),
        claimed_by=None,
        due=None,
    )


@transaction.atomic
def dismiss(*, principal: Principal, finding_id: int, reason: str, seen: int | None = None) -> None:
    """Not at all, as long as the facts are these."""
    happen(
        finding=lock_finding(finding_id, principal, seen),
        kind=Kind.DISMISSED,
        actor=principal.actor,
        words=said(reason, "reason", "Say why this is not to be saved."),
        author_id=person_id(principal),
        claimed_by=None,
        due=None,
        until=None,
    )


@transaction.atomic
def comment(*, principal: Principal, finding_id: int, text: str, seen: int | None = None) -> None:
    """Words for whoever looks at it next."""
    happen(
        finding=lock_finding(finding_id, principal, seen),
        kind=Kind.COMMENTED,
        actor=principal.actor,
        words=said(text, "text", "There is nothing in it."),
        author_id=person_id(principal),
    )
