"""Others write to Azure too: before, during and after our call; and people roll back in the worst moment."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from endpoints.changes import services
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.targets import key_of
from endpoints.core.errors import Conflict
from endpoints.inventory.models import Drift
from tests.changes.crowd import together
from tests.flows.stage import CHECKOUT, Stage, wait_for

pytestmark = pytest.mark.processes
HALF = {"blue": 50, "green": 50}
GREEN = f"{CHECKOUT}/deployments/green"
SLOW = {"OPSPORTAL_SECOND_READ_SECONDS": "2"}


def test_change__foreign_write_before_the_call__drifts_and_sends_nothing(world: Stage) -> None:
    """F26: between the start and our first reading."""
    change_id = world.started(HALF)
    world.foreign(traffic={"blue": 70, "green": 30})
    world.executor()
    world.until(change_id, "drifted")
    assert world.puts() == 0
    assert world.live() == {"blue": 70, "green": 30}
    assert Drift.objects.get().after["traffic"] == {"blue": 70, "green": 30}


def test_change__foreign_write_in_mid_operation__drifts_or_is_done_but_never_fights(world: Stage) -> None:
    """F26: while Azure applies our call."""
    world.azure.admin.settings(durations={"endpoint_update": 1.5})
    change_id = world.started(HALF)
    world.executor()
    world.until(change_id, "verifying")
    world.foreign(traffic={"blue": 70, "green": 30})
    world.until(change_id, "succeeded", "drifted")
    assert world.puts() == 1


def test_change__foreign_write_between_the_two_readings__drifts_and_is_not_fought(world: Stage) -> None:
    """F26: after it was confirmed once."""
    change_id = world.started(HALF)
    world.executor(**SLOW)
    wait_for("the first reading", lambda: world.change(change_id).confirmed_at)
    world.foreign(traffic={"blue": 70, "green": 30})
    world.until(change_id, "drifted")
    assert world.puts() == 1
    assert world.live() == {"blue": 70, "green": 30}


def test_change__drifted__is_rolled_back_from(world: Stage) -> None:
    change_id = world.started(HALF)
    world.foreign(traffic={"green": 100})
    world.executor()
    world.until(change_id, "drifted")
    rollback_id = world.roll_back({"blue": 100})
    world.until(rollback_id, "succeeded")
    assert world.change(change_id).state == "superseded"
    assert world.live() == {"blue": 100}


def test_change__drifted_and_approved_again_on_the_new_base__is_applied(world: Stage) -> None:
    change_id = world.started(HALF)
    world.foreign(traffic={"green": 100})
    world.executor()
    world.until(change_id, "drifted")
    services.edit_change(
        principal=world.requester,
        change_id=change_id,
        seen_hash=world.hash(change_id),
        split=HALF,
        reason="on the new base",
    )
    services.approve_change(principal=world.reviewer, change_id=change_id, seen_hash=world.hash(change_id))
    services.start_change(principal=world.operator, change_id=change_id, seen_hash=world.hash(change_id))
    world.until(change_id, "succeeded")
    assert world.live() == HALF


def test_rollback__foreign_write_between_the_two_readings__holds_its_ground(world: Stage) -> None:
    world.executor(**SLOW)
    world.until(world.started(HALF), "succeeded")
    rollback_id = world.roll_back({"blue": 100})
    wait_for("the first reading", lambda: world.change(rollback_id).confirmed_at)
    world.foreign(traffic={"green": 100})
    world.until(rollback_id, "succeeded")
    assert world.live() == {"blue": 100}
    assert Drift.objects.filter(after__traffic={"green": 100}).exists()


def test_change__endpoint_created_again_under_its_name__fails(world: Stage) -> None:
    """F25."""
    change_id = world.started(HALF)
    world.foreign(recreate=True)
    world.executor()
    change = world.until(change_id, "failed")
    assert "deleted" in change.waiting_for
    assert world.puts() == 0


def test_change__deployment_failed_before_its_weight_rises__fails(world: Stage) -> None:
    """F27."""
    change_id = world.started(HALF)
    world.azure.admin.foreign(GREEN, state="Failed")
    world.executor()
    change = world.until(change_id, "failed")
    assert change.waiting_for == "green is Failed; no traffic was sent to it."
    assert world.puts() == 0
    world.azure.admin.foreign(GREEN, state="Succeeded")


def test_rollback__twenty_clicks_by_two_people_while_it_runs__is_one_call(world: Stage) -> None:
    """F33."""
    world.executor()
    world.until(world.started(HALF), "succeeded")
    before = world.puts()
    people = [world.operator, world.reviewer]
    click = partial(services.roll_back, endpoint_id=world.endpoint_id, target_key=key_of({"blue": 100}, {}))
    receipts = together([partial(click, principal=people[n % 2]) for n in range(20)])
    assert len({receipt.change_id for receipt in receipts}) == 1
    world.until(receipts[0].change_id, "succeeded")
    assert world.puts() == before + 1


def test_rollback__at_any_moment_of_a_change__wins_or_finds_it_done(world: Stage) -> None:
    """F34."""
    world.executor()
    chance = random.Random(34)
    for _ in range(4):
        change_id = world.started(HALF)
        time.sleep(chance.uniform(0, 0.9))
        rollback_id = world.roll_back({"blue": 100})
        world.until(rollback_id, "succeeded")
        assert world.change(change_id).state in ("superseded", "succeeded")
        assert world.live() == {"blue": 100}


def rewrite(world: Stage, revision: ChangeRevision, plan: list[dict[str, Any]]) -> None:
    """As the database's owner: the portal itself has no right to."""
    with psycopg.connect(world.database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE changes_changerevision SET plan = %s WHERE id = %s", [Jsonb(plan), revision.pk])


def test_poison__one_change_that_can_not_be_worked_on__holds_up_no_other_and_can_be_rolled_back(
    world: Stage,
) -> None:
    """F40, and F38: a step of a version that this process does not know."""
    poisoned = world.started({"main": 100}, name="photo-triage")
    revision = ChangeRevision.objects.get(change_id=poisoned)
    good, bad = revision.plan, [{"verb": "from_the_future"}]
    rewrite(world, revision, bad)
    world.executor()
    world.until(world.started(HALF), "succeeded")
    wait_for("being set aside", lambda: "Set aside" in world.change(poisoned).attention)
    assert "from_the_future" in world.change(poisoned).attention
    rewrite(world, revision, good)
    world.until(poisoned, "succeeded")
    assert world.change(poisoned).attention == ""


def test_change__withdrawn_after_it_drifted__leaves_what_was_found(world: Stage) -> None:
    change_id = world.started(HALF)
    world.foreign(traffic={"green": 100})
    world.executor()
    world.until(change_id, "drifted")
    services.withdraw_change(principal=world.operator, change_id=change_id)
    with pytest.raises(Conflict):
        services.start_change(principal=world.operator, change_id=change_id, seen_hash=world.hash(change_id))
    assert world.live() == {"green": 100}
    assert Change.objects.get(pk=change_id).ended_at is not None
