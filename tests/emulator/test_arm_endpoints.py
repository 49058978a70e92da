"""Endpoints over HTTP: lists, writes as operations, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.documents import scoring_base
from tests.emulator.arm import (
    CHECKOUT,
    EMPTY,
    HOME_RECS,
    PHOTO,
    PROD_WORKSPACE,
    SHADOWED,
    TEST_WORKSPACE,
    Arm,
)

pytestmark = pytest.mark.asyncio
ENDPOINTS = f"{PROD_WORKSPACE}/onlineEndpoints"


def new(**properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "tags": {"a": "b"}, "properties": {"authMode": "Key", **properties}}


async def test_list__of_a_workspace__holds_its_endpoints_only(arm: Arm) -> None:
    found = await arm.get(ENDPOINTS)

    assert {item["name"] for item in found["value"]} == {"checkout-risk", "photo-triage", "shadowed"}
    assert "nextLink" not in found


async def test_list__in_pages__follows_next_link_and_keeps_its_query(arm: Arm) -> None:
    first = await arm.get(f"{ENDPOINTS}?count=2&orderBy=CreatedAtDesc&api-version=2022-02-01-preview")
    link = first["nextLink"]
    second = await arm.get(link.partition(str(arm.client.make_url("")).rstrip("/"))[2])

    assert [len(first["value"]), len(second["value"])] == [2, 1]
    assert "count=2" in link
    assert "orderBy=CreatedAtDesc" in link
    assert second["value"][0]["name"] == "checkout-risk"


async def test_list__by_name__finds_one_in_any_spelling(arm: Arm) -> None:
    found = await arm.get(f"{ENDPOINTS}?name=CHECKOUT-risk&api-version=2022-02-01-preview")

    assert [item["name"] for item in found["value"]] == ["checkout-risk"]


async def test_list__bad_skip__is_refused(arm: Arm) -> None:
    found = await arm("GET", f"{ENDPOINTS}?$skip=x&api-version=2022-02-01-preview")

    assert (found.status, found.code) == (400, "InvalidQueryParameter")


async def test_get__in_other_spelling__finds_it_and_answers_in_its_own(arm: Arm) -> None:
    found = await arm.get(
        CHECKOUT.replace("resourceGroups", "RESOURCEGROUPS").replace("checkout", "Checkout")
    )

    assert found["id"] == CHECKOUT


async def test_get__endpoint__shows_what_azure_shows(arm: Arm) -> None:
    found = await arm.get(CHECKOUT)
    properties = found["properties"]

    assert properties["properties"]["azureml.onlineendpointid"] == CHECKOUT.lower()
    assert "/mfeOperationsStatus/oeidp:" in properties["properties"]["AzureAsyncOperationUri"]
    assert properties["scoringUri"].endswith("/scoring/westeurope/checkout-risk/score")
    assert properties["keys"] is None
    assert found["systemData"]["createdAt"] < found["systemData"]["lastModifiedAt"]
    assert "etag" not in found


async def test_get__missing__is_404_in_arms_words(arm: Arm) -> None:
    found = await arm("GET", f"{ENDPOINTS}/nothing")

    assert (found.status, found.code) == (404, "ResourceNotFound")


async def test_put__new_split__is_an_operation_as_recorded(arm: Arm) -> None:
    put = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})

    assert put.status == 201
    assert put.body["properties"]["provisioningState"] == "Updating"
    assert put.body["properties"]["traffic"] == {"blue": 90, "green": 10}
    assert put.headers["x-ms-async-operation-timeout"] == "PT30M"
    assert put.headers["Location"].endswith("/checkout-risk?api-version=2022-02-01-preview")
    assert len(put.headers["Azure-AsyncOperation"]) > 3000
    assert "Retry-After" not in put.headers


async def test_put__new_split__shows_the_old_one_until_the_operation_ends(arm: Arm) -> None:
    put = await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    during = await arm.get(CHECKOUT)
    running = await arm.get(_path(put.headers["Azure-AsyncOperation"]))
    arm.clock.tick(0.2)
    ended = await arm.get(_path(put.headers["Azure-AsyncOperation"]))
    after = await arm.get(CHECKOUT)

    assert (during["properties"]["traffic"], running["status"]) == ({"blue": 100}, "Updating")
    assert running["endTime"] == "0001-01-01T00:00:00+00:00"
    assert (ended["status"], ended["percentComplete"]) == ("Succeeded", 100.0)
    assert after["properties"]["traffic"] == {"blue": 90, "green": 10}
    assert after["properties"]["provisioningState"] == "Succeeded"


async def test_put__raw_document_with_other_traffic__keeps_everything_else(arm: Arm) -> None:
    before = await arm.get(SHADOWED)
    await arm.put_traffic(SHADOWED, {"live": 0})
    arm.clock.tick(1)
    after = await arm.get(SHADOWED)

    for name in ("tags", "identity", "location", "kind"):
        assert after[name] == before[name]
    assert after["properties"]["mirrorTraffic"] == {"shadow": 10}
    assert after["properties"]["traffic"] == {"live": 0}


@pytest.mark.parametrize(("setting", "mirror"), [("reset", {}), ("kept", {"shadow": 10})])
async def test_put__without_mirror_traffic__resets_or_keeps_it_by_setting(
    arm: Arm, setting: str, mirror: dict[str, int]
) -> None:
    arm.cloud.settings.change({"behaviour": {"unsent_fields": setting}})
    await arm("PUT", SHADOWED, new(authMode="AMLToken", traffic={"live": 100}))
    arm.clock.tick(1)

    assert (await arm.get(SHADOWED))["properties"]["mirrorTraffic"] == mirror


@pytest.mark.parametrize("grow", [True, False])
async def test_put__without_a_custom_property__keeps_it_by_setting(arm: Arm, grow: bool) -> None:
    arm.cloud.settings.change({"behaviour": {"properties_only_grow": grow}})
    await arm("PUT", CHECKOUT, new(properties={"first": "1"}))
    arm.clock.tick(1)
    await arm("PUT", CHECKOUT, new(properties={"second": "2"}))
    arm.clock.tick(1)

    custom = (await arm.get(CHECKOUT))["properties"]["properties"]
    assert ("first" in custom, "second" in custom) == (grow, True)


async def test_put__wrong_sum__is_refused_and_nothing_begins(arm: Arm) -> None:
    records = len(arm.cloud.control.log.records)

    found = await arm.put_traffic(CHECKOUT, {"blue": 90})

    assert (found.status, found.code) == (400, "BadArgument")
    assert "sum to 90" in found.message
    assert len(arm.cloud.control.log.records) == records


@pytest.mark.parametrize(("status", "code"), [(400, "UserError"), (422, "Unprocessable")])
async def test_put__wrong_sum__is_refused_as_the_setting_says(arm: Arm, status: int, code: str) -> None:
    arm.cloud.settings.change({"behaviour": {"bad_traffic_status": status, "bad_traffic_code": code}})

    found = await arm.put_traffic(CHECKOUT, {"blue": 90})

    assert (found.status, found.code) == (status, code)


async def test_put__failed_deployment_as_target__is_refused(arm: Arm) -> None:
    found = await arm.put_traffic(PHOTO, {"main": 90, "broken": 10})

    assert found.status == 400
    assert "'broken' is Failed" in found.message


async def test_put__while_updating__is_a_conflict_that_names_the_operation(arm: Arm) -> None:
    await arm.put_traffic(CHECKOUT, {"blue": 90, "green": 10})
    second = await arm.put_traffic(CHECKOUT, {"blue": 80, "green": 20})
    arm.clock.tick(1)
    third = await arm.put_traffic(CHECKOUT, {"blue": 80, "green": 20})

    assert (second.status, second.code) == (409, "Conflict")
    assert "in progress" in second.message
    assert third.status == 201


async def test_put__without_location__is_refused(arm: Arm) -> None:
    found = await arm("PUT", CHECKOUT, {"properties": {"authMode": "Key"}})

    assert (found.status, found.code) == (400, "LocationRequired")


@pytest.mark.parametrize("name", ["ab", "1abc", "a" * 33, "a_b_c", "abc-"])
async def test_put__invalid_name__is_refused(arm: Arm, name: str) -> None:
    found = await arm("PUT", f"{ENDPOINTS}/{name}", new())

    assert found.status == 400
    assert "no valid endpoint name" in found.message


async def test_put__name_of_another_workspace_in_the_region__is_refused(arm: Arm) -> None:
    body = {**new(), "location": "northeurope"}

    found = await arm("PUT", f"{ENDPOINTS}/home-recs", body)

    assert found.status == 400
    assert "unique per region" in found.message


async def test_put__new_endpoint__has_no_scoring_uri_until_it_is_made(arm: Arm) -> None:
    made = await arm("PUT", f"{ENDPOINTS}/fresh", new())
    arm.clock.tick(1)
    after = await arm.get(f"{ENDPOINTS}/fresh")

    assert (made.body["properties"]["provisioningState"], made.body["properties"]["scoringUri"]) == (
        "Creating",
        None,
    )
    base = str(arm.client.make_url("")).rstrip("/")
    assert after["properties"]["scoringUri"] == f"{scoring_base('westeurope', 'x/fresh', base)}/score"


async def test_patch__traffic__is_for_one_api_version_only(arm: Arm) -> None:
    body = {"properties": {"traffic": {"blue": 90, "green": 10}}}
    refused = await arm("PATCH", CHECKOUT, body, version="2023-04-01-preview")
    taken = await arm("PATCH", CHECKOUT, body, version="2022-02-01-preview")
    arm.clock.tick(1)

    assert (refused.status, taken.status, taken.body) == (400, 202, None)
    assert "/mfeOperationResults/" in taken.headers["Location"]
    assert (await arm.get(CHECKOUT))["properties"]["traffic"] == {"blue": 90, "green": 10}


async def test_patch__tags__are_changed_at_once(arm: Arm) -> None:
    found = await arm("PATCH", CHECKOUT, {"tags": {"owner": "new"}})

    assert (found.status, found.body["tags"]) == (200, {"owner": "new"})
    assert found.body["properties"]["traffic"] == {"blue": 100}


async def test_delete__endpoint__takes_its_deployments_with_it(arm: Arm) -> None:
    deleted = await arm("DELETE", HOME_RECS)
    during = await arm.get(HOME_RECS)
    arm.clock.tick(1)
    after = await arm("GET", f"{HOME_RECS}/deployments/a")

    assert (deleted.status, deleted.body) == (202, None)
    assert "/mfeOperationResults/oeidp:" in deleted.headers["Location"]
    assert during["properties"]["provisioningState"] == "Deleting"
    assert after.status == 404


async def test_delete__of_what_is_not_there__is_204(arm: Arm) -> None:
    found = await arm("DELETE", f"{TEST_WORKSPACE}/onlineEndpoints/nothing")

    assert (found.status, found.body) == (204, "")


async def test_keys__after_regeneration__differ_in_the_one_asked_for(arm: Arm) -> None:
    before = (await arm("POST", f"{CHECKOUT}/listKeys")).body
    begun = await arm("POST", f"{CHECKOUT}/regenerateKeys", {"keyType": "Primary", "keyValue": "sent"})
    arm.clock.tick(1)
    after = (await arm("POST", f"{CHECKOUT}/listKeys")).body

    assert begun.status == 202
    assert before["primaryKey"] != after["primaryKey"] != "sent"
    assert before["secondaryKey"] == after["secondaryKey"]


async def test_keys__regenerated_by_sent_value__is_a_setting(arm: Arm) -> None:
    arm.cloud.settings.change({"behaviour": {"regenerate_uses_sent_value": True}})
    await arm("POST", f"{CHECKOUT}/regenerateKeys", {"keyType": "Primary", "keyValue": "sent"})
    arm.clock.tick(1)

    assert (await arm("POST", f"{CHECKOUT}/listKeys")).body["primaryKey"] == "sent"


async def test_keys__of_an_endpoint_without_keys__are_refused(arm: Arm) -> None:
    found = await arm("POST", f"{HOME_RECS}/listKeys")

    assert found.status == 400
    assert "auth mode is AADToken" in found.message


async def test_body__that_is_no_json_object__is_refused(arm: Arm) -> None:
    found = await arm("PUT", EMPTY, ["a", "list"])

    assert (found.status, found.code) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", f"/subscriptions/{'0' * 8}/providers/Microsoft.Unknown/things", 404),
        ("GET", f"{PROD_WORKSPACE}/jobs", 404),
        ("POST", CHECKOUT, 405),
    ],
)
async def test_path__not_served__is_refused_in_arms_words(
    arm: Arm, method: str, path: str, status: int
) -> None:
    found = await arm(method, path)

    assert found.status == status
    assert set(found.body["error"]) >= {"code", "message"}


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]
