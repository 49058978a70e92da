"""What the scenario tells of quota and prices, and whether a write finds quota enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator import names
from emulator.compute import quota, sizes
from emulator.compute.quota import Limit
from emulator.control import Fate
from emulator.fold import Resource, World
from emulator.values import Json


@dataclass(frozen=True, slots=True)
class Market:
    limits: tuple[Limit, ...] = ()
    unpriced: frozenset[str] = frozenset()
    """Sizes, in lower case, whose price Azure does not tell."""
    retail: Mapping[str, float] = field(default_factory=dict)
    """By how much the retail list differs from the list of sizes, by lower-case size."""

    def limit(self, subscription: str, region: str, family: str, default: int) -> int:
        return quota.limit(self.limits, subscription, region, family, default)

    def fate(
        self, world: World, found: Resource | None, deployment: str, wanted: Json, default: int
    ) -> Fate | None:
        """The failure of a write that asks for more cores than are left; None where they suffice."""
        need = quota.needed(wanted)
        if need is None:
            return None
        family, cores = need
        held = None if found is None else quota.held_by(world, found)
        more = cores - (held.cores if held is not None and held.family == family else 0)
        if more <= 0:
            return None
        region = sizes.region_key(str(wanted.get("location", "")))
        subscription = names.subscription_of(deployment)
        used = sum(
            item.cores for item in quota.holdings(world, subscription, region) if item.family == family
        )
        left = self.limit(subscription, region, family, default) - used
        if more <= left:
            return None
        size = str(wanted["properties"]["instanceType"])
        return Fate(error=quota.refusal(size, family, region, asked=more, left=left))
