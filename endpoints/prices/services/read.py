"""Reads what is due of one subscription in one region: the sizes with their prices, and the quota."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from asgiref.sync import async_to_sync
from django.db import DatabaseError

from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError, Throttled
from endpoints.azure_gateway.records import Listing, UsageRecord, VmSizeRecord
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.core.clock import Clock
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.prices.catalogue import region_key
from endpoints.prices.models import PriceReading
from endpoints.prices.services import readings
from endpoints.prices.services.absorb import absorb_sizes, absorb_usages
from endpoints.prices.services.readings import Part

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Lists(Protocol):
    """The part of the gateway that is needed here."""

    async def list_vm_sizes(self, subscription: str, region: str) -> Listing[VmSizeRecord]: ...

    async def list_usages(self, subscription: str, region: str) -> Listing[UsageRecord]: ...


class Connecting(Protocol):
    """Opens a connection to Azure."""

    def __call__(self, settings: GatewaySettings, *, clock: Clock) -> AbstractAsyncContextManager[Lists]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each part: True read, False not (its row says why), None not due or somebody else's."""

    sizes: bool | None = None
    quotas: bool | None = None


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
        subscription=place[0], region=place[1], defaults={"sizes_due_at": now, "quotas_due_at": now}
    )
    reader = _Reader(*place, settings or gateway_settings(), connecting)
    return Outcome(
        sizes=reader.read(Part.SIZES, lambda azure: azure.list_vm_sizes(*place), absorb_sizes),
        quotas=reader.read(Part.QUOTAS, lambda azure: azure.list_usages(*place), absorb_usages),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    subscription: str
    region: str
    settings: GatewaySettings
    connecting: Connecting

    def read(
        self,
        part: Part,
        ask: Callable[[Lists], Awaitable[Listing[T]]],
        absorb: Callable[[str, str, Listing[T]], bool],
    ) -> bool | None:
        if not readings.take(self.subscription, self.region, part):
            return None
        try:
            listing: Listing[T] = async_to_sync(self._ask)(ask, DatabaseClock())
            return absorb(self.subscription, self.region, listing)
        except (GatewayError, ValueError, DatabaseError) as error:
            self._failed(part, error)
            return False

    async def _ask(self, ask: Callable[[Lists], Awaitable[Listing[T]]], clock: Clock) -> Listing[T]:
        async with self.connecting(self.settings, clock=clock) as azure:
            return await ask(azure)

    def _failed(self, part: Part, error: Exception) -> None:
        retry_after = error.retry_after if isinstance(error, Throttled) else None
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
