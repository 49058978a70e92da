"""Instances, autoscale settings and deletes, ordered by real executors of the emulator, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from emulator.launch import Emulator, launch
from endpoints.changes.models import Change
from endpoints.changes.selectors.kept import kept_files
from endpoints.inventory.models import Deployment, Drift, Endpoint
from endpoints.inventory.selectors import deployment_states
from tests.flows.capacities import (
    GREEN,
    SETTING,
    ask,
    autoscale,
    begun,
    calls,
    delete,
    delete_endpoint,
    done,
    instances,
    most,
    outcomes,
    roll_back,
    scale,
    screams,
    there,
)
from tests.flows.stage import CHECKOUT, Stage

pytestmark = pytest.mark.processes
HALF = {"blue": 50, "green": 50}


@pytest.fixture
def running_azure(tmp_path: Path) -> Iterator[Emulator]:
    """One for each test: what is deleted does not come back."""
    with launch(tmp_path / "azure", scenario="small") as azure:
        yield azure


def nothing_drifted(world: Stage) -> None:
    """What the portal ordered is told before any sync asks, and explained."""
    world.mirror()
    assert not Drift.objects.exists()


# Instances.


def test_scale__ordered__is_in_force_and_on_the_mirror_before_any_sync(world: Stage) -> None:
    world.executor()
    number = done(world, scale(2))
    assert instances(world) == 2
    assert outcomes(world, number) == [("patch_capacity", "confirmed")]
    assert world.live() == {"blue": 100}
    assert {state.name: state.instance_count for state in deployment_states(world.endpoint_id)} == {
        "blue": 2,
        "green": 4,
    }
    nothing_drifted(world)


def test_scale__rolled_back__has_the_instances_of_before(world: Stage) -> None:
    world.executor()
    back = roll_back(world, done(world, scale(2)))
    world.until(back, "succeeded")
    assert instances(world) == 4
    assert outcomes(world, back) == [("patch_capacity", "confirmed")]
    nothing_drifted(world)


# Deletes.


def test_delete__of_what_has_no_traffic__is_one_call_after_its_scream_test(world: Stage) -> None:
    world.executor()
    number = done(world, delete())
    assert not there(world, GREEN)
    assert (calls(world, "PUT"), calls(world, "DELETE")) == (0, 1)
    assert outcomes(world, number) == [("delete_deployment", "confirmed")]
    (file,) = kept_files(number)
    kept = yaml.safe_load(file.text)
    assert (kept["name"], kept["instance_count"]) == ("green", 4)
    assert kept["model"].endswith("/models/delivery-risk/versions/24")
    nothing_drifted(world)
    assert Deployment.objects.get(endpoint=world.endpoint_id, name="green").deleted_at is not None


def test_delete__of_what_has_traffic__takes_that_first(world: Stage) -> None:
    world.executor()
    world.until(world.started(HALF), "succeeded")
    number = done(world, delete())
    assert not there(world, GREEN)
    assert world.live() == {"blue": 100}
    assert [verb for verb, _ in outcomes(world, number)] == ["put_split", "delete_deployment"]
    nothing_drifted(world)


def test_delete_endpoint__goes_with_all_of_its_deployments_and_their_files_are_kept(world: Stage) -> None:
    world.executor()
    endpoint_id = world.endpoint_id
    number = done(world, delete_endpoint())
    assert not there(world, CHECKOUT)
    assert not there(world, GREEN)
    assert outcomes(world, number) == [("put_split", "confirmed"), ("delete_endpoint", "confirmed")]
    files = {file.name: yaml.safe_load(file.text) for file in kept_files(number)}
    assert sorted(files) == ["blue.yml", "endpoint.yml", "green.yml"]
    assert files["endpoint.yml"]["traffic"] == {"blue": 100}
    assert Endpoint.objects.get(pk=endpoint_id).deleted_at is not None
    nothing_drifted(world)


def test_scream_test__cancelled__gives_the_traffic_back_and_deletes_nothing(world: Stage) -> None:
    world.executor()
    world.until(world.started(HALF), "succeeded")
    number = begun(world, delete(scream=60))
    screams(world, number)
    assert world.live() == {"blue": 100}
    back = world.roll_back(HALF)
    world.until(back, "succeeded")
    assert world.change(number).state == "superseded"
    assert world.live() == HALF
    assert there(world, GREEN)
    assert calls(world, "DELETE") == 0
    assert kept_files(number) == ()


def test_scream_test__somebody_gives_it_traffic__drifts_and_deletes_nothing(world: Stage) -> None:
    world.executor()
    number = begun(world, delete(scream=60))
    screams(world, number)
    world.foreign(traffic={"blue": 90, "green": 10})
    world.until(number, "drifted")
    assert there(world, GREEN)
    assert calls(world, "DELETE") == 0


def test_scream_test__made_anew_meanwhile__is_not_deleted(world: Stage) -> None:
    world.executor()
    number = begun(world, delete(scream=3))
    screams(world, number)
    world.azure.admin.foreign(GREEN, recreate=True)
    change = world.until(number, "failed")
    assert "made anew" in change.waiting_for
    assert there(world, GREEN)
    assert calls(world, "DELETE") == 0


def test_scream_test__deleted_by_somebody_else_meanwhile__is_done_without_a_call(world: Stage) -> None:
    world.executor()
    number = begun(world, delete(scream=2))
    screams(world, number)
    world.azure.admin.foreign(GREEN, delete=True)
    world.until(number, "succeeded")
    assert calls(world, "DELETE") == 0


# Autoscale.


def test_autoscale__set_changed_and_taken_away__is_as_ordered_each_time(world: Stage) -> None:
    world.executor()
    done(world, autoscale(6))
    assert most(world) == 6
    done(world, autoscale(8, was=6))
    assert most(world) == 8
    done(world, autoscale(None, was=8))
    assert most(world) is None
    assert (calls(world, "PUT"), calls(world, "DELETE")) == (2, 1)
    assert {change.state for change in Change.objects.all()} == {"succeeded"}


def test_autoscale__rolled_back__is_what_stood_before(world: Stage) -> None:
    world.executor()
    first = done(world, autoscale(6))
    second = done(world, autoscale(8, was=6))
    world.until(roll_back(world, second), "succeeded")
    assert most(world) == 6
    third = done(world, autoscale(None, was=6))
    assert most(world) is None
    back = roll_back(world, third)
    world.until(back, "succeeded")
    assert most(world) == 6
    assert outcomes(world, back) == [("put_autoscale", "confirmed")]
    assert outcomes(world, first) == [("put_autoscale", "confirmed")]


def test_autoscale__rolled_back_where_there_was_none__is_taken_away(world: Stage) -> None:
    world.executor()
    world.until(roll_back(world, done(world, autoscale(6))), "succeeded")
    assert most(world) is None


def test_autoscale__somebody_changed_it_since__overwrites_nothing(world: Stage) -> None:
    world.executor()
    done(world, autoscale(6))
    number = world.approve(ask(world, autoscale(8, was=6)))
    properties = world.azure.admin.resource(SETTING)["document"]["properties"]
    world.azure.admin.foreign(SETTING, properties={**properties, "enabled": False})
    world.start(number)
    change = world.until(number, "failed")
    assert "Nothing was overwritten" in change.waiting_for
    assert most(world) == 6


def test_autoscale__rolled_back_over_somebody_elses_setting__says_what_it_overwrote(world: Stage) -> None:
    world.executor()
    done(world, autoscale(6))
    second = done(world, autoscale(8, was=6))
    properties = world.azure.admin.resource(SETTING)["document"]["properties"]
    world.azure.admin.foreign(SETTING, properties={**properties, "enabled": False})
    back = roll_back(world, second)
    world.until(back, "succeeded")
    assert most(world) == 6
    reasons = Change.objects.get(pk=back).transitions.values_list("reason", flat=True)
    assert any("somebody else changed" in reason for reason in reasons)
