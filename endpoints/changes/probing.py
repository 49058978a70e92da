"""What a direct request to a deployment tells, and the checks that rest on it. Pure.

No answer is kept, only its shape. What could not be asked is not known: never a pass, and never a failure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from endpoints.changes.schema import Shape, added, broken, shape_of
from endpoints.changes.verdict import Outcome, Verdict

ANSWERS = "Candidate answers directly"
SAME_SHAPE = "Answers have the same shape"
FRESH = timedelta(minutes=60)
"""Older than this, a probe says nothing of now."""
_NOT_LET_IN = (401, 403)
_TOO_BUSY = (408, 429)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one probe."""

    outcome: Outcome
    reason: str
    shape: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probed:
    """The newest probe of a deployment with the sample in force; `age` in seconds."""

    outcome: Outcome
    reason: str
    age: float
    shape: Shape = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Direct:
    """What is known of the plan's deployments by asking them. `wanted`: the shape that was told, {} when none."""

    sampled: bool
    candidates: Sequence[str]
    stables: Sequence[str]
    probes: Mapping[str, Probed]
    wanted: Shape = field(default_factory=dict)


def judge(
    asked: str, status: int, seconds: float, answered: str, body: bytes, *, truncated: bool, error: str
) -> Judged:
    """An answer that came. `asked`, `answered`: deployments; `answered` "" when the answer does not say who it was."""
    took = f"{seconds * 1000:,.0f}\u00a0ms"
    if status in _NOT_LET_IN:
        return Judged(Outcome.INCONCLUSIVE, f"Not possible: the portal was not let in. {error}")
    if status in _TOO_BUSY:
        return Judged(Outcome.INCONCLUSIVE, f"It was too busy to answer. {error}")
    if not 200 <= status < 300:
        return Judged(Outcome.FAIL, error or f"It answered {status}.")
    if answered and answered.lower() != asked.lower():
        return Judged(Outcome.FAIL, f"{answered} answered in its place.")
    if truncated:
        return Judged(
            Outcome.PASS, f"It answered {status} in {took}; the answer is too long for its shape to be told."
        )
    try:
        shape = shape_of(json.loads(body))
    except (ValueError, RecursionError):
        return Judged(Outcome.PASS, f"It answered {status} in {took}; the answer is no JSON.")
    return Judged(Outcome.PASS, f"It answered {status} in {took}.", shape)


def checks(direct: Direct | None, *, steps: int) -> list[Verdict]:
    """The two checks. Where nobody set a sample only a plan of several steps is told of it."""
    if direct is None or not direct.candidates:
        return []
    if direct.sampled:
        return [_answers(direct), _same_shape(direct)]
    if steps < 2:
        return []
    words = "No sample request is set for this endpoint, so that the candidate can't be asked."
    return [Verdict(ANSWERS, Outcome.INCONCLUSIVE, words, acceptable=True)]


def _answers(direct: Direct) -> Verdict:
    for name in direct.candidates:
        probed, why = direct.probes.get(name), _unusable(name, direct.probes.get(name))
        if probed is None or why:
            return Verdict(ANSWERS, Outcome.INCONCLUSIVE, why, acceptable=True)
        if probed.outcome is not Outcome.PASS:
            acceptable = probed.outcome is not Outcome.FAIL
            return Verdict(ANSWERS, probed.outcome, f"{name}: {probed.reason}", acceptable=acceptable)
    told = [f"{name}: {direct.probes[name].reason}" for name in direct.candidates]
    return Verdict(ANSWERS, Outcome.PASS, " ".join(told))


def _same_shape(direct: Direct) -> Verdict:
    wanted, whose = _wanted(direct)
    if not wanted:
        return Verdict(SAME_SHAPE, Outcome.INCONCLUSIVE, whose, acceptable=True)
    more: list[str] = []
    for name in direct.candidates:
        probed, why = direct.probes.get(name), _unusable(name, direct.probes.get(name))
        if probed is None or why or not probed.shape:
            words = why or f"The shape of {name}'s answer is not known."
            return Verdict(SAME_SHAPE, Outcome.INCONCLUSIVE, words, acceptable=True)
        if lost := broken(wanted, probed.shape, f"{name}'s answer"):
            return Verdict(SAME_SHAPE, Outcome.FAIL, f"{'; '.join(lost[:5])} ({whose}).")
        more += added(wanted, probed.shape, f"{name}'s answer")
    if more:
        return Verdict(SAME_SHAPE, Outcome.WARN, f"New: {', '.join(more[:5])} ({whose}).")
    return Verdict(SAME_SHAPE, Outcome.PASS, f"The same keys and types ({whose}).")


def _wanted(direct: Direct) -> tuple[Shape, str]:
    """The shape to hold answers against and whose it is; {} and why there is none."""
    if direct.wanted:
        return direct.wanted, "by the shape set with the sample"
    if not direct.stables:
        return {}, "No deployment keeps traffic that the answer could be compared with, and no shape is set."
    for name in direct.stables:
        probed = direct.probes.get(name)
        if probed and not _unusable(name, probed) and probed.shape:
            return probed.shape, f"compared with {name}"
    name = direct.stables[0]
    return {}, _unusable(name, direct.probes.get(name)) or f"The shape of {name}'s answer is not known."


def _unusable(name: str, probed: Probed | None) -> str:
    """Why the newest probe says nothing of now."""
    if probed is None:
        return f"{name} is being probed: it was not asked with this sample yet. Look again soon."
    if probed.age > FRESH.total_seconds():
        return f"{name} was asked {probed.age / 60:,.0f}\u00a0min ago, which is too long ago to count."
    return ""
