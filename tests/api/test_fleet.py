"""Endpoints, deployments, history and workspaces through the API."""

from __future__ import annotations

import pytest

from endpoints.audit.models import Entry
from tests.api.api import Api
from tests.support.people import SUBSCRIPTION, make_endpoint, token_for

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


def test_list__of_two_workspaces__has_only_ones_own(workspace, other_workspace, requester, outsider):
    make_endpoint(workspace)
    make_endpoint(other_workspace)

    mine = Api(requester).get("/endpoints").json()
    theirs = Api(outsider).get("/endpoints").json()

    assert [item["workspace"] for item in mine["items"]] == ["mlw-prod-weu"]
    assert [item["workspace"] for item in theirs["items"]] == ["mlw-test-neu"]
    assert mine["counts"]["total"] == 1
    assert mine["items"][0]["traffic"] == {"blue": 100}


def test_list__filtered_as_on_the_fleet_page__has_what_matches(workspace, requester):
    make_endpoint(workspace, "checkout-risk")
    make_endpoint(workspace, "photo-triage", tags={})
    api = Api(requester)

    assert [item["name"] for item in api.get("/endpoints?q=owner:none").json()["items"]] == ["photo-triage"]
    assert [item["name"] for item in api.get("/endpoints?q=!photo").json()["items"]] == ["checkout-risk"]


def test_list__by_pages__has_each_endpoint_once(workspace, requester):
    for number in range(5):
        make_endpoint(workspace, f"endpoint-{number}")
    api, found, address = Api(requester), [], "/endpoints?limit=2"

    while address:
        answer = api.get(address.removeprefix("/api/v1")).json()
        found += [item["name"] for item in answer["items"]]
        address = answer["next"]

    assert sorted(found) == [f"endpoint-{number}" for number in range(5)]


def test_endpoint__read__shows_deployments_links_and_age(workspace, requester):
    make_endpoint(workspace, traffic={"blue": 90, "green": 10})

    body = Api(requester).get(HOME).json()

    assert {one["name"]: one["weight"] for one in body["deployments"]} == {"blue": 90, "green": 10}
    assert body["links"]["studio"].startswith("https://")
    assert body["freshness"]["read_at"] is None
    assert body["freshness"]["is_stale"] is True
    assert "keys" not in body["state"]


def test_deployment__asked_for_in_another_case__is_the_same(workspace, requester):
    make_endpoint(workspace)

    body = Api(requester).get(f"{HOME}/deployments/BLUE").json()

    assert (body["name"], body["provisioning_state"]) == ("blue", "Succeeded")


def test_history__after_somebody_else_moved_traffic__names_the_drift(workspace, requester):
    make_endpoint(workspace)
    make_endpoint(workspace, traffic={"blue": 50, "green": 50})

    newest = Api(requester).get(f"{HOME}/history?limit=1").json()

    assert newest["items"][0]["cause"] == "drift"
    assert newest["items"][0]["changes"][0]["field"] == "traffic"
    older = Api(requester).get(newest["next"].removeprefix("/api/v1"))
    assert older.status_code == 200
    assert older.json()["items"][0] != newest["items"][0]


def test_sync__asked_for__is_due_at_once_and_on_record(workspace, requester):
    answer = Api(requester).post("/workspaces/mlw-prod-weu/sync")

    assert answer.status_code == 202
    assert answer.json()["due_at"] is not None
    assert Entry.objects.filter(action="workspace.sync_requested").count() == 1


def test_workspace__connected_by_an_administrator__is_in_the_list(admin):
    api = Api(token=token_for(admin, "admin", "read"))
    arm_id = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
        "/providers/Microsoft.MachineLearningServices/workspaces/mlw-new"
    )

    made = api.post("/workspaces", {"arm_id": arm_id, "slug": "mlw-new", "environment": "test"})
    again = api.post("/workspaces", {"arm_id": arm_id, "slug": "mlw-other", "environment": "test"})

    assert (made.status_code, made["Location"]) == (201, "/api/v1/workspaces/mlw-new")
    assert again.status_code == 409
    assert [row["slug"] for row in api.get("/workspaces").json()["items"]] == ["mlw-new"]


def test_workspace__of_no_arm_id__is_refused_with_the_field(admin):
    answer = Api(admin).post("/workspaces", {"arm_id": "mlw", "slug": "mlw", "environment": "test"})

    assert answer.status_code == 422
    assert "ARM id" in answer.json()["errors"]["arm_id"][0]
