"""What a scenario tells of load, bad times and diagnostics, and the story that the demo's metrics tell."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator import names
from emulator.build import build
from emulator.cli import SCENARIOS
from emulator.cloud import Cloud
from emulator.compute import quota
from emulator.fleet import FleetSize, generate
from emulator.foreign import perform
from emulator.monitor.minutes import OK, THROTTLED, Minutes
from emulator.monitor.window import Window
from emulator.reading import ScenarioError
from emulator.scenario import load, parse
from tests.emulator.arm import Clock

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
DAY = 1440
MINIMAL: dict[str, Any] = {
    "workspaces": {"w": {"subscription": "s", "group": "g", "location": "westeurope"}},
    "endpoints": [
        {
            "name": "one",
            "workspace": "w",
            "traffic": {"a": 100},
            "deployments": {"a": {"model": "m:1", "behaves": {"p50_ms": 10, "p95_ms": 30}}},
        }
    ],
}


@pytest.fixture(scope="module")
def demo() -> Cloud:
    return build(load(SCENARIOS / "demo.yaml"), clock=Clock(NOW))


def measured(
    cloud: Cloud, endpoint: str, days: int = 30, workspace: str = "mlw-prod-weu"
) -> dict[str, Minutes]:
    """An endpoint's deployments over the last days."""
    world = cloud.control.world
    found = next(
        item
        for key, item in world.resources.items()
        if key.endswith(f"/{workspace}/onlineendpoints/{endpoint}")
    )
    window = Window(int(NOW.timestamp() // 60) - days * DAY, days * DAY, NOW.timestamp())
    subject = cloud.source.measured(found, window).subject
    assert subject is not None
    return {names.last(name): minutes for name, minutes in subject.deployments.items()}  # type: ignore[union-attr]


def worst(minutes: Minutes) -> list[float]:
    """The highest p95 of each day."""
    values = [value or 0.0 for value in minutes.latency("p95")]
    return [max(values[i : i + DAY]) for i in range(0, len(values), DAY)]


@pytest.mark.parametrize("endpoint", ["checkout-risk", "photo-triage", "home-recs"])
def test_demo__busy_endpoints__have_a_rhythm(demo: Cloud, endpoint: str) -> None:
    found = measured(demo, endpoint, days=1)
    total = [sum(row) for row in zip(*(item.requests for item in found.values()), strict=True)]

    assert min(total) > 50
    assert max(total) > 2 * min(total)


def test_demo__parcel_eta__gets_slower_for_weeks(demo: Cloud) -> None:
    days = worst(measured(demo, "parcel-eta")["blue"])

    assert days[-1] > 1.8 * days[0]
    assert days[10] < days[17] < days[24]


def test_demo__fraud_cards__had_an_incident_yesterday(demo: Cloud) -> None:
    champion = measured(demo, "fraud-cards", days=2)["champion"]
    failed = champion.outcomes[424, 500]
    bad = [i for i, count in enumerate(failed) if count]

    assert (min(bad), max(bad)) == (2 * DAY - 26 * 60, 2 * DAY - 25 * 60 - 1)
    assert sum(failed) / sum(champion.requests[bad[0] : bad[-1] + 1]) == pytest.approx(0.08, rel=0.05)


def shifted(cloud: Cloud, endpoint: str, traffic: dict[str, int], minutes: int) -> Minutes:
    """The candidate's minutes after a split that somebody set so many minutes ago."""
    resource = next(
        item
        for key, item in cloud.control.world.resources.items()
        if key.endswith(f"/mlw-prod-weu/onlineendpoints/{endpoint}")
    )
    perform(cloud.control, {"resource": resource.id, "traffic": traffic})
    now = NOW.timestamp() + 60 * minutes
    window = Window(int(NOW.timestamp() // 60) + 1, minutes - 1, now)
    subject = cloud.source.measured(resource, window).subject
    assert subject is not None
    return subject.deployments[list(traffic)[-1]]  # type: ignore[union-attr]


def test_demo__candidates_under_traffic__one_keeps_well_and_one_gets_slower() -> None:
    cloud = build(load(SCENARIOS / "demo.yaml"), clock=Clock(NOW))
    well = [v or 0.0 for v in shifted(cloud, "checkout-risk", {"blue": 75, "green": 25}, 40).latency("p95")]
    worse = [
        v or 0.0 for v in shifted(cloud, "fraud-cards", {"champion": 75, "candidate": 25}, 40).latency("p95")
    ]

    assert max(well) < 90  # the budgets that the demo sets
    assert max(worse[:5]) < 60 < min(worse[25:])
    assert sum(worse[:10]) < sum(worse[10:20]) < sum(worse[20:30])


def test_demo__quotas__hold_what_stands_and_some_are_nearly_full(demo: Cloud) -> None:
    places = {
        (names.subscription_of(item.id), str(item.body["location"]))
        for item in demo.control.world.resources.values()
        if item.kind == "workspace"
    }
    used: Counter[tuple[str, str, str]] = Counter()
    for place in places:
        for item in quota.holdings(demo.control.world, *place):
            used[(*place, item.family)] += item.cores
    left = {key: demo.market.limit(*key, default=-1) - cores for key, cores in used.items()}

    assert len(left) == 10
    assert all(cores >= 0 for cores in left.values())
    assert {key[2] for key, cores in left.items() if cores < 12} == {
        "standardNCASv3_T4Family",
        "standardNCSv3Family",
    }


def test_demo__secrets__are_of_endpoints_with_keys(demo: Cloud) -> None:
    secrets = [item for vault in demo.vaults.items for item in vault.secrets.values() if item.key_of]
    modes = {
        demo.control.world.resources[str(item.key_of).lower()].body["properties"]["authMode"]
        for item in secrets
    }

    assert len(secrets) == 2
    assert modes == {"Key"}


def test_demo__forgotten_ones__have_capacity_and_no_requests(demo: Cloud) -> None:
    canary = measured(demo, "price-elastic")["b"]
    pilot = measured(demo, "weather-nudge", workspace="mlw-prod-neu")["blue"]

    assert [sum(item.requests) for item in (canary, pilot)] == [0, 0]
    assert all(item.existing for item in (canary, pilot))


def test_demo__doc_extract__is_throttled_at_its_peak(demo: Cloud) -> None:
    main = measured(demo, "doc-extract", days=1)["main"]

    assert 0 < sum(main.outcomes[THROTTLED]) < 0.2 * sum(main.outcomes[OK])


def test_demo__one_endpoint__has_no_metrics_and_some_have_no_diagnostics(demo: Cloud) -> None:
    assert [names.last(key) for key in demo.workload.silent] == ["appeals-sort"]
    told = [bool(found) for found in demo.workload.diagnostics.values()]
    assert 5 < sum(told) < len(told) - 5


def test_fleet__loads__differ_and_are_carried() -> None:
    cloud = build(generate(FleetSize.parse("200x3", workspaces=4, subscriptions=2), 1), clock=Clock(NOW))
    loads = [item.rpm for item in cloud.workload.loads.values()]
    spells = [item for found in cloud.workload.spells.values() for item in found]

    assert len(set(loads)) > 150
    assert {item.grows for item in spells} == {True, False}
    assert 0 < len([key for key in cloud.workload.diagnostics if cloud.workload.diagnostics[key]]) < 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"load": {"rpm": -1}}, "rpm is a number of 0 or more"),
        ({"load": {"speed": 1}}, "unknown speed"),
        ({"metrics": "no"}, "is true or false"),
        ({"diagnostics": {"logs": ["Everything"]}}, "unknown logs Everything"),
        ({"behaves": {"incidents": [{"until": "-1h"}]}}, "from is missing"),
        ({"behaves": {"incidents": [{"from": "yesterday"}]}}, "neither a time nor a distance"),
        ({"behaves": {"incidents": [{"from": "-2d", "grows": True}]}}, "what grows has an until"),
    ],
)
def test_scenario__with_a_mistake__says_where(change: dict[str, Any], said: str) -> None:
    value = copy.deepcopy(MINIMAL)
    endpoint = value["endpoints"][0]
    behaves = change.pop("behaves", None)
    endpoint.update(change)
    if behaves is not None:
        endpoint["deployments"]["a"]["behaves"].update(behaves)

    with pytest.raises(ScenarioError, match=said):
        parse(value)


def test_incident__after_a_restart__is_where_it_was(tmp_path: Path) -> None:
    value = copy.deepcopy(MINIMAL)
    value["endpoints"][0]["deployments"]["a"]["behaves"]["incidents"] = [{"from": "-26h", "until": "-25h"}]
    first = build(parse(value), state=tmp_path, clock=Clock(NOW))
    first.control.log.close()
    later = build(parse(value), state=tmp_path, clock=Clock(NOW + timedelta(days=3)))
    later.control.log.close()

    assert first.workload.spells == later.workload.spells
    [[spell]] = first.workload.spells.values()
    assert (spell.start, spell.end) == (
        (NOW - timedelta(hours=26)).timestamp(),
        (NOW - timedelta(hours=25)).timestamp(),
    )
