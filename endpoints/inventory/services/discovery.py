"""Ask Resource Graph what a subscription holds, beside what is mirrored: a few calls for thousands of endpoints.

It serves to notice what nobody connected. The mirror itself is read from the resources, and nothing waits for this.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import structlog
from asgiref.sync import async_to_sync

from endpoints.access.models import Workspace
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import GatewayError
from endpoints.azure_gateway.records import Found, Listing
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.dispatch import db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.coverage import Coverage, coverage
from endpoints.inventory.models import Discovery

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=30)
_LONGEST_LIST = 200


def discover(
    *, settings: GatewaySettings | None = None, every: timedelta = EVERY
) -> dict[str, Coverage | None]:
    """Look into the connected subscriptions that were not looked into for so long; None where there was no answer."""
    return {
        subscription: _one(subscription, workspaces, settings or gateway_settings())
        for subscription, workspaces in _due(every).items()
    }


def _due(every: timedelta) -> dict[str, list[str]]:
    """ARM ids of connected workspaces by subscription, of those whose turn it is."""
    recent = set(
        Discovery.objects.filter(looked_at__gt=db_now() - every).values_list("subscription", flat=True)
    )
    due: dict[str, list[str]] = defaultdict(list)
    connected = Workspace.objects.filter(disconnected_at__isnull=True)
    for subscription, arm_id in connected.values_list("subscription_id", "arm_id"):
        if subscription.lower() not in recent:
            due[subscription.lower()].append(arm_id)
    return due


def _one(subscription: str, workspaces: list[str], settings: GatewaySettings) -> Coverage | None:
    try:
        listing = async_to_sync(_ask)(subscription, settings)
    except GatewayError as error:
        log.info("resource_graph_silent", subscription=subscription, cause=error.code or type(error).__name__)
        # What was found before stays, with the time it was found at.
        Discovery.objects.update_or_create(
            subscription=subscription, defaults={"looked_at": db_now(), "reason": error.message[:1000]}
        )
        return None
    found = coverage((item.arm_id for item in listing), workspaces)
    Discovery.objects.update_or_create(
        subscription=subscription,
        defaults={
            "looked_at": db_now(),
            "found_at": listing.response_ended,
            "reason": "",
            "endpoints": found.found,
            "connected": found.connected,
            "elsewhere": [
                {"workspace": one.workspace, "endpoints": one.endpoints}
                for one in found.elsewhere[:_LONGEST_LIST]
            ],
        },
    )
    return found


async def _ask(subscription: str, settings: GatewaySettings) -> Listing[Found]:
    async with connect(settings) as azure:
        return await azure.find_endpoints([subscription])
