"""Takes Azure's lists into the tables: what is new is added, what is unchanged is confirmed."""

from __future__ import annotations

from django.db import transaction

from endpoints.azure_gateway.records import Listing, UsageRecord, VmSizeRecord
from endpoints.prices import catalogue
from endpoints.prices.catalogue import SOURCE, Known, Step
from endpoints.prices.models import PriceReading, Quota, SkuPrice, SkuSize
from endpoints.prices.services import readings
from endpoints.prices.services.readings import Part

_SIZE_FIELDS = (
    "label",
    "family",
    "vcpus",
    "gpus",
    "memory_gb",
    "for_endpoints",
    "price_note",
    "seen_at",
    "missing_since",
)


@transaction.atomic
def absorb_sizes(subscription: str, region: str, listing: Listing[VmSizeRecord]) -> bool:
    """Take a list of sizes in; False for one that began before the last accepted one ended: it may be older."""
    place = _locked(subscription, region)
    if place.sizes_read_at is not None and listing.request_began < place.sizes_read_at:
        return False
    seen, torn = catalogue.by_name(listing)
    is_complete = not listing.unreadable and not torn
    known = _known(subscription, region)
    steps = catalogue.steps(known, seen, read_before=place.sizes_read_at, is_complete=is_complete)
    SkuPrice.objects.bulk_create([_price(place, step, listing) for step in steps])
    _keep_sizes(place, seen, listing)
    if is_complete:
        absent = SkuSize.objects.filter(subscription=subscription, region=region, missing_since=None)
        absent.exclude(name__in=seen).update(missing_since=listing.response_ended)
    reason = catalogue.troubles(
        "sizes",
        [f"{one.item}: {one.reason}" for one in listing.unreadable]
        + [f"{name}: Azure gave two different ones" for name in torn],
    )
    readings.succeeded(subscription, region, Part.SIZES, read_at=listing.response_ended, reason=reason)
    return True


@transaction.atomic
def absorb_usages(subscription: str, region: str, listing: Listing[UsageRecord]) -> bool:
    """Take a list of usages in; False for one that may be older than what is on record."""
    place = _locked(subscription, region)
    if place.quotas_read_at is not None and listing.request_began < place.quotas_read_at:
        return False
    seen = catalogue.usages_by_key(listing)
    rows = [
        Quota(
            subscription=subscription,
            region=region,
            family=family,
            label=label,
            used=record.used,
            limit=record.limit,
            unit=record.unit,
            read_at=listing.response_ended,
        )
        for (family, label), record in seen.items()
    ]
    Quota.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["subscription", "region", "family", "label"],
        update_fields=["used", "limit", "unit", "read_at"],
    )
    if not listing.unreadable:
        former = Quota.objects.filter(subscription=subscription, region=region)
        former.exclude(read_at=listing.response_ended).delete()
    reason = catalogue.troubles("usages", [f"{one.item}: {one.reason}" for one in listing.unreadable])
    readings.succeeded(subscription, region, Part.QUOTAS, read_at=listing.response_ended, reason=reason)
    return True


def _locked(subscription: str, region: str) -> PriceReading:
    """The place, so that two readers take their answers in one after the other."""
    return PriceReading.objects.select_for_update().get(subscription=subscription, region=region)


def _known(subscription: str, region: str) -> dict[str, Known]:
    """The newest price of every size that is or was listed here, and when it was seen; None: a list lacked it since."""
    sizes = SkuSize.objects.filter(subscription=subscription, region=region)
    prices = SkuPrice.objects.filter(subscription=subscription, region=region, source=SOURCE)
    newest = {row.sku: row for row in prices.order_by("sku", "-seen_at", "-pk").distinct("sku")}
    return {
        name: Known(newest[name].money if name in newest else None, None if gone else seen_at)
        for name, seen_at, gone in sizes.values_list("name", "seen_at", "missing_since")
    }


def _price(place: PriceReading, step: Step, listing: Listing[VmSizeRecord]) -> SkuPrice:
    return SkuPrice(
        subscription=place.subscription,
        region=place.region,
        sku=step.sku,
        amount=step.money.amount if step.money else None,
        currency=step.money.currency if step.money else "",
        source=SOURCE,
        earliest=step.earliest,
        seen_at=listing.response_ended,
    )


def _keep_sizes(place: PriceReading, seen: dict[str, VmSizeRecord], listing: Listing[VmSizeRecord]) -> None:
    rows = [
        SkuSize(
            subscription=place.subscription,
            region=place.region,
            name=name,
            label=record.name,
            family=record.family.lower(),
            vcpus=record.vcpus,
            gpus=record.gpus,
            memory_gb=record.memory_gb,
            for_endpoints=record.for_endpoints,
            price_note=catalogue.hourly(record).note,
            seen_at=listing.response_ended,
            missing_since=None,
        )
        for name, record in seen.items()
    ]
    SkuSize.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["subscription", "region", "name"],
        update_fields=_SIZE_FIELDS,
        batch_size=500,
    )
