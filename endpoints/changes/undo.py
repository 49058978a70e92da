"""What beside the split a capacity change moved, and the steps of a rollback that puts it back. Pure.

Traffic goes first: it is what people suffer from. Instances that a rollback needs for its traffic ("scale first") come
before it; what follows the split, or stands without one, is what the rollback is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from endpoints.changes.plan import Base, Step, patch_capacity, put_autoscale, put_split
from endpoints.core import traffic


@dataclass(frozen=True, slots=True)
class Setting:
    """An autoscale setting to be put back: `document` (None: no setting) where `ordered` was put."""

    deployment: str
    arm_id: str
    document: Mapping[str, Any] | None
    ordered: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes back beside the split: instances by deployment, and an autoscale setting."""

    instances: Mapping[str, int] = field(default_factory=dict)
    setting: Setting | None = None

    def __bool__(self) -> bool:
        return bool(self.instances) or self.setting is not None

    @property
    def words(self) -> str:
        """ "4 instances of blue", "the autoscale setting of blue"; "" when there is nothing."""
        told = [
            f"{count} {'instance' if count == 1 else 'instances'} of {name}"
            for name, count in sorted(self.instances.items())
        ]
        if self.setting:
            what = "the autoscale setting" if self.setting.document is not None else "no autoscale setting"
            told.append(f"{what} of {self.setting.deployment}")
        return " and ".join(told)


NOTHING = Beside()


def before(steps: Sequence[Step]) -> Beside:
    """What a capacity change found: instances where they were known, and the autoscale setting that stood."""
    instances: dict[str, int] = {}
    setting: Setting | None = None
    for step in steps:
        if step.verb == "patch_capacity" and step.was:
            instances.setdefault(step.deployment, step.was)
        if step.verb == "put_autoscale":
            setting = setting or Setting(step.deployment, step.setting, step.previous, step.document)
    return Beside(instances, setting)


def touched(steps: Sequence[Step]) -> frozenset[str]:
    """Deployments that a plan scales, and autoscale settings that it puts: of these an older word is no way back."""
    scaled = {step.deployment for step in steps if step.verb == "patch_capacity"}
    return frozenset(scaled | {step.setting.lower() for step in steps if step.verb == "put_autoscale"})


def goal(steps: Sequence[Step]) -> tuple[traffic.Split, traffic.Split, Beside]:
    """Where a rollback goes: its split and mirror, and what it puts back beside them."""
    splits = [number for number, step in enumerate(steps) if step.verb == "put_split"]
    first = splits[-1] + 1 if splits else 0
    asked = steps[splits[-1]] if splits else steps[-1]
    instances = {step.deployment: step.instances for step in steps[first:] if step.verb == "patch_capacity"}
    settings = [
        Setting(step.deployment, step.setting, step.document, step.previous)
        for step in steps[first:]
        if step.verb == "put_autoscale"
    ]
    return asked.split, asked.mirror, Beside(instances, settings[0] if settings else None)


def essential(steps: Sequence[Step], number: int) -> bool:
    """Whether a rollback is for what its step `number` orders: no split comes after that it only prepares."""
    return all(step.verb != "put_split" for step in steps[number + 1 :])


def way_back(
    split: traffic.Split,
    mirror: traffic.Split,
    beside: Beside,
    *,
    now: Base,
    scale_first: Mapping[str, int],
) -> tuple[Step, ...]:
    """The steps of a rollback. The split is ordered unless it is in force and there is something else to do."""
    scaled = {name: count for name, count in scale_first.items() if name not in beside.instances}
    steps = [patch_capacity(name, count, now.split, now.mirror) for name, count in sorted(scaled.items())]
    same = traffic.same(split, now.split) and traffic.same(mirror, now.mirror)
    if not same or scaled or not beside:
        steps.append(put_split(split, mirror))
    steps += [patch_capacity(name, count, split, mirror) for name, count in sorted(beside.instances.items())]
    if (one := beside.setting) is not None:
        steps.append(put_autoscale(one.deployment, one.arm_id, one.document, one.ordered, split, mirror))
    return tuple(steps)
