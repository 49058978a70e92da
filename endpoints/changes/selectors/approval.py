"""Who ordered and approved a change, and what its gates had said by a moment: for those who ask about the past.

It asks for nobody's rights; callers do, before, on the change's workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import AfterReview, Change, Decision, GateOverride, Measurement


@dataclass(frozen=True, slots=True)
class Approved:
    """One person's approval."""

    reviewer_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class GateSaid:
    """What a gate had said last."""

    name: str
    outcome: str
    reason: str
    dry_run: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """A change as far as it says who stands for it. `author_id` None: the portal ordered it by itself.

    `approvals` are of the content that counted. `overridden` holds the gates that somebody let it pass; "" is all.
    `reviewed_after_by`: who looked back on what was started in an emergency; None: nobody yet.
    """

    change_id: int
    workspace_id: int
    kind: Kind
    author_id: int | None
    started_by_id: int | None
    started_at: datetime | None
    emergency: bool
    approvals: tuple[Approved, ...]
    gates: tuple[GateSaid, ...]
    overridden: tuple[str, ...]
    reviewed_after_by: int | None


def approval_of(change_id: int, *, at: datetime, known: datetime | None = None) -> Approval | None:
    """As it stood at a moment, as far as known at `known`; None when there is no such change."""
    change = Change.objects.filter(pk=change_id).first()
    if change is None:
        return None
    by = at if known is None else min(at, known)
    measured = Measurement.objects.filter(change=change, at__lte=by).order_by("gate", "-until", "-pk")
    decisions = Decision.objects.filter(change=change, revision=change.revision, approved=True)
    if known is not None:
        decisions = decisions.filter(at__lte=known)
    return Approval(
        change_id=change.pk,
        workspace_id=change.workspace_id,
        kind=Kind(change.kind),
        author_id=change.author_id,
        started_by_id=change.started_by_id,
        started_at=change.started_at,
        emergency=change.emergency,
        approvals=tuple(Approved(row.reviewer_id, row.at) for row in decisions.order_by("pk")),
        gates=tuple(
            GateSaid(row.gate, row.outcome, row.reason, row.dry_run, row.at)
            for row in measured.distinct("gate")
        ),
        overridden=tuple(
            GateOverride.objects.filter(change=change, at__lte=by)
            .order_by("pk")
            .values_list("gate", flat=True)
        ),
        reviewed_after_by=_looked_back(change, known) if change.emergency else None,
    )


def _looked_back(change: Change, known: datetime | None) -> int | None:
    row = AfterReview.objects.filter(change=change, at__isnull=False).first()
    if row is None or row.at is None or (known is not None and row.at > known):
        return None
    return row.reviewer_id
