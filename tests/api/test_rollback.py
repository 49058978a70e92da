"""Rollback through the API: issued targets, one rollback for two orders, no limit."""

from __future__ import annotations

import pytest

from endpoints.audit.models import Entry
from endpoints.changes.models import Change
from endpoints.core.request import current_request_id
from tests.api.api import Api
from tests.support.people import make_endpoint, make_person, token_for

pytestmark = pytest.mark.django_db
ADDRESS = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/rollback"


@pytest.fixture
def endpoint(workspace):
    make_endpoint(workspace, traffic={"blue": 100})
    return make_endpoint(workspace, traffic={"blue": 10, "green": 90})


def target_of(api: Api) -> str:
    targets = api.get(ADDRESS).json()["targets"]
    return next(one["key"] for one in targets if one["split"] == {"blue": 100})


def test_targets__of_a_split_that_moved__begin_with_the_one_before(endpoint, operator):
    body = Api(operator).get(ADDRESS).json()

    assert body["traffic"] == {"blue": 10, "green": 90}
    assert body["targets"][0]["split"] == {"blue": 100}
    assert body["targets"][0]["eligible"] is True
    assert body["may"] == {"allowed": True, "reason": ""}


def test_rollback__ordered_twice_and_by_two_people__is_one(workspace, endpoint, operator, reviewer):
    one, other = Api(operator), Api(reviewer)
    target = target_of(one)

    first = one.post(ADDRESS, {"target": target}, Idempotency_Key="r-1")
    same = one.post(ADDRESS, {"target": target}, Idempotency_Key="r-1")
    second = other.post(ADDRESS, {"target": target, "reason": "predictions"})

    assert (first.status_code, same.status_code, second.status_code) == (201, 200, 200)
    assert {answer.json()["number"] for answer in (first, same, second)} == {first.json()["number"]}
    assert second.json()["created"] is False
    assert Change.objects.get().kind == "rollback"


def test_rollback__to_a_split_that_was_not_issued__sends_nothing(endpoint, operator):
    answer = Api(operator).post(ADDRESS, {"target": "0123456789abcdef"})

    assert answer.status_code == 409
    assert "Nothing was sent to Azure" in answer.json()["detail"]
    assert not Change.objects.exists()


def test_rollback__split_given_by_the_client__is_refused(endpoint, operator):
    answer = Api(operator).post(ADDRESS, {"target": target_of(Api(operator)), "split": {"green": 100}})

    assert answer.status_code == 422
    assert not Change.objects.exists()


def test_rollback__by_somebody_who_may_not__is_refused_and_on_record(endpoint, requester):
    api = Api(requester)

    answer = api.post(ADDRESS, {"target": target_of(api)})

    assert answer.status_code == 403
    entry = Entry.objects.get(action="order.refused")
    assert (entry.subject, entry.actor) == (f"endpoint:{endpoint.pk}", f"user:{requester.pk}")
    assert not Change.objects.exists()


@pytest.mark.parametrize("scopes", [("read",), ("rollback",), ("read", "change", "approve")])
def test_rollback__by_a_token_without_the_scopes__is_refused(scopes, endpoint, operator):
    target = target_of(Api(operator))

    answer = Api(token=token_for(operator, *scopes)).post(ADDRESS, {"target": target})

    assert answer.status_code == 403
    assert "lacks the scope" in answer.json()["detail"]
    assert not Change.objects.exists()


def test_orders__beyond_thirty_a_minute__wait_but_rollbacks_do_not(workspace, endpoint, operator):
    current_request_id.set("")  # the token is made outside of any request
    api = Api(token=token_for(operator, "read", "change", "rollback"))
    for _ in range(30):
        assert api.post("/workspaces/mlw-prod-weu/sync").status_code == 202

    limited = api.post("/workspaces/mlw-prod-weu/sync")
    rollback = api.post(ADDRESS, {"target": target_of(api)})

    assert limited.status_code == 429
    assert 1 <= int(limited["Retry-After"]) <= 61
    assert "Nothing was changed" in limited.json()["detail"]
    assert rollback.status_code == 201


def test_limit__of_one_person__is_not_anothers(workspace, endpoint, operator):
    other = make_person("oona", {workspace.slug: ["operator"]})
    for _ in range(30):
        Api(operator).post("/workspaces/mlw-prod-weu/sync")

    assert Api(operator).post("/workspaces/mlw-prod-weu/sync").status_code == 429
    assert Api(other).post("/workspaces/mlw-prod-weu/sync").status_code == 202
