"""Azure's lists as the gateway hands them out, and a connection that answers with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from endpoints.azure_gateway.records import (
    Listing,
    RetailPrice,
    Unreadable,
    UsageRecord,
    VmPrice,
    VmSizeRecord,
)
from endpoints.azure_gateway.settings import CloudSettings, CredentialKind, GatewaySettings
from endpoints.core.clock import Clock
from endpoints.dispatch import db_now
from endpoints.prices.models import PriceReading
from endpoints.prices.services import Outcome, read_prices

SUBSCRIPTION, REGION = "00000000-0000-4000-8000-000000000001", "westeurope"
PLACE = (SUBSCRIPTION, REGION)
FAMILY = "standarddsv2family"
SETTINGS = GatewaySettings(cloud=CloudSettings(name="Tests"), credential=CredentialKind.MANAGED_IDENTITY)

T = TypeVar("T")


def price(amount: str = "0.293", **changes: Any) -> VmPrice:
    told = {
        "os": "Linux",
        "tier": "Standard",
        "amount": Decimal(amount),
        "currency": "USD",
        "unit": "OneHour",
    }
    return VmPrice(**(told | changes))


def size(name: str = "Standard_DS3_v2", *prices: VmPrice, **changes: Any) -> VmSizeRecord:
    told: dict[str, Any] = {
        "family": FAMILY,
        "vcpus": 4,
        "gpus": 0,
        "memory_gb": 14.0,
        "for_endpoints": True,
        "prices": prices,
    }
    return VmSizeRecord(name=name, **(told | changes))


def usage(used: int = 12, limit: int | None = 100, **changes: Any) -> UsageRecord:
    told: dict[str, Any] = {"family": FAMILY, "label": "Standard DSv2 Family vCPUs", "unit": "Count"}
    return UsageRecord(used=used, limit=limit, **(told | changes))


def listing(
    items: Iterable[T] = (),
    *,
    unreadable: Iterable[str] = (),
    began: datetime | None = None,
    ended: datetime | None = None,
) -> Listing[T]:
    """A list that was read just now unless said otherwise."""
    end = ended or db_now()
    return Listing(
        items=tuple(items),
        unreadable=tuple(Unreadable(item, "it has no name") for item in unreadable),
        request_began=began or end,
        response_ended=end,
        azure_request_id="azure-1",
        calls=1,
    )


class FakeAzure:
    """Answers with what it was given: a list, or an error to raise. `asked` is what was asked for."""

    def __init__(self, sizes: Any = None, usages: Any = None, retail: Any = None) -> None:
        self.sizes, self.usages, self.retail = sizes, usages, retail
        self.asked: list[tuple[str, str, str]] = []

    @asynccontextmanager
    async def connect(self, settings: GatewaySettings, *, clock: Clock) -> AsyncIterator[FakeAzure]:
        yield self

    async def list_vm_sizes(self, subscription: str, region: str) -> Listing[VmSizeRecord]:
        self.asked.append(("sizes", subscription, region))
        return self._told(self.sizes)

    async def list_retail_prices(self, region: str, size: str, *, currency: str) -> Listing[RetailPrice]:
        self.asked.append(("retail", size, currency))
        return self._told(self.retail)

    async def list_usages(self, subscription: str, region: str) -> Listing[UsageRecord]:
        self.asked.append(("usages", subscription, region))
        return self._told(self.usages)

    def _told(self, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer


def read(sizes: Any = None, usages: Any = None, retail: Any = None, *, region: str = REGION) -> Outcome:
    """Read all parts now, whenever they are due; what is not given is an empty list."""
    PriceReading.objects.filter(subscription=SUBSCRIPTION).update(
        sizes_due_at=db_now(), quotas_due_at=db_now(), retail_due_at=db_now()
    )
    given = (listing() if told is None else told for told in (sizes, usages, retail))
    azure = FakeAzure(*given)
    return read_prices(subscription=SUBSCRIPTION, region=region, settings=SETTINGS, connecting=azure.connect)
