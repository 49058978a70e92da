"""Asks Azure Monitor about many resources, so that one which can't be read spoils no other. Knows no database.

A call for many that Azure turns down is asked again for each half, down to the resource that it was about. Only when
resources taken by themselves are turned down too is getBatch not to be had: then the single call is used instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.errors import (
    BatchRefused,
    Forbidden,
    GatewayError,
    Malformed,
    NotFoundInAzure,
    Rejected,
    Throttled,
)
from endpoints.azure_gateway.records import MetricQuery, MetricsReading
from endpoints.metrics.telemetry import State

MOST_AT_ONCE = 50
# Calls under way at once: more wait in the gateway's own queue, and their answers in memory.
_SINGLE_CALLS = 8
# What the resources of a call can be the cause of, rather than the way to Azure.
_OF_THE_CALL = (BatchRefused, NotFoundInAzure, Rejected, Malformed)
# Extra calls that a search for the culprits may take; what is left then can't be read this time.
_SEARCH_CALLS = 60


class Asking:
    """The queries of one reading. `troubles` are the resources that could not be read, with the reason."""

    def __init__(self, azure: Azure, region: str, *, by_batch: bool) -> None:
        self._azure, self._region, self._by_batch = azure, region, by_batch
        self._places = asyncio.Semaphore(_SINGLE_CALLS)
        self._served = False
        self._searched = 0
        self.troubles: dict[str, tuple[State, str]] = {}
        self.refused: str | None = None

    async def ask(self, ids: Sequence[str], query: MetricQuery) -> list[MetricsReading]:
        """All answers about these resources. Throttled ends it."""
        readings: list[MetricsReading] = []
        self._served = False
        for first in range(0, len(ids), MOST_AT_ONCE):
            readings += await self._some(ids[first : first + MOST_AT_ONCE], query)
        return readings

    async def _some(self, ids: Sequence[str], query: MetricQuery) -> list[MetricsReading]:
        if not self._by_batch:
            return await self._singly(ids, query)
        try:
            return [await self._together(ids, query)]
        except Throttled:
            raise
        except _OF_THE_CALL as error:
            return await self._turned_down(ids, query, error)
        except GatewayError as error:
            self._trouble(ids, error)
            return []

    async def _together(self, ids: Sequence[str], query: MetricQuery) -> MetricsReading:
        reading = await self._azure.query_metrics(ids, query, region=self._region)
        self._served, self.refused = True, ""
        return reading

    async def _turned_down(
        self, ids: Sequence[str], query: MetricQuery, error: GatewayError
    ) -> list[MetricsReading]:
        if await self._is_served(ids, query):
            return await self._search(ids, query, error)
        if isinstance(error, BatchRefused):
            self._by_batch, self.refused = False, error.message
        elif len(ids) > 1:
            self._trouble(ids, error)
            return []
        return await self._singly(ids, query)

    async def _is_served(self, ids: Sequence[str], query: MetricQuery) -> bool:
        """Whether getBatch answers for anything here: for the first, the middle or the last by itself."""
        for arm in {ids[0], ids[len(ids) // 2], ids[-1]} if len(ids) > 1 else ():
            if self._served:
                break
            try:
                await self._together([arm], query)
            except _OF_THE_CALL:
                continue
        return self._served

    async def _search(
        self, ids: Sequence[str], query: MetricQuery, error: GatewayError
    ) -> list[MetricsReading]:
        """The halves of a call that was turned down; of one resource, what the single call says."""
        if len(ids) == 1:
            return await self._singly(ids, query)
        if self._searched >= _SEARCH_CALLS:
            self._trouble(ids, error)
            return []
        self._searched += 2
        middle = len(ids) // 2
        return [*await self._some(ids[:middle], query), *await self._some(ids[middle:], query)]

    async def _singly(self, ids: Iterable[str], query: MetricQuery) -> list[MetricsReading]:
        answers = await asyncio.gather(*(self._one(arm, query) for arm in ids))
        return [answer for answer in answers if answer is not None]

    async def _one(self, arm: str, query: MetricQuery) -> MetricsReading | None:
        async with self._places:
            try:
                return await self._azure.list_metrics(arm, query)
            except Throttled:
                raise
            except GatewayError as error:
                self._trouble([arm], error)
                return None

    def _trouble(self, ids: Iterable[str], error: GatewayError) -> None:
        self.troubles |= dict.fromkeys(ids, (_state(error), error.message))


def _state(error: GatewayError) -> State:
    if isinstance(error, Forbidden):
        return State.FORBIDDEN
    return State.UNREADABLE if isinstance(error, _OF_THE_CALL) else State.UNREACHABLE
