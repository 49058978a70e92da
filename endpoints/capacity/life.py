"""The life of a finding: the states, and the closed table of what can happen in each. Pure.

    open ─→ claimed ─→ filed ─→ acted ─→ verified ─→ done
      ↑        ↓         ↓        ↓          ↓
      └── released, its change came to nothing, undone, nothing saved, rebounded
    open ─→ postponed ─→ open      its date is over, or the facts are others
    open ─→ dismissed ─→ open      the facts are others
    open, claimed, postponed, dismissed ─→ gone      there is nothing to save any more

Its content follows the facts while it is open and is frozen in every other state.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    FILED = "filed"  # a change was asked for
    POSTPONED = "postponed"
    DISMISSED = "dismissed"
    ACTED = "acted"  # the change succeeded; what it saved is not known yet
    VERIFIED = "verified"
    GONE = "gone"  # there is nothing to save any more
    DONE = "done"


ENDED = frozenset({State.GONE, State.DONE})
LIVING = frozenset(State) - ENDED
FOLLOWS = frozenset({State.OPEN})
"""The content is as the last look found it."""
QUIET = frozenset({State.POSTPONED, State.DISMISSED})
"""A person said not now, or not at all, on the facts of that time."""


class Kind(StrEnum):
    """What can happen to a finding."""

    FOUND = "found"
    CLAIMED = "claimed"
    RELEASED = "released"
    FILED = "filed"
    POSTPONED = "postponed"
    DISMISSED = "dismissed"
    COMMENTED = "commented"
    DUE = "due again"  # the date to which it was postponed is over
    FACTS_CHANGED = "facts changed"
    GONE = "gone"
    ACTED = "acted"
    CAME_TO_NOTHING = "came to nothing"  # its change was rejected, withdrawn, expired or failed
    UNDONE = "undone"  # what its change did was rolled back
    VERIFIED = "verified"
    NOT_SAVED = "nothing saved"
    REBOUNDED = "rebounded"
    DONE = "done"


_AT_HAND = frozenset({State.OPEN, State.CLAIMED})
_FROM: dict[Kind, frozenset[State]] = {
    Kind.CLAIMED: _AT_HAND,  # by somebody else too, or to another date
    Kind.RELEASED: frozenset({State.CLAIMED}),
    Kind.FILED: _AT_HAND,
    Kind.POSTPONED: _AT_HAND | {State.POSTPONED},
    Kind.DISMISSED: _AT_HAND | {State.POSTPONED},
    Kind.COMMENTED: frozenset(State),
    Kind.DUE: frozenset({State.POSTPONED}),
    Kind.FACTS_CHANGED: QUIET,
    Kind.GONE: _AT_HAND | QUIET,
    Kind.ACTED: frozenset({State.FILED}),
    Kind.CAME_TO_NOTHING: frozenset({State.FILED}),
    Kind.UNDONE: frozenset({State.ACTED, State.VERIFIED}),
    Kind.VERIFIED: frozenset({State.ACTED}),
    Kind.NOT_SAVED: frozenset({State.ACTED}),
    Kind.REBOUNDED: frozenset({State.ACTED, State.VERIFIED}),
    Kind.DONE: frozenset({State.VERIFIED}),
}
_TO: dict[Kind, State] = {
    Kind.CLAIMED: State.CLAIMED,
    Kind.RELEASED: State.OPEN,
    Kind.FILED: State.FILED,
    Kind.POSTPONED: State.POSTPONED,
    Kind.DISMISSED: State.DISMISSED,
    Kind.DUE: State.OPEN,
    Kind.FACTS_CHANGED: State.OPEN,
    Kind.GONE: State.GONE,
    Kind.ACTED: State.ACTED,
    Kind.CAME_TO_NOTHING: State.OPEN,
    Kind.UNDONE: State.OPEN,
    Kind.VERIFIED: State.VERIFIED,
    Kind.NOT_SAVED: State.OPEN,
    Kind.REBOUNDED: State.OPEN,
    Kind.DONE: State.DONE,
}


def after(before: State, kind: Kind) -> State | None:
    """The state in which a finding is once this has happened to it; None: it can't happen in that state."""
    if before not in _FROM.get(kind, frozenset()):
        return None
    return _TO.get(kind, before)


def possible(state: State) -> frozenset[Kind]:
    """What can happen to it now."""
    return frozenset(kind for kind in _FROM if after(state, kind) is not None)
