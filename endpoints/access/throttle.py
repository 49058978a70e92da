"""How long failed logins make the next attempt wait. Pure: counts and times in, a wait out.

Five a minute are free; after that each failure doubles the wait, up to five minutes. Nobody is ever locked
out, and a quarter of an hour without failures forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(minutes=15)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures counted since `began`, the latest at `last`."""

    failures: int
    began: datetime
    last: datetime


def wait_until(attempts: Attempts | None, free: int) -> datetime | None:
    """When the next attempt may be made, if it must wait; `free` failures cost nothing."""
    if attempts is None or attempts.failures < free:
        return None
    doublings: int = min(attempts.failures - free, 16)
    wait: timedelta = FIRST_WAIT * (1 << doublings)
    return attempts.last + min(wait, LONGEST_WAIT)


def counted(attempts: Attempts | None, free: int, now: datetime) -> Attempts:
    """The count with one more attempt at `now`."""
    if attempts is None or _forgotten(attempts, free, now):
        return Attempts(1, now, now)
    return Attempts(attempts.failures + 1, attempts.began, now)


def _forgotten(attempts: Attempts, free: int, now: datetime) -> bool:
    """Slow failures never add up; fast ones are remembered for a quarter of an hour."""
    if attempts.failures < free:
        return now - attempts.began >= WINDOW
    return now - attempts.last >= FORGOTTEN_AFTER
