"""Plans that are walked by real executors against the emulator: baked, held, killed, drifted, and given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from endpoints.changes import services
from endpoints.changes.draft import Draft, walk
from endpoints.changes.gatespec import gate
from endpoints.changes.models import Change, Measurement
from endpoints.changes.targets import key_of
from endpoints.changes.terms import OnFailure, Terms
from endpoints.dispatch import db_now
from tests.flows.stage import CHECKOUT, TIMES, Stage, wait_for

pytestmark = pytest.mark.processes

QUICK = {"OPSPORTAL_GATE_SECONDS": "0.5", "OPSPORTAL_GATE_GRACE_SECONDS": "2"}


@pytest.fixture
def quick(world: Stage) -> Stage:
    world.times = {**TIMES, **QUICK}
    return world


def plan(*steps: tuple[int, int, bool], **terms: Any) -> Draft:
    return walk({"blue": 100}, "green", steps, Terms(**terms))


def start(world: Stage, draft: Draft) -> int:
    return world.started(None, draft=draft)  # type: ignore[arg-type]


def bakes(world: Stage, number: int, step: int = 0) -> Change:
    def reached() -> Change | None:
        change = world.change(number)
        return change if change.state == "baking" and change.step == step else None

    return wait_for(f"step {step + 1} of CR-{number} baking", reached)  # type: ignore[no-any-return]


def test_plan__walked_to_its_end__orders_each_step_once_and_in_order(quick: Stage) -> None:
    quick.executor()
    number = start(quick, plan((5, 1, False), (25, 1, False), (100, 0, False), watch=1, warm=24))
    change = quick.until(number, "succeeded", seconds=60)
    ordered = [attempt.intended["split"] for attempt in quick.attempts(number)]
    assert ordered == [{"blue": 95, "green": 5}, {"blue": 75, "green": 25}, {"green": 100}]
    assert quick.puts() == 3
    assert change.warm_until is not None


def test_bake__executor_killed_in_it__goes_on_from_what_was_baked(quick: Stage) -> None:
    """F6: neither restarted nor skipped."""
    first = quick.executor()
    number = start(quick, plan((5, 6, False), (100, 0, False)))
    wait_for("half of the bake", lambda: quick.change(number).baked >= 2.5)
    first.kill()
    before = quick.change(number).baked
    quick.executor()
    change = bakes(quick, number)
    assert change.baked >= before
    quick.until(number, "succeeded", seconds=60)
    took = _baked_for(number)
    assert took >= 6.0
    assert quick.puts() == 2


def _baked_for(number: int) -> float:
    """Seconds between the step's being in force and the order of the next one."""
    moves = {row.after: row.at for row in Change.objects.get(pk=number).transitions.filter(step=0)}
    ordered = Change.objects.get(pk=number).transitions.filter(step=1).order_by("version").first()
    assert ordered is not None
    return float((ordered.at - moves["baking"]).total_seconds())


def test_click__in_the_plan__waits_for_a_person_and_then_goes_on(quick: Stage) -> None:
    quick.executor()
    number = start(quick, plan((5, 1, True), (100, 0, False)))
    change = quick.until(number, "held")
    assert (change.hold, change.attention) == ("click", "")
    services.advance_change(principal=quick.operator, change_id=number, seen_step=0)
    quick.until(number, "succeeded", seconds=60)
    assert quick.live() == {"green": 100}


def test_hold__by_a_person__is_kept_until_it_is_resumed(quick: Stage) -> None:
    quick.executor()
    number = start(quick, plan((5, 2, False), (100, 0, False)))
    bakes(quick, number)
    services.hold_change(principal=quick.operator, change_id=number, reason="let me look")
    puts = quick.puts()
    wait_for("some rounds", lambda: db_now() > _held_at(quick, number) + timedelta(seconds=3))
    assert (quick.change(number).state, quick.puts()) == ("held", puts)
    services.resume_change(principal=quick.operator, change_id=number)
    quick.until(number, "succeeded", seconds=60)


def _held_at(world: Stage, number: int) -> datetime:
    at = world.change(number).held_at
    assert at is not None
    return at


@pytest.mark.parametrize("held", [False, True])
def test_foreign_write__while_a_step_is_in_force__drifts_and_nothing_more_is_sent(
    quick: Stage, held: bool
) -> None:
    """F26."""
    quick.executor()
    number = start(quick, plan((5, 60, False), (100, 0, False)))
    bakes(quick, number)
    if held:
        services.hold_change(principal=quick.operator, change_id=number, reason="let me look")
    puts = quick.puts()
    quick.foreign(traffic={"blue": 50, "green": 50})
    quick.until(number, "drifted")
    assert quick.live() == {"blue": 50, "green": 50}
    assert quick.puts() == puts


def test_gates__without_any_metrics__never_let_the_next_step_begin(quick: Stage) -> None:
    """F36: nobody collects metrics on this stage, so nothing can be told."""
    quick.executor()
    number = start(quick, plan((5, 1, False), (100, 0, False), gates=(gate("errors"),)))
    change = quick.until(number, "held")
    assert change.hold in ("inconclusive", "error")
    assert change.attention
    assert quick.live() == {"blue": 95, "green": 5}
    assert Measurement.objects.filter(change=number).exists()
    services.override_gate(
        principal=quick.operator, change_id=number, seen_step=0, gate="Errors", reason="no metrics here"
    )
    wait_for("the gates pass", lambda: quick.change(number).gate_outcome == "pass")
    services.resume_change(principal=quick.operator, change_id=number)
    quick.until(number, "succeeded", "held", seconds=60)


def test_deployment__that_fails_while_it_serves__is_given_up_by_the_portal_itself(quick: Stage) -> None:
    quick.executor()
    number = start(quick, plan((5, 60, False), (100, 0, False)))
    bakes(quick, number)
    quick.azure.admin.foreign(f"{CHECKOUT}/deployments/green", state="Failed")
    quick.until(number, "superseded")
    ordered = Change.objects.get(reverts=number)
    quick.until(ordered.pk, "succeeded")
    assert (ordered.author_id, ordered.cause) == (None, "gate")
    assert quick.live() == {"blue": 100}


@pytest.mark.parametrize("point", ["after_intent", "after_put", "during_operation", "before_confirm"])
def test_second_step__executor_dies_in_it__is_finished_by_another_and_ordered_once(
    quick: Stage, point: str
) -> None:
    """F1 to F5, of a step that is not the first."""
    first = quick.executor()
    number = start(quick, plan((5, 1, True), (100, 0, False)))
    quick.until(number, "held")
    first.terminate()
    first.wait(20)
    second = quick.executor(OPSPORTAL_CRASH=point)
    services.advance_change(principal=quick.operator, change_id=number, seen_step=0)
    quick.dies(second)
    quick.executor()
    quick.until(number, "succeeded", seconds=60)
    assert quick.live() == {"green": 100}


def test_failure__where_the_plan_says_hold__holds_and_a_person_rolls_back(quick: Stage) -> None:
    quick.executor()
    number = start(quick, plan((5, 60, False), (100, 0, False), on_failure=OnFailure.HOLD))
    bakes(quick, number)
    quick.azure.admin.foreign(f"{CHECKOUT}/deployments/green", state="Failed")
    assert quick.until(number, "held").hold == "failed"
    assert quick.live() == {"blue": 95, "green": 5}
    back = quick.roll_back({"blue": 100})
    quick.until(back, "succeeded")
    assert (quick.live(), quick.change(number).state) == ({"blue": 100}, "superseded")


def test_rollback__that_scales_first__orders_instances_and_then_the_split(quick: Stage) -> None:
    quick.azure.admin.settings(durations={"endpoint_update": 0.2, "deployment_scale": 0.5})
    quick.executor()
    number = start(quick, plan((100, 0, False)))
    quick.until(number, "succeeded")
    receipt = services.roll_back(
        principal=quick.operator,
        endpoint_id=quick.endpoint_id,
        target_key=key_of({"blue": 100}, {}),
        scale_first={"blue": 5},
    )
    quick.until(receipt.change_id, "succeeded", seconds=60)
    assert quick.live() == {"blue": 100}
    verbs = [attempt.verb for attempt in quick.attempts(receipt.change_id)]
    assert verbs == ["patch_capacity", "put_split"]
    blue = quick.azure.admin.resource(f"{CHECKOUT}/deployments/blue")["document"]
    assert blue["sku"]["capacity"] == 5
