"""What prices a page of money stands on: whose they are, in which currency, and how old."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from endpoints.prices.models import SkuPrice


@dataclass(frozen=True, slots=True)
class Basis:
    """Prices of one source in one currency. `newest`: when the youngest of them was read first."""

    source: str
    currency: str
    newest: datetime
    sizes: int


def price_basis(subscriptions: Collection[str]) -> tuple[Basis, ...]:
    """By source and currency, of these subscriptions; those with most sizes first. One query."""
    rows = (
        SkuPrice.objects.filter(subscription__in={one.lower() for one in subscriptions}, amount__isnull=False)
        .values("source", "currency")
        .annotate(newest=Max("seen_at"), sizes=Count("sku", distinct=True))
        .order_by("-sizes", "source", "currency")
    )
    return tuple(Basis(**row) for row in rows)
