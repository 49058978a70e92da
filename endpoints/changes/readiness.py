"""Whether a rollback of an endpoint would work now: a standing light, with every reason in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import Any

from endpoints.changes import capacity
from endpoints.changes.capacity import Peak, Replicas
from endpoints.changes.plan import Base, put_split
from endpoints.changes.scaling import ScaleFirst
from endpoints.changes.targets import Target
from endpoints.changes.verdict import Outcome, Verdict, overall, worst_first
from endpoints.core import traffic
from endpoints.core.traffic import Split

OLD_DRILL = timedelta(days=90)
OLD_PROBE = timedelta(hours=24)
ONE_DEPLOYMENT = "This endpoint has one deployment: there is nothing to go back to."


@dataclass(frozen=True, slots=True)
class Light:
    """`outcome` is the worst of `reasons`. `target`: where a rollback would go; None when there is nowhere.

    `drillable` "" : a drill can be made; else why not. From click to confirmed here, of `rollbacks` and drills:
    `seconds` the median, `seconds_p95` what 95 in 100 took at most; `observed_seconds` the median until requests
    followed. None where none was timed.
    """

    outcome: Outcome
    reasons: tuple[Verdict, ...]
    target: Split | None
    at: datetime
    drillable: str = ""
    seconds: float | None = None
    observed_seconds: float | None = None
    rollbacks: int = 0
    last_drill: datetime | None = None
    words: str = field(default="")
    seconds_p95: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """How long rollbacks of an endpoint took, in seconds; what was never timed is left out."""

    confirmed: tuple[float, ...] = ()
    observed: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The newest direct request to a deployment and what came of it."""

    outcome: Outcome
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Drilled:
    """The newest drill that ended. `passed` None: how it ended is not known."""

    number: int
    at: datetime
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of an endpoint. `answers` by deployment; `sampled`: a sample request is set.

    `executor_age`: seconds since an executor said that it lives. `read_age`: since Azure was read.
    """

    live: Split
    mirror: Split
    target: Target | None
    deployments: Mapping[str, str]
    peak: Peak
    replicas: Mapping[str, Replicas]
    scale: ScaleFirst
    answers: Mapping[str, Answered]
    sampled: bool
    drill: Drilled | None
    times: Times
    executor_age: float | None
    executor_alive: bool
    read_age: float
    stale_after: float
    at: datetime


def light(picture: Picture) -> Light:
    """The light over all that is known."""
    target = picture.target
    verdicts = [_target(picture), _carried_out(picture), _read(picture)]
    if target is not None:
        verdicts += [_ready(picture, target), _replicas(picture, target)]
        verdicts += [picture.scale.quota] if picture.scale.quota else []
        verdicts += [_answers(picture, target)]
    verdicts.append(_practised(picture))
    worst, told = overall(verdicts), picture.times
    return Light(
        outcome=worst.outcome,
        reasons=tuple(worst_first(verdicts)),
        target=target.split if target else None,
        at=picture.at,
        drillable=undrillable(picture.deployments),
        seconds=median(told.confirmed) if told.confirmed else None,
        seconds_p95=_p95(told.confirmed),
        observed_seconds=median(told.observed) if told.observed else None,
        rollbacks=len(told.confirmed),
        last_drill=picture.drill.at if picture.drill else None,
        words=worst.reason,
    )


def undrillable(deployments: Mapping[str, str]) -> str:
    """Why no rollback can be practised here; "" where one can."""
    if len(deployments) < 2:
        return "Not drillable: there is no other deployment to shift traffic to."
    return ""


def _p95(seconds: Sequence[float]) -> float | None:
    """Nearest rank; of few, the longest."""
    return sorted(seconds)[ceil(0.95 * len(seconds)) - 1] if seconds else None


def _target(picture: Picture) -> Verdict:
    name = "There is a split to go back to"
    if picture.target is not None:
        split, source = traffic.describe(picture.target.split), picture.target.source
        return Verdict(name, Outcome.PASS, f"{split} ({source}).")
    if len(picture.deployments) < 2:
        return Verdict(name, Outcome.WARN, ONE_DEPLOYMENT)
    return Verdict(
        name, Outcome.WARN, "No earlier split is on record: whoever rolls back must choose a deployment."
    )


def _ready(picture: Picture, target: Target) -> Verdict:
    name = "Its deployments stand and are Succeeded"
    states = {each: picture.deployments.get(each) for each in (*target.split, *target.mirror)}
    gone = sorted(each for each, state in states.items() if state is None)
    if gone:
        return Verdict(name, Outcome.FAIL, f"Not there any more: {', '.join(gone)}.")
    weak = [f"{each} is {state or 'unknown'}" for each, state in sorted(states.items()) if not _good(state)]
    if not weak:
        return Verdict(name, Outcome.PASS, f"{', '.join(sorted(states))}: Succeeded.")
    broken = any(state in ("Failed", "Deleting", "Canceled") for state in states.values())
    return Verdict(name, Outcome.FAIL if broken else Outcome.INCONCLUSIVE, f"{'; '.join(weak)}.")


def _good(state: str | None) -> bool:
    return (state or "").lower() == "succeeded"


def _replicas(picture: Picture, target: Target) -> Verdict:
    base = Base(picture.live, picture.mirror, "")
    step = put_split(target.split, target.mirror)
    found = capacity.check(base, (step,), picture.peak, picture.replicas)
    if not picture.scale.instances:
        return found
    counts = ", ".join(f"{each} to {count}" for each, count in sorted(picture.scale.instances.items()))
    return Verdict(found.name, found.outcome, f"{found.reason} Scale first: {counts} instances.")


def _answers(picture: Picture, target: Target) -> Verdict:
    name = "Its deployments answer directly"
    if not picture.sampled:
        return Verdict(name, Outcome.INCONCLUSIVE, "No sample request is set, so that nobody asked them.")
    never = sorted(each for each in target.split if each not in picture.answers)
    bad = [
        (each, told)
        for each in sorted(target.split)
        if (told := picture.answers.get(each)) and told.outcome is not Outcome.PASS
    ]
    if bad:
        each, told = bad[0]
        return Verdict(name, told.outcome, f"{each}, {told.at:%Y-%m-%d %H:%M}\u00a0UTC: {told.reason}")
    if never:
        return Verdict(name, Outcome.INCONCLUSIVE, f"Never asked: {', '.join(never)}.")
    oldest = min((picture.answers[each].at for each in target.split), default=picture.at)
    if picture.at - oldest > OLD_PROBE:
        return Verdict(name, Outcome.INCONCLUSIVE, f"Last asked {oldest:%Y-%m-%d %H:%M}\u00a0UTC.")
    return Verdict(name, Outcome.PASS, f"All did, the last time {oldest:%Y-%m-%d %H:%M}\u00a0UTC.")


def _practised(picture: Picture) -> Verdict:
    name = "A rollback was practised lately"
    if why := undrillable(picture.deployments):
        return Verdict(name, Outcome.WARN, why)
    drill = picture.drill
    if drill is None:
        return Verdict(name, Outcome.WARN, "No drill was ever made here.")
    when = f"CR-{drill.number}, {drill.at:%Y-%m-%d}"
    if not drill.passed:
        return Verdict(name, Outcome.WARN, f"The last drill did not come off ({when}): {drill.reason}")
    if picture.at - drill.at > OLD_DRILL:
        return Verdict(name, Outcome.WARN, f"The last drill is older than {OLD_DRILL.days} days ({when}).")
    return Verdict(name, Outcome.PASS, f"The last drill came off ({when}).")


def _carried_out(picture: Picture) -> Verdict:
    name = "An executor is at work"
    if picture.executor_alive:
        return Verdict(name, Outcome.PASS, "It says that it lives.")
    if picture.executor_age is None:
        return Verdict(name, Outcome.FAIL, "None ever ran: nothing that is ordered would be carried out.")
    said = f"None has said that it lives for {picture.executor_age:,.0f}\u00a0s"
    return Verdict(name, Outcome.FAIL, f"{said}: nothing that is ordered would be carried out.")


def _read(picture: Picture) -> Verdict:
    name = "Azure was read recently"
    age = f"{picture.read_age:.0f}\u00a0s ago"
    if picture.read_age > picture.stale_after:
        return Verdict(name, Outcome.INCONCLUSIVE, f"Last read {age}; this may not be true any more.")
    return Verdict(name, Outcome.PASS, f"Read {age}.")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A reason as it is kept for lists."""
    return {"name": verdict.name, "outcome": verdict.outcome.value, "reason": verdict.reason}


def from_json(data: Mapping[str, Any]) -> Verdict:
    return Verdict(data["name"], Outcome(data["outcome"]), data["reason"])
