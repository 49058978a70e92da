"""The ledger through the API: sums, their rows, the formula of a row, and what is not known as null."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import User, Workspace
from tests.api.api import Api
from tests.capacity.ledgered import SECONDS, ledgered, yesterday
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db


def get(user: User, path: str) -> Any:
    answer = Api(user).get(f"/capacity/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def days(workspace: Workspace) -> list[Any]:
    """Two deployments in the ledger, for three days."""
    endpoint = make_endpoint(workspace, tags={"owner": "risk@example.org", "team": "risk"})
    deployments = list(endpoint.deployments.order_by("name"))
    for back in range(3):
        ledgered(*deployments, day=yesterday() - timedelta(days=back))
    return deployments


def test_ledger__of_a_fleet__has_exact_amounts_that_add_up(days: list[Any], finops: User) -> None:
    (found,) = get(finops, "ledger")["ledgers"]
    assert (found["currency"], found["total"]["amounts"]["paid"]) == ("USD", "84.384")
    assert found["total"]["seconds"]["unserved"] == 6 * SECONDS
    assert found["causes"] == [{"cause": "forgotten-canary", "seconds": 6 * SECONDS, "amount": "84.384"}]
    assert [(one["owner"], one["team"]) for one in found["owners"]] == [("risk@example.org", "risk")]
    assert sum(Decimal(one["amounts"]["paid"]) for one in found["days"]) == Decimal("84.384")
    assert len(found["days"]) == 3


def test_ledger__without_a_price__has_null_and_not_zero(workspace: Workspace, finops: User) -> None:
    ledgered(*make_endpoint(workspace).deployments.all(), currency="")
    (found,) = get(finops, "ledger")["ledgers"]
    assert found["currency"] == ""
    assert set(found["total"]["amounts"].values()) == {None}
    assert found["causes"][0]["amount"] is None
    assert found["total"]["unpriced_seconds"] == 2 * SECONDS


def test_days__by_pages__come_each_once_newest_first(days: list[Any], finops: User) -> None:
    found, path = [], "/api/v1/capacity/days?limit=4"
    while path:
        page = Api(finops).client.get(path).json()
        found += page["items"]
        path = page["next"]
    assert len({(one["day"], one["deployment"]) for one in found}) == len(found) == 6
    assert [one["day"] for one in found] == sorted((one["day"] for one in found), reverse=True)
    assert found[0]["amounts"]["unserved"] == "14.064"
    assert found[0]["causes"][0]["ref"] == "change:1"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?cause=forgotten-canary", 6), ("?cause=test", 0), ("?part=over", 0), ("?part=unserved", 6), ("?owner=", 0),
        ("?team=risk&owner=risk@example.org", 6), ("?workspace=mlw-prod-weu&endpoint=checkout-risk", 6),
        ("?workspace=mlw-prod-weu", 6), ("?until=2000-01-02&since=2000-01-01", 0),
    ],
)  # fmt: skip
def test_days__filtered__are_those_alone(days: list[Any], finops: User, query: str, count: int) -> None:
    assert len(get(finops, f"days{query}")["items"]) == count


@pytest.mark.parametrize(
    "path",
    [
        "days?since=2026-01-02&until=2026-01-01", "days?since=2020-01-01&until=2026-01-01", "days?part=idle",
        "days?endpoint=checkout-risk", "days?cause=whatever", "days?cursor=x", "days?cursor=2026-01-01.5",
        "days?since=then", "ledger?until=0001-01-01", "days?limit=0", "days?colour=red", "findings?state=open,shut",
        "findings?kind=", "findings?cursor=9", "export.csv", "export.csv?what=money", "export.json?what=days&since=x",
        "export-focus.csv?what=days", "export-focus.csv?since=2020-01-01",
    ],
)  # fmt: skip
def test_capacity__asked_for_what_there_is_not__is_a_problem(
    days: list[Any], finops: User, path: str
) -> None:
    answer = Api(finops).get(f"/capacity/{path}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_formula__of_a_row__says_whether_it_is_the_row(days: list[Any], finops: User) -> None:
    blue = days[0]
    found = get(finops, f"days/{blue.pk}/{yesterday()}")
    assert found["day"]["deployment"] == "blue"
    assert found["agrees"] is False  # nothing is known any more of what the row was made of
    assert found["words"].startswith("The row was made from what was known then")
    assert Api(finops).get(f"/capacity/days/{blue.pk}/2020-01-01").status_code == 404
    assert Api(finops).get(f"/capacity/days/{blue.pk}/2026-02-30").status_code == 404


def test_capacity__of_a_workspace_that_one_may_not_see_into__is_refused_or_not_there(
    days: list[Any], requester: User, outsider: User
) -> None:
    assert Api(requester).get("/capacity/days?workspace=mlw-prod-weu").status_code == 403
    assert Api(outsider).get("/capacity/days?workspace=mlw-prod-weu").status_code == 404
    assert get(requester, "days")["items"] == get(outsider, "days")["items"] == []
    assert get(outsider, "ledger")["ledgers"] == []


def queries(user: User, path: str) -> int:
    api = Api(user)
    with CaptureQueriesContext(connection) as told:
        assert api.get(f"/capacity/{path}").getvalue()
    return len(told)


@pytest.mark.parametrize("path", ["ledger", "days", "left-alone", "export.csv?what=days", "export-focus.csv"])
def test_queries__of_more_rows__are_no_more(workspace: Workspace, finops: User, path: str) -> None:
    few = make_endpoint(workspace)
    ledgered(*few.deployments.all())
    before = queries(finops, path)
    many = make_endpoint(workspace, "photo-triage", deployments=[f"d{n}" for n in range(8)])
    ledgered(*few.deployments.all(), *many.deployments.all())
    assert queries(finops, path) == before
    assert before <= 14
