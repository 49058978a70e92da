"""What is wrong with an answer of metrics: by resource, told once, with counts and the first example. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from endpoints.azure_gateway.records import Unreadable

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""What a series is of: resource, metric, dimensions and their values."""

IMPOSSIBLE = "value(s) that no measurement can have"
CONTRADICTED = "minute(s) with different values"
NO_MINUTE = "timestamp(s) that are no whole minute"
NOT_ASKED = "timestamp(s) outside the time that was asked for"
UNREADABLE_TIME = "timestamp(s) that can't be read"
NO_POINT = "point(s) that are no objects"


class Troubles:
    """Collects what is wrong with one answer."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, None]] = defaultdict(dict)
        self._counts: dict[str, dict[tuple[str, str], tuple[int, str]]] = defaultdict(dict)

    def tell(self, item: str, reason: str) -> None:
        self._told[item][reason] = None

    def count(self, key: Key, kind: str, example: Any) -> None:
        counts = self._counts[key[0]]
        number, first = counts.get((key[1], kind), (0, _example(example)))
        counts[key[1], kind] = (number + 1, first)

    def listed(self) -> tuple[Unreadable, ...]:
        return tuple(
            Unreadable(item=_cut(ascii(item)[1:-1], 2000), reason=_cut("; ".join(self._reasons(item)), 1000))
            for item in dict.fromkeys([*self._told, *self._counts])
        )

    def _reasons(self, item: str) -> list[str]:
        return [*self._told.get(item, ())] + [
            f"{metric}: {number} {kind} (the first: {first})"
            for (metric, kind), (number, first) in self._counts.get(item, {}).items()
        ]


def _example(value: Any) -> str:
    # What nests may nest deeper than it can be printed.
    return (
        ascii(value)[:60] if value is None or isinstance(value, (str, int, float)) else type(value).__name__
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
