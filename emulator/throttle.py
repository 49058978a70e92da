"""ARM's token buckets: per subscription and caller, one for reads, one for writes, one for deletes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.errors import ArmError


@dataclass(frozen=True, slots=True)
class Rate:
    burst: float
    per_second: float


RATES = {"reads": Rate(250, 25), "writes": Rate(200, 10), "deletes": Rate(200, 10)}


def bucket_of(method: str) -> str:
    return {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")


@dataclass(slots=True)
class Buckets:
    """Tokens left and the time they were counted, by (subscription, caller, bucket)."""

    monotonic: Callable[[], float]
    _levels: dict[tuple[str, str, str], tuple[float, float]] = field(default_factory=dict)

    def take(self, subscription: str, caller: str, method: str) -> dict[str, str]:
        """Take one token and return the header that tells what is left; 429 when the bucket is empty."""
        name = bucket_of(method)
        rate = RATES[name]
        key = (subscription, caller, name)
        now = self.monotonic()
        level, since = self._levels.get(key, (rate.burst, now))
        level = min(rate.burst, level + (now - since) * rate.per_second)
        if level < 1:
            self._levels[key] = (level, now)
            raise self._empty(name, subscription, (1 - level) / rate.per_second)
        self._levels[key] = (level - 1, now)
        return {f"x-ms-ratelimit-remaining-subscription-{name}": str(int(level - 1))}

    def clear(self) -> None:
        self._levels.clear()

    @staticmethod
    def _empty(name: str, subscription: str, seconds: float) -> ArmError:
        return ArmError(
            429,
            "SubscriptionRequestsThrottled",
            f"Number of {name} for subscription '{subscription}' exceeded. Please try again later.",
            headers={
                "Retry-After": str(max(1, math.ceil(seconds))),
                f"x-ms-ratelimit-remaining-subscription-{name}": "0",
            },
        )
