"""What an answer means for what is on record, when answers arrive in any order. Pure.

An answer was true at some moment of its reading. One that differs from the record and whose reading began
before the last accepted one ended may be older than the record: it can't be ordered, so it is discarded and
read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Step(StrEnum):
    FIRST = "first"  # never seen before
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    RETURNED = "returned"  # it was thought to be deleted, and is the same one
    SUCCESSOR = "successor"  # another one under the same name
    STALE = "stale"  # can't be ordered: discard and read again


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is on record: the newest under a name. `read_until` is when the last accepted reading ended."""

    state_hash: str
    created_at: datetime | None
    deleted: bool
    read_until: datetime


def step(recorded: Recorded | None, *, state_hash: str, created_at: datetime | None, began: datetime) -> Step:
    """What an answer with this state, whose reading began at `began`, is."""
    if recorded is None:
        return Step.FIRST
    same_one = _same_one(recorded, created_at)
    if same_one and not recorded.deleted and recorded.state_hash == state_hash:
        return Step.UNCHANGED
    if began < recorded.read_until:
        return Step.STALE
    if not same_one:
        return Step.SUCCESSOR
    return Step.RETURNED if recorded.deleted else Step.CHANGED


def absent(recorded: Recorded, *, began: datetime) -> Step:
    """What it means that a complete answer does not contain it."""
    if recorded.deleted:
        return Step.UNCHANGED
    return Step.STALE if began < recorded.read_until else Step.CHANGED


def _same_one(recorded: Recorded, created_at: datetime | None) -> bool:
    """Azure's creation time tells. Where it is not known, what lives is the same, what was deleted is not."""
    if recorded.created_at is None or created_at is None:
        return not recorded.deleted
    return recorded.created_at == created_at
