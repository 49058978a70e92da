"""What Resource Graph knows: the world as it was some seconds ago, one row a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from emulator import names, permissions
from emulator.control import Control
from emulator.documents import rendered
from emulator.fold import Resource, World, apply
from emulator.tokens import Identity
from emulator.values import Json, guid, stamp

_TYPES = {
    "workspace": names.WORKSPACE_TYPE,
    "endpoint": names.ENDPOINT_TYPE,
    "deployment": names.DEPLOYMENT_TYPE,
}


@dataclass(slots=True)
class Rows:
    """Follows the world log at a distance. A longer distance than before reads the log anew."""

    control: Control
    _world: World = field(default_factory=World)
    _cached: dict[str, tuple[int, str, Json]] = field(default_factory=dict)

    def readable(self, identity: Identity, base: str) -> Iterator[Json]:
        """Rows of what this identity may read."""
        for key, resource in self._seen().resources.items():
            if resource.kind not in _TYPES:
                continue  # autoscale settings: nobody asks for them here
            if permissions.allows(identity, f"{_TYPES[resource.kind]}/read", resource.id):
                yield self._row(key, resource, base)

    def _seen(self) -> World:
        delay = self.control.settings.behaviour.resource_graph_delay_seconds
        if delay <= 0:
            return self.control.world
        cutoff = stamp(self.control.clock() - timedelta(seconds=delay))
        records = self.control.log.records
        if self._world.last and records[self._world.last - 1].at > cutoff:
            self._world = World()
        while self._world.last < len(records) and records[self._world.last].at <= cutoff:
            apply(self._world, records[self._world.last])
        return self._world

    def _row(self, key: str, resource: Resource, base: str) -> Json:
        cached = self._cached.get(key)
        if cached is not None and cached[:2] == (resource.version, base):
            return cached[2]
        row = self._made(resource, base)
        self._cached[key] = (resource.version, base, row)
        return row

    def _made(self, resource: Resource, base: str) -> Json:
        seed = self.control.settings.seed
        shown = rendered(resource, resource.body, base=base, seed=seed)
        return {
            "id": resource.id,
            "name": names.last(resource.id),
            "type": _TYPES[resource.kind].lower(),
            "tenantId": guid(seed, "tenant"),
            "kind": str(shown.get("kind") or "").lower(),
            "location": shown.get("location", ""),
            "resourceGroup": resource.id.split("/")[4].lower(),
            "subscriptionId": names.subscription_of(resource.id),
            "managedBy": "",
            "sku": shown.get("sku"),
            "plan": None,
            "properties": shown.get("properties"),
            "tags": shown.get("tags"),
            "identity": shown.get("identity"),
            "zones": None,
            "extendedLocation": None,
            "systemData": shown.get("systemData"),
        }
