"""When a checkpoint is due, and how well what is outside the database vouches for the ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# After these nobody should be able to rewrite who decided what.
URGENT = (
    "change.approved", "change.rejected", "change.succeeded", "change.failed", "change.drifted",
    "change.superseded", "case.confirmed", "personal.erased",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unsealed:
    """The entries behind the newest checkpoint."""

    count: int
    oldest_at: datetime | None = None
    has_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often checkpoints are wanted."""

    entries: int
    seconds: float


def is_due(unsealed: Unsealed, rhythm: Rhythm, now: datetime) -> bool:
    """Whether to make a checkpoint now: many entries wait, one waits long, or one must not wait."""
    if not unsealed.count or unsealed.oldest_at is None:
        return False
    if unsealed.has_urgent or unsealed.count >= rhythm.entries:
        return True
    return now - unsealed.oldest_at >= timedelta(seconds=rhythm.seconds)


class Standing(StrEnum):
    """Of checkpoints or anchors: there are none, they are behind, they are kept up."""

    NONE = "none"
    LATE = "late"
    FRESH = "fresh"


def standing(upto: int | None, waits_since: datetime | None, rhythm: Rhythm, now: datetime) -> Standing:
    """`upto`: the entry that the newest one covers; `waits_since`: when the first entry behind it was made.

    Twice the rhythm is late: a checkpoint that is due now takes a moment. A ledger that rests is not behind.
    """
    if not upto:
        return Standing.NONE
    if waits_since is not None and now - waits_since > timedelta(seconds=rhythm.seconds * 2):
        return Standing.LATE
    return Standing.FRESH
