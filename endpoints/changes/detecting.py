"""How small a harm a sequential test finds after so many requests, with a stated chance. Pure.

Counts are taken as binomial, and the look at the end alone: earlier looks only add to the chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

from endpoints.changes.sequential import SHIFTS, Count, pair_evidence, rate_evidence

# The chance with which harm of the stated size is found.
POWER = 0.8
# Up to so many failures the sum over each number of them is exact and fast; beyond, the normal curve is close.
_EXACT = 400
_HALVINGS = 24
# The stable's count is random too: three points and their weights stand for its normal curve (Gauss and Hermite).
_AROUND = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))


@lru_cache(maxsize=512)
def detectable_rate(requests: float, limit: float, alpha: float) -> float | None:
    """The smallest rate that is found to be over the limit; None when not even 100 % would be."""
    needed = _needed(requests, limit, alpha)
    return _smallest(requests, limit, ((needed, 1.0),))


@lru_cache(maxsize=512)
def detectable_beside(
    requests: float, stable: float, rate: float, allowed: float, alpha: float
) -> float | None:
    """The smallest rate that is found to exceed the stable's by more than is allowed, beside its requests."""
    if stable <= 0 or requests <= 0:
        return None
    spread = math.sqrt(stable * rate * (1 - rate))
    counts = (Count(stable, min(max(stable * rate + away * spread, 0.0), stable)) for away, _ in _AROUND)
    bars = [_needed_beside(requests, count, allowed, alpha) for count in counts]
    weighted = tuple(zip(bars, (weight for _, weight in _AROUND), strict=True))
    return _smallest(requests, min(rate + allowed, 1.0), weighted)


def finds(requests: float, limit: float, alpha: float, rate: float) -> bool:
    """Whether such a rate is found to be over the limit."""
    return chance(requests, _needed(requests, limit, alpha), rate) >= POWER


def finds_beside(requests: float, stable: Count, allowed: float, alpha: float, rate: float) -> bool:
    """Whether such a rate is found to exceed the stable's by more than is allowed."""
    if stable.of <= 0 or requests <= 0:
        return False
    return chance(requests, _needed_beside(requests, stable, allowed, alpha), rate) >= POWER


def chance(requests: float, needed: float | None, rate: float) -> float:
    """The chance of at least so many bad ones."""
    if needed is None:
        return 0.0
    whole, bad = round(requests), math.ceil(needed - 1e-9)
    if bad <= 0:
        return 1.0
    if bad > whole or rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    if bad > _EXACT:
        spread = math.sqrt(whole * rate * (1 - rate))
        return 1 - NormalDist().cdf((bad - 0.5 - whole * rate) / spread)
    return 1 - _fewer(whole, bad, rate)


def _smallest(requests: float, least: float, bars: tuple[tuple[float | None, float], ...]) -> float | None:
    def found(rate: float) -> bool:
        return sum(weight * chance(requests, needed, rate) for needed, weight in bars) >= POWER

    low, high = least, 1.0
    if not found(high):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def _needed(requests: float, limit: float, alpha: float) -> float | None:
    """How many bad ones prove harm; None when all together don't."""
    bar = math.log(1 / alpha)

    def proves(bad: float) -> bool:
        return rate_evidence(Count(requests, bad), limit) >= bar

    return _least(requests * limit, requests, proves)


def _needed_beside(requests: float, stable: Count, allowed: float, alpha: float) -> float | None:
    bar = math.log(1 / alpha)
    rate = (stable.bad + 0.2) / (stable.of + 20)

    def proves(bad: float) -> bool:
        logs = [pair_evidence(Count(requests, bad), stable, rate, allowed, shift) for shift in SHIFTS]
        most = max(logs)
        return most + math.log(sum(math.exp(one - most) for one in logs) / len(logs)) >= bar

    return _least(requests * min(rate + allowed, 1.0), requests, proves)


def _least(mean: float, most: float, proves: Callable[[float], bool]) -> float | None:
    """The least number of bad ones, from the mean on, that proves harm."""
    if not proves(most):
        return None
    low, step = mean, 1 + 3 * math.sqrt(mean)
    high = min(most, low + step)
    while high < most and not proves(high):
        low, step = high, step * 2
        high = min(most, low + step)
    while high - low > max(0.25, high * 1e-4):
        middle = (low + high) / 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high


def _fewer(of: int, bad: int, rate: float) -> float:
    """The chance of fewer bad ones, each number's from the one before it."""
    term = of * math.log1p(-rate)
    odds, total = math.log(rate / (1 - rate)), 0.0
    for number in range(bad):
        total += math.exp(term)
        term += math.log((of - number) / (number + 1)) + odds
    return min(1.0, total)
