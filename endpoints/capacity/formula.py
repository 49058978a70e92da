"""A day's cost as people would work it out: stretches of hours, instances x price each, which add up to it. Pure.

Each hour is counted and rounded by the ledger's own rules (`day.day_of`); this only puts together what is alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from endpoints.capacity.causes import Found
from endpoints.capacity.day import HOUR, PARTS, Day
from endpoints.core.money import Money

NAMES = ("paid", *PARTS)
SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Price:
    """What an instance and hour cost, and how that was come by.

    `listed`: before the agreement, by `source`, read at `read_at`. `share`: 0.15 is 15 percent off; 0: no agreement.
    """

    paid: Money
    listed: Money
    source: str
    read_at: datetime | None
    share: Decimal = Decimal(0)
    agreement: str = ""  # "agreement:7"


@dataclass(frozen=True, slots=True)
class Told:
    """One hour of a deployment. `alive`: for so many seconds it was there. `price` None: not known."""

    at: datetime
    alive: int
    sku: str
    price: Price | None
    day: Day  # of this hour alone


@dataclass(frozen=True, slots=True)
class Line:
    """From `since` until `until`, hours of equal instances and price.

    `instances`: while it was there; None: not known, and so is everything else of these hours. `alive`: seconds.
    `amounts` None: the price is not known. `causes`: of the unserved seconds.
    """

    since: datetime
    until: datetime
    alive: int
    sku: str
    instances: Fraction | None
    price: Price | None
    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal] | None
    causes: tuple[tuple[Found, int, Decimal | None], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """What lines come to: to be compared with a stored row."""

    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal]
    unpriced_seconds: int
    hours_without_count: int


def lines_of(hours: Iterable[Told], currency: str) -> tuple[Line, ...]:
    """The day in lines, oldest first. Hours in which it was not there have none.

    A price in another currency than the day's is none here: it has no sum with the others.
    """
    alive = [_own(hour, currency) for hour in hours if hour.alive]
    return tuple(_line(list(same)) for _, same in groupby(alive, key=_Stretch()))


def total_of(lines: Sequence[Line]) -> Total:
    """The sum of the lines."""
    counted = [line for line in lines if line.instances is not None]
    priced = [line.amounts for line in counted if line.amounts is not None]
    return Total(
        {name: sum(line.seconds[name] for line in counted) for name in NAMES},
        {name: sum((amounts[name] for amounts in priced), Decimal(0)) for name in NAMES},
        sum(line.seconds["paid"] for line in counted if line.amounts is None),
        sum(_hours(line) for line in lines if line.instances is None),
    )


class _Stretch:
    """A key that changes where a new line has to begin: at a gap, and where anything of the formula differs."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._gaps = 0

    def __call__(self, hour: Told) -> tuple[object, ...]:
        if self._last is not None and hour.at != self._last + HOUR:
            self._gaps += 1
        self._last = hour.at
        whole = hour.alive == SECONDS
        return self._gaps, hour.sku, _instances(hour), hour.price, whole or hour.at


def _own(hour: Told, currency: str) -> Told:
    """The hour without a price that is in another currency."""
    if hour.price is None or hour.price.paid.currency == currency:
        return hour
    return Told(hour.at, hour.alive, hour.sku, None, hour.day)


def _instances(hour: Told) -> Fraction | None:
    return None if hour.day.hours_without_count else Fraction(hour.day.seconds["paid"], hour.alive)


def _line(hours: Sequence[Told]) -> Line:
    first, days = hours[0], [hour.day for hour in hours]
    seconds = {name: sum(day.seconds[name] for day in days) for name in NAMES}
    amounts = {name: sum((day.amounts[name] for day in days), Decimal(0)) for name in NAMES}
    causes: dict[Found, tuple[int, Decimal]] = {}
    for day in days:
        for found, (count, amount) in day.causes.items():
            before = causes.get(found, (0, Decimal(0)))
            causes[found] = before[0] + count, before[1] + amount
    return Line(
        since=first.at,
        until=hours[-1].at + HOUR,
        alive=sum(hour.alive for hour in hours),
        sku=first.sku,
        instances=_instances(first),
        price=first.price,
        seconds=seconds,
        amounts=amounts if first.price else None,
        causes=tuple(
            (found, count, amount if first.price else None) for found, (count, amount) in causes.items()
        ),
    )


def _hours(line: Line) -> int:
    return round((line.until - line.since) / HOUR)
