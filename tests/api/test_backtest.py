"""Backtests through the API: gates or a template on past changes, bounded, and nothing unknown told as a pass."""

from __future__ import annotations

import pytest

from endpoints.changes import services
from endpoints.changes.gatespec import gate
from endpoints.changes.models import Change
from endpoints.changes.terms import Terms
from tests.api.api import Api
from tests.changes.desk import Desk
from tests.changes.test_backtest_past import past
from tests.support.people import principal

pytestmark = pytest.mark.django_db
ADDRESS = "/workspaces/mlw-prod-weu/backtest"
GATES = [{"kind": "errors", "limit": 0.02}, {"kind": "errors_vs_stable"}]


@pytest.fixture
def desk(workspace, requester, reviewer, operator) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


def test_backtest__of_a_change_without_minutes__could_not_have_told(desk, auditor):
    number = past(desk)

    answer = Api(auditor).post(ADDRESS, {"gates": GATES})

    assert answer.status_code == 200, answer.json()
    body = answer.json()
    told = body["items"][0]
    assert (told["number"], told["endpoint"], told["state"]) == (number, "checkout-risk", "succeeded")
    assert (told["stopped_at"], told["rolled_back"]) == (None, "")
    assert told["outcome"] in ("inconclusive", "error")
    assert [step["step"] for step in told["steps"]] == [0, 1]
    assert told["steps"][1]["left_out"] == ["Errors against stable"]
    assert [one["limit"] for one in body["gates"]] == [0.02, 0.005]
    assert Change.objects.count() == 1


def test_backtest__longer_than_asked_for__goes_on_before(desk, auditor):
    numbers = [past(desk), past(desk)]
    api = Api(auditor)

    first = api.post(ADDRESS, {"gates": GATES, "limit": 1, "endpoint": "checkout-risk"}).json()
    second = api.post(ADDRESS, {"gates": GATES, "limit": 1, "before": first["next_before"]}).json()

    assert [item["number"] for item in first["items"] + second["items"]] == numbers[::-1]
    assert second["next_before"] is None


def test_backtest__with_a_template__asks_its_gates(desk, operator):
    number = services.make_template(
        principal=principal(operator),
        workspace_id=desk.workspace.pk,
        name="Canary",
        steps=[(100, 600, False)],
        terms=Terms(gates=(gate("throttled"),)),
    )
    past(desk)

    body = Api(operator).post(ADDRESS, {"template": number}).json()

    assert [one["name"] for one in body["gates"]] == ["Throttled requests"]


def test_backtest__of_another_workspace__shows_nothing_of_this_one(desk, outsider, other_workspace):
    past(desk)

    assert Api(outsider).post(ADDRESS, {"gates": GATES}).status_code == 404
    there = Api(outsider).post(f"/workspaces/{other_workspace.slug}/backtest", {"gates": GATES})
    assert there.json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "gates"),
        ({"gates": []}, "gates"),
        ({"gates": GATES, "template": 1}, "gates"),
        ({"gates": [{"kind": "errors"}, {"kind": "errors"}]}, "gates"),
        ({"gates": [{"kind": "errors", "limit": 2}]}, "gates.0"),
        ({"gates": [{"kind": "figure", "limit": 1, "figure": ""}]}, "gates.0.figure"),
        ({"template": 999999}, "template"),
        ({"gates": GATES, "limit": 21}, "limit"),
        ({"gates": GATES, "watch": 0}, "watch"),
        ({"gates": GATES, "before": "CR-1"}, "before"),
    ],
)
def test_backtest__that_makes_no_sense__is_refused(body, field, desk, operator):
    answer = Api(operator).post(ADDRESS, body)

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
