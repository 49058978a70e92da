"""The states of a challenge case and the moves between them. Pure."""

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
    DECIDED = "decided"
    SENT_BACK = "sent back"  # whoever had to confirm did not
    CONFIRMED = "confirmed"
    REOPENED = "re-opened"
    HELD = "legal hold"
    RELEASED = "legal hold ended"
