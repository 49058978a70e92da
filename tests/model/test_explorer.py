"""The model checker itself, on worlds small enough to be seen through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.explorer import TooMany, components, explore, fair_cycle


def counting(state: int) -> Iterator[tuple[str, int]]:
    """0 to 9, one at a time or two."""
    for step in (1, 2):
        if state + step < 10:
            yield f"add {step}", state + step


def lamp(state: str) -> Iterator[tuple[str, str]]:
    """Flickers between two colours for ever, unless it breaks."""
    if state != "broken":
        yield "flicker", "red" if state == "green" else "green"
        yield "break", "broken"


def test_walk__to_the_end__has_each_state_once() -> None:
    assert sorted(explore(0, counting, lambda state: False).states) == list(range(10))


def test_walk__to_a_bad_state__is_the_shortest() -> None:
    graph = explore(0, counting, lambda state: state == 7)
    assert graph.trace() == ["add 1", "add 2", "add 2", "add 2"]


def test_walk__that_begins_badly__has_an_empty_trace() -> None:
    assert explore(0, counting, lambda state: state == 0).trace() == []


def test_walk__of_more_states_than_expected__proves_nothing() -> None:
    with pytest.raises(TooMany):
        explore(0, lambda state: [("add 1", state + 1)], lambda state: False, limit=100)


def test_cycle__that_every_move_could_leave__counts_only_when_leaving_is_not_bound_to_happen() -> None:
    graph = explore("red", lamp, lambda state: False)
    assert fair_cycle(graph, lambda state: state == "red", {"flicker"}) is not None
    assert fair_cycle(graph, lambda state: state == "red", {"flicker", "break"}) is None


def test_end__of_all_moves__is_a_place_where_a_run_stays() -> None:
    graph = explore("red", lamp, lambda state: False)
    found = fair_cycle(graph, lambda state: state == "broken", {"flicker", "break"})
    assert found is not None
    assert graph.states[found] == "broken"


def test_components__of_a_graph__are_its_cycles_and_single_states() -> None:
    edges = [[("a", 1)], [("a", 2)], [("a", 0), ("b", 3)], [("a", 4)], [("a", 3), ("b", 5)], []]
    assert sorted(sorted(one) for one in components(edges)) == [[0, 1, 2], [3, 4], [5]]
