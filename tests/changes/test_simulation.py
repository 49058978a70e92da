"""Whole lives of a change in virtual time, one per seed: late calls, crashes, rollbacks, foreign writers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from endpoints.changes import decide as d
from endpoints.changes.lifecycle import Kind, State
from tests.changes.deciding import BASE
from tests.changes.simulation import END, FULL, Run

SEEDS = range(300)


def settle(run: Run) -> None:
    """Let everything land that is still on its way."""
    run.azure.pass_to(END * 5)


@pytest.mark.parametrize("seed", SEEDS)
def test_change__left_alone__ends_as_it_says(seed):
    run = Run(seed).go()
    settle(run)
    assert run.order.state in (State.SUCCEEDED, State.FAILED, State.DRIFTED)
    if run.order.state is State.SUCCEEDED:
        assert run.order.reached == [0, 1]
        assert run.azure.split == FULL
    ordered = [call.split for call in run.calls]
    assert all(split in ordered for _, split in run.azure.moves)


@pytest.mark.parametrize("seed", SEEDS)
def test_rollback__at_any_moment__ends_at_its_target_and_stays_there(seed):
    run = Run(seed, rollback_at=random.Random(seed).uniform(0, 200)).go()
    settle(run)
    assert run.order.kind is Kind.ROLLBACK
    assert run.order.state is State.SUCCEEDED
    assert run.azure.split == BASE
    assert not [split for moment, split in run.azure.moves if moment > run.ended_at and split != BASE]


@pytest.mark.parametrize("seed", SEEDS)
def test_rollback__with_a_foreign_writer_before_it_is_confirmed__still_ends_at_its_target(seed):
    moment = random.Random(seed).uniform(0, 120)
    run = Run(seed, rollback_at=moment, foreign_at=moment + random.Random(seed).uniform(-20, 2)).go()
    settle(run)
    assert run.order.state is State.SUCCEEDED
    assert run.azure.split == BASE


@pytest.mark.parametrize("seed", SEEDS)
def test_change__with_a_foreign_writer__never_overwrites_what_it_has_seen(seed):
    run = Run(seed, foreign_at=random.Random(seed).uniform(0, 60)).go()
    settle(run)
    assert run.order.state in (State.SUCCEEDED, State.FAILED, State.DRIFTED)


def test_rollback__without_crashes__is_never_slower_than_the_bound_and_azures_operations():
    for seed in SEEDS:
        run = Run(seed, rollback_at=5.0, crashes=False).go()
        assert run.ended_at - 5.0 < 300.0, f"seed {seed}"


def blind_to_rivals(facts, seen, now, limits):
    return d.decide(replace(facts, rival_sent_at=None), seen, now, limits)


def impatient(facts, seen, now, limits):
    """Takes a call without an answer for one that was refused."""
    last = facts.last
    if last and last.unresolved:
        last = replace(last, outcome=d.AttemptOutcome.REFUSED)
    return d.decide(replace(facts, last=last), seen, now, limits)


def credulous(facts, seen, now, limits):
    """Takes an operation's end for a good end, instead of reading the endpoint."""
    action = d.decide(facts, seen, now, limits)
    return d.StepDone() if isinstance(action, d.NoteOperation) else action


def busy_is_fine(facts, seen, now, limits):
    """Takes a reading in mid-operation for a settled one."""
    if isinstance(seen.endpoint, d.SeenEndpoint):
        seen = replace(seen, endpoint=replace(seen.endpoint, provisioning_state="Succeeded"))
    return d.decide(facts, seen, now, limits)


@pytest.mark.parametrize("mutant", [blind_to_rivals, impatient, credulous, busy_is_fine])
def test_simulation__decider_with_a_flaw__finds_it(mutant):
    """The rules above would not be worth much if they passed whatever is decided."""
    assert any(breaks_a_rule(mutant, seed) for seed in range(2000))


def breaks_a_rule(mutant, seed):
    try:
        run = Run(seed, rollback_at=random.Random(seed).uniform(0, 200), decider=mutant).go()
    except AssertionError:
        return True
    settle(run)
    return run.azure.split != BASE
