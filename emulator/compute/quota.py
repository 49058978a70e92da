"""Quota: how many cores of a family stand in a region, how many may, and what a write would need. Pure.

Azure reserves ceil(1.2 x instances) x cores for a deployment, some sizes excepted: an upgrade needs the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.compute import sizes
from emulator.compute.sizes import Size
from emulator.fold import Resource, World
from emulator.values import Json

OUT_OF_QUOTA = "OutOfQuota"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many cores of a family, in one subscription and region or, where they are None, in all of them."""

    family: str
    cores: int
    subscription: str | None = None
    region: str | None = None

    def covers(self, subscription: str, region: str, family: str) -> bool:
        return (
            self.family.lower() == family.lower()
            and self.subscription in {None, subscription.lower()}
            and self.region in {None, region}
        )


@dataclass(frozen=True, slots=True)
class Holding:
    """What one deployment holds of the quota."""

    deployment: Resource
    family: str
    cores: int


def limit(limits: tuple[Limit, ...], subscription: str, region: str, family: str, default: int) -> int:
    """The last that covers it counts, as the scenario told them."""
    covering = [item.cores for item in limits if item.covers(subscription, region, family)]
    return covering[-1] if covering else default


def reserved(size: Size, instances: int) -> int:
    counted = instances if size.skips_reserve else -(-12 * instances // 10)
    return counted * size.vcpus


def held_by(world: World, deployment: Resource) -> Holding | None:
    """The larger of what stands and of what a running write will bring; None for sizes without a family."""
    if _never_stood(world, deployment):
        return None
    running = world.running.get(deployment.id.lower())
    fails = running is not None and running.planned is not None and running.planned.error is not None
    bodies = (
        [deployment.body] if fails or deployment.pending is None else [deployment.body, deployment.pending]
    )
    needs = [need for body in bodies if (need := needed(body)) is not None]
    if not needs:
        return None
    family, cores = max(needs, key=lambda item: item[1])
    return Holding(deployment, family, cores)


def needed(body: Json) -> tuple[str, int] | None:
    """Family and cores that a deployment's document asks for."""
    size = sizes.find(str(body["properties"].get("instanceType") or ""))
    return None if size is None else (size.family, reserved(size, int(body["sku"]["capacity"])))


def holdings(world: World, subscription: str, region: str) -> Iterator[Holding]:
    """Everything that stands in a region of a subscription."""
    for workspace in world.below(f"/subscriptions/{subscription}"):
        for endpoint in world.below(workspace.id):
            for deployment in world.below(endpoint.id):
                if sizes.region_key(str(deployment.body.get("location", ""))) == region:
                    found = held_by(world, deployment)
                    if found is not None:
                        yield found


def refusal(size: str, family: str, region: str, *, asked: int, left: int) -> dict[str, Any]:
    """How an operation fails that asks for more than is left."""
    return {
        "code": OUT_OF_QUOTA,
        "message": f"Not enough quota available for {size} in {region}. {asked} further cores of {family} are"
        f" needed with the 20% reservation, {max(left, 0)} are left.",
    }


def _never_stood(world: World, deployment: Resource) -> bool:
    """Its creation fails for want of quota: nothing of it stands, unlike after other failures."""
    operation = world.operations.get(deployment.operation or "")
    if operation is None or operation.begun_at != deployment.created_at:
        return False
    error = operation.error or (operation.planned.error if operation.planned is not None else None)
    return error is not None and error.get("code") == OUT_OF_QUOTA
