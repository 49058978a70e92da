"""Shapes that repeat: how demand goes through a week, and tables of noise. Pure, cheap to slice.

A point must cost well under a microsecond, so nothing is computed for one minute alone: minutes take slices
of prepared tables, which begin at a place of their own in each series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from emulator.values import chance

DAY = 1440
WEEK = 7 * DAY
PRIME = 10_007
"""Length of a noise table: no divisor of a day or a week, so that noise does not come back with the rhythm."""
_THURSDAY = 3  # the epoch's weekday


@lru_cache(maxsize=512)
def week(peak: float, hour: float, weekend: float) -> tuple[float, ...]:
    """Factors by `minute of the epoch % WEEK`: 1 on average on a weekday, busiest to quietest is `peak`."""
    sharpness = math.log(max(peak, 1.0)) / 2
    day = [math.exp(sharpness * math.cos(math.tau * (i / 60 - hour) / 24)) for i in range(DAY)]
    mean = sum(day) / DAY
    factors = (weekend if (number + _THURSDAY) % 7 >= 5 else 1.0 for number in range(7))
    return tuple(factor * item / mean for factor in factors for item in day)


@lru_cache(maxsize=16)
def uniform(seed: int) -> tuple[float, ...]:
    """Numbers in [0, 1), for rounding a share of a request up or down."""
    return tuple(chance(seed, "uniform", i) for i in range(PRIME))


@lru_cache(maxsize=64)
def wobble(seed: int, amplitude: float) -> tuple[float, ...]:
    """Factors around 1 that hold on for some minutes, as real load does."""
    raw = [chance(seed, "wobble", i) - 0.5 for i in range(PRIME)]
    smooth = [(raw[i - 2] + raw[i - 1] + 2 * raw[i]) / 2 for i in range(PRIME)]
    return tuple(1.0 + amplitude * item for item in smooth)


def looped(table: Sequence[float], start: int, count: int) -> list[float]:
    """`count` items of a table that repeats for ever, from `start` on."""
    length = len(table)
    first = start % length
    found = list(table[first : first + count])
    while len(found) < count:
        found.extend(table[: count - len(found)])
    return found


def place(*parts: object) -> int:
    """Where a series begins in the tables."""
    return int(chance("place", *parts) * PRIME)
