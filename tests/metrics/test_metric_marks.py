"""What metrics find about an endpoint, and how it reaches the order of the fleet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from endpoints.inventory.marks import Mark, Severity
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors import fleet_counts, fleet_rows
from endpoints.inventory.services import set_outer_marks
from endpoints.metrics.marks import Facts, find
from tests.support.people import make_endpoint, make_workspace

GOOD = Facts("flowing", "", 0.001, 0, 100.0, 0.01, 40.0, 0.0, 5000.0, True)


def codes(facts: Facts) -> list[tuple[str, str]]:
    return [(mark.code, mark.severity.word) for mark in find(facts)]


def test_facts__within_the_budget__need_nobody() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"over_budget": 5}, [("over-budget", "bad")]),
        ({"over_budget": 2}, [("over-budget", "warn")]),
        ({"p95": 85.0}, [("tight", "warn")]),
        ({"failure_share": 0.02}, [("failing", "bad")]),
        ({"failure_share": 0.5, "requests": 3.0}, []),
        ({"throttled": 12.0}, [("throttled", "warn")]),
        ({"state": "forbidden"}, [("metrics-unknown", "unknown")]),
        ({"state": "late", "is_live": False}, []),
        ({"state": "none-yet"}, []),
        ({"over_budget": None, "p95": None, "failure_share": None, "throttled": None, "requests": None}, []),
        ({"budget_p95": None, "over_budget": None, "p95": 9000.0}, []),
    ],
)
def test_facts__out_of_the_ordinary__are_marked(changes, expected) -> None:
    assert codes(replace(GOOD, **changes)) == expected


@pytest.mark.django_db
def test_outer_marks__pushed_down__lead_the_fleet_and_its_counts_until_they_are_taken_back() -> None:
    workspace = make_workspace("mlw-prod-weu")
    make_endpoint(workspace, "aaa")
    slow = make_endpoint(workspace, "zzz")
    mark = Mark("over-budget", Severity.BAD, "over budget", "p95 was over the budget.")
    assert set_outer_marks("metrics", {slow.pk: [mark]}) == 1
    assert set_outer_marks("metrics", {slow.pk: [mark]}) == 0
    assert [row.name for row in fleet_rows([workspace.pk]).rows] == ["zzz", "aaa"]
    assert fleet_counts([workspace.pk]).by_severity["bad"] == 1
    assert [row.name for row in fleet_rows([workspace.pk], text="state:over-budget").rows] == ["zzz"]

    make_endpoint(workspace, "zzz", {"blue": 50, "green": 50})  # a later reading keeps what others found
    assert "over-budget" in {one["code"] for one in Endpoint.objects.get(pk=slow.pk).marks}
    assert set_outer_marks("metrics", {slow.pk: []}) == 1
    assert "over-budget" not in {one["code"] for one in Endpoint.objects.get(pk=slow.pk).marks}
