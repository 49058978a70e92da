"""Money by program: the month, savings, unit costs, alerts, and what people say about money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.capacity.models import Alert, Finding, Saving
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from tests.api.api import Api
from tests.capacity.found import found
from tests.capacity.ledgered import ledgered
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
WHY = "Finance said so."


@pytest.fixture
def row(workspace: Workspace) -> Deployment:
    return make_endpoint(workspace).deployments.get(name="blue")


def get(user: User, path: str) -> Any:
    answer = Api(user).get(f"/capacity/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def verified(row: Deployment, at: int = 1) -> Finding:
    finding = found(row, state="verified", high=Money(Decimal(200), "USD"))
    Saving.objects.create(
        finding=finding, state="verified", acted_at=db_now() - timedelta(days=at), currency="USD",
        claimed_nanos=200 * 10**9, hours=168, before_seconds=10, after_seconds=5, saved_nanos=40 * 10**9,
        monthly_nanos=180 * 10**9, words="Less.", judged_at=db_now(),
    )  # fmt: skip
    return finding


def test_months__of_a_ledger__tell_spending_and_what_could_be_saved(row: Deployment, finops: User) -> None:
    today = db_now().date()
    ledgered(row, day=today.replace(day=1))
    found(row, high=Money(Decimal("12.5"), "USD"))
    told = get(finops, "months")
    assert (told["items"][0]["spent"], told["items"][0]["currency"]) == ("14.064", "USD")
    assert told["items"][0]["plan"] is None
    assert (told["headline"][0]["could_save"], told["headline"][0]["findings"]) == ("12.50", 1)


def test_savings__that_were_verified__have_sums_and_filters(row: Deployment, finops: User) -> None:
    finding = verified(row)
    told = get(finops, "savings?state=verified")
    assert told["sums"] == [{"amount": "180.00", "currency": "USD"}]
    (item,) = told["items"]
    assert (item["finding"], item["monthly"]["amount"], item["claimed"]["amount"]) == (
        finding.pk, "180.00", "200.00",
    )  # fmt: skip
    assert get(finops, "savings?state=measuring")["items"] == []
    assert Api(finops).get("/capacity/savings?state=happy").status_code == 422


def test_unit_costs__without_requests__are_null_and_say_why(row: Deployment, finops: User) -> None:
    ledgered(row)
    (item,) = get(finops, "unit-costs")["items"]
    assert (item["cost"], item["per_thousand"], item["margin"]) == ("14.064", None, None)
    assert "requests" in item["words"]


def test_plan__that_is_set__is_in_the_list_until_it_is_taken_back(workspace: Workspace, finops: User) -> None:
    path = f"/workspaces/{workspace.slug}/capacity-plans"
    answer = Api(finops).post(path, {"amount": "1200.50", "currency": "EUR", "reason": WHY})
    assert answer.status_code == 201, answer.content
    (item,) = get(finops, "plans")["items"]
    assert (item["amount"], item["currency"], item["team"]) == ("1200.50", "EUR", "")
    assert item["made_by"]["name"] == finops.display_name
    again = Api(finops).post(path, {"amount": "1200.50", "currency": "EUR", "reason": WHY})
    assert again.status_code == 409
    assert Api(finops).post(path, {"amount": None, "currency": "EUR", "reason": WHY}).status_code == 201
    assert get(finops, "plans")["items"] == []


@pytest.mark.parametrize("amount", [12.5, "a lot", "NaN", "1e999999", True, "-1"])
def test_plan__with_an_amount_that_is_none__is_refused(
    workspace: Workspace, finops: User, amount: object
) -> None:
    answer = Api(finops).post(
        f"/workspaces/{workspace.slug}/capacity-plans", {"amount": amount, "currency": "EUR", "reason": WHY}
    )
    assert answer.status_code == 422
    assert get(finops, "plans")["items"] == []


def test_value__of_a_prediction__leaves_a_margin(row: Deployment, finops: User) -> None:
    path = f"/workspaces/{row.endpoint.workspace.slug}/endpoints/{row.endpoint.name}/prediction-value"
    answer = Api(finops).post(path, {"amount": "0.004", "currency": "USD", "reason": WHY})
    assert answer.status_code == 201, answer.content
    (item,) = get(finops, "values")["items"]
    assert (item["endpoint"], item["amount"]) == (row.endpoint.name, "0.004")
    ledgered(row)
    (cost,) = get(finops, "unit-costs")["items"]
    assert cost["value_per_thousand"] == "4.00"


def test_agreement__made_and_ended__stays_on_record(workspace: Workspace, finops: User) -> None:
    body = {"share": "0.15", "since": "2026-01-01T00:00:00Z", "reason": WHY, "sku": "Standard_DS3_v2"}
    made = Api(finops).post(f"/workspaces/{workspace.slug}/price-agreements", body)
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    assert (made.json()["sku"], made.json()["share"]) == ("standard_ds3_v2", "0.15")
    ended = Api(finops).post(f"/capacity/agreements/{number}/end", {"reason": "It is over."})
    assert ended.status_code == 200, ended.content
    assert ended.json()["ended_at"] is not None
    (item,) = get(finops, "agreements")["items"]
    assert item["id"] == number
    assert Api(finops).post(f"/capacity/agreements/{number}/end", {"reason": "Again."}).status_code == 409
    assert get(finops, "agreements?cursor=1")["items"] == []
    assert Api(finops).get("/capacity/agreements?cursor=x").status_code == 422


def test_alerts__that_stand_and_that_ended__are_two_lists(workspace: Workspace, finops: User) -> None:
    now = db_now()
    for number, ended in enumerate((None, now)):
        Alert.objects.create(
            workspace=workspace, kind="over_plan", key=f"over:{number}", words="Too much.", since=now,
            ended_at=ended, data={"team": ""},
        )  # fmt: skip
    standing, over = get(finops, "alerts"), get(finops, "alerts?ended=true")
    assert [one["count"] for one in (standing, over)] == [1, 1]
    assert standing["items"][0]["facts"] == {"team": ""}
