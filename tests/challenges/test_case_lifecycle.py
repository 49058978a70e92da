"""The closed table: in which state what may happen to a case, and where that leads."""

from __future__ import annotations

import pytest

from endpoints.challenges.lifecycle import Kind, State, after, may

ANY = {Kind.COMMENTED, Kind.LINKED, Kind.HOLD_ASKED, Kind.HELD, Kind.RELEASED, Kind.ERASURE_ASKED,
       Kind.ERASURE_WITHDRAWN}  # fmt: skip
ALLOWED = {
    State.OPEN: ANY | {Kind.CHOSEN, Kind.COLLECTED, Kind.ASSIGNED, Kind.DECIDED},
    State.DECIDED: ANY | {Kind.ASSIGNED, Kind.SENT_BACK, Kind.CONFIRMED},
    State.CLOSED: ANY | {Kind.REOPENED, Kind.ERASED},
}


@pytest.mark.parametrize("state", State)
def test_case__in_each_state__takes_what_the_table_says_and_nothing_else(state: State) -> None:
    assert {kind for kind in Kind if may(state, kind)} == ALLOWED[state]


@pytest.mark.parametrize(
    ("before", "kind", "two_roles", "to"),
    [
        (State.OPEN, Kind.DECIDED, False, State.CLOSED),
        (State.OPEN, Kind.DECIDED, True, State.DECIDED),
        (State.DECIDED, Kind.CONFIRMED, True, State.CLOSED),
        (State.DECIDED, Kind.SENT_BACK, True, State.OPEN),
        (State.CLOSED, Kind.REOPENED, False, State.OPEN),
        (State.CLOSED, Kind.DECIDED, False, None),
        (State.OPEN, Kind.CONFIRMED, True, None),
        (State.CLOSED, Kind.COMMENTED, False, State.CLOSED),
    ],
)
def test_case__when_something_happens__goes_where_the_table_says(
    before: State, kind: Kind, two_roles: bool, to: State | None
) -> None:
    assert after(before, kind, two_roles=two_roles) is to
