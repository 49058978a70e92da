"""The states of a challenge case and the closed table of what may happen in each. Pure.

    open ──→ decided ──→ closed      with two roles: one decides, another confirms or sends back
      └────────────────────↗         with one: the decision closes it
    closed ──→ open                  re-opened, with a reason

Evidence is collected and a record chosen only while a case is open: whoever confirms must have before them what the
decision was made on.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    DECIDED = "decided"  # somebody decided; where two roles are asked for, another one must still confirm
    CLOSED = "closed"


class Outcome(StrEnum):
    """What came of it."""

    STANDS = "stands"
    OVERTURNED = "overturned"
    UNDETERMINED = "cannot be determined"


class Kind(StrEnum):
    """What can happen to a case."""

    RAISED = "raised"
    CHOSEN = "record chosen"  # which of several records the case is about
    COLLECTED = "evidence collected"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    LINKED = "linked"
    DECIDED = "decided"
    SENT_BACK = "sent back"  # whoever had to confirm did not
    CONFIRMED = "confirmed"
    REOPENED = "re-opened"
    HOLD_ASKED = "legal hold asked for"
    HELD = "legal hold"
    RELEASED = "legal hold ended"
    ERASURE_ASKED = "erasure asked for"
    ERASURE_WITHDRAWN = "erasure withdrawn"
    ERASED = "erased"


_STAYS = frozenset(State)
_FROM: dict[Kind, frozenset[State]] = {
    Kind.CHOSEN: frozenset({State.OPEN}),
    Kind.COLLECTED: frozenset({State.OPEN}),
    Kind.ASSIGNED: frozenset({State.OPEN, State.DECIDED}),
    Kind.COMMENTED: _STAYS,
    Kind.LINKED: _STAYS,
    Kind.DECIDED: frozenset({State.OPEN}),
    Kind.SENT_BACK: frozenset({State.DECIDED}),
    Kind.CONFIRMED: frozenset({State.DECIDED}),
    Kind.REOPENED: frozenset({State.CLOSED}),
    Kind.HOLD_ASKED: _STAYS,
    Kind.HELD: _STAYS,
    Kind.RELEASED: _STAYS,
    Kind.ERASURE_ASKED: _STAYS,
    Kind.ERASURE_WITHDRAWN: _STAYS,
    Kind.ERASED: frozenset({State.CLOSED}),  # what is still to be decided needs its question
}
_TO = {
    Kind.CONFIRMED: State.CLOSED,
    Kind.SENT_BACK: State.OPEN,
    Kind.REOPENED: State.OPEN,
}


def after(before: State, kind: Kind, *, two_roles: bool = False) -> State | None:
    """The state in which a case is once this has happened to it; None: it can't happen in that state."""
    if before not in _FROM.get(kind, frozenset()):
        return None
    if kind is Kind.DECIDED:
        return State.DECIDED if two_roles else State.CLOSED
    return _TO.get(kind, before)


def may(before: State, kind: Kind) -> bool:
    """Whether the table has it."""
    return after(before, kind) is not None
