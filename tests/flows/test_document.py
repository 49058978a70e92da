"""The document goes back to Azure with only its traffic changed, on the way there and on the way back."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.values import Json
from tests.flows.stage import WORKSPACE, Stage

pytestmark = pytest.mark.processes
SHADOWED = f"{WORKSPACE}/onlineEndpoints/shadowed"
EXTRAS: dict[str, Any] = {
    "description": "Ranks what people search for.",
    "publicNetworkAccess": "Disabled",
    "properties": {"azureml.onlineendpointid": "shadowed", "team.cost-centre": "4711"},
    "somethingThatCameLater": {"enabled": True, "levels": [1, 2]},
}


def document(world: Stage, arm_id: str) -> Json:
    """What Azure really holds, without its traffic."""
    found = dict(world.azure.admin.resource(arm_id)["document"])
    properties = {name: value for name, value in found["properties"].items() if name != "traffic"}
    return {**found, "properties": properties}


def traffic_of(world: Stage, arm_id: str) -> Json:
    return dict(world.azure.admin.resource(arm_id)["document"]["properties"]["traffic"])


def test_change_and_rollback__document_with_everything_in_it__only_traffic_changes(world: Stage) -> None:
    """Tags, identity, description, custom properties, mirrored traffic, and fields that nobody here knows."""
    admin = world.azure.admin
    admin.foreign(SHADOWED, tags={"owner": "search@example.com", "odd key": "ü ✓"}, properties=EXTRAS)
    admin.foreign(f"{SHADOWED}/deployments/shadow", model="ranker:3")
    world.mirror()
    before = document(world, SHADOWED)
    assert before["properties"]["mirrorTraffic"] == {"shadow": 10}
    assert before["identity"]
    world.executor()

    change_id = world.started({}, name="shadowed")
    world.until(change_id, "succeeded")
    assert traffic_of(world, SHADOWED) == {}
    assert document(world, SHADOWED) == before

    world.until(world.roll_back({"live": 100}, mirror={"shadow": 10}, name="shadowed"), "succeeded")
    assert traffic_of(world, SHADOWED) == {"live": 100}
    assert document(world, SHADOWED) == before


def test_change__tags_change_between_approval_and_call__goes_back_with_the_new_ones(world: Stage) -> None:
    """The document that is sent is the one just read, never one that was kept."""
    change_id = world.started({"blue": 50, "green": 50})
    world.foreign(tags={"owner": "somebody-new@example.com"})
    world.executor()
    world.until(change_id, "succeeded")
    assert world.azure.admin.resource(world.sent()[0]["path"])["document"]["tags"] == {
        "owner": "somebody-new@example.com"
    }


def test_change__of_mirrored_traffic__is_applied_and_rolled_back(world: Stage) -> None:
    world.executor()
    change_id = world.started({"live": 100}, mirror={}, name="shadowed")
    world.until(change_id, "succeeded")
    assert document(world, SHADOWED)["properties"]["mirrorTraffic"] == {}
    world.until(world.roll_back({"live": 100}, mirror={"shadow": 10}, name="shadowed"), "succeeded")
    assert document(world, SHADOWED)["properties"]["mirrorTraffic"] == {"shadow": 10}


def test_call__body__names_no_key_and_nothing_that_only_azure_writes(world: Stage) -> None:
    world.executor()
    world.until(world.started({"green": 100}), "succeeded")
    body = world.sent()[0]["body"]
    assert not {"id", "name", "type", "systemData"} & set(body)
    assert not {"keys", "provisioningState", "scoringUri", "swaggerUri"} & set(body["properties"])
