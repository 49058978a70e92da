"""Every order in which two executors, Azure, a person and faults can act on one rollout; and mutants that must fail."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.model import rules
from tests.model.explorer import Bad, Explored, explore, fair_cycle
from tests.model.rollout import BASE, FAIR, FULL, Rules, World, moves

# Two faults at a time in every combination that matters. Three take a minute: `dev.py bench faults` walks those.
WORLDS: list[dict[str, int]] = [
    {},
    {"crashes": 1, "pauses": 1},
    {"crashes": 1, "losses": 1},
    {"crashes": 1, "failures": 1, "holds": 1},
    {"pauses": 2},
    {"pauses": 1, "losses": 1},
    {"pauses": 1, "failures": 1},
    {"losses": 2},
    {"losses": 1, "failures": 1, "holds": 1},
    {"foreign": 1, "crashes": 1},
    {"foreign": 1, "pauses": 1},
    {"foreign": 1, "losses": 1},
]


def walk(world: World, bad: Bad[World], **off: bool) -> Explored[World]:
    return explore(world, partial(moves, rules=Rules(**off)), bad)


def named(faults: dict[str, int]) -> str:
    return "+".join(f"{number} {name}" for name, number in faults.items()) or "no fault"


@pytest.mark.parametrize("faults", WORLDS, ids=named)
def test_rollout__in_every_order_of_events__breaks_no_rule_and_comes_to_an_end(
    faults: dict[str, int],
) -> None:
    graph = walk(World(**faults), rules.breaks_a_rule)  # type: ignore[arg-type]
    assert graph.found is None, graph.trace()
    endless = fair_cycle(graph, rules.unsettled, FAIR)
    assert endless is None, graph.trace(endless)
    backs = {(world.back, world.split) for world in graph.states}
    assert ("succeeded", BASE) in backs, "no life in which a rollback is done: nothing was proved"
    assert any(world.change == "succeeded" and world.split == FULL for world in graph.states)
    assert {False, True} == {world.by_person for world in graph.states if world.back}


def test_rollout__without_foreign_writes__never_lets_the_candidate_serve_after_a_rollback() -> None:
    graph = walk(World(pauses=1, losses=1), rules.candidate_serves_again)
    assert graph.found is None, graph.trace()


def test_call__that_outlives_its_bound__may_land_after_a_rollback_but_as_drift_and_never_unseen() -> None:
    """What nobody can promise: a process stopped between its last look at the clock and the first byte."""
    outlived = World(pauses=1, outlivings=1)
    assert walk(outlived, rules.candidate_serves_again).found is not None
    assert walk(outlived, rules.candidate_serves_unseen).found is None


def flaw(name: str) -> Bad[World]:
    return lambda world: name in world.flaws


# What is switched off, the rule that must break, and moves that the shortest way into it goes through, in order.
MUTANTS: list[tuple[str, Bad[World], list[str]]] = [
    (
        "recheck",
        rules.candidate_serves_again,
        ["pause while decided Put", "click: roll back", "work acts: Put", "land of 1"],
    ),
    (
        "bound",
        rules.candidate_serves_again,
        ["work hears nothing", "click: roll back", "work acts: StepDone", "land of 1"],
    ),
    (
        "take_over_waits",
        flaw("two processes in the middle of a call"),
        ["pause while sending", "work acts: Put", "work sends"],
    ),
    (
        "raises_generation",
        rules.candidate_serves_again,
        ["work hears nothing", "click: roll back", "work acts: StepDone", "land of 1"],
    ),
    ("level", rules.candidate_serves_again, ["work hears yes", "click: roll back", "work acts: StepDone"]),
    (
        "second_reading",
        rules.candidate_serves_again,
        ["end of 1", "click: roll back", "work acts: Accept", "work acts: StepDone"],
    ),
    (
        "one_explanation",
        rules.candidate_serves_again,
        [
            "pause while waiting",
            "work hears yes",
            "work hears nothing",
            "work acts: Accept",
            "click: roll back",
        ],
    ),
    (
        "gate_fenced",
        flaw("a gate undoes what a person ordered"),
        ["work reads and decides: RollBack", "click: roll back", "work acts: RollBack"],
    ),
]


@pytest.mark.parametrize(
    ("off", "rule", "passing"), MUTANTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_model__with_a_protection_off__finds_the_shortest_way_into_harm(
    off: str, rule: Bad[World], passing: list[str]
) -> None:
    """The rules above would not be worth much if they held whatever is done."""
    graph = walk(World(crashes=1, pauses=1, losses=1, failures=1), rule, **{off: False})
    assert graph.found is not None, "the mutant lives"
    steps: Any = iter(graph.trace())
    for wanted in passing:
        assert any(step.startswith(wanted) for step in steps), f"{wanted} is not on the way {graph.trace()}"


def test_model__whose_ended_changes_still_expect_their_writes__lets_a_late_call_pass_for_ours() -> None:
    graph = walk(World(pauses=1, outlivings=1), rules.candidate_serves_unseen, cancels=False)
    assert graph.found is not None


def test_model__that_believes_answers__has_a_life_that_never_comes_to_rest_on_the_target() -> None:
    """The mutant breaks liveness too: Azure's operation fails, and nobody looks."""
    graph = walk(World(failures=1), lambda world: False, level=False)
    endless = fair_cycle(graph, rules.unsettled, FAIR)
    assert endless is not None
    assert "fails" in graph.trace(endless)
