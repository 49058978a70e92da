"""Writes of somebody else: what `az ml`, a pipeline or the service itself does behind the portal's back.

They are in force at once and bypass the one-operation rule, so that a test can place them between any two
requests. Rules of traffic do not bind them either: a test may want a state that Azure would not have allowed.
"""

from __future__ import annotations

from typing import Any

from emulator.control import Control, Write
from emulator.fold import Operation, Resource, Who
from emulator.values import Json
from emulator.writers import person, writer

_FIELDS = {
    "traffic": "traffic",
    "mirror_traffic": "mirrorTraffic",
    "auth_mode": "authMode",
    "public_network_access": "publicNetworkAccess",
    "model": "model",
    "instance_type": "instanceType",
}
_KNOWN = {
    *_FIELDS,
    "resource",
    "who",
    "state",
    "seconds",
    "tags",
    "capacity",
    "properties",
    "delete",
    "recreate",
}


_WHO = {"name", "upn", "app_id", "object_id"}


class ForeignError(ValueError):
    """A foreign write that can't be performed."""


def perform(control: Control, order: Json) -> None:
    """Write what the order says: `resource`, `who`, and known fields; `delete` and `recreate` stand alone."""
    unknown = set(order) - _KNOWN
    if unknown:
        raise ForeignError(f"Unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}.")
    for name in ("traffic", "mirror_traffic", "tags", "properties"):
        if not isinstance(order.get(name, {}), dict):
            raise ForeignError(f"{name} is a mapping.")
    found = control.world.find(str(order.get("resource", "")))
    if found is None:
        raise ForeignError(f"There is no resource {order.get('resource')!r}.")
    who = _who(order.get("who", "az ml (someone else)"))
    if order.get("delete"):
        control.write_now(Write("delete", found.id, found.kind, who, None))
    elif order.get("recreate"):
        _recreate(control, found, who)
    else:
        _put(control, found, who, order)


def _put(control: Control, found: Resource, who: Who, order: Json) -> None:
    """At once, or as an operation of so many seconds during which the resource is busy."""
    write = Write("put", found.id, found.kind, who, _changed(found, order))
    seconds = order.get("seconds")
    if seconds is None:
        control.write_now(write, state=order.get("state"))
        return
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
        raise ForeignError(f"seconds is a number of 0 or more, not {seconds!r}.")
    if control.running_on(found.id) is not None:
        raise ForeignError("Another operation runs on this resource.")
    control.begin(write, state="Updating", seconds=seconds)


def _recreate(control: Control, found: Resource, who: Who) -> None:
    """Delete and create under the same name, with what stood below it: a new endpoint, as createdAt tells."""
    family = [found, *control.world.below(found.id)]
    control.write_now(Write("delete", found.id, found.kind, who, None))
    for item in family:
        control.write_now(Write("put", item.id, item.kind, who, item.body), state="Succeeded")


def _changed(found: Resource, order: Json) -> Json:
    properties = {**found.body["properties"], **order.get("properties", {})}
    properties.update({field: order[name] for name, field in _FIELDS.items() if name in order})
    document = {**found.body, "properties": properties}
    if "tags" in order:
        document["tags"] = order["tags"]
    if "capacity" in order:
        document["sku"] = {**document.get("sku", {}), "capacity": order["capacity"]}
    return document


def _who(value: Any) -> Who:
    """A person by name, or a mapping of `name` and, as the activity log shall show them, `upn` or `app_id`."""
    if isinstance(value, str):
        return person(value)
    if not isinstance(value, dict) or not value.get("name") or set(value) - _WHO:
        raise ForeignError(f"who is a name, or a mapping of {', '.join(sorted(_WHO))}; name must be there.")
    told = {field: None if value.get(field) is None else str(value[field]) for field in _WHO}
    return writer(str(value["name"]), upn=told["upn"], app_id=told["app_id"], object_id=told["object_id"])


def truth(resource: Resource, running: Operation | None) -> Json:
    """A resource as it really is, for the admin port."""
    return {
        "id": resource.id,
        "kind": resource.kind,
        "state": resource.state,
        "document": resource.body,
        "created_at": resource.created_at,
        "modified_at": resource.modified_at,
        "modified_by": resource.modified_by.name,
        "operation": None if running is None else running.id,
        "pending": resource.pending,
    }
