"""A change from its request to Azure and back, through real processes, judged by what Azure really served."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from endpoints.changes import services
from endpoints.changes.selectors import rollback_offer
from tests.flows.stage import Stage

pytestmark = pytest.mark.processes


def test_change__approved_and_started__reaches_azure_and_is_read_back(world: Stage) -> None:
    """F10 too: there is no broker on this stage, and nothing here needs one."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(world.environment()["BROKER_URL"]).port or 0), 1)
    world.executor()
    change_id = world.started({"blue": 95, "green": 5})
    world.until(change_id, "succeeded")
    assert world.live() == {"blue": 95, "green": 5}
    assert world.puts() == 1
    assert [attempt.outcome for attempt in world.attempts(change_id)] == ["confirmed"]


def test_rollback__after_completion__puts_the_former_split_back(world: Stage) -> None:
    world.executor()
    change_id = world.started({"green": 100})
    world.until(change_id, "succeeded")
    offer = rollback_offer(world.operator, world.endpoint_id, world.workspace_id)
    assert offer.preselected is not None
    assert offer.preselected.split == {"blue": 100}
    receipt = services.roll_back(
        principal=world.operator, endpoint_id=world.endpoint_id, target_key=offer.preselected.key
    )
    world.until(receipt.change_id, "succeeded")
    assert world.live() == {"blue": 100}
    again = services.roll_back(
        principal=world.reviewer, endpoint_id=world.endpoint_id, target_key=offer.preselected.key
    )
    assert (again.change_id, again.created) == (receipt.change_id, False)
