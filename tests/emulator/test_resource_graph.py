"""Resource Graph: which queries are understood, what a caller sees, pages, quota, and how late it is."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.graph import kql
from tests.emulator.arm import CHECKOUT, PROD, TEST, Answer, Arm

ENDPOINT = "microsoft.machinelearningservices/workspaces/onlineendpoints"
ALL = f"resources | where type =~ '{ENDPOINT}' | project id, name, location, tags | order by id asc"
ROWS: list[dict[str, Any]] = [
    {"id": "/a", "name": "a", "location": "westeurope", "tags": {"team": "x"}, "properties": {"state": "On"}},
    {"id": "/b", "name": "B", "location": "NorthEurope", "tags": None, "properties": {"state": "Off"}},
    {"id": "/c", "name": "c", "location": "westeurope", "tags": {"team": "y"}, "properties": {}},
]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("resources", "aBc"),
        ("Resources | where name == 'b'", ""),
        ("resources | where name =~ 'b'", "B"),
        ("where location =~ 'northeurope' | project name", "B"),
        ("resources | where name in ('a', 'c') and tags['team'] != 'x'", "c"),
        ("resources | where tags.team =~ 'X' or properties.state == 'Off'", "aB"),
        ("resources | where (name =~ 'a' or name =~ 'b') and location startswith 'west'", "a"),
        ("resources | where name in~ ('A','C') | sort by name desc | limit 1", "c"),
        ("resources // all of them\n| where location contains 'EUROPE' | order by id", "cBa"),
        ("resources | where name !~ 'A' | take 1", "B"),
    ],
)
def test_query__of_a_known_shape__finds_its_rows(query: str, names: str) -> None:
    assert "".join(row["name"] for row in kql.run(query, ROWS)) == names


def test_query__project__names_and_renames_columns() -> None:
    [row] = kql.run("resources | where name == 'a' | project id, team = tags.team, properties.state", ROWS)

    assert row == {"id": "/a", "team": "x", "properties_state": "On"}


def test_query__count__counts() -> None:
    assert kql.run("resources | count", ROWS) == [{"Count": 3}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "securityresources",
        "resources | summarize count() by type",
        "resources | where unknown == 'a'",
        "resources | where name == a",
        "resources | where name",
        "resources | where name == 'a",
        "resources | project",
        "resources | limit many",
        "resources where name == 'a'",
        "resources | where (name == 'a'",
        "resources | extend a = 1",
    ],
)
def test_query__of_another_shape__is_an_error(query: str) -> None:
    with pytest.raises(kql.QueryError):
        kql.run(query, ROWS)


async def asked(arm: Arm, query: str, subscriptions: list[str] | None = None, **options: Any) -> Answer:
    body = {"query": query, "subscriptions": subscriptions, "options": options}
    return await arm("POST", "/providers/Microsoft.ResourceGraph/resources", body, version="2024-04-01")


@pytest.mark.asyncio
async def test_graph__endpoints__are_discovered(arm: Arm) -> None:
    found = await asked(arm, ALL)

    assert (found.body["totalRecords"], found.body["count"], found.body["resultTruncated"]) == (6, 6, "false")
    first = found.body["data"][0]
    assert set(first) == {"id", "name", "location", "tags"}
    assert (first["id"], first["location"], first["tags"]["team"]) == (CHECKOUT, "westeurope", "payments")
    assert found.headers["x-ms-user-quota-remaining"] == "14"
    assert found.headers["x-ms-user-quota-resets-after"] == "00:00:05"


@pytest.mark.asyncio
async def test_graph__subscriptions__narrow_the_rows(arm: Arm) -> None:
    prod = await asked(arm, ALL, [PROD.upper()])
    other = await asked(arm, f"resources | where type =~ '{ENDPOINT}' and subscriptionId == '{TEST}'")

    assert (prod.body["count"], other.body["count"]) == (3, 3)


@pytest.mark.asyncio
async def test_graph__pages__hold_every_row_once(arm: Arm) -> None:
    ids: list[str] = []
    token: dict[str, str] = {}
    sizes = []
    while token is not None:
        found = await asked(arm, ALL, **{"$top": 4, **token})
        ids += [row["id"] for row in found.body["data"]]
        sizes.append(found.body["count"])
        if "$skipToken" not in found.body:
            break
        token = {"$skipToken": found.body["$skipToken"]}

    assert sizes == [4, 2]
    assert ids == sorted(set(ids))


@pytest.mark.asyncio
async def test_graph__caller_with_a_narrow_scope__sees_only_that(arm: Arm) -> None:
    identity = arm.cloud.tokens.identities[0]
    object.__setattr__(identity, "scopes", (f"/subscriptions/{TEST}",))

    found = await asked(arm, ALL)

    assert {row["id"].split("/")[2] for row in found.body["data"]} == {TEST}


@pytest.mark.asyncio
async def test_graph__unknown_query__is_400_with_details(arm: Arm) -> None:
    found = await asked(arm, "resources | summarize count() by type")

    assert (found.status, found.code) == (400, "BadRequest")
    details = found.body["error"]["details"]
    assert [item["code"] for item in details] == ["InvalidQuery", "ParserFailure"]
    assert details[1]["token"] == "summarize"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "options", [{"$top": 1001}, {"$top": 0}, {"$skipToken": "bm8="}, {"resultFormat": "csv"}]
)
async def test_graph__options_out_of_range__are_400(arm: Arm, options: dict[str, Any]) -> None:
    assert (await asked(arm, ALL, **options)).status == 400


@pytest.mark.asyncio
async def test_graph__more_than_the_quota__is_429_until_it_comes_back(arm: Arm) -> None:
    now = [100.0]
    arm.cloud.graph_quota.monotonic = lambda: now[0]
    statuses = [(await asked(arm, ALL)).status for _ in range(15)]

    refused = await asked(arm, ALL)
    now[0] += 5
    again = await asked(arm, ALL)

    assert statuses == [200] * 15
    assert (refused.status, refused.code) == (429, "RateLimiting")
    assert (refused.headers["x-ms-user-quota-remaining"], refused.headers["Retry-After"]) == ("0", "5")
    assert again.status == 200


@pytest.mark.asyncio
async def test_graph__switched_off__is_403(arm: Arm) -> None:
    arm.cloud.settings.change({"resource_graph": False})

    assert (await asked(arm, ALL)).status == 403


@pytest.mark.asyncio
async def test_graph__delay__shows_the_world_as_it_was(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"resource_graph_delay_seconds": 60.0}})
    await arm("PATCH", CHECKOUT, {"tags": {"team": "fresh"}})
    query = f"{ALL} | limit 1"

    arm.clock.tick(30)
    early = await asked(arm, query)
    arm.clock.tick(40)
    late = await asked(arm, query)
    arm.cloud.settings.change({"behaviour": {"resource_graph_delay_seconds": 120.0}})
    earlier = await asked(arm, query)

    assert [item.body["data"][0]["tags"]["team"] for item in (early, late, earlier)] == [
        "payments",
        "fresh",
        "payments",
    ]
