"""Rollout templates through the API: kept, listed, ended."""

from __future__ import annotations

import pytest

from endpoints.changes.models import RolloutTemplate
from tests.api.api import Api

pytestmark = pytest.mark.django_db
TEMPLATES = "/workspaces/mlw-prod-weu/templates"
CANARY = {
    "name": "Canary",
    "steps": [{"weight": 5, "bake": 900}, {"weight": 100, "click": True}],
    "terms": {"gates": [{"kind": "p95_vs_stable", "limit": 0.3}], "watch": 1800, "warm": 24},
}


def test_template__kept__says_its_steps_terms_and_maker(workspace, operator):
    answer = Api(operator).post(TEMPLATES, CANARY)

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert body["steps"] == [
        {"weight": 5, "bake": 900, "click": False},
        {"weight": 100, "bake": 0, "click": True},
    ]
    assert (body["terms"]["gates"][0]["limit"], body["terms"]["gates"][0]["share"]) == (0.3, 0.4)
    assert body["made_by"]["name"] == "Omar"
    assert Api(operator).get(f"{TEMPLATES}/{body['id']}").json() == body


def test_template__kept_twice_by_one_name__is_a_conflict(workspace, operator):
    Api(operator).post(TEMPLATES, CANARY)

    again = Api(operator).post(TEMPLATES, CANARY)

    assert again.status_code == 409
    assert RolloutTemplate.objects.count() == 1


def test_template__ended__is_listed_among_the_ended_only(workspace, operator):
    api = Api(operator)
    at = f"{TEMPLATES}/{api.post(TEMPLATES, CANARY).json()['id']}"

    assert api.send("DELETE", at).status_code == 204
    assert api.send("DELETE", at).status_code == 409

    assert api.get(TEMPLATES).json()["items"] == []
    ended = api.get(f"{TEMPLATES}?ended=true").json()["items"]
    assert [item["ended_by"]["name"] for item in ended] == ["Omar"]


def test_template__of_another_workspace__is_not_found_under_this_one(workspace, other_workspace, admin):
    number = Api(admin).post(TEMPLATES, CANARY).json()["id"]

    there = f"/workspaces/{other_workspace.slug}/templates/{number}"

    assert Api(admin).get(there).status_code == 404
    assert Api(admin).send("DELETE", there).status_code == 404
    assert RolloutTemplate.objects.get().ended_at is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"steps": []}, "steps"),
        ({"steps": [{"weight": 0}]}, "steps.0.weight"),
        ({"steps": [{"weight": 5}, {"weight": 5}]}, "steps"),
        ({"steps": [{"weight": 5, "bake": 10**8}]}, "steps"),
        ({"steps": [{"weight": 5, "bake": "15 min"}]}, "steps.0.bake"),
        ({"steps": [{"weight": 5, "split": {"blue": 5}}]}, "steps.0"),
        ({"terms": {"watch": -1}}, "terms"),
        ({"terms": {"gates": [{"kind": "errors"}, {"kind": "errors"}]}}, "terms"),
        ({"terms": {"gates": [{"kind": "vibes"}]}}, "terms.gates.0.kind"),
    ],
)
def test_template__that_could_be_no_plan__is_not_kept(changed, field, workspace, operator):
    answer = Api(operator).post(TEMPLATES, CANARY | changed)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not RolloutTemplate.objects.exists()
