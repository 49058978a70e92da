"""Latency budgets through the API: the same rules as on pages, strict input, refusals on record."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.inventory.models import Endpoint
from tests.api.api import Api
from tests.metrics.budgeting import budget_since
from tests.metrics.storing import hour_ago
from tests.support.people import make_endpoint, token_for

pytestmark = pytest.mark.django_db
BUDGET = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/budget"
WANTED = {"p95_ms": 250, "failure_share": 0.01, "reason": "What was promised."}


@pytest.fixture(autouse=True)
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def test_budget__proposed_and_accepted__is_in_force_with_both_names(reviewer: User, admin: User) -> None:
    made = Api(reviewer).post(BUDGET, WANTED)
    assert (made.status_code, made.json()["effect"], made.json()["in_force"]) == (201, "first", False)
    waiting = Api(admin).get(BUDGET).json()
    assert (waiting["in_force"], waiting["proposal"]["proposed_by"]["name"]) == (None, "Vera")
    assert waiting["may"]["decide"] == {"allowed": True, "reason": ""}
    decided = Api(admin).post(f"{BUDGET}/decision", {"proposal": made.json()["proposal"], "accept": True})
    assert decided.status_code == 200
    body = Api(reviewer).get(BUDGET).json()
    assert (body["in_force"]["p95_ms"], body["in_force"]["failure_share"]) == (250, 0.01)
    assert (body["in_force"]["set_by"]["name"], body["in_force"]["confirmed_by"]["name"]) == ("Vera", "Ada")
    assert (body["proposal"], len(body["history"])) == (None, 1)
    assert body["may"]["propose"]["allowed"]
    assert "platform administrator" in body["may"]["decide"]["reason"]


def test_budget__loosened_by_its_only_administrator__waits_and_says_why(admin: User) -> None:
    api = Api(admin)
    assert api.post(BUDGET, WANTED).json()["in_force"]
    made = api.post(BUDGET, WANTED | {"p95_ms": None}).json()
    assert (made["effect"], made["in_force"]) == ("looser", False)
    refused = api.post(f"{BUDGET}/decision", {"proposal": made["proposal"], "accept": True})
    assert refused.status_code == 403
    assert "You wrote this proposal" in refused.json()["detail"]
    assert Entry.objects.filter(action="order.refused").count() == 1
    assert api.get(BUDGET).json()["may"]["decide"]["allowed"] is False
    assert api.post(f"{BUDGET}/withdrawal", {"proposal": made["proposal"]}).status_code == 204
    assert api.get(BUDGET).json()["proposal"] is None


def test_decision__made_twice__is_a_conflict(reviewer: User, admin: User) -> None:
    number = Api(reviewer).post(BUDGET, WANTED).json()["proposal"]
    order = {"proposal": number, "accept": False}
    assert Api(admin).post(f"{BUDGET}/decision", order).status_code == 200
    again = Api(admin).post(f"{BUDGET}/decision", order)
    assert (again.status_code, "by now" in again.json()["detail"]) == (409, True)


def test_decision__by_a_token_without_the_scope_to_approve__is_refused(reviewer: User, admin: User) -> None:
    number = Api(reviewer).post(BUDGET, WANTED).json()["proposal"]
    api = Api(token=token_for(admin, "read", "change"))
    answer = api.post(f"{BUDGET}/decision", {"proposal": number, "accept": True})
    assert (answer.status_code, "scope approve" in answer.json()["detail"]) == (403, True)


def test_budget__by_a_token_that_may_not_decide__waits_although_its_owner_may(admin: User) -> None:
    made = Api(token=token_for(admin, "read", "change", "admin")).post(BUDGET, WANTED).json()
    assert (made["effect"], made["in_force"]) == ("first", False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"p95_ms": "250"}, "p95_ms"),
        ({"p95_ms": True}, "p95_ms"),
        ({"p95_ms": 0}, "p95_ms"),
        ({"p95_ms": 10**400}, "p95_ms"),
        ({"failure_share": 2}, "failure_share"),
        ({"reason": ""}, "reason"),
        ({"p95": 1}, ""),
    ],
)
def test_budget__that_can_not_be__is_refused_by_field(admin: User, wrong: dict[str, Any], field: str) -> None:
    answer = Api(admin).post(BUDGET, WANTED | wrong)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]
    assert not Entry.objects.filter(action__startswith="budget.").exists()


def test_budget__with_a_limit_left_out__is_refused_and_does_not_drop_it(admin: User) -> None:
    answer = Api(admin).post(BUDGET, {"p95_ms": 250, "reason": "Why not."})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["failure_share"])


@pytest.mark.parametrize("accept", ["true", 1, None])
def test_decision__that_is_neither_true_nor_false__is_refused(admin: User, accept: Any) -> None:
    answer = Api(admin).post(f"{BUDGET}/decision", {"proposal": 1, "accept": accept})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["accept"])


def test_proposals__of_all_endpoints__are_listed_by_pages_with_what_each_would_do(
    workspace: Workspace, operator: User, reviewer: User, admin: User
) -> None:
    budget_since(make_endpoint(workspace, "photo-triage").pk, hour_ago(1), 200)
    Api(operator).post(BUDGET, WANTED)
    Api(reviewer).post(BUDGET.replace("checkout-risk", "photo-triage"), WANTED)
    first = Api(admin).get("/budget-proposals?limit=1").json()
    (one,) = first["items"]
    assert (one["endpoint"], one["workspace"], one["effect"]) == ("checkout-risk", "mlw-prod-weu", "first")
    assert (one["before"], one["proposed_by"]["name"], one["may_decide"]["allowed"]) == (None, "Omar", True)
    rest = Api(operator).get(first["next"].removeprefix("/api/v1")).json()
    assert [one["endpoint"] for one in rest["items"]] == ["photo-triage"]
    assert rest["items"][0]["before"] == {"p95_ms": 200, "failure_share": None}
    assert (rest["next"], rest["items"][0]["may_decide"]["allowed"]) == (None, False)


def test_proposals__of_a_workspace_where_one_has_no_role__are_not_listed(
    operator: User, outsider: User
) -> None:
    Api(operator).post(BUDGET, WANTED)
    assert Api(outsider).get("/budget-proposals").json()["items"] == []
