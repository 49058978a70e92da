"""The world is a fold over its log: what each record does, and that folding again gives the same world."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.control import Fate, Write
from emulator.fold import Record, Who, World, fold
from emulator.foreign import ForeignError, perform
from tests.emulator.arm import CHECKOUT, HOME_RECS, Clock

SOMEBODY = Who("id", "somebody")


def endpoint(cloud: Cloud, resource: str = CHECKOUT) -> Any:
    found = cloud.control.world.find(resource)
    assert found is not None
    return found


def shift(cloud: Cloud, traffic: dict[str, int], *, fate: Fate | None = None, seconds: float = 2) -> str:
    body = endpoint(cloud).body
    document = {**body, "properties": {**body["properties"], "traffic": traffic}}
    write = Write("put", CHECKOUT, "endpoint", SOMEBODY, document)
    return cloud.control.begin(write, state="Updating", seconds=seconds, fate=fate).id


def as_json(world: World) -> str:
    return json.dumps(
        {
            "resources": {key: _plain(item) for key, item in world.resources.items()},
            "operations": {key: _plain(item) for key, item in world.operations.items()},
            "running": {key: item.id for key, item in world.running.items()},
            "children": {key: list(value) for key, value in world.children.items() if value},
            "keys": world.keys,
            "last": world.last,
        },
        sort_keys=True,
        default=_plain,
    )


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def test_write__while_it_runs__leaves_the_split_in_force(cloud: Cloud, clock: Clock) -> None:
    shift(cloud, {"blue": 90, "green": 10})

    found = endpoint(cloud)
    assert found.state == "Updating"
    assert found.body["properties"]["traffic"] == {"blue": 100}
    assert found.pending["properties"]["traffic"] == {"blue": 90, "green": 10}


def test_write__when_due__takes_effect_stamped_with_its_due_time(cloud: Cloud, clock: Clock) -> None:
    operation = shift(cloud, {"blue": 90, "green": 10}, seconds=2)
    clock.tick(60)
    cloud.control.advance()

    found = endpoint(cloud)
    assert (found.state, found.body["properties"]["traffic"]) == ("Succeeded", {"blue": 90, "green": 10})
    assert cloud.control.world.operations[operation].ended_at == "2026-11-23T12:00:02.000000+00:00"
    assert cloud.control.log.records[-1].at == "2026-11-23T12:00:02.000000+00:00"


def test_write__that_fails__keeps_the_split_and_tells_why(cloud: Cloud, clock: Clock) -> None:
    error = {"code": "InternalServerError", "message": "ordered"}
    operation = shift(cloud, {"blue": 0, "green": 100}, fate=Fate(error=error))
    clock.tick(2)
    cloud.control.advance()

    assert endpoint(cloud).state == "Failed"
    assert endpoint(cloud).body["properties"]["traffic"] == {"blue": 100}
    assert cloud.control.world.operations[operation].error == error
    assert cloud.control.log.records[-1].phase == "failed"


def test_write__that_is_stuck__never_ends(cloud: Cloud, clock: Clock) -> None:
    shift(cloud, {"blue": 90, "green": 10}, fate=Fate(stuck=True))
    clock.tick(10**6)
    cloud.control.advance()

    assert endpoint(cloud).state == "Updating"
    assert cloud.control.running_on(CHECKOUT) is not None


def test_foreign_write__while_an_operation_runs__leaves_the_operation_running(
    cloud: Cloud, clock: Clock
) -> None:
    shift(cloud, {"blue": 90, "green": 10})
    perform(cloud.control, {"resource": CHECKOUT, "who": "az", "traffic": {"green": 100}})

    assert endpoint(cloud).body["properties"]["traffic"] == {"green": 100}
    assert endpoint(cloud).state == "Updating"

    clock.tick(2)
    cloud.control.advance()
    assert endpoint(cloud).body["properties"]["traffic"] == {"blue": 90, "green": 10}


def test_foreign_operation__of_some_seconds__keeps_the_endpoint_busy(cloud: Cloud, clock: Clock) -> None:
    perform(cloud.control, {"resource": CHECKOUT, "traffic": {"green": 100}, "seconds": 60})
    with pytest.raises(ForeignError, match="Another operation"):
        perform(cloud.control, {"resource": CHECKOUT, "traffic": {"blue": 100}, "seconds": 60})
    during = (endpoint(cloud).state, endpoint(cloud).body["properties"]["traffic"])
    clock.tick(60)
    cloud.control.advance()

    assert during == ("Updating", {"blue": 100})
    assert (endpoint(cloud).state, endpoint(cloud).body["properties"]["traffic"]) == (
        "Succeeded",
        {"green": 100},
    )


def test_endpoint_deleted__with_a_running_deployment_write__cancels_that_operation(
    cloud: Cloud, clock: Clock
) -> None:
    write = Write("put", f"{CHECKOUT}/deployments/blue", "deployment", SOMEBODY, {"properties": {}})
    operation = cloud.control.begin(write, state="Updating", seconds=5)
    perform(cloud.control, {"resource": CHECKOUT, "delete": True})
    clock.tick(10)
    cloud.control.advance()

    assert cloud.control.world.find(f"{CHECKOUT}/deployments/blue") is None
    assert operation.error == {"code": "OperationCanceled", "message": "The resource was deleted meanwhile."}
    assert cloud.control.world.running == {}


def test_recreated_endpoint__is_another_one_by_its_creation_time(cloud: Cloud) -> None:
    before = endpoint(cloud).created_at
    perform(cloud.control, {"resource": CHECKOUT, "recreate": True})

    assert endpoint(cloud).created_at == "2026-11-23T12:00:00.000000+00:00" != before
    assert len(cloud.control.world.below(CHECKOUT)) == 2


def test_fold__of_the_same_log__is_the_same_world(cloud: Cloud, clock: Clock) -> None:
    shift(cloud, {"blue": 90, "green": 10})
    clock.tick(1)
    perform(cloud.control, {"resource": HOME_RECS, "traffic": {"a": 100}, "tags": {"x": "y"}})
    clock.tick(5)
    cloud.control.advance()
    perform(cloud.control, {"resource": HOME_RECS, "delete": True})

    through_json = [Record.from_json(json.loads(json.dumps(r.to_json()))) for r in cloud.control.log.records]

    assert as_json(fold(through_json)) == as_json(cloud.control.world)


def test_fold__record_missing__refuses_the_log(make_cloud: Callable[..., Cloud]) -> None:
    records = make_cloud().control.log.records

    with pytest.raises(ValueError, match="gap"):
        fold(records[:3] + records[4:])
