"""Traffic bars: which deployment gets which place and which of the four patterns.

The pattern follows the place in the split, never the name: deployments are often called blue and green, and
a hue that contradicts the name misleads. The words beside the bar say what is what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from endpoints.core import traffic

PATTERNS = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One deployment's part of a bar: `left` and `share` in percent of the bar, `pattern` 1 to 4."""

    name: str
    left: int
    share: int
    pattern: int


def order_of(*splits: Mapping[str, int] | None, names: Iterable[str] = ()) -> list[str]:
    """One order for all bars of a page: by share in the first split, then in the next, then by name."""
    maps = [traffic.normalise(split) for split in splits]
    known = sorted({name.lower() for name in names} | {name for one in maps for name in one})
    return sorted(known, key=lambda name: ([-one.get(name, 0) for one in maps], name))


def segments(split: Mapping[str, int] | None, order: Iterable[str] = ()) -> list[Segment]:
    """The parts of one bar from left to right. Deployments without a share take no place but keep a pattern."""
    shares = traffic.normalise(split)
    ranked = list(order) or order_of(split)
    ranked += [name for name in shares if name not in ranked]
    left, found = 0, []
    for place, name in enumerate(ranked):
        share = shares.get(name, 0)
        if share:
            found.append(Segment(name, left, share, min(place, PATTERNS - 1) + 1))
            left += share
    return found
