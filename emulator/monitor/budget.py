"""What the metrics data plane lets through a minute: calls of one caller (429), points of a region (529)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from emulator.errors import ArmError


@dataclass(slots=True)
class Budget:
    """Tokens that come back evenly over a minute; a budget of 0 does not limit."""

    monotonic: Callable[[], float]
    _levels: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    def take(
        self, who: Hashable, amount: float, per_minute: float, *, status: int, code: str, said: str
    ) -> None:
        """Take so much, or refuse with Retry-After. What is larger than the whole budget passes when it is full."""
        if per_minute <= 0:
            return
        now = self.monotonic()
        level, since = self._levels.get(who, (per_minute, now))
        level = min(per_minute, level + (now - since) * per_minute / 60)
        needed = min(amount, per_minute)
        if level < needed:
            self._levels[who] = (level, now)
            wait = max(1, math.ceil((needed - level) * 60 / per_minute))
            raise ArmError(status, code, said, headers={"Retry-After": str(wait)})
        self._levels[who] = (level - needed, now)

    def clear(self) -> None:
        self._levels.clear()
