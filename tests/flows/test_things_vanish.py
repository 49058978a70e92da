"""What a change is about is deleted in mid-change. The module's emulator is not used for anything else after."""

from __future__ import annotations

import pytest

from tests.flows.stage import CHECKOUT, Stage

pytestmark = pytest.mark.processes


def test_change__deployment_deleted__fails_and_nothing_is_created(world: Stage) -> None:
    """F25."""
    change_id = world.started({"green": 100})
    world.azure.admin.foreign(f"{CHECKOUT}/deployments/green", delete=True)
    world.executor()
    change = world.until(change_id, "failed")
    assert "green no longer exists" in change.waiting_for
    assert world.puts() == 0


def test_rollback__endpoint_deleted__fails_and_nothing_is_created(world: Stage) -> None:
    """F25 on the way back. Last in this module: there is no endpoint any more."""
    world.foreign(traffic={})
    world.mirror()
    rollback_id = world.roll_back({"blue": 100})
    world.foreign(delete=True)
    world.executor()
    change = world.until(rollback_id, "failed")
    assert "deleted" in change.waiting_for
    assert CHECKOUT.lower() not in world.azure.admin.world()
    assert world.puts() == 0
