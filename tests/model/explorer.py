"""A small explicit-state model checker: every state that can be reached, the shortest way into a bad one, fair cycles.

Breadth first and in a fixed order, so that a run says the same each time and a trace has no step too many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
Moves = Callable[[S], Iterable[tuple[str, S]]]
Bad = Callable[[S], bool]


class TooMany(Exception):
    """The model has more states than it was made for: nothing is proved."""


@dataclass
class Explored(Generic[S]):
    """The graph, or as much of it as was seen before a bad state was met."""

    states: list[S] = field(default_factory=list)
    edges: list[list[tuple[str, int]]] = field(default_factory=list)
    parents: list[tuple[int, str]] = field(default_factory=list)
    found: int | None = None
    """The first bad state, if one was met."""

    def trace(self, number: int | None = None) -> list[str]:
        """The moves of a shortest way to a state, the bad one unless another is named."""
        at = self.found if number is None else number
        assert at is not None, "no bad state was met"
        moves: list[str] = []
        while at:
            at, label = self.parents[at]
            moves.append(label)
        return moves[::-1]


def explore(start: S, moves: Moves[S], bad: Bad[S], *, limit: int = 2_000_000) -> Explored[S]:
    """All states, or those up to the nearest bad one."""
    graph: Explored[S] = Explored([start], [], [(0, "")])
    numbers = {start: 0}
    if bad(start):
        graph.found = 0
        return graph
    for at, state in enumerate(graph.states):  # grows while it is walked
        edges: list[tuple[str, int]] = []
        graph.edges.append(edges)
        for label, after in moves(state):
            number = numbers.get(after)
            if number is None:
                number = numbers[after] = len(graph.states)
                graph.states.append(after)
                graph.parents.append((at, label))
                if bad(after):
                    graph.found = number
                    return graph
            edges.append((label, number))
        if len(numbers) > limit:
            raise TooMany(f"more than {limit} states")
    return graph


def fair_cycle(graph: Explored[S], bad: Bad[S], fair: Collection[str]) -> int | None:
    """A bad state that a fair run passes again and again for ever; None when every fair run leaves them all.

    Fair is weakly fair: a move of a `fair` kind that stays possible is made some time. The kind of a move is the
    first word of its label. A state may always just let time pass, so standing still counts as a cycle.
    """
    for component in components(graph.edges):
        inside = set(component)
        worst = next((number for number in component if bad(graph.states[number])), None)
        if worst is not None and _is_fair(graph, inside, fair):
            return worst
    return None


def _is_fair(graph: Explored[S], inside: set[int], fair: Collection[str]) -> bool:
    """Whether a run that stays inside and goes everywhere there is fair to each kind of move."""
    return all(
        any(
            _leads_inside(graph.edges[number], kind, inside) or not _offers(graph.edges[number], kind)
            for number in inside
        )
        for kind in fair
    )


def _offers(edges: list[tuple[str, int]], kind: str) -> bool:
    return any(label.partition(" ")[0] == kind for label, _ in edges)


def _leads_inside(edges: list[tuple[str, int]], kind: str, inside: set[int]) -> bool:
    return any(label.partition(" ")[0] == kind and to in inside for label, to in edges)


def components(edges: list[list[tuple[str, int]]]) -> Iterator[list[int]]:
    """Strongly connected components (Tarjan), without recursion."""
    order = [0] * len(edges)  # 0: not visited yet
    low = [0] * len(edges)
    on_stack = bytearray(len(edges))
    stack: list[int] = []
    count = 0
    for root in range(len(edges)):
        if order[root]:
            continue
        path: list[tuple[int, int]] = [(root, 0)]
        while path:
            at, branch = path.pop()
            if not branch:
                count += 1
                order[at] = low[at] = count
                stack.append(at)
                on_stack[at] = 1
            else:
                low[at] = min(low[at], low[edges[at][branch - 1][1]])
            for index in range(branch, len(edges[at])):
                to = edges[at][index][1]
                if not order[to]:
                    path.append((at, index + 1))
                    path.append((to, 0))
                    break
                if on_stack[to]:
                    low[at] = min(low[at], order[to])
            else:
                if low[at] == order[at]:
                    yield _popped(stack, on_stack, at)


def _popped(stack: list[int], on_stack: bytearray, root: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] != root:
        found.append(stack.pop())
        on_stack[found[-1]] = 0
    return found
