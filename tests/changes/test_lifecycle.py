"""The table of moves."""

from __future__ import annotations

from itertools import product

import pytest

from endpoints.changes.lifecycle import EXECUTING, MOVES, OPEN, TERMINAL, State, may_move


@pytest.mark.parametrize(("before", "after"), list(product(sorted(TERMINAL), State)))
def test_move__out_of_an_ended_state__is_not_there(before, after):
    assert not may_move(before, after)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_state__open__leads_to_an_end(state):
    reached, found = {state}, set[State]()
    while reached:
        found |= reached
        reached = {after for one in reached for after in MOVES[one]} - found
    assert found & TERMINAL


@pytest.mark.parametrize("state", sorted(EXECUTING | {State.DRIFTED}))
def test_rollback__of_anything_at_work__can_take_over(state):
    assert may_move(state, State.SUPERSEDED)


APPROVED = {State.APPROVED, State.SCHEDULED}
AT_WORK = {State.APPLYING, State.VERIFYING, State.BAKING, State.HELD}


@pytest.mark.parametrize("state", sorted(set(State) - APPROVED - AT_WORK))
def test_applying__from_anything_but_an_approval_or_its_own_steps__can_not_begin(state):
    assert not may_move(state, State.APPLYING)


@pytest.mark.parametrize("state", sorted(set(State) - APPROVED - AT_WORK))
def test_applying__in_an_emergency__begins_only_where_reviewers_are_passed_over(state):
    assert may_move(state, State.APPLYING, emergency=True) is (state in (State.CHECK_FAILED, State.IN_REVIEW))


@pytest.mark.parametrize("state", sorted(State))
def test_emergency__any_other_move__opens_nothing_else(state):
    for after in set(State) - {State.APPLYING}:
        assert may_move(state, after, emergency=True) is may_move(state, after)


def test_approval__from_anything_but_review__can_not_come():
    came = [state for state in State if may_move(state, State.APPROVED)]
    assert came == [
        State.IN_REVIEW,
        State.SCHEDULED,
    ]  # a start that is called off leaves the approval as it was


def test_table__every_state__has_a_row():
    assert set(MOVES) == set(State)
