"""Amounts of capacity as people read and add them: to the cent, with cents that add up. Pure.

What is not known is said in words and never shown as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from endpoints.capacity.worth import in_cents, written
from endpoints.core.money import Money
from endpoints.web.numbers import percentage
from endpoints.web.wording import NBSP, UNKNOWN

HOUR, MINUTE = 3600, 60


def cents(amount: Decimal | None) -> str:
    """`1 029.40`: without the currency, where that stands in the column's heading."""
    return UNKNOWN if amount is None else written(amount)


def money(amount: Decimal | None, currency: str) -> str:
    """`1 029.40 EUR`."""
    return UNKNOWN if amount is None or not currency else f"{cents(amount)}{NBSP}{currency}"


def of(value: Money | None) -> str:
    """The same of an amount that knows its currency."""
    return UNKNOWN if value is None else money(value.amount, value.currency)


def adding_up(parts: Mapping[str, Decimal]) -> dict[str, str]:
    """Amounts in cents that add up to the cents of their sum."""
    return {name: cents(amount) for name, amount in in_cents(parts).items()}


def part_of(part: Decimal | None, whole: Decimal | None) -> str:
    """`24.6 %`; unknown of what is nothing or not known."""
    return UNKNOWN if part is None or not whole else percentage(float(part / whole * 100))


def instance_hours(seconds: int) -> str:
    """`1 204.5 h`: instance-seconds as hours; `12 min` of what is less than one."""
    if 0 < seconds < HOUR:
        return f"{max(1, round(seconds / MINUTE))}{NBSP}min"
    return f"{seconds / HOUR:,.1f}".replace(",", "\u202f") + f"{NBSP}h"
