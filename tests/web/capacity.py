"""Changes of capacity for the tests of pages and API."""

from __future__ import annotations

from typing import Any

from endpoints.access.models import User
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.changes.services.request_capacity import request_capacity
from endpoints.inventory.models import Endpoint
from tests.support.people import principal

SETTING = "/subscriptions/s/resourceGroups/rg/providers/microsoft.insights/autoscalesettings/blue-scale"


def setting(least: int, most: int) -> dict[str, Any]:
    """A setting as Azure keeps it, with one rule out and one in."""
    return {
        "location": "westeurope",
        "properties": {
            "enabled": True,
            "targetResourceUri": "/subscriptions/s/deployments/blue",
            "profiles": [
                {
                    "name": "usual",
                    "capacity": {"minimum": str(least), "maximum": str(most), "default": str(least)},
                    "rules": [_rule("GreaterThan", 70, "Increase"), _rule("LessThan", 30, "Decrease")],
                }
            ],
        },
    }


def _rule(operator: str, threshold: int, direction: str) -> dict[str, Any]:
    return {
        "metricTrigger": {
            "metricName": "CpuUtilizationPercentage",
            "metricResourceUri": "/subscriptions/s/deployments/blue",
            "operator": operator,
            "threshold": threshold,
            "statistic": "Average",
            "timeAggregation": "Average",
            "timeGrain": "PT1M",
            "timeWindow": "PT5M",
        },
        "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
    }


SCALE = CapacityOrder(Want.SCALE, "blue", instances=1)
DELETE = CapacityOrder(Want.DELETE, "green", scream=3600, typed="green")
DELETE_ENDPOINT = CapacityOrder(Want.DELETE_ENDPOINT, scream=3600, typed="checkout-risk")
AUTOSCALE = CapacityOrder(
    Want.AUTOSCALE, "blue", setting=SETTING, document=setting(1, 3), previous=setting(1, 5)
)
ORDERS = {"scale": SCALE, "delete": DELETE, "delete-endpoint": DELETE_ENDPOINT, "autoscale": AUTOSCALE}


def asked_for(author: User, endpoint: Endpoint, order: CapacityOrder, *, origin: str = "") -> int:
    """The number of a change that somebody asked for."""
    return request_capacity(
        principal=principal(author), endpoint_id=endpoint.pk, order=order, reason="It idles", origin=origin
    )
