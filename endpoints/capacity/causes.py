"""Why an hour that nobody was served in was paid for: taken from history, one cause an hour. Pure.

The first that applies wins: what justifies an hour comes first, then what somebody did, then how the deployment is
used, then what is missing. Each names the change or tag that it stands on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Cause(StrEnum):
    """Why it was idle. The values are stable keys; WORDS are for people."""

    ROLLBACK_WINDOW = "rollback-window"
    ROLLOUT = "rollout"  # an active change is about to give it traffic
    FAILED_ROLLOUT = "failed-rollout"
    FORGOTTEN_CANARY = "forgotten-canary"
    DUPLICATE = "duplicate"
    TEST = "test"
    ENDPOINT_OFF = "endpoint-off"
    WRONG_AUTOSCALE = "wrong-autoscale"
    NIGHT_OR_WEEKEND = "night-or-weekend"
    NO_OWNER = "no-owner"
    NO_REQUESTS = "no-requests"


WORDS: Mapping[Cause, str] = {
    Cause.ROLLBACK_WINDOW: "Kept warm to roll back to",
    Cause.ROLLOUT: "Waits for its rollout",
    Cause.FAILED_ROLLOUT: "Left over from a failed rollout",
    Cause.FORGOTTEN_CANARY: "Canary that nobody finished",
    Cause.DUPLICATE: "Kept after another one took over",
    Cause.TEST: "Test or hackathon",
    Cause.ENDPOINT_OFF: "Endpoint sends traffic to nobody",
    Cause.WRONG_AUTOSCALE: "Autoscale rule that never scales in",
    Cause.NIGHT_OR_WEEKEND: "Nights and weekends",
    Cause.NO_OWNER: "No owner",
    Cause.NO_REQUESTS: "No request came",
}
JUSTIFIED = frozenset({Cause.ROLLBACK_WINDOW, Cause.ROLLOUT})
"""Idle on purpose: shown, never proposed to be saved."""


class Role(StrEnum):
    """What a change did with a deployment."""

    CANDIDATE = "candidate"  # it was to get traffic
    FORMER = "former"  # it lost its traffic to another one


@dataclass(frozen=True, slots=True)
class Part:
    """A change that touched the deployment. `ended_at` None: active. `whole`: it was carried through.

    `warm_until`: until then the former deployment is kept to roll back to; None: not at all.
    """

    change: str  # "change:7"
    role: Role
    started_at: datetime
    ended_at: datetime | None
    whole: bool
    warm_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What was true in one hour. Weights None: not known, which no cause stands on."""

    at: datetime
    weight: int | None
    mirrored: int | None
    endpoint_weight: int | None  # sum of all live weights
    parts: Sequence[Part]
    tags: Mapping[str, str]
    owner: bool
    served_that_week: bool  # requests came in other hours of these seven days
    wrong_autoscale: str = ""  # why, where a rule is wrong


@dataclass(frozen=True, slots=True)
class Rules:
    """A workspace's own: what marks a test, and when people work."""

    test_tags: Mapping[str, frozenset[str]]
    zone: ZoneInfo
    day_begins: int = 7  # of the local clock
    day_ends: int = 20
    weekend: frozenset[int] = frozenset({5, 6})  # Monday is 0


@dataclass(frozen=True, slots=True)
class Found:
    """The cause, what it stands on ("change:7", "tag:purpose"), and until when it is justified."""

    cause: Cause
    ref: str = ""
    until: datetime | None = None


def cause_of(moment: Moment, rules: Rules) -> Found:
    """The one cause of an hour in which no request came."""
    for rule in (_justified, _left_behind, _by_its_kind, _by_its_use):
        if found := rule(moment, rules):
            return found
    return Found(Cause.NO_REQUESTS)


def off_hours(at: datetime, rules: Rules) -> bool:
    """Whether nobody works then, by the workspace's own clock: nights, and whole weekend days."""
    local = at.astimezone(rules.zone)
    return local.weekday() in rules.weekend or not rules.day_begins <= local.hour < rules.day_ends


def _justified(moment: Moment, rules: Rules) -> Found | None:
    for part in _newest_first(moment):
        if part.role is Role.FORMER and part.warm_until is not None and moment.at < part.warm_until:
            return Found(Cause.ROLLBACK_WINDOW, part.change, part.warm_until)
        under_way = part.started_at <= moment.at and (part.ended_at is None or moment.at < part.ended_at)
        if part.role is Role.CANDIDATE and under_way:
            return Found(Cause.ROLLOUT, part.change)
    return None


def _left_behind(moment: Moment, rules: Rules) -> Found | None:
    """The newest change that had to do with it says why it still stands, while it has no traffic of its own."""
    if moment.weight is None:
        return None
    for part in _newest_first(moment):
        if part.ended_at is None or part.ended_at > moment.at:
            continue
        if part.role is Role.FORMER and part.whole and not moment.weight:
            return Found(Cause.DUPLICATE, part.change)
        if part.role is Role.CANDIDATE and not part.whole:
            cause = Cause.FAILED_ROLLOUT if not moment.weight else Cause.FORGOTTEN_CANARY
            return Found(cause, part.change)
        if part.role is Role.CANDIDATE and part.whole and 0 < moment.weight < 100:
            return Found(Cause.FORGOTTEN_CANARY, part.change)
        return None
    return None


def _by_its_kind(moment: Moment, rules: Rules) -> Found | None:
    lower = {name.lower(): value.lower() for name, value in moment.tags.items()}
    for name, values in sorted(rules.test_tags.items()):
        if lower.get(name.lower(), "") in values:
            return Found(Cause.TEST, f"tag:{name}")
    if moment.endpoint_weight == 0:
        return Found(Cause.ENDPOINT_OFF)
    if moment.weight == 0 and not moment.mirrored and moment.mirrored is not None and not moment.parts:
        return Found(Cause.FORGOTTEN_CANARY)
    return None


def _by_its_use(moment: Moment, rules: Rules) -> Found | None:
    if moment.wrong_autoscale:
        return Found(Cause.WRONG_AUTOSCALE)
    if moment.served_that_week and off_hours(moment.at, rules):
        return Found(Cause.NIGHT_OR_WEEKEND)
    return None if moment.owner else Found(Cause.NO_OWNER)


def _newest_first(moment: Moment) -> list[Part]:
    begun = [part for part in moment.parts if part.started_at <= moment.at]
    return sorted(begun, key=lambda part: part.started_at, reverse=True)
