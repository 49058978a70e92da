"""How many instances a share of the traffic takes, and whether quota has room for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from endpoints.changes.capacity import FULL, TIGHT, Peak, Replicas, loads
from endpoints.changes.plan import Step
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.prices.quota import quota_needed

NAME = "Quota has room for the instances"
MOST_INSTANCES = 50
"""Azure's limit for one deployment (learn.microsoft.com/azure/machine-learning/how-to-manage-quotas)."""


@dataclass(frozen=True, slots=True)
class Room:
    """The quota behind a deployment's size. `left` cores of `family`; None with `limited`: not known, `words` why."""

    family: str
    vcpus: int | None
    left: int | None
    limited: bool = True
    words: str = ""


@dataclass(frozen=True, slots=True)
class ScaleFirst:
    """Instances that deployments of a split need before it carries the measured peak; {}: none, or not known."""

    instances: Mapping[str, int]
    words: str
    quota: Verdict | None = None


def scale_first(
    step: Step, peak: Peak, replicas: Mapping[str, Replicas], rooms: Mapping[str, Room]
) -> ScaleFirst:
    """What to scale to before this split is ordered, so that nobody carries more than is comfortable."""
    over = [
        load
        for load in loads(step, peak.requests, replicas)
        if load.share is not None and load.share > FULL and load.requests is not None
    ]
    wanted: dict[str, int] = {}
    told = []
    for load in over:
        each = replicas[load.deployment].per_replica
        assert each is not None and load.requests is not None
        wanted[load.deployment] = min(MOST_INSTANCES, ceil(load.requests / (each * TIGHT)))
        told.append(f"{load.words}; {wanted[load.deployment]} would carry it")
    if not wanted:
        return ScaleFirst({}, "")
    steps = [
        Step("patch_capacity", step.split, step.mirror, deployment=name, instances=count)
        for name, count in wanted.items()
    ]
    return ScaleFirst(wanted, f"{'. '.join(told)}.", check(steps, replicas, rooms))


def scales(steps: Sequence[Step]) -> dict[str, int]:
    """The most instances that a plan asks of each deployment that it scales."""
    found: dict[str, int] = {}
    for step in steps:
        if step.verb == "patch_capacity":
            found[step.deployment] = max(step.instances, found.get(step.deployment, 0))
    return found


def check(steps: Sequence[Step], replicas: Mapping[str, Replicas], rooms: Mapping[str, Room]) -> Verdict:
    """Whether the cores that are left are enough, with the reserve that Azure keeps; of one family taken together."""
    more: dict[str, int] = {}
    unknown = []
    for name, count in sorted(scales(steps).items()):
        behind, room = replicas.get(name, Replicas(None, None)), rooms.get(name)
        now = behind.instances
        if now is not None and count <= now:
            continue
        if room is None or room.vcpus is None or now is None or (room.left is None and room.limited):
            unknown.append(f"{name}: {_why(room, now)}")
            continue
        if room.limited:
            more[room.family] = more.get(room.family, 0) + _cores(count, room.vcpus) - _cores(now, room.vcpus)
    left = {room.family: room.left for room in rooms.values() if room.left is not None}
    short = [
        f"{family} has {left[family]} cores left and {cores} are needed"
        for family, cores in sorted(more.items())
        if cores > left[family]
    ]
    if short:
        return Verdict(NAME, Outcome.FAIL, f"{'; '.join(short)}, the reserve for upgrades included.")
    if unknown:
        return Verdict(NAME, Outcome.INCONCLUSIVE, " ".join(unknown), acceptable=True)
    told = [f"{cores} of the {left[family]} cores left of {family}" for family, cores in sorted(more.items())]
    return Verdict(NAME, Outcome.PASS, f"Takes {'; '.join(told)}." if told else "No quota is needed for it.")


def _why(room: Room | None, now: int | None) -> str:
    if now is None:
        return "Azure has not said how many instances it has."
    return (room.words if room else "") or "what its size takes of which quota is not known."


def _cores(instances: int, vcpus: int) -> int:
    return quota_needed(instances, vcpus) or 0
