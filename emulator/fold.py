"""The world is a fold over its log: records in, resources and operations out. No clock, no chance, no files.

Every record carries the whole document that holds after it, so that one record can be understood alone and
the fold never has to know a rule. Who may write which record is decided by `control.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emulator import names
from emulator.values import Json

Kind = Literal["workspace", "endpoint", "deployment", "autoscale"]
Phase = Literal["begun", "applied", "failed"]


@dataclass(frozen=True, slots=True)
class Who:
    """The caller: object id and display name, and the type that `systemData` shows."""

    id: str
    name: str
    type: str = "Application"
    upn: str | None = None
    """A person's user principal name, which the activity log shows; made of the name where none is told."""
    app_id: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the world log. `due` is when a begun operation ends; None there means never."""

    n: int
    at: str
    who: Who
    verb: str
    phase: Phase
    resource: str
    kind: Kind
    state: str | None = None
    document: Json | None = None
    operation: str | None = None
    due: str | None = None
    error: Json | None = None
    request_id: str | None = None

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Record:
        return cls(**{**value, "who": Who(**value["who"])})


@dataclass(slots=True)
class Operation:
    id: str
    resource: str
    kind: Kind
    verb: str
    who: Who
    begun_at: str
    due: str | None
    ended_at: str | None = None
    error: Json | None = None
    planned: Record | None = None
    """The begun record while the operation runs: what it will do and, if it is to fail, why."""


@dataclass(slots=True)
class Resource:
    id: str
    kind: Kind
    body: Json
    """What is in force. A running write waits in `pending`."""
    state: str
    created_at: str
    created_by: Who
    modified_at: str
    modified_by: Who
    version: int
    operation: str | None = None
    pending: Json | None = None
    previous: Json | None = None
    settled_at: str | None = None


@dataclass(slots=True)
class World:
    resources: dict[str, Resource] = field(default_factory=dict)
    children: dict[str, dict[str, None]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    running: dict[str, Operation] = field(default_factory=dict)
    """Operations that have not ended, by the key of their resource."""
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    """Endpoint keys that were regenerated; the first ones are derived from the seed."""
    regional: dict[tuple[str, str], str] = field(default_factory=dict)
    """Endpoint names are unique per region: (region, name) to the endpoint's key."""
    versions: dict[str, int] = field(default_factory=dict)
    """The number of the last record under a parent, so that cached list pages know their age."""
    last: int = 0

    def find(self, resource_id: str) -> Resource | None:
        return self.resources.get(names.key(resource_id))

    def below(self, parent: str) -> list[Resource]:
        return [self.resources[child] for child in self.children.get(names.key(parent), ())]

    def endpoint_in_region(self, region: str, name: str) -> Resource | None:
        return self.resources.get(self.regional.get((region.lower(), name.lower()), ""))


def fold(records: Iterable[Record]) -> World:
    world = World()
    for record in records:
        apply(world, record)
    return world


def apply(world: World, record: Record) -> None:
    """Take one record into the world. Records come in order of `n`, each once."""
    if record.n != world.last + 1:
        raise ValueError(f"Record {record.n} follows record {world.last}: the world log has a gap.")
    world.last = record.n
    if record.verb == "regenerate_keys":
        _keys(world, record)
    elif record.phase == "begun":
        _begin(world, record)
    elif record.verb == "delete" and record.phase == "applied":
        _remove(world, names.key(record.resource), record.at)
    else:
        _settle(world, record)
    _operation(world, record)
    world.versions[names.parent_key(record.resource)] = record.n


def _begin(world: World, record: Record) -> None:
    found = world.find(record.resource)
    if found is None:
        found = _add(world, record)
    else:
        found.pending = record.document
    found.state = record.state or found.state
    found.operation = record.operation
    _touch(found, record)


def _settle(world: World, record: Record) -> None:
    """A write that took effect, or failed and left the document that the record names."""
    found = world.find(record.resource)
    if found is None:
        found = _add(world, record)
        _touch(found, record)
    if record.document is not None:
        found.previous, found.body = found.body, record.document
    if record.operation is None or record.operation not in world.operations:
        _touch(found, record)  # a write of one record: no begun record has touched it before
    found.settled_at = record.at
    found.version = record.n
    running = world.running.get(names.key(record.resource))
    if running is None or running.id == record.operation:  # else somebody else's operation goes on
        found.operation = record.operation or found.operation
        found.pending = None
        found.state = record.state or found.state


def _touch(found: Resource, record: Record) -> None:
    found.modified_at, found.modified_by, found.version = record.at, record.who, record.n


def _add(world: World, record: Record) -> Resource:
    added = Resource(
        id=record.resource,
        kind=record.kind,
        body=record.document or {},
        state=record.state or "Succeeded",
        created_at=record.at,
        created_by=record.who,
        modified_at=record.at,
        modified_by=record.who,
        version=record.n,
    )
    key = names.key(record.resource)
    world.resources[key] = added
    world.children.setdefault(names.parent_key(key), {})[key] = None
    if record.kind == "endpoint":
        world.regional[_regional(added)] = key
    return added


def _remove(world: World, key: str, at: str) -> None:
    for child in list(world.children.get(key, ())):
        _remove(world, child, at)
    gone = world.resources.pop(key, None)
    world.children.pop(key, None)
    world.children.get(names.parent_key(key), {}).pop(key, None)
    world.keys.pop(key, None)
    running = world.running.pop(key, None)
    if running is not None:
        running.planned, running.ended_at = None, at
        running.error = {"code": "OperationCanceled", "message": "The resource was deleted meanwhile."}
    if gone is not None and gone.kind == "endpoint":
        world.regional.pop(_regional(gone), None)


def _regional(endpoint: Resource) -> tuple[str, str]:
    return str(endpoint.body.get("location", "")).lower(), names.last(endpoint.id).lower()


def _keys(world: World, record: Record) -> None:
    if record.phase == "applied" and record.document is not None:
        world.keys.setdefault(names.key(record.resource), {}).update(record.document)


def _operation(world: World, record: Record) -> None:
    if record.operation is None:
        return
    key = names.key(record.resource)
    operation = world.operations.get(record.operation)
    if operation is None:
        operation = Operation(
            record.operation, record.resource, record.kind, record.verb, record.who, record.at, record.due
        )
        world.operations[record.operation] = operation
    if record.phase == "begun":
        operation.planned = record
        world.running[key] = operation
        return
    operation.ended_at, operation.error, operation.planned = record.at, record.error, None
    if world.running.get(key) is operation:
        del world.running[key]
