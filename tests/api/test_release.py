"""Release records and comparisons with files, through the API."""

from __future__ import annotations

import pytest
import yaml

from endpoints.access.models import User, Workspace
from endpoints.changes import services
from endpoints.changes.models import Change
from endpoints.dispatch import db_now
from tests.api.api import Api, ask_for_change, hash_of
from tests.support.load import serve
from tests.support.people import make_endpoint, principal

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


@pytest.fixture
def ended(workspace: Workspace, requester: User, reviewer: User, operator: User) -> int:
    endpoint = make_endpoint(workspace)
    serve(endpoint.pk)
    number = ask_for_change(requester, endpoint.pk, {"green": 100})
    services.approve_change(principal=principal(reviewer), change_id=number, seen_hash=hash_of(number))
    services.start_change(principal=principal(operator), change_id=number, seen_hash=hash_of(number))
    for _ in range(2):
        make_endpoint(workspace, traffic={"green": 100})
    Change.objects.filter(pk=number).update(state="succeeded", ended_at=db_now())
    return number


def test_release__of_a_change_that_is_over__has_files_versions_and_decisions(
    ended: int, operator: User
) -> None:
    body = Api(operator).get(f"/changes/{ended}/release").json()

    files = {one["name"]: yaml.safe_load(one["text"]) for one in body["files"]}
    assert files["endpoint.yml"]["traffic"] == {"green": 100}
    assert files["green.yml"]["model"] == "azureml://registries/fraud/models/risk/versions/8"
    assert body["traffic"] == {"green": 100}
    assert [(one["deployment"], one["weight"]) for one in body["versions"]] == [("green", 100), ("blue", 0)]
    assert body["decisions"][0]["reviewer"]["name"] == "Vera"
    assert body["unsure"] == []


def test_release__of_a_change_in_review__is_a_conflict(
    workspace: Workspace, requester: User, operator: User
) -> None:
    endpoint = make_endpoint(workspace)
    serve(endpoint.pk)
    number = ask_for_change(requester, endpoint.pk)
    answer = Api(operator).get(f"/changes/{number}/release")
    assert answer.status_code == 409
    assert "it is not over" in answer.json()["detail"]


def test_release__of_another_workspace__is_not_found(ended: int, outsider: User) -> None:
    assert Api(outsider).get(f"/changes/{ended}/release").status_code == 404


def test_compare__of_a_file__tells_what_differs_and_what_nobody_can_tell(
    workspace: Workspace, requester: User
) -> None:
    make_endpoint(workspace)
    text = "name: blue\nendpoint_name: checkout-risk\nmodel: azureml:risk:{{V}}\ninstance_count: 3\n"
    body = Api(requester).post(f"{HOME}/compare", {"files": [{"name": "blue.yml", "text": text}]}).json()

    (one,) = body["items"]
    assert (one["kind"], one["name"], one["outcome"]) == ("deployment", "blue", "differs")
    assert {line["field"]: line["outcome"] for line in one["lines"]} == {
        "endpoint_name": "same",
        "model": "unknown",
        "instance_count": "differs",
    }


@pytest.mark.parametrize(
    "files",
    [[], [{"name": "a.yml"}], [{"name": "a", "text": "x" * 70_000}], [{"name": "a", "text": ""}] * 21],
)
def test_compare__of_what_can_not_be_taken__is_a_problem(
    workspace: Workspace, requester: User, files: list[dict[str, str]]
) -> None:
    make_endpoint(workspace)
    assert Api(requester).post(f"{HOME}/compare", {"files": files}).status_code == 422
