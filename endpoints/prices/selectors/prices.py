"""One size, its price and its quota. Names are compared without case; None is unknown, and never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from endpoints.core.money import Money
from endpoints.prices import retail
from endpoints.prices.catalogue import SOURCE, region_key
from endpoints.prices.models import PriceReading, RetailSize, SkuPrice, SkuSize
from endpoints.prices.models import Quota as QuotaRow
from endpoints.prices.selectors.rows import PlaceReading, Price, Quota, Size


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many instances of a size cost per hour, and what is known around it; "" where there is nothing to say."""

    price: Price | None
    per_hour: Money | None
    size: Size | None
    quota: Quota | None
    why_no_price: str
    why_no_quota: str


def price_of(subscription: str, region: str, sku: str, *, at: datetime | None = None) -> Price | None:
    """The price that was known at a moment, by default now. None: Azure names none, or nothing was read."""
    return prices_of(subscription, region, [sku], at=at).get(sku.lower())


def prices_of(
    subscription: str, region: str, skus: Iterable[str], *, at: datetime | None = None
) -> dict[str, Price]:
    """Prices by lower-case name, of those sizes that have one. Three queries.

    Azure Machine Learning's own price goes before the retail list's, which stands beside it where they differ.
    """
    wanted = sorted({sku.lower() for sku in skus})
    rows = SkuPrice.objects.filter(**_place(subscription, region), sku__in=wanted)
    if at is not None:
        rows = rows.filter(seen_at__lte=at)
    seen = dict(
        SkuSize.objects.filter(**_place(subscription, region), name__in=wanted).values_list("name", "seen_at")
    )
    listed = RetailSize.objects.filter(**_place(subscription, region), name__in=wanted)
    confirmed = {SOURCE: seen, retail.SOURCE: dict(listed.values_list("name", "seen_at"))}
    newest = rows.filter(source__in=confirmed).order_by("sku", "source", "-seen_at", "-pk")
    found: dict[str, dict[str, Price]] = {}
    for row in newest.distinct("sku", "source"):
        if (money := row.money) is not None:
            price = _price(row, money, confirmed[row.source].get(row.sku, row.seen_at))
            found.setdefault(row.sku, {})[row.source] = price
    return {sku: _chosen(told.get(SOURCE), told.get(retail.SOURCE)) for sku, told in found.items()}


def size_of(subscription: str, region: str, sku: str) -> Size | None:
    """The size, also when Azure lists it no more: what runs on it keeps its cores."""
    row = SkuSize.objects.filter(**_place(subscription, region), name=sku.lower()).first()
    return None if row is None else size_row(row)


def quota_of(subscription: str, region: str, family: str) -> Quota | None:
    """The quota of dedicated cores of a family, as `size_of(...).family` names it. None: not known, which is not 0."""
    if not family:
        return None
    row = (
        QuotaRow.objects.filter(**_place(subscription, region), family=family.lower()).order_by("pk").first()
    )
    return None if row is None else quota_row(row)


def cost_per_hour(subscription: str, region: str, sku: str, instances: int | None) -> Money | None:
    """What so many instances cost per hour. None when price or number is not known."""
    return _times(price_of(subscription, region, sku), instances)


def cost_of(subscription: str, region: str, sku: str, instances: int | None) -> Cost:
    """Price, cost and quota of a deployment's machines, with the reason for what is not known. Seven queries."""
    price, size = price_of(subscription, region, sku), size_of(subscription, region, sku)
    quota = quota_of(subscription, region, size.family) if size else None
    told = reading_of(subscription, region)
    why = ""
    if price is None:
        why = f"{why_no_price(sku, region, size, told)} {_why_no_retail(subscription, region, sku, told)}".strip()
    return Cost(
        price=price,
        per_hour=_times(price, instances),
        size=size,
        quota=quota,
        why_no_price=why,
        why_no_quota="" if quota else why_no_quota(size, told),
    )


def reading_of(subscription: str, region: str) -> PlaceReading | None:
    """How the reading goes here; None: nobody has asked for one yet."""
    row = PriceReading.objects.filter(**_place(subscription, region)).first()
    return None if row is None else reading_row(row)


def why_no_price(sku: str, region: str, size: Size | None, told: PlaceReading | None) -> str:
    """Why the price of a size is not known, for people."""
    if not region:
        return "Azure has not said in which region it runs."
    if not sku:
        return "Azure has not said which size of machines it runs on."
    if told is None or told.sizes_read_at is None:
        reason = told.sizes_reason if told else ""
        return f"Prices of {region} were never read. {reason}".strip()
    if size is None:
        return f"Azure's list of sizes of {region} does not have {sku}. {told.sizes_reason}".strip()
    if size.missing_since is not None:
        return f"Azure does not list {size.name} in {region} any more."
    return size.price_note or f"Azure names no price for {size.name} in {region}."


def why_no_quota(size: Size | None, told: PlaceReading | None) -> str:
    """Why the quota of a size is not known, for people."""
    if told is None or told.quotas_read_at is None:
        reason = told.quotas_reason if told else ""
        return f"Quota was never read here. {reason}".strip()
    if size is None or not size.family:
        return "Azure has not said to which family of sizes it belongs."
    return f"Azure's list of usages has no quota of {size.family}. {told.quotas_reason}".strip()


def size_row(row: SkuSize) -> Size:
    return Size(
        name=row.label,
        family=row.family,
        vcpus=row.vcpus,
        gpus=row.gpus,
        memory_gb=row.memory_gb,
        for_endpoints=row.for_endpoints,
        price_note=row.price_note,
        seen_at=row.seen_at,
        missing_since=row.missing_since,
    )


def quota_row(row: QuotaRow) -> Quota:
    return Quota(row.family, row.label, row.used, row.limit, row.unit, row.read_at)


def reading_row(row: PriceReading) -> PlaceReading:
    return PlaceReading(
        row.subscription,
        row.region,
        row.sizes_read_at,
        row.sizes_reason,
        row.quotas_read_at,
        row.quotas_reason,
        row.retail_read_at,
        row.retail_reason,
    )


def _price(row: SkuPrice, money: Money, confirmed_at: datetime) -> Price:
    return Price(
        sku=row.sku,
        amount=money.amount,
        currency=money.currency,
        source=row.source,
        earliest=row.earliest,
        seen_at=row.seen_at,
        confirmed_at=max(confirmed_at, row.seen_at),
        effective_at=row.effective_at,
    )


def _chosen(own: Price | None, listed: Price | None) -> Price:
    """At least one of them is there."""
    if own is None or listed is None:
        (price,) = (one for one in (own, listed) if one is not None)
        return price
    return replace(own, beside=listed) if retail.differ(own.money, listed.money) else own


def _why_no_retail(subscription: str, region: str, sku: str, told: PlaceReading | None) -> str:
    """What the retail price list said of a size, where it was asked."""
    row = RetailSize.objects.filter(**_place(subscription, region), name=sku.lower()).first()
    if row is not None and row.note:
        return row.note
    return f"The retail price list: {told.retail_reason}" if told and told.retail_reason else ""


def _times(price: Price | None, instances: int | None) -> Money | None:
    return None if price is None or instances is None else price.money.times(instances)


def _place(subscription: str, region: str) -> dict[str, str]:
    return {"subscription": subscription.lower(), "region": region_key(region)}
