"""Where a rollback may go. The server issues these; a client only picks one by its key.

First choice is the base of the change at work; with none at work, the verified split before the last
completed change, then older ones. A split that people already rolled back from is offered last and never
preselected: the second of two people who roll back must not undo the first one's rescue.
What a capacity change moved beside the split goes back with it, while nobody has moved it here since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from endpoints.changes.undo import NOTHING, Beside
from endpoints.core import traffic


@dataclass(frozen=True, slots=True)
class Candidate:
    """A split that was in force or could be, with where it comes from in words. `beside`: what else goes back.

    `undoes`: the change that it was in force before. `aside`: to be offered, but never chosen for anybody.
    """

    split: traffic.Split
    mirror: traffic.Split
    source: str
    fled: bool = False
    """Whether a rollback left this split behind."""
    beside: Beside = NOTHING
    undoes: int | None = None
    aside: bool = False

    @property
    def sound(self) -> bool:
        """Whether it may be chosen for a person."""
        return not (self.fled or self.aside)


@dataclass(frozen=True, slots=True)
class Target:
    """A split that a rollback may order. `refusal` says why it can't be picked, `warning` why to look twice.

    `beside`: instances and an autoscale setting that it puts back as well. `undoes`: the change that it takes back.
    """

    key: str
    split: traffic.Split
    mirror: traffic.Split
    source: str
    refusal: str = ""
    warning: str = ""
    preselected: bool = False
    beside: Beside = NOTHING
    undoes: int | None = None

    @property
    def eligible(self) -> bool:
        return not self.refusal

    @property
    def instances(self) -> Mapping[str, int]:
        """Instances by deployment that it goes back to; none for a target that is of traffic alone."""
        return self.beside.instances


def key_of(split: Mapping[str, int], mirror: Mapping[str, int], beside: Beside = NOTHING) -> str:
    """The same split has the same key whenever and to whomever it is offered."""
    parts: list[Any] = [traffic.normalise(split), traffic.normalise(mirror)]
    if beside.instances:
        parts.append(dict(beside.instances))
    if beside.setting:
        parts.append([beside.setting.arm_id.lower(), beside.setting.document])
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def issue(
    *,
    now_split: Mapping[str, int],
    now_mirror: Mapping[str, int],
    candidates: Iterable[Candidate],
    deployments: Mapping[str, str],
    active: bool,
    instances: Mapping[str, int | None] | None = None,
    deleted: Mapping[str, int] | None = None,
) -> list[Target]:
    """Distinct targets, best first. `candidates` come newest first; `deployments` maps name to provisioning state.

    What Azure reports now is no target unless a change is at work: then going back to it is what stops that change.
    `instances`: as reported now. `deleted`: the number of the change here that deleted a deployment.
    """
    single = [
        Candidate({name: 100}, {}, f"All traffic to {name}", aside=True) for name in sorted(deployments)
    ]
    ordered = sorted(candidates, key=lambda candidate: candidate.fled)
    current = key_of(now_split, now_mirror)
    found: dict[str, Target] = {}
    proven: set[str] = set()
    for candidate in [*(_still_open(one, deployments, instances or {}, active) for one in ordered), *single]:
        key = key_of(candidate.split, candidate.mirror, candidate.beside)
        if key in found or (key == current and not active):
            continue
        found[key] = _target(key, candidate, deployments, deleted or {})
        proven |= {key} if candidate.sound else set()
    return _preselect(list(found.values()), proven)


def _still_open(
    candidate: Candidate,
    deployments: Mapping[str, str],
    instances: Mapping[str, int | None],
    active: bool,
) -> Candidate:
    """The candidate with what of `beside` can go back and is not back already.

    While a change is at work all of it is ordered: a call that is on its way may still move it.
    """
    beside = candidate.beside
    wanted = {name: count for name, count in beside.instances.items() if name in deployments}
    if not active:
        wanted = {name: count for name, count in wanted.items() if instances.get(name) != count}
    setting = beside.setting if beside.setting and beside.setting.deployment in deployments else None
    left = Beside(wanted, setting)
    if left == beside:
        return candidate
    if left or candidate.undoes is None:
        return replace(candidate, beside=left)
    return replace(candidate, beside=left, source=f"In force before CR-{candidate.undoes}", aside=False)


def _target(
    key: str, candidate: Candidate, deployments: Mapping[str, str], deleted: Mapping[str, int]
) -> Target:
    wanted = [*candidate.split, *candidate.mirror]
    gone = sorted(name for name in wanted if name not in deployments)
    standing = [name for name in wanted if name in deployments]
    weak = sorted(f"{name} is {deployments[name]}" for name in standing if deployments[name] != "Succeeded")
    notes = ["People rolled back from this split."] if candidate.fled else []
    notes += [] if candidate.split else ["Switches the endpoint off: every request is answered with 404."]
    notes += [f"{'; '.join(weak)}."] if weak and not gone else []
    return Target(
        key,
        candidate.split,
        candidate.mirror,
        candidate.source,
        _refusal(gone, deleted),
        " ".join(notes),
        beside=candidate.beside,
        undoes=candidate.undoes,
    )


def _refusal(gone: Sequence[str], deleted: Mapping[str, int]) -> str:
    """Why deployments that are not there can't be given traffic; of those deleted here, where their files are."""
    lost = [name for name in gone if name not in deleted]
    told = [
        f"{name} was deleted by CR-{deleted[name]}; its files are kept." for name in gone if name in deleted
    ]
    return " ".join([*told, *([f"{', '.join(lost)} no longer exists."] if lost else [])])


def _preselect(targets: list[Target], proven: set[str]) -> list[Target]:
    chosen = next((t for t in targets if t.eligible and t.split and t.key in proven), None)
    return [replace(target, preselected=target is chosen) for target in targets]


def find(targets: Sequence[Target], key: str) -> Target | None:
    """The issued target with this key."""
    return next((target for target in targets if target.key == key), None)


@dataclass(frozen=True, slots=True)
class Past:
    """One change that was started on the endpoint, for `candidates`. `left` is what a rollback fled from.

    `beside`: what it found beside the split and moved; of a rollback, what it puts back. `touched`: deployments that
    it scales and autoscale settings that it puts. `deletes`: deployments that it deletes.
    """

    number: int
    rollback: bool
    active: bool
    succeeded: bool
    base: tuple[traffic.Split, traffic.Split]
    last: tuple[traffic.Split, traffic.Split]
    beside: Beside = NOTHING
    touched: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()


def candidates(history: Sequence[Past], verified: Iterable[Candidate]) -> list[Candidate]:
    """Candidates out of the endpoint's changes, newest first, then out of what the mirror saw before.

    The newest word on a split counts: one that was rolled back from and later approved and confirmed again is
    sound again. What a change moved beside the split goes back with it only while no later one has moved it too, and is
    chosen for nobody but who undoes the change at work, or the one completed last.
    """
    fled, found = _fled(history), []
    moved: set[str] = set()
    newest = next((past.number for past in history if past.active or past.succeeded), None)
    for past in history:
        beside = _unmoved(past.beside, moved)
        found += _of(replace(past, beside=beside), aside=bool(beside) and past.number != newest)
        moved |= past.touched
    return [replace(c, fled=fled.get(key_of(c.split, c.mirror), False)) for c in [*found, *verified]]


def deleted(history: Sequence[Past]) -> dict[str, int]:
    """By name, the newest change here that deletes it: of interest where it stands no more."""
    found: dict[str, int] = {}
    for past in history:
        for name in past.deletes:
            found.setdefault(name, past.number)
    return found


def _unmoved(beside: Beside, moved: set[str]) -> Beside:
    setting = beside.setting
    return Beside(
        {name: count for name, count in beside.instances.items() if name not in moved},
        setting if setting and setting.arm_id.lower() not in moved else None,
    )


def _of(past: Past, *, aside: bool) -> list[Candidate]:
    number, beside = past.number, past.beside
    if past.rollback and past.active:
        where = f"Where the running rollback CR-{number} goes"
        base = Candidate(*past.base, source=f"In force before CR-{number}", undoes=number)
        return [Candidate(*past.last, source=where, beside=beside), base]
    source = (
        f"{_capital(beside.words)} again, as before CR-{number}" if beside else f"In force before CR-{number}"
    )
    base = Candidate(*past.base, source=source, beside=beside, undoes=number, aside=aside)
    if past.rollback:
        base = Candidate(*past.base, source=f"In force before CR-{number}", undoes=number)
    confirmed = Candidate(*past.last, source=f"Confirmed by CR-{number}")
    return [base, confirmed] if past.succeeded else [base]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _fled(history: Sequence[Past]) -> dict[str, bool]:
    words: dict[str, bool] = {}
    for past in history:
        if past.rollback:
            words.setdefault(key_of(*past.last), False)
            words.setdefault(key_of(*past.base), True)
        elif past.succeeded or past.active:
            words.setdefault(key_of(*past.last), False)
        elif key_of(*past.last) != key_of(*past.base):  # else nobody left it: the change moved no traffic
            words.setdefault(key_of(*past.last), True)
    return words
