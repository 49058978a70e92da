"""What a look does with the findings that live: which are new, which follow the facts, which move. Pure.

One that is open follows what is found. A person's word freezes it: it then ends only when its ground is gone, and what
was put off or turned down opens again when the facts are others, or a saving by more than a fifth. Where too little is
known to say that there is nothing to save, nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from endpoints.capacity.life import Kind, State

MOVED_SHARE = 0.2
"""A saving that moved by more is another one."""
Key = tuple[int, int | None]
"""Endpoint and deployment; None: the endpoint as a whole."""


class Silent(StrEnum):
    """Why nothing was found where a finding lives."""

    NOT_THERE = "it is not there any more"
    NOTHING = "there is nothing to save any more"
    KEPT = "it is needed as it is"
    WHOLE = "the whole endpoint is looked at as one"
    OTHER = "another saving was found on it"
    UNSURE = "too little is known"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found now. `facts` is a digest of what it stands on; `advice` as it is stored. `high` in billionths."""

    kind: str
    facts: str
    low: int | None
    high: int | None
    currency: str
    cause: str
    cause_ref: str
    advice: Mapping[str, Any]
    steady: bool = True  # its saving is no other one because rules scale it up and down


@dataclass(frozen=True, slots=True)
class Living:
    """A finding that lives."""

    id: int
    key: Key
    kind: str
    state: State
    facts: str
    high: int | None
    currency: str
    until: date | None
    instances: int | None  # as they were when its content was written


@dataclass(frozen=True, slots=True)
class Move:
    """Something that happens to a finding; `found` is its content from then on."""

    id: int
    kind: Kind
    because: str = ""
    found: Found | None = None


@dataclass(slots=True)
class Plan:
    """What is to be done. `flagged` are frozen on facts that are others now."""

    new: list[tuple[Key, Found]] = field(default_factory=list)
    follow: list[tuple[int, Found]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)


def plan(
    living: Iterable[Living], found: Mapping[Key, Found], silent: Mapping[Key, Silent], today: date
) -> Plan:
    """`silent` says of each subject that is there why nothing was found; one that is in neither is not there."""
    made, taken = Plan(), set()
    for row in living:
        now = found.get(row.key)
        taken.add(row.key)
        ended = _judge(row, now, silent.get(row.key, Silent.NOT_THERE), today, made)
        if ended and now is not None:
            made.new.append((row.key, now))
    made.new += [(key, one) for key, one in found.items() if key not in taken]
    return made


def is_other(row: Living, now: Found) -> bool:
    """Whether what it stands on is materially another thing than what it was written on."""
    if row.facts != now.facts:
        return True
    if not now.steady or row.high == now.high:
        return False
    if row.high is None or now.high is None or row.currency != now.currency:
        return True
    return abs(now.high - row.high) > MOVED_SHARE * max(row.high, 1)


def _judge(row: Living, now: Found | None, why: Silent, today: date, made: Plan) -> bool:
    """Add what happens to it; True when it ends."""
    match row.state:
        case State.OPEN:
            return _open(row, now, why, made)
        case State.CLAIMED:
            if now is not None and is_other(row, now):
                made.flagged.append(row.id)
            return now is None and why in (Silent.NOT_THERE, Silent.NOTHING) and _gone(row, why, made)
        case State.POSTPONED | State.DISMISSED:
            return _quiet(row, now, why, today, made)
        case State.VERIFIED:
            return _verified(row, now, made)
    return False


def _open(row: Living, now: Found | None, why: Silent, made: Plan) -> bool:
    if now is None:
        return why is not Silent.UNSURE and _gone(row, why, made)
    if now.kind != row.kind:
        return _gone(row, Silent.OTHER, made)
    made.follow.append((row.id, now))
    return False


def _quiet(row: Living, now: Found | None, why: Silent, today: date, made: Plan) -> bool:
    is_due = row.state is State.POSTPONED and row.until is not None and row.until <= today
    if now is None:
        if why is Silent.NOT_THERE or (is_due and why is not Silent.UNSURE):
            return _gone(row, why, made)
        if is_due:
            made.moves.append(Move(row.id, Kind.DUE))
        return False
    if is_due:
        made.moves.append(Move(row.id, Kind.DUE, found=now))
    elif is_other(row, now):
        made.moves.append(Move(row.id, Kind.FACTS_CHANGED, found=now))
    return False


def _verified(row: Living, now: Found | None, made: Plan) -> bool:
    """Another saving on it closes the verified one. The same one again is no other one: it rebounded, or will be seen
    to have."""
    instances = now.advice.get("now_instances") if now is not None else None
    if now is None or (now.kind == row.kind and instances == row.instances):
        return False
    made.moves.append(Move(row.id, Kind.DONE, Silent.OTHER))
    return True


def _gone(row: Living, why: Silent, made: Plan) -> bool:
    made.moves.append(Move(row.id, Kind.GONE, why))
    return True
