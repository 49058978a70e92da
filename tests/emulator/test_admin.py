"""The admin port: ground truth, a foreign writer, settings, identities. Through its own client, on a real process."""

from __future__ import annotations

import pytest

from emulator.adminclient import AdminRefused
from emulator.launch import Emulator
from tests.emulator.arm import CHECKOUT, EMPTY, HOME_RECS, PHOTO

pytestmark = pytest.mark.processes
FRESH = EMPTY.replace("/empty", "/home-recs")


def test_log__since__gives_what_came_after(running: Emulator) -> None:
    before = running.admin.log()[-1]["n"]
    written = running.admin.foreign(HOME_RECS, who="M. Okafor", traffic={"a": 100})

    assert running.admin.log(before) == written
    assert (written[0]["n"], written[0]["who"]["name"]) == (before + 1, "M. Okafor")
    assert written[0]["document"]["properties"]["traffic"] == {"a": 100}


def test_world__of_one_resource__is_what_is_in_force(running: Emulator) -> None:
    running.admin.foreign(PHOTO, traffic={"main": 100}, tags={"team": "x"}, public_network_access="Disabled")

    found = running.admin.resource(PHOTO)
    assert (found["state"], found["document"]["tags"]) == ("Succeeded", {"team": "x"})
    assert found["document"]["properties"]["publicNetworkAccess"] == "Disabled"
    assert found["modified_by"] == "az ml (someone else)"


def test_foreign__deployment__takes_state_and_capacity(running: Emulator) -> None:
    main = f"{PHOTO}/deployments/main"
    running.admin.foreign(main, state="Failed", capacity=9, model="other:1", instance_type="Standard_F2s_v2")

    found = running.admin.resource(main)
    assert (found["state"], found["document"]["sku"]["capacity"]) == ("Failed", 9)
    assert found["document"]["properties"]["model"] == "other:1"
    running.admin.foreign(main, state="Succeeded")


def test_foreign__delete__removes_the_endpoint(running: Emulator) -> None:
    running.admin.foreign(EMPTY, delete=True)

    with pytest.raises(KeyError):
        running.admin.resource(EMPTY)


@pytest.mark.parametrize(
    ("resource", "change"), [(CHECKOUT + "x", {}), (CHECKOUT, {"colour": "red"}), ("", {"traffic": {}})]
)
def test_foreign__that_makes_no_sense__is_refused(
    running: Emulator, resource: str, change: dict[str, str]
) -> None:
    before = running.admin.log()[-1]["n"]

    with pytest.raises(AdminRefused, match="Nothing was changed"):
        running.admin.foreign(resource, **change)
    assert running.admin.log(before) == []


def test_faults__ordered_listed_and_cleared(running: Emulator) -> None:
    name = running.admin.fault("status", method="PUT", path="never-asked", status=409, times=1)
    listed = running.admin.faults()
    running.admin.clear_faults(name)

    assert [(item["id"], item["hits"], item["status"]) for item in listed] == [(name, 0, 409)]
    assert running.admin.faults() == []


@pytest.mark.parametrize(
    "values",
    [
        {"colour": 1},
        {"latency_ms": "slow"},
        {"latency_ms": -1},
        {"arm_buckets": 1},
        {"durations": {"nothing": 1}},
        {"durations": 3},
        {"behaviour": {"busy_status": "409"}},
    ],
)
def test_settings__that_make_no_sense__are_refused(running: Emulator, values: dict[str, object]) -> None:
    with pytest.raises(AdminRefused, match="Nothing was changed"):
        running.admin.settings(**values)


def test_settings__one_wrong_among_right_ones__changes_nothing(running: Emulator) -> None:
    with pytest.raises(AdminRefused):
        running.admin.settings(durations={"endpoint_update": 99}, colour=1)

    running.admin.settings(durations={"endpoint_update": 0.2})


def test_identity__unknown__is_refused(running: Emulator) -> None:
    with pytest.raises(AdminRefused, match="no such identity"):
        running.admin.identity("nobody", actions=["*"])


def test_request_log__by_plane__holds_its_requests_only(running: Emulator) -> None:
    assert all(item["plane"] == "identity" for item in running.admin.requests(plane="identity"))


def test_incident__ordered__is_taken_and_removed(running: Emulator) -> None:
    running.admin.incident(f"{CHECKOUT}/deployments/green", p95_factor=2, failure_rate=0.1, seconds=60)

    assert running.admin.call("DELETE", "/incidents") == {"removed": 1}
    with pytest.raises(AdminRefused, match="There is no deployment"):
        running.admin.incident("nothing")


def test_settings__of_new_services__are_taken(running: Emulator) -> None:
    running.admin.settings(activity_delay_max=0.5, scoring_wait_ms=250, quota_cores=100_000)

    with pytest.raises(AdminRefused, match="activity_queries wants"):
        running.admin.settings(activity_queries="many")
