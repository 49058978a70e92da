"""Takes the retail list's prices of the sizes in use into the tables, beside those of Azure Machine Learning's list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from endpoints.azure_gateway.records import Listing, RetailPrice
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.prices import catalogue, retail
from endpoints.prices.models import PriceReading, RetailSize, SkuPrice, SkuSize
from endpoints.prices.services import readings
from endpoints.prices.services.readings import Part


@dataclass(frozen=True, slots=True)
class RetailReading:
    """What was read of a place, by lower-case size; `torn`: why a size's list made no sense."""

    sizes: Mapping[str, Listing[RetailPrice]]
    torn: Mapping[str, str]
    request_began: datetime


def sizes_in_use(subscription: str, region: str) -> dict[str, str]:
    """What living deployments run on here, by lower-case name, in Azure's own spelling where its list is known."""
    living = Deployment.objects.filter(
        deleted_at=None,
        endpoint__deleted_at=None,
        endpoint__workspace__disconnected_at=None,
        endpoint__workspace__subscription_id__iexact=subscription,
    ).exclude(instance_type="")
    named = living.order_by().values_list("instance_type", "endpoint__location").distinct()
    used = {size.lower(): size for size, where in named if catalogue.region_key(where) == region}
    known = SkuSize.objects.filter(subscription=subscription, region=region, name__in=used)
    return dict(sorted((used | dict(known.values_list("name", "label"))).items()))


@transaction.atomic
def absorb_retail(subscription: str, region: str, reading: RetailReading) -> bool:
    """Take it in; False for a reading that began before the last accepted one ended."""
    place = PriceReading.objects.select_for_update().get(subscription=subscription, region=region)
    if place.retail_read_at is not None and reading.request_began < place.retail_read_at:
        return False
    reasons = [f"{name}: {why}" for name, why in reading.torn.items()]
    for name, listing in reading.sizes.items():
        reasons += [f"{name}: {one.item}: {one.reason}" for one in listing.unreadable]
        _absorb_size(place, name, listing)
    reason = catalogue.troubles("retail prices", reasons)
    readings.succeeded(subscription, region, Part.RETAIL, read_at=db_now(), reason=reason)
    return True


def _absorb_size(place: PriceReading, name: str, listing: Listing[RetailPrice]) -> None:
    found, effective_at = retail.hourly(listing, name, place.region, listing.response_ended)
    if found.money is None and listing.unreadable:
        return  # what could not be understood may have been the price
    where = {"subscription": place.subscription, "region": place.region}
    before = RetailSize.objects.filter(**where, name=name).first()
    newest = (
        SkuPrice.objects.filter(**where, sku=name, source=retail.SOURCE).order_by("-seen_at", "-pk").first()
    )
    if found.money != (newest.money if newest else None):
        SkuPrice.objects.create(
            **where,
            sku=name,
            amount=found.money.amount if found.money else None,
            currency=found.money.currency if found.money else "",
            source=retail.SOURCE,
            earliest=before.seen_at if before else None,
            seen_at=listing.response_ended,
            effective_at=effective_at,
        )
    RetailSize.objects.update_or_create(
        subscription=place.subscription,
        region=place.region,
        name=name,
        defaults={"note": found.note, "seen_at": listing.response_ended},
    )
