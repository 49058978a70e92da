"""ARM's token buckets, kept on our side so that Azure never has to say 429.

A bucket fills at a steady rate up to its burst; a call takes one token. Azure's own count, which comes with
every answer, only ever lowers ours: others spend from the same bucket. Pure: time is a parameter, in
monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBucket:
    """One subscription's reads, or writes."""

    burst: float
    refill: float
    level: float = field(init=False)
    closed_until: float = field(init=False, default=float("-inf"))
    _at: float = field(init=False, default=0.0)
    _heard: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.level = self.burst

    def wait(self, now: float, *, reserve: float = 0.0) -> float:
        """Seconds until a token can be taken; 0.0 means now. `reserve` tokens stay untouched."""
        self._fill(now)
        # The sliver forgives rounding, which would otherwise cost a second wait of nanoseconds.
        missing = max(0.0, 1.0 + reserve - self.level - 1e-9)
        return max(self.closed_until - now, missing / self.refill, 0.0)

    def take(self, now: float, *, reserve: float = 0.0) -> float:
        """Take a token and return 0.0, or take none and return the seconds to wait."""
        wait = self.wait(now, reserve=reserve)
        if wait == 0.0:
            self.level -= 1.0
        return wait

    def heard(self, now: float, *, remaining: float | None) -> None:
        """An answer came, with Azure's count of what is left where it gave one."""
        self._fill(now)
        self._heard = now
        if remaining is not None:
            self.level = min(self.level, remaining)

    def close(self, now: float, seconds: float | None) -> None:
        """Azure said 429. Without a time to wait the bucket is taken to be empty."""
        self._fill(now)
        self._heard = now
        self.level = min(self.level, 0.0)
        if seconds is not None:
            self.closed_until = max(self.closed_until, now + seconds)

    def trusted(self, now: float) -> bool:
        """Whether our count is fresh: after a full refill's time of silence, others may have spent."""
        return now - self._heard <= self.burst / self.refill

    def _fill(self, now: float) -> None:
        self.level = min(self.burst, self.level + max(0.0, now - self._at) * self.refill)
        self._at = max(self._at, now)
