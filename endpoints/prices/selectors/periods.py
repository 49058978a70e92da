"""Prices as they followed each other, for whoever prices the past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from endpoints.core.money import Money
from endpoints.prices.catalogue import SOURCE, region_key
from endpoints.prices.models import SkuPrice

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on an instance and hour cost `money`; None: from then on Azure named no price."""

    since: datetime
    money: Money | None


def price_periods(subscription: str, region: str, skus: Iterable[str]) -> dict[str, list[Period]]:
    """By lower-case name, oldest first. A size that never had a price is left out.

    A price counts from the read that showed it. The first one counts for the time before it too, when nobody read
    any: the oldest list price on record is the best word on the weeks before it, and pages say when it was read.
    """
    wanted = sorted({sku.lower() for sku in skus})
    place = {"subscription": subscription.lower(), "region": region_key(region)}
    rows = SkuPrice.objects.filter(**place, source=SOURCE, sku__in=wanted).order_by("sku", "seen_at", "pk")
    found: dict[str, list[Period]] = {}
    for row in rows:
        periods = found.setdefault(row.sku, [])
        periods.append(Period(row.seen_at if periods else BEFORE_ALL, row.money))
    return found
