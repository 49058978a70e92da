"""Approval rules through the API: proposed, decided by another, ended by two."""

from __future__ import annotations

import pytest

from endpoints.changes.models import ApprovalRule
from tests.api.api import Api
from tests.support.people import make_person, token_for

pytestmark = pytest.mark.django_db
RULES = "/workspaces/mlw-prod-weu/rules"
ASKED = {
    "title": "Two for risk",
    "endpoint_pattern": "risk-*",
    "risk_weight": 50,
    "required": 2,
    "reason": "After the incident of May.",
}


def test_rule__proposed_and_accepted_by_an_administrator__is_in_force(workspace, operator, admin):
    proposed = Api(operator).post(RULES, ASKED)
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed"), proposed.json()
    assert proposed.json()["proposed_by"]["name"] == "Omar"
    assert proposed.json()["may_decide"]["allowed"] is False
    at = f"{RULES}/{proposed.json()['id']}"

    accepted = Api(admin).post(f"{at}/decision", {"accept": True})

    assert (accepted.status_code, accepted.json()["state"]) == (200, "in force")
    assert (accepted.json()["required"], accepted.json()["endpoint_pattern"]) == (2, "risk-*")
    assert Api(admin).post(f"{at}/decision", {"accept": False}).status_code == 409


def test_rule__made_by_an_administrator__is_in_force_at_once_and_takes_two_to_end(workspace, admin, operator):
    made = Api(admin).post(RULES, ASKED).json()
    assert made["state"] == "in force"

    asked = Api(admin).post(f"{RULES}/{made['id']}/end", {"reason": "It is in the way."})
    assert (asked.status_code, asked.json()["state"], asked.json()["ends"]) == (201, "proposed", made["id"])
    own = Api(admin).post(f"{RULES}/{asked.json()['id']}/decision", {"accept": True})
    assert own.status_code == 403
    assert Api(operator).get(f"{RULES}/{made['id']}").json()["state"] == "in force"

    other = make_person("astrid", {"": ["admin"]})
    Api(other).post(f"{RULES}/{asked.json()['id']}/decision", {"accept": True})
    assert Api(operator).get(f"{RULES}/{made['id']}").json()["state"] == "ended"


def test_rule__that_names_reviewers__counts_them_alone(workspace, admin, reviewer):
    named = [f"user:{reviewer.pk}"]

    body = Api(admin).post(RULES, ASKED | {"required": 1, "named": named}).json()

    assert [person["ref"] for person in body["named"]] == named
    assert body["named"][0]["name"] == "Vera"


def test_proposal__withdrawn_by_its_author__is_over(workspace, operator, reviewer):
    number = Api(operator).post(RULES, ASKED).json()["id"]

    assert Api(reviewer).post(f"{RULES}/{number}/withdrawal").status_code == 403
    answer = Api(operator).post(f"{RULES}/{number}/withdrawal")

    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": ""}, "title"),
        ({"required": 0}, "required"),
        ({"required": 11}, "required"),
        ({"required": "2"}, "required"),
        ({"risk_weight": 101}, "risk_weight"),
        ({"endpoint_pattern": "risk/../x"}, "endpoint_pattern"),
        ({"tag": "a=b"}, "tag"),
        ({"tag_value": "b"}, "tag_value"),
        ({"named": ["Vera"]}, "named.0"),
        ({"named": ["user:999999"]}, "named"),
        ({"reason": ""}, "reason"),
        ({"colour": "red"}, ""),
    ],
)
def test_rule__that_nobody_could_meet_or_read__is_not_proposed(changed, field, workspace, operator):
    answer = Api(operator).post(RULES, ASKED | changed)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not ApprovalRule.objects.exists()


def test_rule__of_another_workspace__is_not_found_under_this_one(workspace, other_workspace, admin):
    number = Api(admin).post(RULES, ASKED).json()["id"]

    there = f"/workspaces/{other_workspace.slug}/rules/{number}"

    assert Api(admin).get(there).status_code == 404
    assert Api(admin).post(f"{there}/end", {"reason": "x"}).status_code == 404
    assert ApprovalRule.objects.count() == 1


def test_rules__alive_and_by_pages__leave_out_what_is_over(workspace, admin, operator):
    Api(admin).post(RULES, ASKED)
    number = Api(operator).post(RULES, ASKED | {"title": "Three"}).json()["id"]
    Api(operator).post(f"{RULES}/{number}/withdrawal")
    Api(operator).post(RULES, ASKED | {"title": "Four"})
    api = Api(operator)

    first = api.get(f"{RULES}?alive=true&limit=1").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()

    assert [item["title"] for item in first["items"] + second["items"]] == ["Four", "Two for risk"]
    assert second["next"] is None


def test_rule__decided_by_a_token__needs_the_scope_to_approve(workspace, admin, operator):
    at = f"{RULES}/{Api(operator).post(RULES, ASKED).json()['id']}/decision"

    assert (
        Api(token=token_for(admin, "read", "change", "admin")).post(at, {"accept": True}).status_code == 403
    )
    assert (
        Api(token=token_for(admin, "read", "approve", "admin")).post(at, {"accept": True}).status_code == 200
    )
