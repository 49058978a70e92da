"""Smaller sizes that Azure offers for endpoints where a workspace is, with what they cost there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from endpoints.access.selectors import workspace
from endpoints.capacity.proposals import Smaller
from endpoints.capacity.selectors.told_prices import ToldPrices
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import SkuSize


def smaller_sizes(workspace_id: int, skus: Collection[str], now: datetime) -> dict[str, tuple[Smaller, ...]]:
    """By size in use, in lower case: those with fewer cores, no GPU and a price that is known. A size that is not
    known has none."""
    place = workspace(workspace_id)
    here = SkuSize.objects.filter(subscription=place.subscription_id.lower(), region=region_key(place.region))
    known = {row.name: row for row in here.filter(vcpus__gt=0, memory_gb__gt=0)}
    offered = [
        row for row in known.values() if row.for_endpoints and not row.gpus and row.missing_since is None
    ]
    prices = ToldPrices(workspace_id, [row.name for row in offered])
    costs = {row.name: price.paid for row in offered if (price := prices.at(row.name, now))}
    return {
        sku: tuple(
            Smaller(
                one.label,
                (one.vcpus or 0) / (own.vcpus or 1),
                (one.memory_gb or 0) / (own.memory_gb or 1),
                cost,
            )
            for one in offered
            if (one.vcpus or 0) < (own.vcpus or 0) and (cost := costs.get(one.name))
        )
        for sku in {sku.lower() for sku in skus}
        if (own := known.get(sku)) is not None
    }


def with_gpus(workspace_id: int, skus: Collection[str]) -> frozenset[str]:
    """Those of the sizes that have GPUs, or of which that is not known."""
    place = workspace(workspace_id)
    here = SkuSize.objects.filter(subscription=place.subscription_id.lower(), region=region_key(place.region))
    without = set(here.filter(gpus=0).values_list("name", flat=True))
    return frozenset(sku.lower() for sku in skus if sku.lower() not in without)
