"""One deployment's minute as it travels from a reading to the database, and how two of them become one. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MINUTE = 60
HOUR = 3600
DAY = 86_400

Values = tuple[float | None, ...]
Key = tuple[int, int]
"""A deployment's id and the second since 1970 at which a minute begins."""


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """What is known of one deployment's minute. `values` stand in the order of `columns.NAMES`, None is unknown.

    `minute` is the second since 1970 at which the minute begins.
    """

    deployment_id: int
    minute: int
    values: Values


def known(value: float | None) -> float | None:
    """The value, or None if no measurement can have it: not-a-number, infinite, negative."""
    return value if value is not None and 0 <= value < math.inf else None


def merged(older: Values, newer: Values) -> Values:
    """What two readings of one minute say together: the newer value where it is known."""
    return tuple(old if known(new) is None else new for old, new in zip(older, newer, strict=True))


def says_something(values: Values) -> bool:
    """Whether any value is known."""
    # Almost always the first one is, and a generator costs more than the rest.
    return known(values[0]) is not None or any(known(value) is not None for value in values)


def unique(rows: Iterable[MinuteRow]) -> dict[Key, Values]:
    """One row a minute: of several, the last one counts, and those before it where it knows nothing."""
    found: dict[Key, Values] = {}
    for row in rows:
        key = (row.deployment_id, row.minute)
        before = found.get(key)
        found[key] = row.values if before is None else merged(before, row.values)
    return found
