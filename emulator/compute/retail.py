"""`GET /retail/prices/api/retail/prices`: the retail price list, for whoever asks, signed in or not.

A size has many rows there, of which one is an hour of an ordinary machine on Linux. Prices follow those of `vmSizes`,
times the scenario's factor; those that `vmSizes` does not tell are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from aiohttp import web

from emulator.cloud import Cloud
from emulator.compute import pricing, sizes
from emulator.compute.sizes import Size
from emulator.control import Fate
from emulator.errors import ArmError
from emulator.listener import base_url
from emulator.requestlog import Entry
from emulator.values import Json, guid

PATH = "/retail/prices/api/retail/prices"
BASE = "/retail/prices"
_RATES = {"USD": 1.0, "EUR": 0.9, "GBP": 0.8}
"""Made up, and never changed: what a dollar is in other currencies."""
_SINCE = "2022-04-01T00:00:00Z"
_TERM = re.compile(r"\s*(\w+)\s+(\w+)\s+'((?:[^']|'')*)'\s*")
_FIELDS = {
    "serviceName": "serviceName",
    "serviceFamily": "serviceFamily",
    "armRegionName": "armRegionName",
    "armSkuName": "armSkuName",
    "priceType": "type",
    "productName": "productName",
    "skuName": "skuName",
    "meterName": "meterName",
    "currencyCode": "currencyCode",
}
"""What a filter may name, and the item's field behind it."""


class Retail:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def answer(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        query = entry.query
        if not query.get("api-version"):
            raise ArmError(400, "BadRequest", "The query parameter api-version is missing.")
        currency = query.get("currencyCode", "USD").strip("'").upper()
        if currency not in _RATES:
            raise ArmError(400, "BadRequest", f"The currency code '{currency}' is not known.")
        wanted = _terms(query.get("$filter", ""))
        found = [item for item in items(self._cloud, currency) if _fits(item, wanted)]
        skip, size = _skip(query.get("$skip", "0")), self._cloud.settings.behaviour.retail_page_size
        page = found[skip : skip + size]
        following = None
        if skip + size < len(found):
            following = f"{base_url(request)}{PATH}?{urlencode({**query, '$skip': str(skip + size)})}"
        return web.json_response(
            {
                "BillingCurrency": currency,
                "CustomerEntityId": "Default",
                "CustomerEntityType": "Retail",
                "Items": page,
                "NextPageLink": following,
                "Count": len(page),
            }
        )


def items(cloud: Cloud, currency: str) -> Iterator[Json]:
    """Every row of the list, region by region and size by size."""
    for region in sizes.FACTORS:
        for size in sizes.offered(region):
            yield from _of_size(cloud, size, region, currency)


def _of_size(cloud: Cloud, size: Size, region: str, currency: str) -> Iterator[Json]:
    told = pricing.estimated(size, region)
    if told is None:
        return
    factor = cloud.market.retail.get(size.name.lower(), 1.0) * _RATES[currency]
    amounts = {
        (value["osType"], value["vmTier"]): round(value["retailPrice"] * factor, 6)
        for value in told["values"]
    }
    product = f"Virtual Machines {_series(size)} Series"
    plain = _meter(size)
    for windows in (False, True):
        name = f"{product} Windows" if windows else product
        full = amounts["Windows" if windows else "Linux", "Standard"]
        low = amounts["Windows" if windows else "Linux", "LowPriority"]
        yield _item(size, region, currency, name, plain, full)
        yield _item(size, region, currency, name, f"{plain} Spot", round(full * 0.25, 6))
        yield _item(size, region, currency, name, f"{plain} Low Priority", low)
        yield _item(size, region, currency, name, plain, full, kind="DevTestConsumption")
    yield {
        **_item(
            size,
            region,
            currency,
            product,
            plain,
            round(amounts["Linux", "Standard"] * 5000, 2),
            kind="Reservation",
        ),
        "reservationTerm": "1 Year",
    }


def _item(
    size: Size, region: str, currency: str, product: str, sku: str, price: float, *, kind: str = "Consumption"
) -> Json:
    identity = guid("meter", region, size.name, product, sku, kind)
    return {
        "currencyCode": currency,
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": region,
        "location": region,
        "effectiveStartDate": _SINCE,
        "meterId": identity,
        "meterName": sku,
        "productId": f"DZH{identity[:9].upper()}",
        "skuId": f"DZH{identity[:9].upper()}/{identity[9:13].upper()}",
        "productName": product,
        "skuName": sku,
        "serviceName": "Virtual Machines",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": kind,
        "isPrimaryMeterRegion": True,
        "armSkuName": size.name,
    }


def _series(size: Size) -> str:
    return size.family.removeprefix("standard").removesuffix("Family")


def _meter(size: Size) -> str:
    return size.name.removeprefix("Standard_").replace("_", " ")


def _fits(item: Json, wanted: list[tuple[str, str]]) -> bool:
    """Values compare with regard to case, as they do from 2023-01-01-preview on."""
    return all(item[_FIELDS[name]] == value for name, value in wanted)


def _terms(text: str) -> list[tuple[str, str]]:
    """Names and values of `name eq 'value'`, joined by `and`; a 400 for any other syntax."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None or term[2] != "eq" or term[1] not in _FIELDS:
            raise _invalid(text, at)
        found.append((term[1], term[3].replace("''", "'")))
        at = term.end()
        if at < len(text):
            if text[at : at + 4] != "and ":
                raise _invalid(text, at)
            at += 4
            if at == len(text):
                raise _invalid(text, at)
    return found


def _invalid(text: str, at: int) -> ArmError:
    return ArmError(
        400, "BadRequest", f"Invalid OData parameters: $filter can't be read at '{text[at : at + 40]}'."
    )


def _skip(text: str) -> int:
    if not text.isdecimal():
        raise ArmError(400, "BadRequest", f"$skip is a whole number, not {text!r}.")
    return int(text)
