"""Sample requests, probes, readiness and drills through the API."""

from __future__ import annotations

import pytest

from endpoints.changes.models import Change, Probe, Sample
from endpoints.dispatch import db_now
from tests.api.api import Api, seen
from tests.support.load import serve
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
ENDPOINT = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"
SAMPLE = {"body": '{"amount": 12.5}', "synthetic": True, "answer_schema": {"type": "object"}}


@pytest.fixture
def endpoint(workspace):
    found = make_endpoint(workspace)
    serve(found.pk)
    return found


def test_sample__set__is_told_with_who_set_it_and_ends_on_request(endpoint, requester):
    api = Api(requester)
    assert api.get(f"{ENDPOINT}/sample").json() == {"sample": None}

    answer = api.send("PUT", f"{ENDPOINT}/sample", SAMPLE)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["sample"]["body"] == SAMPLE["body"]
    assert answer.json()["sample"]["set_by"]["name"] == "Rosa"

    assert api.send("DELETE", f"{ENDPOINT}/sample").status_code == 204
    assert api.get(f"{ENDPOINT}/sample").json() == {"sample": None}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"body": "not JSON"}, "body"),
        ({"body": ""}, "body"),
        ({"body": {"amount": 1}}, "body"),
        ({"body": '"' + "x" * 70_000 + '"'}, "body"),
        ({"synthetic": False}, "synthetic"),
        ({"synthetic": "yes"}, "synthetic"),
        ({"secret_uri": "http://vault/secret"}, "secret_uri"),
        ({"answer_schema": {"type": "nonsense"}}, "answer_schema"),
        ({"answer_schema": []}, "answer_schema"),
        ({"key": "abc"}, ""),
    ],
)
def test_sample__that_can_not_be_used__is_not_stored(changed, field, endpoint, requester):
    answer = Api(requester).send("PUT", f"{ENDPOINT}/sample", SAMPLE | changed)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Sample.objects.exists()


def test_probe__asked_for__is_taken_only_with_a_sample(endpoint, requester):
    api = Api(requester)
    without = api.post(f"{ENDPOINT}/probes")
    api.send("PUT", f"{ENDPOINT}/sample", SAMPLE)

    assert without.status_code == 409
    assert "Nobody was asked" in without.json()["detail"]
    assert api.post(f"{ENDPOINT}/probes").status_code == 202


def test_probes__that_were_made__are_listed_newest_first_by_pages(endpoint, auditor):
    for outcome, seconds in (("pass", 0.12), ("error", None)):
        Probe.objects.create(
            endpoint_id=endpoint.pk,
            deployment="green",
            outcome=outcome,
            seconds=seconds,
            reason="x",
            at=db_now(),
        )
    api = Api(auditor)

    first = api.get(f"{ENDPOINT}/probes?limit=1").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()

    told = [(item["outcome"], item["seconds"]) for item in first["items"] + second["items"]]
    assert told == [("error", None), ("pass", 0.12)]
    assert second["next"] is None


def test_readiness__of_an_endpoint_that_never_moved__says_that_nothing_is_timed(endpoint, operator):
    body = Api(operator).get(f"{ENDPOINT}/readiness").json()

    assert body["outcome"] != "pass"
    assert body["reasons"]
    assert (body["seconds"], body["observed_seconds"], body["rollbacks"]) == (None, None, 0)
    assert (body["last_drill"], body["not_drillable"]) == (None, "")


def test_readiness__of_an_endpoint_with_one_deployment__says_why_nothing_can_be_drilled(workspace, operator):
    make_endpoint(workspace, "single", deployments={"blue": {}})

    body = Api(operator).get("/workspaces/mlw-prod-weu/endpoints/single/readiness").json()

    assert body["target"] is None
    assert "no other deployment" in body["not_drillable"]


def test_drill__ordered_twice_with_one_key__is_one_change_to_review(endpoint, operator, reviewer):
    asked = {"deployment": "green", "weight": 5, "reason": "Quarterly drill."}

    first = Api(operator).post(f"{ENDPOINT}/drills", asked, Idempotency_Key="q4")
    again = Api(operator).post(f"{ENDPOINT}/drills", asked, Idempotency_Key="q4")

    assert (first.status_code, first.json()["kind"], first.json()["state"]) == (201, "drill", "in_review")
    assert first.json()["after"] == {"blue": 95, "green": 5}
    assert again.json()["number"] == first.json()["number"]
    assert Change.objects.count() == 1

    number = first.json()["number"]
    accepted = [one["name"] for one in first.json()["checks"] if one["needs_acceptance"]]
    approved = Api(reviewer).post(f"/changes/{number}/approve", {"accept": accepted}, **seen(number))
    assert approved.json()["state"] == "approved", approved.json()

    listed = Api(operator).get(f"{ENDPOINT}/drills").json()["items"]
    assert [(one["number"], one["state"], one["seconds"]) for one in listed] == [(number, "approved", None)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"weight": 0}, "weight"),
        ({"weight": 21}, "weight"),
        ({"deployment": "purple"}, "deployment"),
        ({"bake": 3601}, "bake"),
        ({"reason": ""}, "reason"),
    ],
)
def test_drill__that_is_no_small_shift__is_not_ordered(changed, field, endpoint, operator):
    asked = {"deployment": "green", "weight": 5, "reason": "Quarterly drill."}

    answer = Api(operator).post(f"{ENDPOINT}/drills", asked | changed)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Change.objects.exists()
