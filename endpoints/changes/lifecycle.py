"""The states of a change and the closed table of moves between them.

    checking ─→ in_review ─→ approved ─→ applying ─→ verifying ─→ succeeded
        └→ check_failed         └→ expired    └→ failed   └→ applying (next step, or once more)

Before it starts a change can be rejected, withdrawn or edited (back to checking, which voids approvals).
A change that meets a state of Azure nobody here ordered is drifted: not ended, but stopped until somebody
edits it onto the new base, rolls back or closes it. A rollback supersedes whatever is active.
"Active" is no state: it is started and not ended, so that new states need no new index.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a change is for; all kinds share one life and one executor."""

    TRAFFIC = "traffic"
    ROLLBACK = "rollback"


class State(StrEnum):
    CHECKING = "checking"
    CHECK_FAILED = "check_failed"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    APPLYING = "applying"
    VERIFYING = "verifying"
    DRIFTED = "drifted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


TERMINAL = frozenset(
    {State.SUCCEEDED, State.FAILED, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.SUPERSEDED}
)
OPEN = frozenset(State) - TERMINAL
EXECUTING = frozenset({State.APPLYING, State.VERIFYING})
EDITABLE = frozenset({State.CHECKING, State.CHECK_FAILED, State.IN_REVIEW, State.APPROVED, State.DRIFTED})
WITHDRAWABLE = EDITABLE

_STOPS = frozenset({State.DRIFTED, State.FAILED, State.SUPERSEDED})

MOVES: dict[State, frozenset[State]] = {
    State.CHECKING: frozenset({State.CHECKING, State.IN_REVIEW, State.CHECK_FAILED, State.WITHDRAWN}),
    State.CHECK_FAILED: frozenset({State.CHECKING, State.WITHDRAWN}),
    State.IN_REVIEW: frozenset(
        {State.CHECKING, State.APPROVED, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRIFTED}
    ),
    State.APPROVED: frozenset(
        {State.CHECKING, State.APPLYING, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.DRIFTED}
    ),
    State.APPLYING: frozenset({State.VERIFYING}) | _STOPS,
    State.VERIFYING: frozenset({State.APPLYING, State.SUCCEEDED}) | _STOPS,
    State.DRIFTED: frozenset({State.CHECKING, State.WITHDRAWN, State.SUPERSEDED}),
} | {state: frozenset() for state in TERMINAL}


def may_move(before: State, after: State) -> bool:
    """Whether the table has this move."""
    return after in MOVES[before]
