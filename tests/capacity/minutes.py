"""Paid minutes counted one by one, in plain Python: what the ledger must come to. Imports nothing that it checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of a life. `mirror`: instances by the mirror; None: Azure did not say.

    `seen` and `requests`: what metrics told; None: nothing.
    """

    mirror: int | None
    seen: int | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Instance-seconds; `paid` None: nothing can be said of the hour."""

    paid: int | None
    useful: int = 0
    unserved: int = 0
    over: int = 0
    unknown: int = 0


def hour(minutes: Sequence[Minute], needed: int | None = None) -> Counted:
    """An hour's minutes. What is not measured counts by the mirror's mean, for nobody knows which minutes those are."""
    if not minutes:
        return Counted(0)
    told = [one.mirror for one in minutes if one.mirror is not None]
    if any(one.seen is None for one in minutes) and len(told) < len(minutes):
        return Counted(None)
    mean = Fraction(sum(told), len(told)) if len(told) == len(minutes) else Fraction(0)
    useful, unserved, over, unknown = (Fraction(0) for _ in range(4))
    busy = 0
    for one in minutes:
        instances = Fraction(one.seen) if one.seen is not None else mean
        if one.requests is None:
            unknown += instances
        elif one.requests == 0:
            unserved += instances
        else:
            useful, busy = useful + instances, busy + 1
    if needed is not None:
        over = max(Fraction(0), useful - needed * busy)
    return _rounded(useful - over, unserved, over, unknown)


def _rounded(useful: Fraction, unserved: Fraction, over: Fraction, unknown: Fraction) -> Counted:
    """In seconds: the total is rounded, and of its parts the last one takes what is left over."""
    paid = round((useful + unserved + over + unknown) * 60)
    parts = [int(one * 60) for one in (useful, unserved, over)]
    return Counted(paid, *parts, int(unknown * 60))


def total(hours: Iterable[Counted]) -> Counted:
    """The sum of hours of which something is known."""
    known = [one for one in hours if one.paid is not None]
    return Counted(
        sum(one.paid or 0 for one in known),
        sum(one.useful for one in known),
        sum(one.unserved for one in known),
        sum(one.over for one in known),
        sum(one.unknown for one in known),
    )
