"""The database's time for stamping answers: readings of all processes are ordered against each other."""

from __future__ import annotations

import time
from datetime import datetime

from endpoints.changes.executor.database import in_database
from endpoints.core.clock import Clock, SystemClock
from endpoints.inventory.dbclock import DatabaseClock


class SharedClock:
    """Follows the database's clock, as last asked for; this machine's until it was asked once."""

    def __init__(self) -> None:
        self._inner: Clock = SystemClock()

    async def set(self) -> None:
        """Ask the database again: over hours the clocks drift apart."""
        self._inner = await in_database(DatabaseClock)

    def now(self) -> datetime:
        return self._inner.now()

    def monotonic(self) -> float:
        return time.monotonic()
