"""A rollback that is practised, with a real executor and the emulator: shifted, put back, and timed."""

from __future__ import annotations

import pytest

from endpoints.changes import services
from endpoints.changes.models import Drill
from endpoints.changes.selectors import change_detail
from endpoints.changes.services import drills
from tests.flows.stage import Stage, wait_for

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    "killed", [False, True], ids=["undisturbed", "executor killed while the shift stands"]
)
def test_drill__shifted_and_given_back__is_timed_and_leaves_traffic_as_it_was(
    world: Stage, killed: bool
) -> None:
    executor = world.executor()
    before = world.live()
    number = services.order_drill(
        principal=world.operator,
        endpoint_id=world.endpoint_id,
        deployment="green",
        weight=5,
        bake=2,
        reason="The quarter's drill.",
    )
    services.approve_change(
        principal=world.reviewer,
        change_id=number,
        seen_hash=world.hash(number),
        accept=_warnings(world, number),
    )
    services.start_change(
        principal=world.operator,
        change_id=number,
        seen_hash=world.hash(number),
        accept=_warnings(world, number),
    )
    if killed:
        wait_for("the shift standing", lambda: world.change(number).state == "baking")
        executor.kill()
        world.executor()

    drill = wait_for("the drill's rollback done", lambda: _rolled_back(world, number), seconds=60)

    assert world.live() == before
    assert [attempt.intended["split"] for attempt in world.attempts(number)] == [{"blue": 95, "green": 5}]
    assert [attempt.intended["split"] for attempt in world.attempts(drill.rollback_id)] == [before]
    assert world.puts() == 2
    assert drill.ordered_at is not None and drill.ordered_at < drill.confirmed_at
    assert world.change(drill.rollback_id).author_id is None  # the portal's own order


def _rolled_back(world: Stage, number: int) -> Drill | None:
    """Once its rollback has ended; what the worker then says of it is said here."""
    drill = Drill.objects.filter(change_id=number).exclude(rollback=None).first()
    if drill is None or drill.rollback_id is None or not world.change(drill.rollback_id).ended_at:
        return None
    drills.observe_drills()
    return Drill.objects.get(change_id=number)


def _warnings(world: Stage, number: int) -> list[str]:
    detail = change_detail(world.requester, number)
    return [check.name for check in detail.checks if check.needs_acceptance]
