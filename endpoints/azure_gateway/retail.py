"""Azure's retail price list: public, asked without any credential, one size of one region at a time.

The list has many rows for a size; `catalogue` of the prices says which one counts. Here they become records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from endpoints.azure_gateway import arm, places
from endpoints.azure_gateway.catalogue import Fields
from endpoints.azure_gateway.errors import Malformed, PricesRefused
from endpoints.azure_gateway.paging import Pages, listed
from endpoints.azure_gateway.records import Listing, RetailPrice
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.azure_gateway.wire import Answer, Wire

_PATH = "/api/retail/prices"
_SIZE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,80}")
_CURRENCY = re.compile(r"[A-Z]{3}")
# A size has a dozen rows: whoever gets more than this many pages was not understood.
_MOST_PAGES = 20


async def list_prices(
    wire: Wire, settings: GatewaySettings, region: str, size: str, currency: str
) -> Listing[RetailPrice]:
    """Every row of pay-as-you-go for a size, by its name in Azure's own spelling: the list compares with case.

    PricesRefused, with nothing sent, where this cloud has no such list; ValueError for what can't be asked.
    """
    base = settings.cloud.prices
    if not base:
        raise PricesRefused(f"{settings.cloud.name} names no retail price list; nothing was asked.")
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{currency!r} is not the code of a currency.")

    async def read(url: str) -> Answer:
        return await wire.read_prices(places.origin(base + "/"), url)

    pages = Pages(
        _PATH,
        arm.RETAIL,
        price,
        read,
        options={
            "currencyCode": f"'{currency}'",
            "meterRegion": "'primary'",
            "$filter": _filter(region, size),
        },
        exact=True,
        most=_MOST_PAGES,
        base=base,
        names=("Items", "NextPageLink"),
    )
    return await listed(wire, settings, pages)


def price(document: Any) -> RetailPrice:
    """One row; Malformed when it has no amount, currency or unit."""
    read = Fields(document, "retail price")
    amount, currency, unit = read.number("retailPrice"), read.text("currencyCode"), read.text("unitOfMeasure")
    if amount is None or not currency or not unit:
        raise Malformed("retail price", "it has no amount, no currency or no unit")
    return RetailPrice(
        size=read.text("armSkuName"),
        region=read.text("armRegionName"),
        amount=amount,
        currency=currency,
        unit=unit,
        kind=read.text("type"),
        product=read.text("productName"),
        sku=read.text("skuName"),
        meter=read.text("meterName"),
        from_units=read.number("tierMinimumUnits"),
        primary=document.get("isPrimaryMeterRegion") is not False,
        effective_at=_moment(document),
    )


def _filter(region: str, size: str) -> str:
    if not _SIZE.fullmatch(size):
        raise ValueError(f"{size!r} is not the name of a size.")
    wanted = {
        "serviceName": "Virtual Machines",
        "armRegionName": arm.region_name(region),
        "armSkuName": size,
        "priceType": "Consumption",
    }
    return " and ".join(f"{name} eq '{value}'" for name, value in wanted.items())


def _moment(document: Mapping[str, Any]) -> datetime | None:
    text = document.get("effectiveStartDate")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise Malformed("retail price", f"effectiveStartDate is {str(text)[:40]!r}, not a time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
