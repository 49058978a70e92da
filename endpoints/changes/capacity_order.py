"""What somebody asks for who wants other capacity: scale, set autoscale, delete. Its steps, and what is wrong. Pure.

Whatever is deleted has had no traffic for a while before: a scream test, in which those who still need it are heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from endpoints.changes.autoscale_shape import shape_problems
from endpoints.changes.draft import shift
from endpoints.changes.plan import (
    LONGEST_BAKE,
    Base,
    Step,
    delete_deployment,
    delete_endpoint,
    patch_capacity,
    put_autoscale,
    put_split,
)
from endpoints.changes.scaling import MOST_INSTANCES
from endpoints.core import traffic


class Want(StrEnum):
    """What is wanted of a deployment, or of the endpoint."""

    SCALE = "scale"
    AUTOSCALE = "autoscale"
    DELETE = "delete"
    DELETE_ENDPOINT = "delete-endpoint"


DELETING = frozenset({Want.DELETE, Want.DELETE_ENDPOINT})


@dataclass(frozen=True, slots=True)
class CapacityOrder:
    """One wish. `instances` of SCALE; `setting`, `document` and `previous` of AUTOSCALE, where None means no setting.

    `setting` is its ARM id, `previous` what stood there when it was read last. Of deletes: `scream`, the seconds
    without traffic before, and `typed`, the name of what goes, as the person typed it.
    """

    want: Want
    deployment: str = ""
    instances: int | None = None
    setting: str = ""
    document: Mapping[str, Any] | None = None
    previous: Mapping[str, Any] | None = None
    scream: int = 0
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The endpoint that the order is for. `instances`: by lower-case name, None where Azure did not say.

    `spelled`: the same names as Azure spells them. `least_scream`: the shortest scream test, in seconds.
    """

    endpoint: str
    base: Base
    instances: Mapping[str, int | None]
    spelled: Mapping[str, str] = field(default_factory=dict)
    least_scream: int = 0


def steps_of(
    order: CapacityOrder, base: Base, instances: Mapping[str, int | None] | None = None
) -> tuple[Step, ...]:
    """The plan of an order that has no problems. `instances` that stand now, by lower-case name."""
    name, split, mirror = order.deployment.lower(), base.split, base.mirror
    match order.want:
        case Want.SCALE:
            was = (instances or {}).get(name) or 0
            return (patch_capacity(name, order.instances or 0, split, mirror, was=was),)
        case Want.AUTOSCALE:
            return (put_autoscale(name, order.setting, order.document, order.previous, split, mirror),)
        case Want.DELETE:
            left, mirrored = without(name, split), _without(name, mirror)
            return (put_split(left, mirrored, bake=order.scream), delete_deployment(name, left, mirrored))
        case Want.DELETE_ENDPOINT:
            return (put_split({}, {}, bake=order.scream), delete_endpoint())


def without(name: str, split: Mapping[str, int]) -> traffic.Split:
    """The split with this deployment's share given to the others, in proportion, to whole percents."""
    kept = traffic.normalise(split)
    return shift(kept, name, 0) if name in kept else kept


def _without(name: str, mirror: Mapping[str, int]) -> traffic.Split:
    return {other: share for other, share in traffic.normalise(mirror).items() if other != name}


def problems(order: CapacityOrder, known: Known) -> dict[str, list[str]]:
    """What is wrong with it by field, in words; {} when it can be asked for."""
    name, found = order.deployment.lower(), {}
    if order.want is not Want.DELETE_ENDPOINT and name not in known.instances:
        said = "is no deployment of this endpoint" if name else "Say which deployment"
        return {"deployment": [f"{order.deployment} {said}." if name else f"{said}."]}
    match order.want:
        case Want.SCALE:
            found["instances"] = _scale(order, known)
        case Want.AUTOSCALE:
            found["document"] = _autoscale(order)
        case Want.DELETE:
            found["deployment"] = _whether_it_may_go(name, known)
    if order.want in DELETING:
        goes = known.endpoint if order.want is Want.DELETE_ENDPOINT else known.spelled.get(name, name)
        found |= {"scream": _scream(order.scream, known.least_scream), "typed": _typed(order.typed, goes)}
    return {field: told for field, told in found.items() if told}


def _scale(order: CapacityOrder, known: Known) -> list[str]:
    count, name = order.instances, order.deployment.lower()
    if count is None or not 1 <= count <= MOST_INSTANCES:
        return [f"From 1 to {MOST_INSTANCES} instances can be asked for."]
    if count == known.instances[name]:
        return [f"{name} has {count} {_instances(count)} already. Nothing would change."]
    return []


def _autoscale(order: CapacityOrder) -> list[str]:
    if not order.setting:
        return ["Say which autoscale setting."]
    if order.document is None and order.previous is None:
        return ["There is no such autoscale setting. Nothing would change."]
    if order.document == order.previous:
        return ["The autoscale setting is like this already. Nothing would change."]
    return [] if order.document is None else shape_problems(order.document, most=MOST_INSTANCES)


def _whether_it_may_go(name: str, known: Known) -> list[str]:
    split = traffic.normalise(known.base.split)
    if name in split and len(split) == 1:
        return [
            f"{name} carries all the traffic of {known.endpoint}. Give it to another deployment first, or delete the "
            "endpoint."
        ]
    return []


def _scream(seconds: int, least: int) -> list[str]:
    if least <= seconds <= LONGEST_BAKE:
        return []
    return [f"The scream test takes from {spell(least)} to {spell(LONGEST_BAKE)}."]


def _typed(typed: str, name: str) -> list[str]:
    return [] if typed == name else [f"Type {name} to confirm that it is deleted. Nothing was stored."]


def spell(seconds: int) -> str:
    """ "24 h", "90 s": the largest unit in which it is whole."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0 and (unit != "days" or seconds >= 2 * size):
            return f"{seconds // size}\u00a0{unit}"
    return f"{seconds}\u00a0s"


def _instances(count: int) -> str:
    return "instance" if count == 1 else "instances"
