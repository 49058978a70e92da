"""What people order of capacity on the stage, and what Azure really has of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endpoints.changes import services
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.changes.selectors import rollback_offer
from tests.flows.stage import CHECKOUT, Stage, wait_for

BLUE, GREEN = f"{CHECKOUT}/deployments/blue", f"{CHECKOUT}/deployments/green"
SETTING = (
    "/subscriptions/5b0a1c52-0000-4000-8000-000000000001/resourceGroups/rg-ml-prod"
    "/providers/Microsoft.Insights/autoscalesettings/as-checkout-risk-blue"
)


def delete(scream: int = 1, name: str = "green") -> CapacityOrder:
    return CapacityOrder(Want.DELETE, name, scream=scream, typed=name)


def delete_endpoint(scream: int = 1) -> CapacityOrder:
    return CapacityOrder(Want.DELETE_ENDPOINT, scream=scream, typed="checkout-risk")


def scale(instances: int) -> CapacityOrder:
    return CapacityOrder(Want.SCALE, "blue", instances=instances)


def autoscale(most: int | None, was: int | None = None) -> CapacityOrder:
    """From 2 to `most` instances of blue where `was` were the most; None is no setting."""
    document, previous = (None if bound is None else bounds(bound) for bound in (most, was))
    return CapacityOrder(Want.AUTOSCALE, "blue", setting=SETTING, document=document, previous=previous)


def bounds(most: int) -> dict[str, Any]:
    capacity = {"minimum": "2", "default": "2", "maximum": str(most)}
    profile = {"name": "usual", "capacity": capacity, "rules": []}
    return {
        "location": "westeurope",
        "properties": {"targetResourceUri": BLUE, "enabled": True, "profiles": [profile]},
    }


def ask(world: Stage, order: CapacityOrder) -> int:
    return services.request_capacity(
        principal=world.requester, endpoint_id=world.endpoint_id, order=order, reason="nobody needs it"
    )


def begun(world: Stage, order: CapacityOrder) -> int:
    """Asked for, approved with every warning accepted, and started."""
    return world.start(world.approve(ask(world, order)))


def done(world: Stage, order: CapacityOrder) -> int:
    number = begun(world, order)
    world.until(number, "succeeded")
    return number


def roll_back(world: Stage, undoes: int) -> int:
    """Order the rollback that is offered of this change; its number."""
    offer = rollback_offer(world.operator, world.endpoint_id, world.workspace_id)
    (target,) = [one for one in offer.targets if one.undoes == undoes]
    receipt = services.roll_back(
        principal=world.operator, endpoint_id=world.endpoint_id, target_key=target.key
    )
    return receipt.change_id


def screams(world: Stage, number: int) -> None:
    """Its scream test runs: the split is in force, and nothing was deleted."""
    wait_for(f"the scream test of CR-{number}", lambda: world.change(number).state == "baking")


def calls(world: Stage, method: str) -> int:
    """How many such writes reached Azure."""
    return sum(request["method"] == method for request in world.writes())


def there(world: Stage, resource: str) -> bool:
    return resource.lower() in world.azure.admin.world()


def instances(world: Stage, deployment: str = BLUE) -> int:
    return int(world.azure.admin.resource(deployment)["document"]["sku"]["capacity"])


def most(world: Stage) -> int | None:
    """The upper bound of blue's setting; None: it has none."""
    if not there(world, SETTING):
        return None
    document: Mapping[str, Any] = world.azure.admin.resource(SETTING)["document"]
    return int(document["properties"]["profiles"][0]["capacity"]["maximum"])


def outcomes(world: Stage, number: int) -> list[tuple[str, str]]:
    return [(attempt.verb, attempt.outcome) for attempt in world.attempts(number)]
