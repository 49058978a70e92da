"""Time as a parameter: rules and executor take a Clock, so that tests can move it.

The database's clock decides about facts (`endpoints.dispatch.db_now`); this one measures durations and
stamps what happens outside the database.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """`now()` is aware UTC and may jump; `monotonic()` is seconds from any origin and never goes back."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
