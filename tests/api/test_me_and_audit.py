"""The caller, their tokens, the audit history and the executor through the API."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from endpoints.access.models import ApiToken
from endpoints.api.schema import document
from tests.api.api import Api, ask_for_change
from tests.support.people import browser, make_endpoint, make_person, token_for

pytestmark = pytest.mark.django_db


def test_me__with_a_token__says_what_it_is_for(workspace, requester):
    body = Api(token=token_for(requester, "read", "change")).get("/me").json()

    assert (body["name"], body["scopes"]) == ("Rosa", ["change", "read"])
    assert body["workspace_roles"] == {"mlw-prod-weu": ["requester"]}
    assert body["auth"].startswith("token:")


def test_token__made_in_a_session__is_shown_once_and_works(workspace, requester):
    api = Api(requester)

    made = api.post(
        "/tokens", {"name": "report", "scopes": ["read"], "days": 7, "workspaces": ["mlw-prod-weu"]}
    )
    secret = made.json()["secret"]

    assert made.status_code == 201
    assert Api(token=secret).get("/me").status_code == 200
    listed = api.get("/tokens").json()["items"]
    assert [(one["name"], one["workspaces"]) for one in listed] == [("report", ["mlw-prod-weu"])]
    assert secret not in json.dumps(listed)


def test_token__revoked__stops_working_at_once(workspace, requester):
    secret = token_for(requester, "read")
    number = ApiToken.objects.get().pk

    assert Api(requester).send("DELETE", f"/tokens/{number}").status_code == 204
    assert Api(token=secret).get("/me").status_code == 401
    assert Api(requester).send("DELETE", f"/tokens/{number}").status_code == 409


@pytest.mark.parametrize("scopes", [("read",), ("admin",), ("read", "change", "approve", "admin")])
def test_token__whatever_its_scopes__reaches_no_token(scopes, workspace, requester):
    api = Api(token=token_for(requester, *scopes))

    assert api.get("/tokens").status_code == 403
    assert api.post("/tokens", {"name": "x", "scopes": ["read"], "days": 1}).status_code == 403
    assert api.send("DELETE", f"/tokens/{ApiToken.objects.get().pk}").status_code == 403
    assert ApiToken.objects.filter(revoked_at=None).count() == 1


def test_token__bound_to_one_workspace__does_not_see_the_other(workspace, other_workspace):
    both = make_person("bea", {workspace.slug: ["operator"], other_workspace.slug: ["operator"]})
    make_endpoint(workspace)
    make_endpoint(other_workspace)
    api = Api(token=token_for(both, "read", workspaces=[workspace]))

    assert [item["workspace"] for item in api.get("/endpoints").json()["items"]] == ["mlw-prod-weu"]
    assert api.get("/workspaces/mlw-test-neu/endpoints/checkout-risk").status_code == 404


def test_token__without_scope_read__is_told_so_instead_of_an_empty_fleet(workspace, requester):
    answer = Api(token=token_for(requester, "change")).get("/endpoints")

    assert answer.status_code == 403
    assert answer.json()["detail"] == "This token lacks the scope read."


def test_session__with_its_csrf_token__may_change_things(workspace, requester):
    client = browser(requester, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "0123456789abcdefghijklmnopqrstuv"

    answer = client.post(
        "/api/v1/workspaces/mlw-prod-weu/sync", headers={"X-CSRFToken": "0123456789abcdefghijklmnopqrstuv"}
    )

    assert answer.status_code == 202


def test_audit__of_a_requester__has_their_own_acts_only(workspace, requester, reviewer):
    endpoint = make_endpoint(workspace)
    ask_for_change(requester, endpoint.pk)
    other = make_person("remy", {workspace.slug: ["requester"]})

    own = Api(requester).get("/audit?action=change.").json()["items"]
    all_of_it = Api(reviewer).get("/audit?action=change.").json()["items"]

    assert [one["actor"]["name"] for one in own] == ["Rosa", "Rosa"]
    assert len(all_of_it) == 2
    assert Api(other).get("/audit?action=change.").json()["items"] == []
    assert own[-1]["personal"]["reason"] == "First share for the new model."


def test_audit__by_pages__has_each_entry_once(workspace, requester, reviewer):
    ask_for_change(requester, make_endpoint(workspace).pk)
    api, found, address = Api(reviewer), [], "/audit?limit=2&workspace=mlw-prod-weu"

    while address:
        answer = api.get(address.removeprefix("/api/v1")).json()
        found += [item["seq"] for item in answer["items"]]
        address = answer["next"]

    assert found == sorted(set(found), reverse=True)
    assert len(found) >= 3


def test_verification__asked_for__reads_the_whole_chain(workspace, auditor):
    api = Api(auditor)
    assert api.get("/audit/verification").json()["checked_at"] is None

    body = api.post("/audit/verification").json()

    assert body["ok"] is True
    assert body["checked_to"] == body["entries"] > 0


def test_executor__that_never_spoke__is_not_alive(workspace, requester):
    body = Api(requester).get("/executor").json()

    assert (body["alive"], body["silent_seconds"]) == (False, None)


def test_schema__as_served__is_the_document_and_closes_every_input(workspace, requester):
    served = Api(requester).get("/openapi.json").json()

    assert served == json.loads(json.dumps(document()))
    inputs = {name: shape for name, shape in served["components"]["schemas"].items() if name.endswith("In")}
    assert len(inputs) >= 8
    assert all(shape["additionalProperties"] is False for shape in inputs.values())


def test_answer__whatever_it_is__carries_request_id_and_is_not_kept(workspace, requester):
    answer = Api(requester).get("/me")

    assert len(answer["X-Request-ID"]) == 32
    assert answer["Cache-Control"] == "no-store"


def test_list__of_many_endpoints__takes_a_few_queries_whatever_their_number(
    workspace, requester, django_assert_max_num_queries
):
    for number in range(12):
        make_endpoint(workspace, f"endpoint-{number}")
    api = Api(token=token_for(requester, "read"))
    api.get("/endpoints")

    with django_assert_max_num_queries(14):
        assert len(api.get("/endpoints").json()["items"]) == 12
    assert connection.in_atomic_block
