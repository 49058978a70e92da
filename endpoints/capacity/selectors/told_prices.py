"""How prices of the ledger were come by: the list price, whose word it is, and the agreement that lowered it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from endpoints.access.selectors import workspace
from endpoints.capacity.formula import Price
from endpoints.capacity.models import Agreement
from endpoints.capacity.selectors.world import prices_of
from endpoints.core.ids import ref
from endpoints.prices.catalogue import region_key
from endpoints.prices.selectors.periods import Period, price_periods


class ToldPrices:
    """Of a workspace and some sizes. What was paid is the ledger's own word; this only adds the reasons."""

    def __init__(self, workspace_id: int, skus: Collection[str]) -> None:
        place = workspace(workspace_id)
        self._region = region_key(place.region)
        self._paid = prices_of(workspace_id, skus)
        self._periods = price_periods(place.subscription_id, place.region, skus)
        self._agreements = list(Agreement.objects.filter(workspace_id=workspace_id)) if skus else []

    def at(self, sku: str, at: datetime) -> Price | None:
        """What an instance and hour of a size cost at a moment. None: not known."""
        paid = self._paid(sku, at)
        if paid is None:
            return None
        listed = self._listed(sku, at)
        before = listed.money if listed and listed.money else paid
        agreement = self._agreement(sku, at) if before != paid else None
        return Price(
            paid=paid,
            listed=before,
            source=listed.source if listed else "",
            read_at=listed.read_at if listed else None,
            share=agreement.share if agreement else Decimal(0),
            agreement=ref("agreement", agreement.pk) if agreement else "",
        )

    def one_price(self, sku: str, begin: datetime, end: datetime) -> bool:
        """Whether one price held all the time: no list price and no agreement began or ended within."""
        edges = [period.since for period in self._periods.get(sku.lower(), ())]
        for row in self._agreements:
            edges += [edge for edge in (row.since, row.until, row.ended_at) if edge is not None]
        return not any(begin < edge < end for edge in edges)

    def _listed(self, sku: str, at: datetime) -> Period | None:
        begun = [period for period in self._periods.get(sku.lower(), ()) if period.since <= at]
        return begun[-1] if begun else None

    def _agreement(self, sku: str, at: datetime) -> Agreement | None:
        """The best that covers it: they are not added up."""
        covering = [
            row
            for row in self._agreements
            if row.sku in ("", sku.lower()) and row.region in ("", self._region) and row.since <= at
            and (row.until is None or at < row.until) and (row.ended_at is None or at < row.ended_at)
        ]  # fmt: skip
        return max(covering, key=lambda row: row.share, default=None)
