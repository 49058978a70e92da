"""What the room's reads answer with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from endpoints.core.money import Money


@dataclass(frozen=True, slots=True)
class Price:
    """What an instance of a size costs per hour, before any discount.

    `source` says whose word it is: "vm_sizes", Azure Machine Learning's own list, or "retail", the public price list.
    `beside`: what the retail list says, where it differs by more than a percent or is in another currency.
    `effective_at`: since when the retail list says that it counts. The price began
    between `earliest` (None: nothing was read before) and `seen_at`, and was last found so at `confirmed_at`.
    """

    sku: str
    amount: Decimal
    currency: str
    source: str
    earliest: datetime | None
    seen_at: datetime
    confirmed_at: datetime
    effective_at: datetime | None = None
    beside: Price | None = None

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Size:
    """A size of machines as Azure described it at `seen_at`; `missing_since`: it is not on Azure's list any more.

    `price_note` says why it has no price, "" where it has one.
    """

    name: str
    family: str
    vcpus: int | None
    gpus: int | None
    memory_gb: float | None
    for_endpoints: bool
    price_note: str
    seen_at: datetime
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota at `read_at`: `used` of `limit`, which is None where Azure sets none. It counts the reserve too."""

    family: str
    label: str
    used: int
    limit: int | None
    unit: str
    read_at: datetime

    @property
    def left(self) -> int | None:
        """How many more; None where there is no limit. Below 0 when a limit was lowered."""
        return None if self.limit is None else self.limit - self.used


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """How the reading of one subscription and region goes; `…_read_at` None: never read. Reasons are for people."""

    subscription: str
    region: str
    sizes_read_at: datetime | None
    sizes_reason: str
    quotas_read_at: datetime | None
    quotas_reason: str
    retail_read_at: datetime | None = None
    retail_reason: str = ""
