"""The minutes that an answer speaks of: what was asked for, as far as Azure would have it by now."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emulator.monitor.catalogue import RETENTION_DAYS

_PARTS = (0.45, 0.7, 0.85, 0.95)
"""What a minute reports of its requests before it has settled, by quarter of that time."""


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the epoch [start, start + count), seen at `now`."""

    start: int
    count: int
    now: float
    settle: float = 0.0

    def parts(self) -> list[tuple[int, float]]:
        """Index and reported share of the minutes that have not settled yet."""
        if self.settle <= 0:
            return []
        found = []
        for i in range(max(self.count - math.ceil(self.settle / 60) - 2, 0), self.count):
            age = self.now - 60 * (self.start + i + 1)
            if age < self.settle:
                found.append((i, _PARTS[min(max(int(len(_PARTS) * age / self.settle), 0), len(_PARTS) - 1)]))
        return found


def visible(start: int, end: int, *, now: float, lag: float, settle: float) -> Window:
    """Minutes [start, end), without those older than retention and those that have not come in yet."""
    oldest = int(now // 60) - RETENTION_DAYS * 1440
    newest = int((now - lag) // 60)  # a minute comes in so many seconds after its end
    start = max(start, oldest)
    return Window(start, max(min(end, newest) - start, 0), now, settle)
