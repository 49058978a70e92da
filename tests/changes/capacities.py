"""What people do with capacity changes, in one line each, at the desk of traffic changes."""

from __future__ import annotations

from typing import Any

from endpoints.access.models import User
from endpoints.changes import services
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.changes.models import Change, ChangeRevision, Lease
from endpoints.changes.plan import Step, steps_from_json
from tests.changes.desk import ALL_BLUE, Desk
from tests.support.people import principal

SCALE = CapacityOrder(Want.SCALE, "blue", instances=4)
DELETE = CapacityOrder(Want.DELETE, "green", typed="green")
DELETE_ENDPOINT = CapacityOrder(Want.DELETE_ENDPOINT, typed="checkout-risk")
SETTING = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/autoscalesettings/blue"


def document(most: int = 4, least: int = 1, threshold: float = 70.5) -> dict[str, Any]:
    """An autoscale setting as Azure Monitor keeps it."""
    bounds = {"minimum": str(least), "default": str(least), "maximum": str(most)}
    rule = {"metricTrigger": {"threshold": threshold}}
    return {"properties": {"profiles": [{"name": "usual", "capacity": bounds, "rules": [rule]}]}}


AUTOSCALE = CapacityOrder(Want.AUTOSCALE, "blue", setting=SETTING, document=document(3), previous=document(4))


def ask(desk: Desk, order: CapacityOrder = SCALE, by: User | None = None, **more: Any) -> int:
    return services.request_capacity(
        **{
            "principal": principal(by or desk.requester),
            "endpoint_id": desk.endpoint_id,
            "order": order,
            "reason": "less load since the season ended",
        }
        | more
    )


def begun(desk: Desk, order: CapacityOrder = SCALE) -> int:
    """Asked for, approved with every warning accepted, and started."""
    return desk.start(desk.approve(ask(desk, order)))


def done(desk: Desk, number: int, state: str = "succeeded") -> int:
    """As the executor leaves it."""
    desk.finish(number, state)
    Lease.objects.update(goal=None)
    return number


def has(desk: Desk, count: int) -> None:
    """Azure reports so many instances of blue."""
    desk.azure_shows(
        ALL_BLUE, deployments={"blue": {"sku": {"name": "Default", "capacity": count}}, "green": {}}
    )


def scaled(desk: Desk, count: int = 4) -> int:
    """A capacity change that came off: blue has `count` instances where it had two."""
    number = begun(desk, CapacityOrder(Want.SCALE, "blue", instances=count))
    has(desk, count)
    return done(desk, number)


def plan(number: int) -> tuple[Step, ...]:
    change = Change.objects.get(pk=number)
    return steps_from_json(ChangeRevision.objects.get(change=change, number=change.revision).plan)
