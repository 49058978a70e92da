"""A clock that shows the database's time without asking it for every call.

Readings of all processes are ordered against each other, so they must not carry the clocks of their machines.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from endpoints.dispatch import db_now


class DatabaseClock:
    """The database's time when this was made, plus what has passed here since. Make one per job."""

    def __init__(self) -> None:
        before = time.monotonic()
        self._anchor = db_now()
        # The answer was made at some moment of the round trip: its middle errs by half of it at most.
        self._taken_at = (before + time.monotonic()) / 2

    def now(self) -> datetime:
        return self._anchor + timedelta(seconds=time.monotonic() - self._taken_at)

    def monotonic(self) -> float:
        return time.monotonic()
