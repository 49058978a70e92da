"""Instance-seconds as money: exact until the very end, and shown in cents that add up. Pure.

Billed are instances x 1.0 (the 20 % that Azure reserves for upgrades are quota, not money: how-to-manage-quotas).
An unknown price makes the money unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext

from endpoints.core.money import Money

HOUR = Decimal(3600)
CENT = Decimal("0.01")
# Amounts are kept in billionths: a second of the smallest price is still told apart from nothing.
NANO = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """The price of an instance and hour from a moment on; None: from then on it is not known."""

    since: datetime
    per_hour: Money | None


@dataclass(frozen=True, slots=True)
class Discount:
    """A contract's share off the list price of sizes that match, from `since` until `until` (None: open)."""

    sku: str  # lower case; "" is every size
    region: str  # "" is every region
    share: Decimal  # 0.15 for 15 percent off
    since: datetime
    until: datetime | None = None

    def covers(self, sku: str, region: str, at: datetime) -> bool:
        """Whether it applies to a size in a region at a moment."""
        there = self.sku in ("", sku.lower()) and self.region in ("", region.lower())
        return there and self.since <= at and (self.until is None or at < self.until)


def price_at(periods: Sequence[PricePeriod], at: datetime) -> Money | None:
    """The price in force: the newest that began by then. None: none had, or it is not known."""
    begun = [period for period in periods if period.since <= at]
    return max(begun, key=lambda period: period.since).per_hour if begun else None


def discounted(price: Money, discounts: Sequence[Discount], sku: str, region: str, at: datetime) -> Money:
    """The price after the best discount that covers it: discounts are not added up."""
    best = max((one.share for one in discounts if one.covers(sku, region, at)), default=Decimal(0))
    return Money((price.amount * (1 - best)).quantize(NANO), price.currency)


def worth(seconds: int, per_hour: Money | None) -> Money | None:
    """What so many instance-seconds cost; None when the price is not known."""
    if per_hour is None:
        return None
    with localcontext() as context:
        context.prec = 40
        return Money((per_hour.amount * seconds / HOUR).quantize(NANO), per_hour.currency)


def nanos(amount: Decimal) -> int:
    """Billionths, as they are stored. What has more decimals than nine is a ValueError: it would be lost."""
    count = amount / NANO
    if count != count.to_integral_value():
        raise ValueError(f"{amount} has more than nine decimals")
    return int(count)


def written(amount: Decimal) -> str:
    """`1 029.40`, as pages and messages write amounts: to the cent, thousands apart by a space that does not break."""
    return f"{amount.quantize(CENT):,.2f}".replace(",", "\u202f")


def in_cents(parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Amounts in cents that add up to their rounded sum: the largest remainders get the cents that are left.

    None of them moves by a whole cent. Source: the method of largest remainders (Hamilton).
    """
    total = sum(parts.values(), Decimal(0)).quantize(CENT)
    floors = {name: amount.quantize(CENT, rounding=ROUND_FLOOR) for name, amount in parts.items()}
    left = int((total - sum(floors.values(), Decimal(0))) / CENT)
    by_remainder = sorted(parts, key=lambda name: (floors[name] - parts[name], name))
    return {name: floors[name] + (CENT if name in by_remainder[:left] else Decimal(0)) for name in parts}
