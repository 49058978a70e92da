"""A deployment's day as it goes into the ledger: 24 hours split, priced at their own time, and explained. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from endpoints.capacity.causes import Found
from endpoints.capacity.hours import Hour, Measured, Mirrored, account
from endpoints.capacity.worth import worth
from endpoints.core.money import Money

HOUR = timedelta(hours=1)
MINUTES = 60
PARTS = ("useful", "unserved", "over", "unknown")


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until `until` it was there with so many instances of a size; None: Azure did not say how many."""

    since: datetime
    until: datetime
    instances: int | None
    sku: str


@dataclass(frozen=True, slots=True)
class Day:
    """Instance-seconds and money of one day, in one currency.

    `seconds` by "paid", "useful", "unserved", "over", "unknown"; `amounts` by the same names, of the hours whose price
    is known. `unpriced` are paid seconds without a known price. Of `hours_without_count` nothing can be said: how many
    instances there were is not known. `causes` split the unserved seconds and their money.
    """

    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal]
    currency: str
    unpriced: int
    hours_without_count: int
    causes: Mapping[Found, tuple[int, Decimal]]


@dataclass(slots=True)
class _Sum:
    """What was added up so far."""

    seconds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("paid", *PARTS), 0))
    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(("paid", *PARTS), Decimal(0)))
    currency: str = ""
    unpriced: int = 0
    without_count: int = 0
    causes: dict[Found, tuple[int, Decimal]] = field(default_factory=dict)


def day_of(
    begin: datetime,
    spans: Sequence[Span],
    measured: Mapping[datetime, Measured],
    price: Callable[[str, datetime], Money | None],
    cause: Callable[[datetime], Found],
    needed: int | None = None,
) -> Day:
    """The day that begins at `begin` (UTC midnight). `price` is of a size at the beginning of an hour.

    A day whose prices change currency keeps the first one; hours in another count as unpriced.
    """
    total = _Sum()
    for place in range(24):
        hour = begin + place * HOUR
        sizes = by_size(spans, hour)
        # Which of its minutes were measured on which size, nobody says.
        told = measured.get(hour) if len(sizes) == 1 else None
        for sku, mirrored in sizes:
            _take(total, hour, account(mirrored, told, needed), price(sku, hour), cause)
    return Day(
        total.seconds, total.amounts, total.currency, total.unpriced, total.without_count, total.causes
    )


def by_size(spans: Sequence[Span], hour: datetime) -> list[tuple[str, Mirrored]]:
    """Of one hour the minutes and instances of each size, which is mostly one."""
    found: dict[str, list[tuple[int, int | None]]] = {}
    alive = 0
    for span in spans:
        # Edges are rounded, not lengths: what follows begins with the minute with which the former ends.
        minutes = min(_minute(span.until, hour) - _minute(span.since, hour), MINUTES - alive)
        if minutes > 0:
            alive += minutes
            found.setdefault(span.sku, []).append((minutes, span.instances))
    return [(sku, _mirrored(told)) for sku, told in found.items()]


def _mirrored(told: Sequence[tuple[int, int | None]]) -> Mirrored:
    """The mean over all its minutes; not known if it is not for some of them."""
    alive = sum(minutes for minutes, _ in told)
    known = [minutes * count for minutes, count in told if count is not None]
    return Mirrored(alive, Fraction(sum(known), alive) if len(known) == len(told) else None)


def _minute(at: datetime, hour: datetime) -> int:
    """The nearest minute of an hour, from 0 to 60."""
    return min(MINUTES, max(0, round((at - hour).total_seconds() / 60)))


def _take(
    total: _Sum, hour: datetime, found: Hour, price: Money | None, cause: Callable[[datetime], Found]
) -> None:
    if found.paid is None:
        total.without_count += 1
        return
    parts = {"paid": found.paid, **{name: getattr(found, name) for name in PARTS}}
    for name, seconds in parts.items():
        total.seconds[name] += seconds
    total.currency = total.currency or (price.currency if price else "")
    priced = price if price is not None and price.currency == total.currency else None
    worths = {name: worth(seconds, priced) for name, seconds in parts.items()}
    if priced is None:
        total.unpriced += found.paid
    else:
        _add_money(total, {name: money.amount for name, money in worths.items() if money})
    if found.unserved:
        why, money = cause(hour), worths["unserved"]
        seconds, amount = total.causes.get(why, (0, Decimal(0)))
        total.causes[why] = (seconds + found.unserved, amount + (money.amount if money else Decimal(0)))


def _add_money(total: _Sum, amounts: Mapping[str, Decimal]) -> None:
    """The parts as they are, and as what was paid their sum: so no rounding of one of them shows in the headline."""
    for name in PARTS:
        total.amounts[name] += amounts[name]
    total.amounts["paid"] += sum((amounts[name] for name in PARTS), Decimal(0))
