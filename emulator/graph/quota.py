"""A quota of queries: so many of one caller within some seconds, five of them for Resource Graph."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

QUOTA_SECONDS = 5


@dataclass(slots=True)
class Quota:
    """Queries of one caller within the last seconds."""

    monotonic: Callable[[], float]
    seconds: int = QUOTA_SECONDS
    _asked: dict[str, deque[float]] = field(default_factory=dict)

    def take(self, caller: str, limit: int) -> tuple[bool, int, int]:
        """Whether this query is let through, how many are left, and in how many seconds all are back."""
        now = self.monotonic()
        asked = self._asked.setdefault(caller, deque())
        while asked and now - asked[0] >= self.seconds:
            asked.popleft()
        passes = len(asked) < limit
        if passes:
            asked.append(now)
        resets = math.ceil(self.seconds - (now - asked[0])) if asked else 0
        return passes, limit - len(asked), resets
