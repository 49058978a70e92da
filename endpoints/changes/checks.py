"""The automatic checks of a plan, each a pure function of what the mirror knows.

They run when a change is asked for, when it is approved, when it starts, and again right before the call.
A fact that is missing or too old is inconclusive, which holds the change as surely as a failure does.
A change of capacity has checks of its own, and of the others those that mean something for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from endpoints.changes import capacity, capacity_checks, probing, scaling
from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.capacity_checks import Ground, deletes_endpoint, moves_load, of_capacity
from endpoints.changes.plan import Base, Step, rising
from endpoints.changes.scaling import Room
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.core import traffic


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when checks run. `read_age` is in seconds, None when the endpoint was never read.

    `rooms`: quota behind deployments, where the plan scales any. `direct`: what asking them told; None: not looked at.
    `ground`: of a plan that deletes.
    """

    base: Base
    steps: tuple[Step, ...]
    live_split: traffic.Split
    live_mirror: traffic.Split
    deployments: Mapping[str, str]
    """Lower-case name to provisioning state, as Azure spells it."""
    endpoint_state: str
    other_open: tuple[int, ...]
    read_age: float | None
    stale_after: float
    unreadable: str = ""
    peak: Peak = field(default_factory=lambda: Peak(None, ""))
    replicas: Mapping[str, Replicas] = field(default_factory=dict)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    direct: probing.Direct | None = None
    ground: Ground = field(default_factory=Ground)


def run(situation: Situation) -> list[Verdict]:
    """Every check, in the order in which people ask."""
    before = _of_capacity(situation) if of_capacity(situation.steps) else _of_traffic(situation)
    return [
        *before,
        _endpoint_ready(situation),
        _base_unchanged(situation),
        _alone(situation),
        _fresh(situation),
    ]


def _of_traffic(situation: Situation) -> list[Verdict]:
    return [
        _split_is_legal(situation),
        _deployments_ready(situation),
        *probing.checks(situation.direct, steps=len(situation.steps)),
        _carried(situation),
        *_room_for(situation),
    ]


def _of_capacity(situation: Situation) -> list[Verdict]:
    """Of traffic's checks those of a split that moves, and of load only where somebody carries more."""
    base, steps = situation.base, situation.steps
    found = capacity_checks.checks(base, steps, situation.deployments, situation.replicas, situation.ground)
    if any(rising(base.split, step.split) for step in steps):
        found += [_split_is_legal(situation), _deployments_ready(situation)]
        found += probing.checks(situation.direct, steps=1)
    if moves_load(base, steps):
        found.append(_carried(situation))
    return [*found, *_room_for(situation)]


def _split_is_legal(situation: Situation) -> Verdict:
    name = "Azure takes this split"
    found = [
        problem
        for step in situation.steps
        for problem in traffic.problems(step.split, situation.deployments, step.mirror)
    ]
    if found:
        return Verdict(name, Outcome.FAIL, " ".join(dict.fromkeys(found)))
    return Verdict(name, Outcome.PASS, "Known deployments, and the weights sum to what Azure takes.")


def _deployments_ready(situation: Situation) -> Verdict:
    name = "Deployments that gain traffic are Succeeded"
    wanted = sorted(
        {gaining for step in situation.steps for gaining in rising(situation.base.split, step.split)}
    )
    states = {deployment: situation.deployments.get(deployment) for deployment in wanted}
    missing = [deployment for deployment, state in states.items() if state is None]
    unready = [
        f"{deployment} is {state}" for deployment, state in states.items() if state and state != "Succeeded"
    ]
    if missing:
        return Verdict(name, Outcome.FAIL, f"Not found in Azure: {', '.join(missing)}.")
    if unready:
        return Verdict(name, Outcome.FAIL, f"{'; '.join(unready)}.")
    return Verdict(
        name, Outcome.PASS, f"{', '.join(wanted)}: Succeeded." if wanted else "None gains traffic."
    )


def _carried(situation: Situation) -> Verdict:
    return capacity.check(situation.base, situation.steps, situation.peak, situation.replicas)


def _room_for(situation: Situation) -> list[Verdict]:
    """Only of plans that scale something."""
    if not scaling.scales(situation.steps):
        return []
    return [scaling.check(situation.steps, situation.replicas, situation.rooms)]


def _endpoint_ready(situation: Situation) -> Verdict:
    name = "Endpoint takes writes"
    if situation.endpoint_state == "Succeeded":
        return Verdict(name, Outcome.PASS, "Azure reports the endpoint as Succeeded.")
    if situation.endpoint_state == "Failed" and deletes_endpoint(situation.steps):
        return Verdict(name, Outcome.PASS, "Azure reports the endpoint as Failed; it can be deleted so.")
    if situation.endpoint_state in ("Failed", "Deleting"):
        return Verdict(name, Outcome.FAIL, f"Azure reports the endpoint as {situation.endpoint_state}.")
    return Verdict(
        name, Outcome.INCONCLUSIVE, f"Azure reports the endpoint as {situation.endpoint_state or 'unknown'}."
    )


def _base_unchanged(situation: Situation) -> Verdict:
    name = "Live traffic is as it was when this was written"
    base = situation.base
    if traffic.same(base.split, situation.live_split) and traffic.same(base.mirror, situation.live_mirror):
        return Verdict(name, Outcome.PASS, f"Azure reports {traffic.describe(situation.live_split)}.")
    return Verdict(
        name,
        Outcome.FAIL,
        f"It was {traffic.describe(base.split)}{_mirrored(base.mirror)}; "
        f"Azure now reports {traffic.describe(situation.live_split)}{_mirrored(situation.live_mirror)}.",
    )


def _mirrored(mirror: Mapping[str, int]) -> str:
    return f" with {traffic.describe(mirror)} mirrored" if mirror else ""


def _alone(situation: Situation) -> Verdict:
    name = "No other open change on this endpoint"
    if situation.other_open:
        return Verdict(
            name, Outcome.FAIL, f"Open: {', '.join(f'CR-{number}' for number in situation.other_open)}."
        )
    return Verdict(name, Outcome.PASS, "None is open.")


def _fresh(situation: Situation) -> Verdict:
    name = "Azure was read recently"
    if situation.unreadable:
        return Verdict(name, Outcome.ERROR, situation.unreadable)
    if situation.read_age is None:
        return Verdict(name, Outcome.INCONCLUSIVE, "This endpoint was never read.")
    age = f"{situation.read_age:.0f}\u00a0s ago"
    if situation.read_age > situation.stale_after:
        return Verdict(
            name,
            Outcome.INCONCLUSIVE,
            f"Last read {age}; at most {situation.stale_after:.0f}\u00a0s is allowed.",
        )
    return Verdict(name, Outcome.PASS, f"Read {age}.")
