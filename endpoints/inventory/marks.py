"""What a person should notice about an endpoint: one mark per fact, each with a sentence. Pure.

Marks lead by severity: bad > unknown > warn > running > waiting > quiet. Quiet marks are worth knowing and
call nobody. What can't be read is unknown, never fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """Numbers that a list is sorted by; the name is what pages show."""

    QUIET = 0
    WAITING = 1
    RUNNING = 2
    WARN = 3
    UNKNOWN = 4
    BAD = 5

    @property
    def word(self) -> str:
        return self.name.lower()


OWNER_TAGS = ("owner",)
# From here upwards somebody should look.
ATTENTION = Severity.WARN


class Code(StrEnum):
    FAILED = "failed"
    CANCELED = "canceled"
    LIVE_DEPLOYMENT_BROKEN = "live-deployment-broken"
    LIVE_DEPLOYMENT_MISSING = "live-deployment-missing"
    DEPLOYMENT_FAILED = "deployment-failed"
    UNREADABLE = "unreadable"
    STALE = "stale"
    STATE_UNKNOWN = "state-unknown"
    DRIFT = "drift"
    BUSY = "busy"
    NO_DEPLOYMENT = "no-deployment"
    SWITCHED_OFF = "switched-off"
    PUBLIC = "public"
    KEY_AUTH = "key-auth"
    NO_OWNER = "no-owner"


@dataclass(frozen=True, slots=True)
class Mark:
    """`label` is two or three words for a chip, `sentence` says it in full."""

    code: str
    severity: Severity
    label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    """`instance_count` None: Azure did not say."""

    name: str
    provisioning_state: str
    instance_count: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """`deployments` None: they were never listed.

    `drift` is the kind of the unexplained change, "" if none.
    """

    provisioning_state: str
    auth_mode: str
    public_network_access: str
    owner: str
    traffic: Mapping[str, int]
    mirror_traffic: Mapping[str, int]
    deployments: tuple[DeploymentFacts, ...] | None
    drift: str = ""
    unreadable_reason: str = ""


_RUNNING = frozenset({"creating", "updating", "deleting", "scaling"})
_DRIFT = {
    "traffic": "The traffic was changed, and not by a change made here.",
    "configuration": "Access, identity or tags were changed, and not by a change made here.",
    "deployment": "A deployment with traffic was changed, and not by a change made here.",
}


def find(facts: EndpointFacts) -> tuple[Mark, ...]:
    """All marks of an endpoint, worst first."""
    found = [*_reading(facts), *_own_state(facts), *_deployments(facts), *_routing(facts), *_habits(facts)]
    return tuple(sorted(found, key=lambda mark: -mark.severity))


def worst(marks: Iterable[Mark]) -> Severity:
    return max((mark.severity for mark in marks), default=Severity.QUIET)


def stale(read_at: datetime | None, now: datetime, *, after: timedelta, cause: str = "") -> Mark | None:
    """The mark that a page adds when the data is older than `after`; None while it is fresh."""
    if read_at is not None and now - read_at <= after:
        return None
    when = f"since {read_at:%Y-%m-%d %H:%M:%S} UTC" if read_at else "yet"
    sentence = f"The workspace was not read {when}: what is shown may not be true any more."
    return Mark(Code.STALE, Severity.UNKNOWN, "cannot tell", f"{sentence} {cause}".strip())


def _reading(facts: EndpointFacts) -> Iterator[Mark]:
    if facts.unreadable_reason:
        sentence = f"It cannot be read: {facts.unreadable_reason}. What is shown was read before."
        yield Mark(Code.UNREADABLE, Severity.UNKNOWN, "cannot be read", sentence)
    if facts.drift:
        sentence = _DRIFT.get(facts.drift, "It was changed, and not by a change made here.")
        yield Mark(Code.DRIFT, Severity.WARN, "drift", sentence)


def _own_state(facts: EndpointFacts) -> Iterator[Mark]:
    state = facts.provisioning_state
    word = state.lower()
    if word == "failed":
        yield Mark(Code.FAILED, Severity.BAD, "failed", "The last operation on this endpoint failed.")
    elif word == "canceled":
        sentence = "The last operation on this endpoint was cancelled."
        yield Mark(Code.CANCELED, Severity.WARN, "canceled", sentence)
    elif word in _RUNNING:
        yield Mark(Code.BUSY, Severity.RUNNING, word, f"Azure is at work on this endpoint: {state}.")
    elif word != "succeeded":
        sentence = f"Azure gives a state that this portal does not know: {state or 'none'}."
        yield Mark(Code.STATE_UNKNOWN, Severity.UNKNOWN, state or "no state", sentence)


def _deployments(facts: EndpointFacts) -> Iterator[Mark]:
    known = {one.name.lower(): one for one in facts.deployments or ()}
    served = facts.traffic.keys() | facts.mirror_traffic.keys()
    for name in sorted(served):
        share = _share(facts, name)
        if name in known:
            yield from _live(known[name], share, is_live=name in facts.traffic)
        elif facts.deployments is not None:
            sentence = f"{name} is given {share}, but there is no such deployment."
            yield Mark(Code.LIVE_DEPLOYMENT_MISSING, Severity.BAD, "deployment missing", sentence)
    for name in sorted(known.keys() - served):
        yield from _unserved(known[name])


def _live(one: DeploymentFacts, share: str, *, is_live: bool) -> Iterator[Mark]:
    word = one.provisioning_state.lower()
    if word in _RUNNING:
        sentence = f"Azure is at work on {one.name}, which has {share}: {one.provisioning_state}."
        yield Mark(Code.BUSY, Severity.RUNNING, word, sentence)
    elif word != "succeeded":
        state = one.provisioning_state or "not known"
        sentence = f"{one.name} has {share}, and its state is {state}."
        severity = Severity.BAD if is_live else Severity.WARN
        yield Mark(Code.LIVE_DEPLOYMENT_BROKEN, severity, "broken deployment", sentence)
    elif one.instance_count == 0:
        sentence = f"{one.name} has {share} and no instance to answer."
        yield Mark(Code.LIVE_DEPLOYMENT_BROKEN, Severity.BAD, "no instance", sentence)


def _unserved(one: DeploymentFacts) -> Iterator[Mark]:
    word = one.provisioning_state.lower()
    if word in _RUNNING:
        sentence = f"Azure is at work on {one.name}: {one.provisioning_state}."
        yield Mark(Code.BUSY, Severity.RUNNING, word, sentence)
    elif word == "failed":
        sentence = f"{one.name} failed and takes no traffic. Azure may bill it nevertheless."
        yield Mark(Code.DEPLOYMENT_FAILED, Severity.WARN, "failed deployment", sentence)


def _routing(facts: EndpointFacts) -> Iterator[Mark]:
    if facts.deployments == ():
        sentence = "It has no deployment: every request is refused."
        yield Mark(Code.NO_DEPLOYMENT, Severity.QUIET, "no deployment", sentence)
    elif not facts.traffic:
        sentence = "No deployment has live traffic: requests are answered with 404."
        yield Mark(Code.SWITCHED_OFF, Severity.QUIET, "switched off", sentence)


def _habits(facts: EndpointFacts) -> Iterator[Mark]:
    if facts.public_network_access.lower() == "enabled":
        sentence = "It can be reached from the public internet."
        yield Mark(Code.PUBLIC, Severity.QUIET, "public", sentence)
    if facts.auth_mode.lower() == "key":
        sentence = "Callers prove themselves with a shared key, which nobody can tell apart."
        yield Mark(Code.KEY_AUTH, Severity.QUIET, "key auth", sentence)
    if not facts.owner:
        yield Mark(Code.NO_OWNER, Severity.QUIET, "no owner", "It has no owner tag: nobody is named to ask.")


def _share(facts: EndpointFacts, name: str) -> str:
    if name in facts.traffic:
        return f"{facts.traffic[name]}\u00a0% of the traffic"
    return f"{facts.mirror_traffic[name]}\u00a0% of the mirrored traffic"


def owner_of(tags: Mapping[str, str], names: Iterable[str] = OWNER_TAGS) -> str:
    """The first of these tags that says something, found without case; "" when none does."""
    by_name = {name.lower(): str(value).strip() for name, value in tags.items()}
    return next((by_name[name] for name in names if by_name.get(name)), "")
