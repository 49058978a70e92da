"""Scenarios: what comes along, what a mistake says, the big fleet."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import names, traffic
from emulator.arm.endpoints import deployed
from emulator.build import build
from emulator.cli import SCENARIOS
from emulator.cloud import Cloud
from emulator.fleet import FleetSize, generate
from emulator.fold import Resource
from emulator.reading import ScenarioError, when
from emulator.scenario import load, parse
from tests.emulator.arm import CHECKOUT, Clock

MINIMAL: dict[str, Any] = {
    "workspaces": {"w": {"subscription": "s", "group": "g", "location": "westeurope"}},
    "endpoints": [
        {"name": "one", "workspace": "w", "traffic": {"a": 100}, "deployments": {"a": {"model": "m:1"}}}
    ],
}


@pytest.fixture(scope="module")
def demo() -> Cloud:
    return build(load(SCENARIOS / "demo.yaml"), clock=Clock(datetime(2026, 11, 23, 12, tzinfo=UTC)))


def of(cloud: Cloud, kind: str) -> list[Resource]:
    return [item for item in cloud.control.world.resources.values() if item.kind == kind]


def split(endpoint: Resource) -> dict[str, int]:
    return dict(endpoint.body["properties"]["traffic"])


def test_demo__fleet__has_three_workspaces_in_two_subscriptions_and_42_endpoints(demo: Cloud) -> None:
    assert {names.last(item.id) for item in of(demo, "workspace")} == {
        "mlw-prod-weu",
        "mlw-prod-neu",
        "mlw-gov-weu",
    }
    assert len({names.subscription_of(item.id) for item in of(demo, "workspace")}) == 2
    assert len(of(demo, "endpoint")) == 42


def test_demo__checkout_risk__waits_for_its_next_version(demo: Cloud) -> None:
    found = next(
        item
        for item in of(demo, "endpoint")
        if item.id.endswith("mlw-prod-weu/onlineEndpoints/checkout-risk")
    )
    told = {names.last(item.id): item for item in demo.control.world.below(found.id)}

    assert split(found) == {"blue": 100}
    assert [
        told[name].body["properties"]["model"].rpartition("/models/")[2] for name in ("blue", "green")
    ] == [
        "delivery-risk/versions/23",
        "delivery-risk/versions/24",
    ]
    assert {(item.state, item.body["sku"]["capacity"]) for item in told.values()} == {("Succeeded", 4)}


def test_demo__failures_and_oddities__are_there(demo: Cloud) -> None:
    errors = {item.error["code"] for item in demo.control.world.operations.values() if item.error}
    endpoints = of(demo, "endpoint")
    same = Counter(names.last(item.id) for item in endpoints)

    assert errors == {"ImageBuildFailure", "OutOfQuota"}
    assert {name for name, count in same.items() if count > 1} == {"checkout-risk", "home-recs"}
    assert any(split(item) == {"stable": 95, "canary": 5} for item in endpoints)
    assert any(item.body["properties"]["mirrorTraffic"] for item in endpoints)
    assert any(item.body["properties"]["publicNetworkAccess"] == "Enabled" for item in endpoints)
    assert any(item.body["kind"] == "Kubernetes" for item in endpoints)
    assert {item.body["properties"]["authMode"] for item in endpoints} == {"Key", "AMLToken", "AADToken"}
    assert any("owner" not in item.body["tags"] for item in endpoints)


@pytest.mark.parametrize("name", ["demo", "small"])
def test_scenario__that_comes_along__keeps_azures_own_rules(name: str) -> None:
    cloud = build(load(SCENARIOS / f"{name}.yaml"))
    for endpoint in of(cloud, "endpoint"):
        properties = endpoint.body["properties"]
        traffic.check(
            properties["traffic"],
            properties["mirrorTraffic"],
            before={},
            deployed=deployed(cloud, endpoint),
            managed=not properties.get("compute"),
            behaviour=cloud.settings.behaviour,
        )
        assert names.is_valid(names.last(endpoint.id))
    regional = [(item.body["location"], names.last(item.id).lower()) for item in of(cloud, "endpoint")]
    assert len(regional) == len(set(regional))


def test_scenario__history__lies_in_the_past_and_in_order(demo: Cloud) -> None:
    records = demo.control.log.records

    assert [item.at for item in records] == sorted(item.at for item in records)
    assert records[-1].at <= demo.control.now()
    first = {}
    for item in records:
        first.setdefault(names.key(item.resource), item.n)
    assert all(first[names.parent_key(key)] < n for key, n in first.items() if key.count("/") > 8), (
        "Something was made before what holds it."
    )


def test_scenario__relative_times__are_fixed_at_the_first_start(
    tmp_path: Path, make_cloud: Callable[..., Cloud], clock: Clock
) -> None:
    first = make_cloud(state=tmp_path)
    created = first.control.world.resources[CHECKOUT.lower()].created_at
    first.control.log.close()
    clock.tick(86_400)

    second = make_cloud(state=tmp_path)

    assert second.control.world.resources[CHECKOUT.lower()].created_at == created
    second.control.log.close()


def wrong(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    value = copy.deepcopy(MINIMAL)
    change(value)
    return value


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "the scenario is a mapping"),
        (wrong(lambda v: v.update(colour=1)), "the scenario: unknown colour"),
        (wrong(lambda v: v["workspaces"]["w"].pop("group")), "workspace w: group is missing"),
        (wrong(lambda v: v["endpoints"][0].update(workspace="x")), "endpoint one: there is no workspace 'x'"),
        (wrong(lambda v: v["endpoints"][0].update(traffic={"b": 100})), "endpoint one: traffic names b"),
        (
            wrong(lambda v: v["endpoints"][0]["deployments"]["a"].update(size=1)),
            "deployment a of endpoint one: unknown size",
        ),
        (
            wrong(lambda v: v["endpoints"][0]["deployments"]["a"].update(behaves={"p51": 1})),
            "deployment a of endpoint one: unknown p51",
        ),
        (wrong(lambda v: v.update(endpoints={})), "endpoints is a list"),
    ],
)
def test_scenario__with_a_mistake__says_where(value: Any, where: str) -> None:
    with pytest.raises(ScenarioError, match=where):
        parse(value)


def test_scenario__file_that_is_no_yaml__is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")

    with pytest.raises(ScenarioError, match="can't be read"):
        load(tmp_path / "bad.yaml")
    with pytest.raises(ScenarioError, match="can't be read"):
        load(tmp_path / "missing.yaml")


@pytest.mark.parametrize("text", ["yesterday", "-3", "2026-11-23T12:00:00"])
def test_when__neither_distance_nor_time_with_offset__is_refused(text: str) -> None:
    with pytest.raises(ScenarioError):
        when(text, datetime(2026, 11, 23, tzinfo=UTC))


def test_fleet__of_a_size__has_that_size_and_follows_the_seed() -> None:
    size = FleetSize.parse("40x3", workspaces=4, subscriptions=2)
    fleet, again = (
        build(generate(size, 5), seed=5, clock=Clock(datetime(2026, 1, 1, tzinfo=UTC))) for _ in range(2)
    )

    assert (len(of(fleet, "endpoint")), len(of(fleet, "deployment"))) == (40, 120)
    assert len({names.subscription_of(item.id) for item in of(fleet, "workspace")}) == 2
    assert fleet.control.log.records == again.control.log.records


@pytest.mark.parametrize("text", ["", "10", "x3", "0x3", "10x0", "10x21", "axb"])
def test_fleet__of_no_size__is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        FleetSize.parse(text, workspaces=1, subscriptions=1)


def test_scenario__minimal_yaml__is_enough(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, "x-anything": 1}), encoding="utf-8")

    cloud = build(load(path))

    assert cloud.tokens.identity(None) is not None
    assert split(of(cloud, "endpoint")[0]) == {"a": 100}
