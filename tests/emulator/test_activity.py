"""The activity log: who wrote what, how late it is told, and how it may be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from emulator.activity import filters
from emulator.activity.callers import principal_name
from emulator.activity.filters import FilterError, Wanted
from emulator.foreign import ForeignError, perform
from emulator.graph.quota import Quota
from emulator.reading import ScenarioError
from emulator.scenario import parse
from tests.emulator.arm import CHECKOUT, PROD, SHADOWED, TEST, Answer, Arm
from tests.emulator.shape import misfits

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENTS = "providers/Microsoft.Insights/eventtypes/management/values"
GREEN = f"{CHECKOUT}/deployments/green"
SINCE = "eventTimestamp ge '2026-11-23T11:59:00Z'"


async def ask(arm: Arm, filter: str | None = SINCE, subscription: str = PROD, **query: str) -> Answer:
    told = {"api-version": "2015-04-01", **({} if filter is None else {"$filter": filter}), **query}
    return await arm("GET", f"/subscriptions/{subscription}/{EVENTS}?{urlencode(told)}")


async def events(arm: Arm, filter: str = SINCE, subscription: str = PROD) -> list[dict[str, Any]]:
    found = await ask(arm, filter, subscription)
    assert found.status == 200, found.body
    return list(found.body["value"])


def told(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Status and caller, oldest first: the answer begins with the newest."""
    return [(item["status"]["value"], item["caller"]) for item in reversed(found)]


def seen(arm: Arm) -> None:
    """Everything that has happened can be read at once."""
    arm.cloud.settings.change({"activity_delay_min": 0, "activity_delay_max": 0})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("eventTimestamp ge '2026-11-20T00:00:00Z'", Wanted(NOW.replace(day=20, hour=0), NOW)),
        (
            "eventTimestamp ge '2026-11-20T00:00:00.1234567Z' and eventTimestamp le '2026-11-21T02:00:00+02:00'",
            Wanted(NOW.replace(day=20, hour=0, microsecond=123456), NOW.replace(day=21, hour=0)),
        ),
        (
            "EventTimestamp GE '2026-11-20T00:00:00' AND resourceUri eq '/a/b'",
            Wanted(NOW.replace(day=20, hour=0), NOW, "resourceuri", "/a/b"),
        ),
        (
            "resourceGroupName eq 'it''s' and eventTimestamp ge '2026-11-20T00:00:00Z'",
            Wanted(NOW.replace(day=20, hour=0), NOW, "resourcegroupname", "it's"),
        ),
    ],
)
def test_filter__of_the_allowed_patterns__is_read(text: str, wanted: Wanted) -> None:
    assert filters.parse(text, NOW) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't be read"),
        ("", "can't be read"),
        ("resourceUri eq '/a'", "must hold a start"),
        ("eventTimestamp le '2026-11-20T00:00:00Z'", "must hold a start"),
        ("eventTimestamp gt '2026-11-20T00:00:00Z'", "no other syntax"),
        (f"{SINCE} and operationName eq 'x'", "no other syntax"),
        (f"{SINCE} and resourceUri ne '/a'", "no other syntax"),
        (f"{SINCE} and resourceUri eq '/a' and correlationId eq 'b'", "no other syntax"),
        (f"{SINCE} and {SINCE}", "no other syntax"),
        (f"{SINCE} or resourceUri eq '/a'", "joined by 'and'"),
        (f"{SINCE} and ", "can't be read"),
        (f"{SINCE} and resourceUri eq '/a", "can't be read"),
        (f"{SINCE} and startswith(resourceUri, '/a')", "can't be read"),
        ("eventTimestamp ge 'yesterday'", "is not a time"),
        ("eventTimestamp ge '2026-13-20T00:00:00Z'", "is not a time"),
        ("eventTimestamp ge '2026-08-25T11:59:59Z'", "90 days"),
        (f"{SINCE} and eventTimestamp le '2026-11-23T11:58:00Z'", "before the start"),
    ],
)
def test_filter__of_any_other_syntax__says_what_is_wrong(text: str | None, said: str) -> None:
    with pytest.raises(FilterError, match=said):
        filters.parse(text, NOW)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A. Novak", "a.novak@contoso.example"),
        ("az ml (M. Silva)", "m.silva@contoso.example"),
        ("payments pipeline", "payments.pipeline@contoso.example"),
    ],
)
def test_principal_name__of_a_person__is_the_same_by_every_tool(name: str, found: str) -> None:
    assert principal_name(name) == found


@pytest.mark.contract
@pytest.mark.asyncio
async def test_event__beside_microsofts_example__has_its_shape(facts: Path, arm: Arm) -> None:
    text = (facts / "examples/monitor/GetActivityLogsFiltered.json").read_text(encoding="utf-8")
    example = json.loads(text)["responses"]["200"]["body"]["value"][0]
    seen(arm)
    perform(arm.cloud.control, {"resource": CHECKOUT, "traffic": {"green": 100}})

    found = await events(arm)

    more = {"category", "channels", "resourceId", "resourceType", "tenantId", "role", "statusCode"}
    more |= {"serviceRequestId", "entity", "message", "eventCategory"}
    same = {name: {} for name in ("claims",)}
    assert len(found) == 2
    for item in found:
        assert misfits({**example, **same}, {**item, **same}, optional=more) == []
        assert {str(type(value)) for value in item["claims"].values()} == {"<class 'str'>"}


@pytest.mark.asyncio
async def test_event__of_our_own_write__is_named_as_the_answer_named_it(arm: Arm) -> None:
    seen(arm)
    document = await arm.get(CHECKOUT)
    document["properties"]["traffic"] = {"blue": 90, "green": 10}
    put = await arm("PUT", CHECKOUT, document, x_ms_client_request_id="change-42")
    running = await events(arm)
    arm.clock.tick(1)
    ended, begun = await events(arm)

    ours = arm.cloud.tokens.identities[0]
    assert [item["status"]["value"] for item in running] == ["Started"]
    assert told([ended, begun]) == [("Started", ours.object_id), ("Succeeded", ours.object_id)]
    for item in (begun, ended):
        assert item["correlationId"] == put.headers["x-ms-correlation-request-id"]
        assert item["httpRequest"]["clientRequestId"] == "change-42"
        assert item["claims"]["appid"] == ours.client_id
        assert item["operationName"]["value"] == (
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
        )
        assert item["resourceId"] == CHECKOUT
    assert begun["eventTimestamp"] == "2026-11-23T12:00:00.0000000Z"
    assert ended["eventTimestamp"] == "2026-11-23T12:00:00.2000000Z"
    assert (begun["eventName"]["value"], ended["eventName"]["value"]) == ("BeginRequest", "EndRequest")


@pytest.mark.asyncio
async def test_event__of_a_write_at_once__carries_the_answers_correlation_id(arm: Arm) -> None:
    seen(arm)
    patched = await arm("PATCH", GREEN, {"tags": {"a": "b"}})

    found = await events(arm, f"{SINCE} and resourceUri eq '{GREEN}'")

    assert {item["correlationId"] for item in found} == {patched.headers["x-ms-correlation-request-id"]}
    assert [item["status"]["value"] for item in found].count("Started") == 1
    assert {item["operationName"]["value"].rpartition("workspaces/")[2] for item in found} == {
        "onlineEndpoints/deployments/write"
    }


@pytest.mark.asyncio
async def test_events__of_foreign_writers__have_callers_of_their_own(arm: Arm) -> None:
    seen(arm)
    application = {"name": "night job", "app_id": "app-7", "object_id": "object-7"}
    for who in ("az ml (M. Silva)", {"name": "Rosa", "upn": "rosa@example.org"}, application):
        arm.clock.tick(1)
        perform(arm.cloud.control, {"resource": CHECKOUT, "who": who, "traffic": {"green": 100}})

    found = [item for item in await events(arm) if item["status"]["value"] == "Succeeded"]

    assert told(found) == [
        ("Succeeded", "m.silva@contoso.example"),
        ("Succeeded", "rosa@example.org"),
        ("Succeeded", "object-7"),
    ]
    claims = [item["claims"] for item in reversed(found)]
    names = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
    assert [item.get(names) for item in claims] == ["m.silva@contoso.example", "rosa@example.org", None]
    assert claims[2]["appid"] == "app-7"
    assert (
        len({item["http://schemas.microsoft.com/identity/claims/objectidentifier"] for item in claims}) == 3
    )


@pytest.mark.asyncio
async def test_event__of_an_application__is_called_by_setting(arm: Arm) -> None:
    seen(arm)
    arm.cloud.settings.change({"behaviour": {"activity_app_caller": "app_id"}})
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    assert told(await events(arm)) == [("Started", arm.cloud.tokens.identities[0].client_id)]


@pytest.mark.asyncio
async def test_event__of_a_failed_operation__tells_the_error(arm: Arm) -> None:
    seen(arm)
    arm.cloud.faults.add({"kind": "failed_operation", "match": {"method": "PUT"}, "code": "BadModel"})
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    arm.clock.tick(1)

    ended = (await events(arm))[0]

    assert (ended["status"]["value"], ended["level"]) == ("Failed", "Error")
    assert json.loads(ended["properties"]["statusMessage"])["error"]["code"] == "BadModel"


@pytest.mark.asyncio
async def test_events__of_deletions_and_keys__have_operations_of_their_own(arm: Arm) -> None:
    seen(arm)
    await arm("DELETE", GREEN)
    await arm("POST", f"{CHECKOUT}/regenerateKeys", {"keyType": "Primary"})
    arm.clock.tick(1)

    found = await events(arm)

    told = {item["operationName"]["value"].partition("workspaces/onlineEndpoints/")[2] for item in found}
    assert told == {"deployments/delete", "regenerateKeys/action"}
    assert {item["httpRequest"]["method"] for item in found} == {"DELETE", "POST"}
    assert "primary" not in json.dumps(found).lower()


@pytest.mark.asyncio
async def test_events__by_default__come_three_to_twenty_minutes_late(arm: Arm) -> None:
    arm.cloud.settings.change({"activity_delay_min": 180, "activity_delay_max": 1200})
    for i in range(20):
        perform(arm.cloud.control, {"resource": CHECKOUT, "who": f"writer {i}", "tags": {"n": str(i)}})
    counts = []
    for minutes in (2.9, 10, 20.1):
        arm.clock.now = NOW + timedelta(minutes=minutes)
        counts.append(len(await events(arm)))

    assert counts[0] == 0
    assert 0 < counts[1] < 40
    assert counts[2] == 40


@pytest.mark.asyncio
async def test_events__narrowed_by_each_word__are_those(arm: Arm) -> None:
    seen(arm)
    perform(arm.cloud.control, {"resource": CHECKOUT, "tags": {"a": "1"}})
    perform(arm.cloud.control, {"resource": SHADOWED, "tags": {"a": "1"}})

    async def resources(word: str) -> set[str]:
        return {item["resourceId"] for item in await events(arm, f"{SINCE} and {word}")}

    correlation = (await events(arm, f"{SINCE} and resourceUri eq '{SHADOWED}'"))[0]["correlationId"]
    assert await resources(f"resourceUri eq '{CHECKOUT.upper()}'") == {CHECKOUT}
    assert await resources("resourceGroupName eq 'RG-ML-PROD'") == {CHECKOUT, SHADOWED}
    assert await resources("resourceGroupName eq 'rg-other'") == set()
    assert await resources("resourceProvider eq 'microsoft.machinelearningservices'") == {CHECKOUT, SHADOWED}
    assert await resources("resourceProvider eq 'Microsoft.Compute'") == set()
    assert await resources(f"correlationId eq '{correlation}'") == {SHADOWED}
    assert await events(arm, subscription=TEST) == []
    assert await resources("eventTimestamp le '2026-11-23T11:59:30Z'") == set()


@pytest.mark.asyncio
async def test_pages__while_events_come_in__hold_every_older_one_once(arm: Arm) -> None:
    seen(arm)
    arm.cloud.settings.change({"behaviour": {"activity_page_size": 7}})
    for i in range(12):
        arm.clock.tick(0.001)
        perform(arm.cloud.control, {"resource": CHECKOUT, "tags": {"n": str(i)}})
    whole = {item["eventDataId"] for item in _all(arm)}
    page = (await ask(arm)).body
    found = [item["eventDataId"] for item in page["value"]]
    while "nextLink" in page:
        perform(arm.cloud.control, {"resource": SHADOWED, "tags": {"at": str(len(found))}})
        page = await arm.get("/" + page["nextLink"].split("/", 3)[3])
        found += [item["eventDataId"] for item in page["value"]]

    assert len(found) == len(set(found)) == 24
    assert set(found) == whole


def _all(arm: Arm) -> list[dict[str, Any]]:
    found = arm.cloud.activity.find(
        PROD, Wanted(NOW, NOW + timedelta(days=1)), now=NOW + timedelta(days=1), soonest=0, latest=0
    )
    return [{"eventDataId": item.id} for item in found]


@pytest.mark.asyncio
async def test_select__of_some_fields__holds_these_alone(arm: Arm) -> None:
    seen(arm)
    perform(arm.cloud.control, {"resource": CHECKOUT, "tags": {"a": "1"}})

    found = await ask(arm, **{"$select": "caller, eventTimestamp"})
    refused = await ask(arm, **{"$select": "colour"})

    assert [set(item) for item in found.body["value"]] == [{"caller", "eventTimestamp"}] * 2
    assert (refused.status, refused.body["code"]) == (400, "BadRequest")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("filter", "query"),
    [
        (None, {}),
        ("caller eq 'x'", {}),
        (SINCE, {"$skiptoken": "nonsense"}),
        (SINCE, {"$skiptoken": "WzEsMl0="}),
    ],
)
async def test_question__that_azure_would_not_take__is_400(
    arm: Arm, filter: str | None, query: dict[str, str]
) -> None:
    found = await ask(arm, filter, **query)

    assert (found.status, found.body["code"]) == (400, "BadRequest")
    assert found.body["message"]


@pytest.mark.asyncio
async def test_questions__more_than_fifty_in_half_a_minute__are_429(arm: Arm) -> None:
    time = [100.0]
    arm.cloud.activity_quota = Quota(lambda: time[0], 30)
    found = [await ask(arm) for _ in range(51)]
    other = await ask(replace(arm, identity="reader"))
    time[0] += 30
    later = await ask(arm)

    assert [item.status for item in found] == [200] * 50 + [429]
    assert found[-1].headers["Retry-After"] == "30"
    assert (other.status, later.status) == (200, 200)


@pytest.mark.asyncio
async def test_question__without_the_role__is_403(arm: Arm) -> None:
    arm.cloud.tokens.identities[0] = replace(arm.cloud.tokens.identities[0], actions=("*/metrics/read",))

    found = await ask(arm)

    assert found.status == 403
    assert "Microsoft.Insights/eventtypes/values/Read" in found.message


@pytest.mark.asyncio
async def test_events__of_the_scenarios_past__name_its_writers(arm: Arm) -> None:
    found = await events(arm, "eventTimestamp ge '2026-08-26T12:00:00Z'")

    callers = {item["caller"] for item in found if "/checkout-risk" in item["resourceId"]}
    assert "a.novak@example.com" in callers
    assert arm.cloud.control.world.resources[GREEN.lower()].created_by.id in callers


def test_events__after_a_restart__are_the_same(
    tmp_path: Path, make_cloud: Callable[..., Any], clock: Any
) -> None:
    def ids(cloud: Any) -> list[str]:
        wanted = Wanted(clock.now - timedelta(days=1), clock.now)
        return [item.id for item in cloud.activity.find(PROD, wanted, now=clock.now, soonest=0, latest=0)]

    first = make_cloud(state=tmp_path)
    perform(first.control, {"resource": CHECKOUT, "who": {"name": "x", "app_id": "a"}, "tags": {"a": "b"}})
    before = ids(first)
    first.control.log.close()
    second = make_cloud(state=tmp_path)

    assert len(before) == 2
    assert ids(second) == before
    assert second.control.world.resources[CHECKOUT.lower()].modified_by.app_id == "a"
    second.control.log.close()


@pytest.mark.parametrize("who", [7, {}, {"upn": "a@b"}, {"name": "x", "colour": "red"}])
def test_foreign_write__by_nobody_known__is_refused(arm_control: Any, who: Any) -> None:
    with pytest.raises(ForeignError, match="who is a name"):
        perform(arm_control, {"resource": CHECKOUT, "who": who, "tags": {}})


@pytest.fixture
def arm_control(cloud: Any) -> Any:
    return cloud.control


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"writers": []}, "writers is a mapping"),
        ({"writers": {"x": {"colour": 1}}}, "writer x: unknown colour"),
        ({"writers": {"x": {"upn": "a@b", "app_id": "c"}}}, "nobody both"),
    ],
)
def test_scenario__with_a_mistake_about_writers__says_where(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        parse(told)
