"""When a delivery that failed is tried again, and when nobody tries any more. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)
# Longer than any one delivery takes: whoever claimed it and died lets go of it after this.
CLAIM = timedelta(minutes=3)
# A mailbox wants to keep a checkpoint a day, not one every ten minutes.
MAIL_CHECKPOINT_EVERY = timedelta(hours=24)


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed: 1 min, 2, 4 … 6 h."""
    return min(FIRST * (1 << min(max(attempts, 1) - 1, 16)), LONGEST)


def next_try(made_at: datetime, attempts: int, now: datetime) -> datetime | None:
    """When to try again what was made then and just failed; None: give up."""
    again = now + pause(attempts)
    return again if again - made_at <= GIVE_UP_AFTER else None
