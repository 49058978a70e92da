"""The checks of capacity changes: those that traffic has no need of. Pure.

What a delete takes away for ever is looked at harder than what can be put back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from endpoints.changes import hearing
from endpoints.changes.autoscale_shape import shape_problems
from endpoints.changes.capacity import Replicas
from endpoints.changes.hearing import Heard
from endpoints.changes.plan import DELETES, Base, Step, rising
from endpoints.changes.scaling import MOST_INSTANCES
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.core import traffic

STANDS = "What is changed stands"
FOUND = "Instances are as they were when this was written"
SETTING = "Azure can take this autoscale setting"
SENT = "Nothing is sent to what is deleted"
PROMISED = "Nobody was promised that it stays"
LOST = "Rollbacks that this takes away"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known for a plan that deletes. `heard`: of what goes, in minutes of the last day at weight 0.

    `promised`: why some of it has to stay, in sentences. `lost`: recent splits that can't be gone back to any more.
    """

    heard: Mapping[str, Heard] = field(default_factory=dict)
    promised: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def of_capacity(steps: Sequence[Step]) -> bool:
    """Whether a plan is about more than traffic."""
    return any(step.verb != "put_split" for step in steps)


def deletes(steps: Sequence[Step]) -> bool:
    """Whether a plan deletes anything."""
    return any(step.verb in DELETES for step in steps)


def deletes_endpoint(steps: Sequence[Step]) -> bool:
    """Whether a plan deletes the whole endpoint."""
    return any(step.verb == "delete_endpoint" for step in steps)


def doomed(steps: Sequence[Step], deployments: Sequence[str] | Mapping[str, str]) -> list[str]:
    """The deployments that a plan deletes, out of those that stand."""
    if deletes_endpoint(steps):
        return sorted(deployments)
    return sorted(step.deployment for step in steps if step.verb == "delete_deployment")


def moves_load(base: Base, steps: Sequence[Step]) -> bool:
    """Whether anybody carries more by this plan, or the same with less."""
    return any(step.verb == "patch_capacity" or rising(base.split, step.split) for step in steps)


def checks(
    base: Base,
    steps: Sequence[Step],
    deployments: Mapping[str, str],
    replicas: Mapping[str, Replicas],
    ground: Ground,
) -> list[Verdict]:
    """Its own checks, in the order in which people ask."""
    found = [] if deletes_endpoint(steps) else [_stands(steps, deployments)]
    found += [_as_found(step, replicas) for step in steps if step.verb == "patch_capacity" and step.was]
    found += [_shape(step) for step in steps if step.verb == "put_autoscale"]
    if deletes(steps):
        going = doomed(steps, deployments)
        found += [_sent(base, going), _heard(ground), _promised(ground), _lost(ground)]
    return found


def _stands(steps: Sequence[Step], deployments: Mapping[str, str]) -> Verdict:
    """What is broken can be deleted, and is not scaled."""
    step = next(step for step in steps if step.deployment)
    name, state = step.deployment, deployments.get(step.deployment)
    if state is None:
        return Verdict(STANDS, Outcome.FAIL, f"{name} was not found in Azure.")
    if state == "Deleting":
        return Verdict(STANDS, Outcome.FAIL, f"{name} is being deleted already.")
    broken = state in ("Failed", "Canceled")
    if state != "Succeeded" and not broken:
        return Verdict(STANDS, Outcome.INCONCLUSIVE, f"{name} is {state or 'in a state that is not known'}.")
    if broken and step.verb != "delete_deployment":
        return Verdict(STANDS, Outcome.FAIL, f"{name} is {state}.")
    return Verdict(STANDS, Outcome.PASS, f"{name} is {state}.")


def _as_found(step: Step, replicas: Mapping[str, Replicas]) -> Verdict:
    behind = replicas.get(step.deployment)
    now = behind.instances if behind else None
    if now is None:
        return Verdict(FOUND, Outcome.INCONCLUSIVE, f"Azure does not say how many {step.deployment} has now.")
    if now == step.was:
        return Verdict(
            FOUND, Outcome.PASS, f"{step.deployment} has {now}; this brings it to {step.instances}."
        )
    words = (
        f"{step.deployment} had {step.was} and has {now} now: somebody, or autoscale, was there. This brings it to "
        f"{step.instances}."
    )
    return Verdict(FOUND, Outcome.WARN, words)


def _shape(step: Step) -> Verdict:
    if step.document is None:
        return Verdict(SETTING, Outcome.PASS, f"{step.deployment} has none afterwards.")
    if found := shape_problems(step.document, most=MOST_INSTANCES):
        return Verdict(SETTING, Outcome.FAIL, " ".join(found))
    return Verdict(SETTING, Outcome.PASS, "Its profiles have bounds that follow each other.")


def _sent(base: Base, going: Sequence[str]) -> Verdict:
    told = [f"{name} carries {base.split[name]}\u00a0% now" for name in going if name in base.split]
    told += [
        f"{base.mirror[name]}\u00a0% are mirrored to {name} now" for name in going if name in base.mirror
    ]
    if told:
        return Verdict(SENT, Outcome.WARN, f"{'; '.join(told)}: the scream test begins by ending that.")
    return Verdict(SENT, Outcome.PASS, f"Azure reports {traffic.describe(base.split)}.")


def _heard(ground: Ground) -> Verdict:
    if not ground.heard:
        return Verdict(hearing.SCREAM, Outcome.PASS, "No deployment stands that could be asked for.")
    return hearing.judge_day(ground.heard)


def _promised(ground: Ground) -> Verdict:
    if ground.promised:
        return Verdict(PROMISED, Outcome.FAIL, " ".join(ground.promised))
    return Verdict(PROMISED, Outcome.PASS, "No rollback target and no evidence of a case is among it.")


def _lost(ground: Ground) -> Verdict:
    if ground.lost:
        words = f"Nobody can go back to these afterwards: {'; '.join(ground.lost)}. Its files are kept."
        return Verdict(LOST, Outcome.WARN, words)
    return Verdict(LOST, Outcome.PASS, "None: no recent split needs it.")
