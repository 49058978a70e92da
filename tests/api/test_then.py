"""The API as of a moment: the same answers as the pages give, with the same certainty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.dispatch import db_now
from tests.api.api import Api, ask_for_change
from tests.inventory.past import began, deployment_of_then, endpoint_of_then, read_all
from tests.inventory.support import at
from tests.support.load import serve
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def past(workspace: Workspace) -> None:
    endpoint = endpoint_of_then(workspace)
    began(endpoint, None, 10)
    began(endpoint, 40, 70, known=500, traffic={"green": 100}, cause="drift")
    began(deployment_of_then(endpoint), None, 10)
    read_all(workspace, 90, 91)
    read_all(workspace, 600, 601)


def told(body: dict[str, Any]) -> list[Any]:
    return [state["state"]["traffic"] for state in body["states"]]


@pytest.mark.usefixtures("past")
def test_endpoint__at_a_moment_of_a_switch__is_one_of_two(requester: User) -> None:
    body = Api(requester).get(f"{HOME}?at={iso(at(50))}").json()

    assert body["then"]["certainty"] == "one of two"
    assert told(body["then"]) == [{"blue": 100}, {"green": 100}]
    assert body["now_known"] is None
    assert [one["name"] for one in body["deployments"]] == ["blue"]
    assert body["deployments"][0]["then"]["states"][0]["state"]["instance_count"] == 2


@pytest.mark.usefixtures("past")
def test_endpoint__as_known_then__stands_beside_what_is_known_now(requester: User) -> None:
    body = Api(requester).get(f"{HOME}?at={iso(at(80))}&known={iso(at(100))}").json()

    assert (told(body["then"]), told(body["now_known"])) == ([{"blue": 100}], [{"green": 100}])
    assert body["corrected"] is True
    assert body["now_known"]["states"][0]["known_at"] == "2026-01-05T08:08:20Z"


@pytest.mark.usefixtures("past")
def test_list__at_a_moment__has_what_was_there_and_how_sure(requester: User) -> None:
    body = Api(requester).get(f"/endpoints?at={iso(at(5))}").json()

    assert [one["name"] for one in body["items"]] == ["checkout-risk"]
    assert body["items"][0]["then"]["why"] == {"gap": "read later", "moment": "2026-01-05T08:00:10Z"}
    assert body["items"][0]["then"]["states"] == []
    assert body["next"] is None


@pytest.mark.usefixtures("past")
def test_list__by_pages_at_a_moment__goes_on_with_it(requester: User, workspace: Workspace) -> None:
    began(endpoint_of_then(workspace, "photo-triage"), None, 10)
    first = Api(requester).get(f"/endpoints?at={iso(at(5))}&limit=1").json()
    second = Api(requester).get(first["next"].removeprefix("/api/v1")).json()
    assert [one["name"] for one in second["items"]] == ["photo-triage"]
    assert second["at"] == first["at"]


@pytest.mark.usefixtures("past")
def test_deployments__at_a_moment__are_those_of_then(requester: User) -> None:
    api = Api(requester)
    listed = api.get(f"{HOME}/deployments?at={iso(at(50))}").json()
    one = api.get(f"{HOME}/deployments/BLUE?at={iso(at(50))}").json()
    none = api.get(f"{HOME}/deployments/red?at={iso(at(50))}")

    assert [each["name"] for each in listed["items"]] == ["blue"]
    assert one["then"]["certainty"] == "certain"
    assert none.status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "at=2999-01-01T00:00:00Z",
        "known=2026-01-05T08:00:00Z",
        "at=x",
        "at=2026-01-05T08:00:00Z&known=2026-01-01T00:00Z",
    ],
)
@pytest.mark.parametrize("path", ["/endpoints", HOME, f"{HOME}/deployments", "/changes/1"])
def test_a_moment__that_can_not_be_shown__is_a_problem(path: str, query: str, requester: User) -> None:
    answer = Api(requester).get(f"{path}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_list__at_a_moment__asks_of_the_past_only_what_it_knows(requester: User) -> None:
    answer = Api(requester).get(f"/endpoints?at={iso(at(5))}&q=sku:NC4")
    assert answer.status_code == 422


def test_change__at_a_moment__says_who_could_approve(
    workspace: Workspace, requester: User, reviewer: User
) -> None:
    endpoint = make_endpoint(workspace)
    serve(endpoint.pk)
    before = db_now()
    number = ask_for_change(requester, endpoint.pk)

    body = Api(reviewer).get(f"/changes/{number}?at={iso(db_now())}").json()
    early = Api(reviewer).get(f"/changes/{number}?at={iso(before)}")

    assert body["state"] == "in_review"
    could = {one["person"]["name"]: one["reason"] for one in body["could_approve"]}
    assert could == {"Vera": "", "Rosa": "wrote it"}
    assert (body["quorum"]["given"], body["quorum"]["needed"]) == (0, 1)
    assert early.status_code == 422


@pytest.mark.usefixtures("past")
def test_the_past__of_another_workspace__is_not_found(outsider: User) -> None:
    api = Api(outsider)
    assert api.get(f"{HOME}?at={iso(at(50))}").status_code == 404
    assert api.get(f"/endpoints?at={iso(at(50))}").json()["items"] == []
