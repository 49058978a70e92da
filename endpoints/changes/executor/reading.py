"""Azure's answers as the decider sees them: errors become reasons, records become splits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.records import (
    UNKNOWN,
    DeploymentRecord,
    EndpointRecord,
    Listing,
    OperationStatus,
    Reading,
)
from endpoints.changes.decide import (
    ReadFailure,
    SeenEndpoint,
    SeenOperation,
    SeenSetting,
    Split,
    Trouble,
)

LONGEST_PAUSE = 600.0
"""Seconds. A Retry-After beyond this is a mistake, and must not hold a rollback up for ever."""

_TROUBLES: tuple[tuple[type[errors.GatewayError], Trouble], ...] = (
    (errors.Throttled, Trouble.THROTTLED),
    (errors.Forbidden, Trouble.FORBIDDEN),
    (errors.Unauthenticated, Trouble.UNAUTHENTICATED),
    (errors.Unreachable, Trouble.UNREACHABLE),
    (errors.Malformed, Trouble.MALFORMED),
)


def failure_of(error: errors.GatewayError, now: datetime) -> ReadFailure:
    """Why a reading failed, with the time that Azure named."""
    trouble = next((kind for error_type, kind in _TROUBLES if isinstance(error, error_type)), Trouble.SERVER)
    pause = error.retry_after if isinstance(error, errors.Throttled) else None
    return ReadFailure(trouble, error.message.replace("\x00", ""), _in(pause, now))


def _in(seconds: float | None, now: datetime) -> datetime | None:
    return now + timedelta(seconds=min(seconds, LONGEST_PAUSE)) if seconds else None


@dataclass(frozen=True, slots=True)
class Sight:
    """The endpoint, and its deployments where they were asked for."""

    endpoint: Reading[EndpointRecord]
    deployments: Listing[DeploymentRecord] | None = None

    def seen(self) -> SeenEndpoint:
        """In the decider's words. A deployment that can't be understood exists, in an unknown state."""
        record, listing = self.endpoint.value, self.deployments
        states = {names_in(item.item): UNKNOWN for item in listing.unreadable} if listing else {}
        states |= {item.name.lower(): item.provisioning_state for item in listing} if listing else {}
        return SeenEndpoint(
            exists=True,
            split=Split.of(record.traffic, record.mirror_traffic),
            provisioning_state=record.provisioning_state,
            deployments={name: state for name, state in states.items() if name},
            complete=listing is not None and "" not in states,
            instances={item.name.lower(): item.instance_count for item in listing} if listing else {},
            created={item.name.lower(): item.created_at for item in listing} if listing else {},
        )


async def read_endpoint(azure: Azure, arm_id: str, *, with_deployments: bool) -> Sight:
    """Read side by side what a decision needs."""
    if not with_deployments:
        return Sight(await azure.get_endpoint(arm_id, urgent=True))
    async with asyncio.TaskGroup() as group:
        endpoint = group.create_task(azure.get_endpoint(arm_id, urgent=True))
        deployments = group.create_task(azure.list_deployments(arm_id, urgent=True))
    return Sight(endpoint.result(), deployments.result())


async def read_setting(azure: Azure, arm_id: str) -> SeenSetting:
    """The autoscale setting as it stands; that there is none is an answer."""
    try:
        return SeenSetting((await azure.get_autoscale(arm_id)).value.raw)
    except errors.NotFoundInAzure:
        return SeenSetting(None)


def names_in(item: str) -> str:
    """The deployment's name out of its ARM id, lower-case; "" where the item could not even be named."""
    return item.rpartition("/")[2].lower() if item.startswith("/") else ""


GONE = SeenEndpoint(exists=False, split=Split({}), provisioning_state="", deployments={})


def operation(status: OperationStatus, now: datetime) -> SeenOperation:
    """Azure's operation document in the decider's words."""
    if not status.ended:
        return SeenOperation(running=True, retry_at=_in(status.retry_after, now))
    if status.succeeded:
        return SeenOperation(running=False)
    said = f"{status.error_code}: {status.error_message}".strip(": ")
    return SeenOperation(running=False, failure=said or f"the operation ended as {status.status}")
