"""Of all that Azure names about sizes, what counts here: one price for each, and what is new about it. Pure.

Realtime endpoints run on Linux machines of the tier Standard, billed by the hour: that price is kept, the others are
not. It is Azure's own estimate of its list price; an agreement's discounts are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from endpoints.azure_gateway.records import UsageRecord, VmPrice, VmSizeRecord
from endpoints.core.money import Money

OS, TIER, UNIT = "linux", "standard", "onehour"
SOURCE = "vm_sizes"
"""Where a price comes from: Azure Machine Learning's own list of sizes."""
_SMALLEST = Decimal("0.0000000001")
# People read these; the rest of a long list says nothing new.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Hourly:
    """The price of an instance and hour. `money` None: it is not known, and `note` says why."""

    money: Money | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record of a size: its newest price (None: Azure named none), and until when it is known to hold.

    `seen_at` None: the newest reading that counts is the list's, not the size's own.
    """

    money: Money | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """A price that is new. `money` None: there was one, and now Azure names none."""

    sku: str
    money: Money | None
    earliest: datetime | None


def region_key(region: str) -> str:
    """A region as it is stored and compared: "West Europe" is "westeurope"."""
    return region.replace(" ", "").lower()


def by_name(records: Iterable[VmSizeRecord]) -> tuple[dict[str, VmSizeRecord], tuple[str, ...]]:
    """Sizes by lower-case name, and the names that Azure gave to two different ones, which are left out."""
    found: dict[str, VmSizeRecord] = {}
    torn: set[str] = set()
    for record in records:
        key = record.name.lower()
        if found.setdefault(key, record) != record:
            torn.add(key)
    return {name: record for name, record in found.items() if name not in torn}, tuple(sorted(torn))


def hourly(record: VmSizeRecord) -> Hourly:
    """The one price that a realtime endpoint pays for this size."""
    if not record.prices:
        return Hourly(None, "Azure names no price for this size here.")
    meant = [price for price in record.prices if (price.os.lower(), price.tier.lower()) == (OS, TIER)]
    if not meant:
        return Hourly(None, f"Azure names prices for {_others(record.prices)} only, not for Linux, Standard.")
    if len(meant) > 1:
        return Hourly(None, "Azure names two prices for Linux, Standard; which one holds is not known.")
    (price,) = meant
    if price.unit.replace(" ", "").lower() != UNIT:
        return Hourly(None, f"Azure names its price per {price.unit or 'no unit'}, not per hour.")
    if not price.currency:
        return Hourly(None, "Azure names its price without a currency.")
    return Hourly(Money(rounded(price.amount), price.currency.upper()))


def steps(
    known: Mapping[str, Known],
    seen: Mapping[str, VmSizeRecord],
    *,
    read_before: datetime | None,
    is_complete: bool,
) -> tuple[Step, ...]:
    """The prices that are not on record yet. `read_before`: when the list was read last.

    Only a complete list says that a size, and with it its price, is gone.
    """
    prices = {name: hourly(record).money for name, record in seen.items()}
    if is_complete:
        prices |= {name: None for name in known if name not in seen}
    unknown = Known(None, None)
    return tuple(
        Step(name, money, known.get(name, unknown).seen_at or read_before)
        for name, money in sorted(prices.items())
        if money != known.get(name, unknown).money
    )


def usages_by_key(records: Iterable[UsageRecord]) -> dict[tuple[str, str], UsageRecord]:
    """Quota by family and label; the family is "" for what counts several families."""
    return {(record.family.lower(), record.label): record for record in records}


def troubles(what: str, reasons: Iterable[str]) -> str:
    """What could not be understood, for people; "" when all could."""
    told = list(reasons)
    if not told:
        return ""
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{len(told)} of the {what} could not be understood: {'; '.join(told[:_NAMED])}{more}."


def _others(prices: Iterable[VmPrice]) -> str:
    return ", ".join(sorted({f"{price.os or 'no system'} {price.tier or 'no tier'}" for price in prices}))


def rounded(amount: Decimal) -> Decimal:
    """As exact as the database holds it."""
    return amount.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN)
