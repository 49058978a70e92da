"""Reads what is due of one subscription in one region: sizes with their prices, quota, and the retail list's prices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings as portal
from django.db import DatabaseError

from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError, Malformed, PricesRefused, Throttled
from endpoints.azure_gateway.records import Listing, RetailPrice, UsageRecord, VmSizeRecord
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import PriceReading
from endpoints.prices.services import readings
from endpoints.prices.services.absorb import absorb_sizes, absorb_usages
from endpoints.prices.services.absorb_retail import RetailReading, absorb_retail, sizes_in_use
from endpoints.prices.services.readings import EVERY, Part

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Lists(Protocol):
    """The part of the gateway that is needed here."""

    async def list_vm_sizes(self, subscription: str, region: str) -> Listing[VmSizeRecord]: ...

    async def list_usages(self, subscription: str, region: str) -> Listing[UsageRecord]: ...

    async def list_retail_prices(self, region: str, size: str, *, currency: str) -> Listing[RetailPrice]: ...


class Connecting(Protocol):
    """Opens a connection to Azure."""

    def __call__(self, settings: GatewaySettings, *, clock: Clock) -> AbstractAsyncContextManager[Lists]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each part: True read, False not (its row says why), None not due or somebody else's."""

    sizes: bool | None = None
    quotas: bool | None = None
    retail: bool | None = None


def read_prices(
    *,
    subscription: str,
    region: str,
    settings: GatewaySettings | None = None,
    connecting: Connecting = connect,
) -> Outcome:
    """Read the parts that are due. Nothing is raised for what Azure refuses: it goes on record in words."""
    place = subscription.lower(), region_key(region)
    now = db_now()
    PriceReading.objects.get_or_create(
        subscription=place[0],
        region=place[1],
        defaults=dict.fromkeys((f"{part}_due_at" for part in Part), now),
    )
    reader = _Reader(*place, settings or gateway_settings(), connecting)
    sizes = reader.read(Part.SIZES, lambda azure: azure.list_vm_sizes(*place), absorb_sizes)
    quotas = reader.read(Part.QUOTAS, lambda azure: azure.list_usages(*place), absorb_usages)
    # After the sizes: their list tells how Azure spells them, which the retail list insists on.
    wanted, began = sizes_in_use(*place), db_now()
    retail = reader.read(Part.RETAIL, lambda azure: _retail(azure, place[1], wanted, began), absorb_retail)
    return Outcome(sizes, quotas, retail)


async def _retail(azure: Lists, region: str, wanted: Mapping[str, str], began: datetime) -> RetailReading:
    """One size after the other: they are few, and the list serves everybody for free."""
    sizes: dict[str, Listing[RetailPrice]] = {}
    torn: dict[str, str] = {}
    for name, label in wanted.items():
        try:
            sizes[name] = await azure.list_retail_prices(
                region, label, currency=portal.OPSPORTAL.azure_prices_currency
            )
        except Malformed as error:
            torn[name] = error.reason
    return RetailReading(sizes, torn, began)


@dataclass(frozen=True, slots=True)
class _Reader:
    subscription: str
    region: str
    settings: GatewaySettings
    connecting: Connecting

    def read(
        self,
        part: Part,
        ask: Callable[[Lists], Awaitable[T]],
        absorb: Callable[[str, str, T], bool],
    ) -> bool | None:
        if not readings.take(self.subscription, self.region, part):
            return None
        try:
            told: T = async_to_sync(self._ask)(ask, DatabaseClock())
            return absorb(self.subscription, self.region, told)
        except (GatewayError, ValueError, DatabaseError) as error:
            self._failed(part, error)
            return False

    async def _ask(self, ask: Callable[[Lists], Awaitable[T]], clock: Clock) -> T:
        async with self.connecting(self.settings, clock=clock) as azure:
            return await ask(azure)

    def _failed(self, part: Part, error: Exception) -> None:
        retry_after = error.retry_after if isinstance(error, Throttled) else None
        if isinstance(error, PricesRefused):  # a cloud without a list has none in ten minutes either
            retry_after = EVERY[part].total_seconds()
        readings.failed(self.subscription, self.region, part, _words(error), retry_after=retry_after)
        log.warning(
            "prices_not_read",
            subscription=self.subscription,
            region=self.region,
            part=str(part),
            cause=getattr(error, "code", "") or type(error).__name__,
        )


def _words(error: Exception) -> str:
    """What people may read of it: the database's own words name tables and values."""
    if isinstance(error, DatabaseError):
        return (
            f"What Azure answered could not be stored ({type(error).__name__}); the portal's log says more."
        )
    return str(error)
