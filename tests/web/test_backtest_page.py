"""Gates run over past changes from a page: chosen, refused when none is, and honest about what is not known."""

from __future__ import annotations

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes import services
from endpoints.changes.gatespec import gate
from endpoints.changes.terms import Terms
from tests.changes.desk import Desk
from tests.support.people import principal
from tests.web.conftest import SignIn
from tests.web.reading import read, words
from tests.web.rollouts import baking

ADDRESS = "/backtest"


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


@pytest.fixture
def client(sign_in: SignIn, desk: Desk) -> Client:
    return sign_in(desk.operator)


def chosen(client: Client) -> dict[str, str]:
    """What a browser sends when the form is sent as it comes."""
    page = read(client.get(ADDRESS).content)
    fields = [one for one in page.all("input") if "name" in one.attributes and one.attributes["name"] != "q"]
    sent = {"run": "1"}
    for one in fields:
        is_box = one.attributes.get("type") == "checkbox"
        if not is_box or "checked" in one.attributes:
            sent[one.attributes["name"]] = one.attributes.get("value", "on")
    return {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"}


def test_backtest__of_a_change_without_any_metrics__is_not_told_as_a_pass(desk: Desk, client: Client) -> None:
    rollout = baking(desk)
    desk.roll_back()
    text = words(read(client.get(ADDRESS, chosen(client)).content).one("main").text)
    assert f"CR-{rollout.number}" in text
    assert "Would have let it pass" not in text
    assert "Of 1 change these gates would have stopped none; 1 could not be judged." in text


def test_backtest__without_a_gate__is_refused_in_words(desk: Desk, client: Client) -> None:
    sent = {name: value for name, value in chosen(client).items() if not name.startswith("use-")}
    answer = client.get(ADDRESS, sent)
    assert answer.status_code == 422
    assert "Choose a gate at least. Nothing was tested." in answer.content.decode()


def test_backtest__before_any_change_is_over__says_so(desk: Desk, client: Client) -> None:
    assert "No change is over here yet" in client.get(ADDRESS, chosen(client)).content.decode()


def test_backtest__of_a_template__starts_with_its_gates(desk: Desk, client: Client) -> None:
    number = services.make_template(
        principal=principal(desk.operator),
        workspace_id=desk.workspace.pk,
        name="Careful",
        steps=[(5, 600, False), (100, 0, False)],
        terms=Terms(gates=(gate("throttled", limit=0.02),)),
    )
    page = read(client.get(ADDRESS, {"ws": desk.workspace.slug, "template": str(number)}).content)
    used = [
        one.attributes["name"]
        for one in page.all("input", type="checkbox")
        if one.attributes["name"].startswith("use-") and "checked" in one.attributes
    ]
    assert len(used) == 1
    assert client.get(ADDRESS, {"template": "999999"}).status_code == 404


def test_backtest__of_a_workspace_that_is_not_mine__is_not_found(
    client: Client, other_workspace: Workspace
) -> None:
    assert client.get(ADDRESS, {"ws": other_workspace.slug}).status_code == 404
