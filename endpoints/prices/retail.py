"""Of the many rows that the retail price list has for a size, the one that an endpoint's machine costs. Pure.

Spot, Low Priority, Windows, DevTest and Reservation are other ways to pay, and are never taken. Where both
lists name a price, Azure Machine Learning's own wins: it is read for this subscription, the retail list for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from endpoints.azure_gateway.records import RetailPrice
from endpoints.core.money import Money
from endpoints.prices.catalogue import Hourly, region_key, rounded

SOURCE = "retail"
"""Where a price comes from: Azure's public retail price list."""
UNIT = "1hour"
_OTHERWISE = re.compile(r"\b(spot|low priority|windows|dedicated host|expired)\b", re.IGNORECASE)
# More than rounding: then people are told both.
_NOTED_PERCENT = 1


def hourly(
    rows: Iterable[RetailPrice], size: str, region: str, now: datetime
) -> tuple[Hourly, datetime | None]:
    """The price of an hour, and since when it counts; two amounts that count at once leave open which one holds."""
    asked = [row for row in rows if row.size.lower() == size.lower() and region_key(row.region) == region]
    meant = [row for row in asked if _ordinary(row) and _begun(row, now)]
    if not meant:
        why = "has no ordinary price on Linux for" if asked else "does not have"
        return Hourly(None, f"The retail price list {why} this size here."), None
    newest = max((row.effective_at for row in meant if row.effective_at is not None), default=None)
    last = [row for row in meant if row.effective_at == newest] if newest is not None else meant
    found = {Money(rounded(row.amount), row.currency.upper()) for row in last}
    if len(found) > 1:
        return Hourly(
            None, "The retail price list names two prices for it; which one holds is not known."
        ), None
    return Hourly(found.pop()), newest


def differ(own: Money, retail: Money) -> bool:
    """Whether both are worth telling: more than a percent apart, or in currencies that can't be compared."""
    if own.currency != retail.currency:
        return True
    return abs(own.amount - retail.amount) * 100 > _NOTED_PERCENT * own.amount


def _ordinary(row: RetailPrice) -> bool:
    return (
        row.kind == "Consumption"
        and row.unit.replace(" ", "").lower() == UNIT
        and row.primary
        and not row.from_units
        and not any(_OTHERWISE.search(text) for text in (row.product, row.sku, row.meter))
    )


def _begun(row: RetailPrice, now: datetime) -> bool:
    return row.effective_at is None or row.effective_at <= now
