"""A finding's life: only what the table has can happen, whatever is tried, and all of it is on record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from endpoints.audit.actors import SYSTEM_CAPACITY
from endpoints.audit.models import Entry
from endpoints.capacity.life import ENDED, LIVING, Kind, State, after, possible
from endpoints.capacity.services.finding_moves import happen
from endpoints.core.errors import Conflict
from tests.capacity.found import found
from tests.capacity.test_roll_up import deployed
from tests.inventory.support import make_workspace


@given(some.lists(some.sampled_from(Kind), max_size=30))
def test_life__whatever_is_tried__ends_once_and_stays_ended(tried: list[Kind]) -> None:
    state = State.OPEN
    for kind in tried:
        to = after(state, kind)
        if to is None:
            assert kind not in possible(state)
            continue
        assert state not in ENDED or to is state
        state = to


@pytest.mark.parametrize("state", sorted(LIVING))
def test_life__of_every_state__leads_on(state: State) -> None:
    assert {after(state, kind) for kind in possible(state)} - {state}


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        (State.OPEN, {Kind.CLAIMED, Kind.FILED, Kind.POSTPONED, Kind.DISMISSED, Kind.GONE}),
        (State.CLAIMED, {Kind.CLAIMED, Kind.RELEASED, Kind.FILED, Kind.POSTPONED, Kind.DISMISSED, Kind.GONE}),
        (State.FILED, {Kind.ACTED, Kind.CAME_TO_NOTHING}),
        (State.POSTPONED, {Kind.POSTPONED, Kind.DISMISSED, Kind.DUE, Kind.FACTS_CHANGED, Kind.GONE}),
        (State.DISMISSED, {Kind.FACTS_CHANGED, Kind.GONE}),
        (State.ACTED, {Kind.VERIFIED, Kind.NOT_SAVED, Kind.REBOUNDED, Kind.UNDONE}),
        (State.VERIFIED, {Kind.REBOUNDED, Kind.UNDONE, Kind.DONE}),
        (State.GONE, set()),
        (State.DONE, set()),
    ],
)
def test_life__in_each_state__allows_these_and_a_comment(state: State, kinds: set[Kind]) -> None:
    assert possible(state) == kinds | {Kind.COMMENTED}


@pytest.mark.django_db
def test_move__that_somebody_else_was_faster_with__stores_nothing() -> None:
    row = found(deployed(make_workspace("mlw-prod-weu")))
    stale = type(row).objects.get(pk=row.pk)
    happen(finding=row, kind=Kind.POSTPONED, actor=SYSTEM_CAPACITY)
    with pytest.raises(Conflict, match="is postponed by now"):
        happen(finding=stale, kind=Kind.CLAIMED, actor=SYSTEM_CAPACITY)
    assert list(row.events.values_list("kind", "before", "after")) == [("postponed", "open", "postponed")]
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_move__to_an_end__sets_when_and_lets_the_next_one_live() -> None:
    deployment = deployed(make_workspace("mlw-prod-weu"))
    row = found(deployment)
    happen(finding=row, kind=Kind.GONE, actor=SYSTEM_CAPACITY, data={"because": "nothing to save"})
    assert row.ended_at is not None
    assert found(deployment).pk != row.pk
