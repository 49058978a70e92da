"""How a month of paid capacity will end, by what its days cost so far. Pure.

A fleet that nobody changes costs the same every day: days that are still to come, and days of which nothing is known,
are taken to cost what one of the last seven did. The range is their cheapest and their dearest, no confidence interval.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

DAY = timedelta(days=1)
LOOKS_BACK = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole month comes to; None: no whole day is known to go by. `words` say how it was worked out."""

    low: Decimal | None
    middle: Decimal | None
    high: Decimal | None
    words: str


def forecast(days: Mapping[date, Decimal], month: date, today: date) -> Forecast:
    """`days`: what whole days cost, those before `month` too. Today is not over, and counts as still to come.

    `month` is its first day. A month that is over is told as it was, with its missing days taken from its last ones.
    """
    length = monthrange(month.year, month.month)[1]
    after = min(month + length * DAY, today)
    known = {day: amount for day, amount in days.items() if month <= day < after}
    spent = sum(known.values(), Decimal(0))
    lately = [days[day] for back in range(1, LOOKS_BACK + 1) if (day := after - back * DAY) in days]
    open_days = length - len(known)
    if not open_days:
        return Forecast(spent, spent, spent, "The month is over, and each of its days is known.")
    if not lately:
        return Forecast(None, None, None, f"None of the last {LOOKS_BACK} days is known to go by.")
    mean = sum(lately, Decimal(0)) / len(lately)
    missing = max(0, (after - month).days - len(known))
    return Forecast(
        spent + open_days * min(lately),
        spent + open_days * mean,
        spent + open_days * max(lately),
        _words(len(known), open_days - missing, missing, len(lately)),
    )


def _words(known: int, ahead: int, missing: int, lately: int) -> str:
    """How it was worked out, with what is not known."""
    told = f"{_days(known)} that are known"
    if ahead:
        told += f" + {_days(ahead)} to come"
    if missing:
        told += f" + {_days(missing)} of which nothing is known"
    by = "the last day" if lately == 1 else f"the last {lately} days"
    range_ = "the range is the cheapest and the dearest of them. Days are UTC."
    return f"{told}, each taken to cost the mean of {by}; {range_}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
