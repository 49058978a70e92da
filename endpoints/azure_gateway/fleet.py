"""A whole workspace in one reading: its endpoints, and each endpoint's deployments, read side by side.

Reads are made again after a throttling or a passing failure, a few times; what still can't be read is listed
with its reason, so that one bad item spoils only itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.errors import GatewayError, ServerError, Throttled, Unreachable
from endpoints.azure_gateway.records import DeploymentRecord, EndpointRecord, Listing, Unreadable

T = TypeVar("T")

_TRIES = 3
# Seconds that a reading waits for Azure's Retry-After; a longer one ends it.
_LONGEST_HELD = 5.0


@dataclass(frozen=True, slots=True)
class EndpointReading:
    """An endpoint and its deployments, None when they could not be listed: then `failure` says why."""

    endpoint: EndpointRecord
    deployments: Listing[DeploymentRecord] | None
    failure: GatewayError | None


@dataclass(frozen=True, slots=True)
class WorkspaceReading:
    """What a workspace held. `request_began` and `response_ended` bound the list of endpoints itself;
    each list of deployments carries its own. `calls` counts the answered ones."""

    workspace_arm_id: str
    endpoints: tuple[EndpointReading, ...]
    unreadable: tuple[Unreadable, ...]
    request_began: datetime
    response_ended: datetime
    azure_request_id: str
    calls: int


async def read_workspace(azure: Azure, workspace_arm_id: str) -> WorkspaceReading:
    """Read a workspace; GatewayError when its endpoints can't be listed at all."""
    listing = await _patiently(lambda: azure.list_endpoints(workspace_arm_id))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endpoint(azure, record)) for record in listing]
    readings = tuple(task.result() for task in tasks)
    return WorkspaceReading(
        workspace_arm_id=workspace_arm_id,
        endpoints=readings,
        unreadable=listing.unreadable + tuple(item for reading in readings for item in _unreadable(reading)),
        request_began=listing.request_began,
        response_ended=listing.response_ended,
        azure_request_id=listing.azure_request_id,
        calls=listing.calls + sum(reading.deployments.calls for reading in readings if reading.deployments),
    )


async def _endpoint(azure: Azure, record: EndpointRecord) -> EndpointReading:
    try:
        deployments = await _patiently(lambda: azure.list_deployments(record.arm_id))
    except GatewayError as error:
        return EndpointReading(record, None, error)
    except ValueError as error:  # an id that is no endpoint's: this item is odd, its neighbours are not
        return EndpointReading(record, None, GatewayError(str(error)))
    return EndpointReading(record, deployments, None)


def _unreadable(reading: EndpointReading) -> tuple[Unreadable, ...]:
    if reading.deployments is not None:
        return reading.deployments.unreadable
    reason = reading.failure.message if reading.failure else "not read"
    return (Unreadable(item=f"{reading.endpoint.arm_id}/deployments", reason=reason),)


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """A read, and again when it may help. After a throttling the limiter itself knows how long to hold it.

    What Azure wants left alone for longer is an answer of its own: people are told when the next read is due.
    """
    for attempt in range(1, _TRIES):
        try:
            return await read()
        except Throttled as error:
            if (error.retry_after or 0.0) > _LONGEST_HELD:
                raise
        except (Unreachable, ServerError):
            await asyncio.sleep(attempt * random.uniform(0.2, 0.5))  # noqa: S311  # spreads load, guards nothing
    return await read()
