"""Findings through the API: the list, one of them, and moves that name the version they saw."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import User, Workspace
from endpoints.capacity.models import Finding, FindingEvent, LeftAlone
from endpoints.changes.models import Change
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from tests.api.api import Api
from tests.capacity.found import found, told
from tests.support.people import make_endpoint, make_person

pytestmark = pytest.mark.django_db
FINDINGS = "/capacity/findings"


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


@pytest.fixture
def finding(workspace: Workspace) -> Finding:
    endpoint = make_endpoint(workspace, tags={"owner": "risk@example.org", "team": "risk"})
    return found(endpoint.deployments.get(name="green"), high=usd("213.89"))


def in_a_week() -> str:
    return f"{db_now() + timedelta(days=7):%Y-%m-%d}"


def test_list__of_findings__has_money_as_text_and_sums_of_all(finding: Finding, finops: User) -> None:
    blue = finding.endpoint.deployments.get(name="blue")
    found(blue, kind="delete")
    body = Api(finops).get(f"{FINDINGS}?limit=1").json()
    (item,) = body["items"]
    assert (item["number"], item["deployment"], item["owner"]) == (
        f"SV-{finding.pk}",
        "green",
        "risk@example.org",
    )
    assert item["high"] == {"amount": "213.89", "currency": "USD"}
    assert (body["count"], body["unpriced"]) == (2, 1)
    assert body["sums"] == [{"amount": "213.89", "currency": "USD"}]
    (rest,) = Api(finops).client.get(body["next"]).json()["items"]
    assert (rest["deployment"], rest["high"], rest["saving"]) == (
        "blue",
        None,
        {"state": "", "monthly": None},
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?state=open", 1), ("?state=claimed,postponed", 0), ("?kind=shrink,delete", 1), ("?team=risk", 1),
        ("?owner=nobody", 0), ("?q=CHECKOUT", 1), ("?workspace=mlw-prod-weu&endpoint=checkout-risk", 1),
    ],
)  # fmt: skip
def test_list__filtered__has_those_alone(finding: Finding, finops: User, query: str, count: int) -> None:
    assert len(Api(finops).get(f"{FINDINGS}{query}").json()["items"]) == count


def test_finding__alone__says_on_what_it_stands(finding: Finding, finops: User) -> None:
    body = Api(finops).get(f"{FINDINGS}/{finding.pk}").json()
    assert body["advice"]["formula"] == "1 of 3 instances x 730 h x 0.293 USD."
    assert (body["advice"]["since"], body["advice"]["now_instances"]) == ("2026-10-27", 3)
    assert (body["version"], body["happened"], body["facts_changed"]) == (1, [], False)


@pytest.mark.parametrize(
    ("verb", "body", "state"),
    [
        ("claim", {}, "claimed"),
        ("postpone", {"until": None, "reason": "After the sale."}, "postponed"),
        ("dismiss", {"reason": "It is for the night of the sale."}, "dismissed"),
    ],
)
def test_move__of_a_finding__stores_who_and_why_once(
    finding: Finding, finops: User, verb: str, body: dict[str, Any], state: str
) -> None:
    sent = body | {"version": 1} | ({"until": in_a_week()} if "until" in body else {})
    api = Api(finops)
    answer = api.post(f"{FINDINGS}/{finding.pk}/{verb}", sent)
    assert answer.status_code == 200, answer.content
    (happened,) = answer.json()["happened"]
    assert (answer.json()["state"], happened["after"], happened["words"]) == (
        state,
        state,
        body.get("reason", ""),
    )
    assert happened["actor"]["name"] == finops.display_name
    again = api.post(f"{FINDINGS}/{finding.pk}/{verb}", sent)
    assert again.status_code == 409
    assert FindingEvent.objects.count() == 1


def test_claim__given_back__is_nobodys(finding: Finding, finops: User) -> None:
    api = Api(finops)
    assert (
        api.post(f"{FINDINGS}/{finding.pk}/claim", {"version": 1, "due": in_a_week()}).json()["due"]
        == in_a_week()
    )
    body = api.post(f"{FINDINGS}/{finding.pk}/release", {"version": 2, "comment": "Not mine."}).json()
    assert (body["state"], body["claimed_by"], body["due"]) == ("open", None, None)
    comment = api.post(f"{FINDINGS}/{finding.pk}/comments", {"comment": "Whose is it?"})
    assert (comment.status_code, comment.json()["happened"][-1]["words"]) == (201, "Whose is it?")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("claim", {}), ("claim", {"version": "1"}), ("claim", {"version": 1, "due": "2020-01-01"}),
        ("postpone", {"version": 1, "reason": "x"}), ("postpone", {"version": 1, "until": "2020-01-01", "reason": "x"}),
        ("postpone", {"version": 1, "until": "9999-01-01", "reason": "x"}), ("dismiss", {"version": 1, "reason": " "}),
        ("comments", {"comment": ""}), ("dismiss", {"version": 1, "reason": "x", "colour": "red"}),
        ("comments", {"comment": "x" * 2001}),
    ],
)  # fmt: skip
def test_move__sent_wrongly__is_a_problem_and_nothing_happens(
    finding: Finding, finops: User, verb: str, body: dict[str, Any]
) -> None:
    answer = Api(finops).post(f"{FINDINGS}/{finding.pk}/{verb}", body)
    assert answer.status_code == 422
    assert not FindingEvent.objects.exists()


def test_file__sent_twice_with_a_key__asks_for_one_change(workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace, deployments={"blue": {}, "green": {"sku": {"capacity": 3}}})
    finding = found(endpoint.deployments.get(name="green"), advice=told(instances=2))
    api = Api(make_person("fay", {workspace.slug: ["finops"]}))
    path = f"{FINDINGS}/{finding.pk}/file"
    first = api.post(path, {"version": 1, "reason": "Two are enough."}, Idempotency_Key="k-1")
    assert first.status_code == 201, first.content
    number = first.json()["change"]["number"]
    assert (first.json()["state"], Change.objects.get().pk) == ("filed", number)
    again = api.post(path, {"version": 1, "reason": "Two are enough."}, Idempotency_Key="k-1")
    assert (again.status_code, again.json()["change"]["number"]) == (201, number)
    assert api.post(path, {"version": 1}).status_code == 409
    assert Change.objects.count() == 1


def test_left_alone__by_pages__has_the_reasons(finding: Finding, finops: User) -> None:
    for row in finding.endpoint.deployments.all():
        LeftAlone.objects.create(
            deployment_id=row.pk, endpoint_id=finding.endpoint_id, workspace_id=finding.workspace_id, kind="delete",
            reasons=["CH-7 still needs it."], seen_at=db_now(),
        )  # fmt: skip
    body = Api(finops).get("/capacity/left-alone?limit=1").json()
    assert (body["count"], body["items"][0]["reasons"], body["items"][0]["high"]) == (
        2,
        ["CH-7 still needs it."],
        None,
    )
    assert Api(finops).client.get(body["next"]).json()["next"] is None


def test_finding__of_another_workspace__is_not_there(
    finding: Finding, outsider: User, operator: User
) -> None:
    assert Api(outsider).get(f"{FINDINGS}/{finding.pk}").status_code == 404
    assert Api(outsider).post(f"{FINDINGS}/{finding.pk}/claim", {"version": 1}).status_code == 404
    assert Api(outsider).get(FINDINGS).json()["items"] == []
    refused = Api(operator).post(f"{FINDINGS}/{finding.pk}/claim", {"version": 1})
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")


def test_rules__of_a_workspace__are_set_on_those_that_were_seen(workspace: Workspace, finops: User) -> None:
    api, path = Api(finops), "/workspaces/mlw-prod-weu/capacity-rules"
    assert api.get(path).json()["now"]["number"] == 0
    body = {
        "rules": {"idle_days": 14, "excluded_tags": [["keep", ""]]},
        "reason": "Two weeks are enough.",
        "seen": 0,
    }
    made = api.post(path, body)
    assert made.status_code == 201, made.content
    assert (made.json()["now"]["number"], made.json()["now"]["rules"]["idle_days"]) == (1, 14)
    assert api.post(path, body).status_code == 409
    wrong = api.post(path, body | {"rules": {"idle_days": 0, "colour": "red"}, "seen": 1})
    assert wrong.status_code == 422
    assert set(wrong.json()["errors"]) == {"idle_days", "colour"}


def test_queries__of_more_findings__are_no_more(finding: Finding, finops: User, workspace: Workspace) -> None:
    api = Api(finops)

    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(FINDINGS).status_code == 200
        return len(queries)

    before = counted()
    many = make_endpoint(workspace, "photo-triage", deployments=[f"d{n}" for n in range(8)])
    for row in many.deployments.all():
        found(row, high=usd("5"), claimed_by=finops, state="claimed")
    assert counted() <= before + 1  # whose they are
    assert before <= 14
