"""The page of all budgets that wait: for who may see budgets, by pages, and nothing of other workspaces."""

from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from endpoints.metrics.services import propose_budget
from endpoints.web import budgets
from tests.metrics.budgeting import budget_since
from tests.metrics.storing import hour_ago
from tests.support.people import make_endpoint, make_person, principal
from tests.web.conftest import SignIn
from tests.web.reading import read, words

pytestmark = pytest.mark.django_db


def proposed(user: User, workspace: Workspace, name: str, p95_ms: float = 400) -> None:
    propose_budget(
        principal=principal(user),
        endpoint_id=make_endpoint(workspace, name).pk,
        p95_ms=p95_ms,
        failure_share=None,
        reason=f"{name} is slow.",
    )


def test_list__of_what_waits__says_what_each_loosens_and_who_may_decide(
    sign_in: SignIn, workspace: Workspace, operator: User, admin: User
) -> None:
    budget_since(make_endpoint(workspace, "photo-triage").pk, hour_ago(2), 250)
    proposed(operator, workspace, "checkout-risk")
    proposed(operator, workspace, "photo-triage")
    page = read(sign_in(admin).get("/budgets").content)
    rows = [words(one.text) for one in page.all("tr")][1:]
    assert rows[0].startswith("checkout-risk mlw-prod-weu Proposed none p95 at most 400 ms Omar")
    assert "Loosens the budget p95 at most 250 ms p95 at most 400 ms" in rows[1]
    assert page.one("a", href="/w/mlw-prod-weu/e/photo-triage/budget")
    assert "Budgets" in words(page.one("nav", aria_label="Main").text)
    mine = read(sign_in(operator).get("/budgets").content)
    assert [words(one.text) for one in mine.all("tr")][1:] == rows


def test_list__for_who_has_no_role_there__is_empty(
    sign_in: SignIn, workspace: Workspace, operator: User, other_workspace: Workspace
) -> None:
    proposed(operator, workspace, "checkout-risk")
    outsider = make_person("otto", {other_workspace.slug: ["operator"]})
    assert "No budget waits for a decision" in words(
        read(sign_in(outsider).get("/budgets").content).one("main").text
    )


def test_list__of_many__is_paged(
    sign_in: SignIn,
    workspace: Workspace,
    operator: User,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budgets, "PAGE", 2)
    for number in range(3):
        proposed(operator, workspace, f"endpoint-{number}")
    client, found, address = sign_in(admin), [], "/budgets"
    while address:
        page = read(client.get(address).content)
        found += [one.text for one in page.all("a") if "data-row-link" in one.attributes]
        following = [one for one in page.all("a") if one.attributes.get("rel") == "next"]
        address = following[0].attributes["href"] if following else ""
    assert found == ["endpoint-0", "endpoint-1", "endpoint-2"]
    assert client.get("/budgets?after=nonsense").status_code == 200
