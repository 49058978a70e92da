"""What findings come to, by where they stand: the figures above their list, which its rows add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Q, Sum

from endpoints.capacity.models import Finding, Saving
from endpoints.capacity.worth import NANO


@dataclass(frozen=True, slots=True)
class Standing:
    """One state in one currency, a month. Where no price is known (`currency` ""), only `count` says anything."""

    state: str
    currency: str
    low: Decimal
    high: Decimal
    count: int


def standing(workspace_ids: Collection[int]) -> tuple[Standing, ...]:
    """Findings that live, each instance once. One query."""
    rows = (
        Finding.objects.filter(workspace_id__in=list(workspace_ids), ended_at=None)
        .values("state", priced=Q(high_nanos__isnull=False), money=F("currency"))
        .annotate(low=Sum("low_nanos"), high=Sum("high_nanos"), count=Count("pk"))
        .order_by()
    )
    return tuple(
        Standing(
            state=row["state"],
            currency=row["money"] if row["priced"] else "",
            low=int(row["low"] or 0) * NANO,
            high=int(row["high"] or 0) * NANO,
            count=row["count"],
        )
        for row in rows
    )


def realised(workspace_ids: Collection[int]) -> Mapping[str, Decimal]:
    """By currency, what was verified to be saved, a month. One query."""
    rows = (
        Saving.objects.filter(
            finding__workspace_id__in=list(workspace_ids), state="verified", monthly_nanos__isnull=False
        )
        .values("currency")
        .annotate(sum=Sum("monthly_nanos"))
        .order_by()
    )
    return {row["currency"]: int(row["sum"]) * NANO for row in rows if row["currency"]}


def sums(rows: Iterable[Standing], states: Collection[str]) -> dict[str, Standing]:
    """Those of some states together, by currency."""
    found: dict[str, Standing] = {}
    for row in rows:
        if row.state in states:
            before = found.get(row.currency, Standing("", row.currency, Decimal(0), Decimal(0), 0))
            found[row.currency] = Standing(
                "", row.currency, before.low + row.low, before.high + row.high, before.count + row.count
            )
    return found
