"""Where a rollback may go. The server issues these; a client only picks one by its key.

First choice is the base of the change at work; with none at work, the verified split before the last
completed change, then older ones. A split that people already rolled back from is offered last and never
preselected: the second of two people who roll back must not undo the first one's rescue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from endpoints.core import traffic


@dataclass(frozen=True, slots=True)
class Candidate:
    """A split that was in force or could be, with where it comes from in words."""

    split: traffic.Split
    mirror: traffic.Split
    source: str
    fled: bool = False
    """Whether a rollback left this split behind."""


@dataclass(frozen=True, slots=True)
class Target:
    """A split that a rollback may order. `refusal` says why it can't be picked, `warning` why to look twice."""

    key: str
    split: traffic.Split
    mirror: traffic.Split
    source: str
    refusal: str = ""
    warning: str = ""
    preselected: bool = False

    @property
    def eligible(self) -> bool:
        return not self.refusal


def key_of(split: Mapping[str, int], mirror: Mapping[str, int]) -> str:
    """The same split has the same key whenever and to whomever it is offered."""
    text = json.dumps([traffic.normalise(split), traffic.normalise(mirror)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def issue(
    *,
    now_split: Mapping[str, int],
    now_mirror: Mapping[str, int],
    candidates: Iterable[Candidate],
    deployments: Mapping[str, str],
    active: bool,
) -> list[Target]:
    """Distinct targets, best first. `candidates` come newest first; `deployments` maps name to provisioning state.

    What Azure reports now is no target unless a change is at work: then going back to it is what stops that change.
    """
    single = [Candidate({name: 100}, {}, f"All traffic to {name}") for name in sorted(deployments)]
    ordered = sorted(candidates, key=lambda candidate: candidate.fled)
    current = key_of(now_split, now_mirror)
    found: dict[str, Target] = {}
    for candidate in [*ordered, *single]:
        key = key_of(candidate.split, candidate.mirror)
        if key in found or (key == current and not active):
            continue
        found[key] = _target(key, candidate, deployments)
    return _preselect(list(found.values()), {key_of(c.split, c.mirror) for c in ordered if not c.fled})


def _target(key: str, candidate: Candidate, deployments: Mapping[str, str]) -> Target:
    wanted = [*candidate.split, *candidate.mirror]
    gone = sorted(name for name in wanted if name not in deployments)
    standing = [name for name in wanted if name in deployments]
    weak = sorted(f"{name} is {deployments[name]}" for name in standing if deployments[name] != "Succeeded")
    refusal = f"{', '.join(gone)} no longer exists." if gone else ""
    notes = ["People rolled back from this split."] if candidate.fled else []
    notes += [] if candidate.split else ["Switches the endpoint off: every request is answered with 404."]
    notes += [f"{'; '.join(weak)}."] if weak and not gone else []
    return Target(key, candidate.split, candidate.mirror, candidate.source, refusal, " ".join(notes))


def _preselect(targets: list[Target], proven: set[str]) -> list[Target]:
    chosen = next((t for t in targets if t.eligible and t.split and t.key in proven), None)
    return [replace(target, preselected=target is chosen) for target in targets]


def find(targets: Sequence[Target], key: str) -> Target | None:
    """The issued target with this key."""
    return next((target for target in targets if target.key == key), None)


@dataclass(frozen=True, slots=True)
class Past:
    """One change that was started on the endpoint, for `candidates`. `left` is what a rollback fled from."""

    number: int
    rollback: bool
    active: bool
    succeeded: bool
    base: tuple[traffic.Split, traffic.Split]
    last: tuple[traffic.Split, traffic.Split]


def candidates(history: Sequence[Past], verified: Iterable[Candidate]) -> list[Candidate]:
    """Candidates out of the endpoint's changes, newest first, then out of what the mirror saw before.

    The newest word on a split counts: one that was rolled back from and later approved and confirmed again is
    sound again.
    """
    fled = _fled(history)
    found = [candidate for past in history for candidate in _of(past)]
    return [replace(c, fled=fled.get(key_of(c.split, c.mirror), False)) for c in [*found, *verified]]


def _of(past: Past) -> list[Candidate]:
    base = Candidate(*past.base, source=f"In force before CR-{past.number}")
    if past.rollback and past.active:
        return [Candidate(*past.last, source=f"Where the running rollback CR-{past.number} goes"), base]
    confirmed = Candidate(*past.last, source=f"Confirmed by CR-{past.number}")
    return [base, confirmed] if past.succeeded else [base]


def _fled(history: Sequence[Past]) -> dict[str, bool]:
    words: dict[str, bool] = {}
    for past in history:
        if past.rollback:
            words.setdefault(key_of(*past.last), False)
            words.setdefault(key_of(*past.base), True)
        elif past.succeeded or past.active:
            words.setdefault(key_of(*past.last), False)
        else:
            words.setdefault(key_of(*past.last), True)
    return words
