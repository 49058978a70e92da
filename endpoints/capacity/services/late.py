"""Which days of the ledger came too early: of prices and deployments that were known only later, a day is made anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Max

from endpoints.access.selectors import WorkspaceRow
from endpoints.capacity.models import Day
from endpoints.inventory.models import Deployment
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import SkuPrice

DAY = timedelta(days=1)


def late_days(place: WorkspaceRow, made_at: Mapping[date, datetime]) -> set[date]:
    """Those of a workspace's days, with when they were made, that more is known of since."""
    return {*_priced_since(place, made_at), *_found_since(place.id, made_at)} if made_at else set()


def _priced_since(place: WorkspaceRow, made_at: Mapping[date, datetime]) -> Iterator[date]:
    """A size without a price has one now; it may count for the time before it too."""
    unpriced = Day.objects.filter(workspace_id=place.id, day__in=made_at, unpriced_seconds__gt=0)
    days = list(unpriced.values_list("day", "sku").distinct())
    prices = SkuPrice.objects.filter(
        subscription=place.subscription_id.lower(),
        region=region_key(place.region),
        sku__in={sku for _, sku in days},
        amount__isnull=False,
    )
    seen = dict(prices.values_list("sku").annotate(Max("seen_at")).values_list("sku", "seen_at__max"))
    return (day for day, sku in days if sku in seen and seen[sku] > made_at[day])


def _found_since(workspace_id: int, made_at: Mapping[date, datetime]) -> Iterator[date]:
    """A deployment was there for longer than it is known."""
    lives = Deployment.objects.filter(
        endpoint__workspace_id=workspace_id,
        azure_created_at__lt=F("first_seen_at"),
        first_seen_at__gt=min(made_at.values()),
    )
    for created, seen in lives.values_list("azure_created_at", "first_seen_at"):
        assert created is not None  # it is before another moment
        day, last = max(min(made_at), created.astimezone(UTC).date()), seen.astimezone(UTC).date()
        while day <= last:
            if day in made_at and made_at[day] < seen:
                yield day
            day += DAY
