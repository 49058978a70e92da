"""Which days of the ledger came too early: of prices, agreements and deployments that were known only later, a day is
made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import F, Max, Q

from endpoints.access.selectors import WorkspaceRow
from endpoints.capacity.models import Agreement, Day
from endpoints.inventory.models import Deployment
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import SkuPrice

DAY = timedelta(days=1)


def late_days(place: WorkspaceRow, made_at: Mapping[date, datetime]) -> set[date]:
    """Those of a workspace's days, with when they were made, that more is known of since."""
    if not made_at:
        return set()
    return {
        *_priced_since(place, made_at),
        *_found_since(place.id, made_at),
        *_agreed_since(place.id, made_at),
    }


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


def _agreed_since(workspace_id: int, made_at: Mapping[date, datetime]) -> Iterator[date]:
    """An agreement was made or ended after the day was made, and counts for a part of it."""
    rows = Agreement.objects.filter(workspace_id=workspace_id)
    for row in rows.filter(Q(made_at__gt=min(made_at.values())) | Q(ended_at__gt=min(made_at.values()))):
        for day, made in made_at.items():
            begin = datetime.combine(day, time(), tzinfo=UTC)
            holds = row.since < begin + DAY and (row.until is None or begin < row.until)
            ended_since = row.ended_at is not None and made < row.ended_at < begin + DAY
            if holds and (made < row.made_at or ended_since):
                yield day


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
