"""All sizes of the regions in which a workspace has something, with price and quota, by pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from endpoints.access.models import Workspace
from endpoints.core.errors import Invalid
from endpoints.inventory.models import Endpoint
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import PriceReading, SkuSize
from endpoints.prices.models import Quota as QuotaRow
from endpoints.prices.selectors.prices import prices_of, quota_row, reading_row, size_row
from endpoints.prices.selectors.rows import PlaceReading, Price, Quota, Size


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One size in one region. `price` and `quota` None: not known."""

    region: str
    size: Size
    price: Price | None
    quota: Quota | None


@dataclass(frozen=True, slots=True)
class SizePage:
    """`next_cursor` is "" on the last page. `readings`: how the reading of each region goes."""

    rows: tuple[SizeRow, ...]
    next_cursor: str
    readings: tuple[PlaceReading, ...]


def sizes(workspace_id: int, *, for_endpoints: bool = True, cursor: str = "", limit: int = 50) -> SizePage:
    """Sizes that Azure lists now, by region and name; by default those that realtime endpoints can run on.

    Invalid for a cursor that no page gave.
    """
    subscription = Workspace.objects.values_list("subscription_id", flat=True).get(pk=workspace_id).lower()
    regions = regions_of(workspace_id)
    here = SkuSize.objects.filter(subscription=subscription, region__in=regions, missing_since=None)
    if for_endpoints:
        here = here.filter(for_endpoints=True)
    if cursor:
        region, name = _place(cursor)
        here = here.filter(Q(region__gt=region) | Q(region=region, name__gt=name))
    found = list(here.order_by("region", "name")[: limit + 1])
    told = PriceReading.objects.filter(subscription=subscription, region__in=regions).order_by("region")
    return SizePage(
        rows=_rows(subscription, found[:limit]),
        next_cursor=f"{found[limit - 1].region}/{found[limit - 1].name}" if len(found) > limit else "",
        readings=tuple(reading_row(row) for row in told),
    )


def regions_of(workspace_id: int) -> list[str]:
    """Where a workspace and its endpoints are."""
    named = {
        region_key(row) for row in Workspace.objects.filter(pk=workspace_id).values_list("region", flat=True)
    }
    living = Endpoint.objects.filter(workspace_id=workspace_id, deleted_at=None).order_by()
    named |= {region_key(row) for row in living.values_list("location", flat=True).distinct()}
    return sorted(named - {""})


def _rows(subscription: str, found: list[SkuSize]) -> tuple[SizeRow, ...]:
    regions = sorted({row.region for row in found})
    prices = {
        region: prices_of(subscription, region, (row.name for row in found if row.region == region))
        for region in regions
    }
    quotas = _quotas(subscription, regions, {row.family for row in found} - {""})
    return tuple(
        SizeRow(
            row.region, size_row(row), prices[row.region].get(row.name), quotas.get((row.region, row.family))
        )
        for row in found
    )


def _quotas(
    subscription: str, regions: Iterable[str], families: Iterable[str]
) -> dict[tuple[str, str], Quota]:
    rows = QuotaRow.objects.filter(subscription=subscription, region__in=regions, family__in=families)
    return {(row.region, row.family): quota_row(row) for row in rows.order_by("-pk")}


def _place(cursor: str) -> tuple[str, str]:
    region, slash, name = cursor.partition("/")
    if not (region and slash and name):
        raise Invalid("This page of the sizes does not exist; start at the first one.")
    return region, name
