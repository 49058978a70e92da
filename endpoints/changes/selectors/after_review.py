"""What somebody else must still say of changes that were started in an emergency, and what they said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Principal, visible_workspaces
from endpoints.changes.models import AfterReview, Note
from endpoints.dispatch import db_now

EMERGENCY = "emergency"
"""The kind of the note with which a person broke the glass. It names them whoever started the change again later."""


@dataclass(frozen=True, slots=True)
class AfterReviewView:
    """`sound` None: nobody said anything yet, and it is `overdue` once `due_at` is over."""

    change_id: int
    endpoint_id: int
    due_at: datetime
    overdue: bool
    reviewer_id: int | None
    sound: bool | None
    words: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AfterReviewPage:
    """Rows, and the change's number to ask for the next ones with; None when these are the last."""

    rows: tuple[AfterReviewView, ...]
    after: int | None


def broken_by(change_id: int) -> frozenset[int]:
    """Who started the change in an emergency."""
    return frozenset(
        Note.objects.filter(change=change_id, kind=EMERGENCY).values_list("author_id", flat=True)
    )


def after_review_of(change_id: int) -> AfterReviewView | None:
    """The review that a change needs or had; None for one that was approved. Of a change that the caller may see."""
    row = AfterReview.objects.select_related("change").filter(change=change_id).first()
    return _view(row, db_now()) if row else None


def unreviewed(principal: Principal, *, after: int = 0, limit: int = 50) -> AfterReviewPage:
    """Those that still wait, in what the principal may see: the oldest first, which are due first."""
    waiting = AfterReview.objects.select_related("change").filter(
        at=None, change__workspace__in=visible_workspaces(principal), change__gt=after
    )
    now = db_now()
    oldest = [_view(row, now) for row in waiting.order_by("change")[: limit + 1]]
    rows = tuple(oldest[:limit])
    return AfterReviewPage(rows, rows[-1].change_id if len(oldest) > limit else None)


def _view(row: AfterReview, now: datetime) -> AfterReviewView:
    return AfterReviewView(
        change_id=row.change_id,
        endpoint_id=row.change.endpoint_id,
        due_at=row.due_at,
        overdue=row.at is None and row.due_at < now,
        reviewer_id=row.reviewer_id,
        sound=row.sound,
        words=row.words,
        at=row.at,
    )
