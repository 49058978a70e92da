"""Prices as they followed each other, for whoever prices the past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from endpoints.core.money import Money
from endpoints.prices import retail
from endpoints.prices.catalogue import SOURCE, region_key
from endpoints.prices.models import SkuPrice

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on an instance and hour cost `money`; None: from then on Azure named no price.

    `source`: whose word it is, "" where there is no price. `read_at`: the read that showed it.
    """

    since: datetime
    money: Money | None
    source: str = field(default="", compare=False)
    read_at: datetime | None = field(default=None, compare=False)


def price_periods(subscription: str, region: str, skus: Iterable[str]) -> dict[str, list[Period]]:
    """By lower-case name, oldest first. A size that never had a price is left out.

    A price counts from the read that showed it. The first one counts for the time before it too, when nobody read
    any: the oldest list price on record is the best word on the weeks before it, and pages say when it was read.
    Where Azure Machine Learning's own list named none, the retail list's price counts.
    """
    wanted = sorted({sku.lower() for sku in skus})
    place = {"subscription": subscription.lower(), "region": region_key(region)}
    rows = SkuPrice.objects.filter(**place, source__in=(SOURCE, retail.SOURCE), sku__in=wanted)
    found: dict[str, dict[str, list[Period]]] = {}
    for row in rows.order_by("sku", "seen_at", "pk"):
        periods = found.setdefault(row.sku, {}).setdefault(row.source, [])
        since = row.seen_at if periods else BEFORE_ALL
        periods.append(Period(since, row.money, row.source if row.money else "", row.seen_at))
    return {sku: merged(told.get(SOURCE, []), told.get(retail.SOURCE, [])) for sku, told in found.items()}


def merged(own: Sequence[Period], listed: Sequence[Period]) -> list[Period]:
    """One row of periods: the own price where there is one, else the listed one."""
    found: list[Period] = []
    for since in sorted({period.since for period in (*own, *listed)}):
        told = _at(own, since) or _at(listed, since)
        money = told.money if told else None
        if not found or found[-1].money != money:
            found.append(Period(since, money, *((told.source, told.read_at) if told else ())))
    return found


def _at(periods: Sequence[Period], moment: datetime) -> Period | None:
    """The one in force, where it has a price."""
    begun = [period for period in periods if period.since <= moment]
    return begun[-1] if begun and begun[-1].money is not None else None
