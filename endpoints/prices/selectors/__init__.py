"""Reads of sizes, prices and quota, as frozen rows. Nobody's rights are asked for; callers do, before."""

from endpoints.prices.selectors.listing import SizePage, SizeRow, regions_of, sizes
from endpoints.prices.selectors.prices import (
    Cost,
    cost_of,
    cost_per_hour,
    price_of,
    prices_of,
    quota_of,
    reading_of,
    size_of,
)
from endpoints.prices.selectors.rows import PlaceReading, Price, Quota, Size

__all__ = [
    "Cost",
    "PlaceReading",
    "Price",
    "Quota",
    "Size",
    "SizePage",
    "SizeRow",
    "cost_of",
    "cost_per_hour",
    "price_of",
    "prices_of",
    "quota_of",
    "reading_of",
    "regions_of",
    "size_of",
    "sizes",
]
