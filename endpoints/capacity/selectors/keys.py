"""The order of lists of money, the places in it where pages begin, and stored amounts."""

from __future__ import annotations

from endpoints.capacity.worth import NANO
from endpoints.core.errors import Invalid
from endpoints.core.money import Money

UNPRICED = -1
"""Where money is not known, in the order: after everything that is known."""


def money(nanos: int | None, currency: str) -> Money | None:
    """A stored amount; None: not known."""
    return None if nanos is None or not currency else Money(nanos * NANO, currency)


def place(cursor: str) -> tuple[int, int]:
    """Where a page begins: an amount and a number."""
    high, dot, number = cursor.partition(".")
    try:
        found = int(high), int(number)
    except ValueError:
        found = (-2, -2)
    if not dot or not all(-1 <= part < 2**63 for part in found):
        raise Invalid("This page of the list does not exist; start at the first one.")
    return found
