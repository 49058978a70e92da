"""The page of drills: why not where none can be made, the form with its mistakes, and times of those that were."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, Drill
from endpoints.changes.services.drills import order_drill
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from tests.changes.desk import Desk
from tests.support.people import make_endpoint, principal
from tests.web.conftest import SignIn
from tests.web.reading import read, words

ADDRESS = "/w/mlw-prod-weu/e/checkout-risk/drills"
GOOD = {"deployment": "green", "weight": "5", "bake": "120", "reason": "The quarter's drill", "key": "k-1"}


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


@pytest.fixture
def client(sign_in: SignIn, desk: Desk) -> Client:
    return sign_in(desk.operator)


def text_of(client: Client, address: str = ADDRESS) -> str:
    return words(read(client.get(address).content).one("main").text)


def test_drill__asked_for_twice_with_one_key__is_one_change_to_be_reviewed(client: Client) -> None:
    first, second = client.post(ADDRESS, GOOD), client.post(ADDRESS, GOOD)
    made = Change.objects.get(kind=Kind.DRILL)
    assert first["Location"] == second["Location"] == f"/changes/CR-{made.pk}"
    assert f"CR-{made.pk}" in text_of(client)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"weight": "21"}, "weight"),
        ({"weight": "a few"}, "weight"),
        ({"bake": "-1"}, "bake"),
        ({"deployment": "violet"}, "deployment"),
        ({"reason": " "}, "reason"),
    ],
)
def test_drill__with_a_mistake__is_named_beside_its_field_and_nothing_stored(
    client: Client, wrong: dict[str, str], field: str
) -> None:
    answer = client.post(ADDRESS, GOOD | wrong)
    assert answer.status_code == 422
    assert read(answer.content).one("p", id=f"f-{field}-error").text.strip()
    assert not Change.objects.exists()


def test_drills__of_an_endpoint_with_one_deployment__are_said_not_to_be_possible(
    sign_in: SignIn, workspace: Workspace, operator: User
) -> None:
    make_endpoint(workspace, "lonely", deployments=("blue",))
    client, address = sign_in(operator), "/w/mlw-prod-weu/e/lonely/drills"
    assert "Not drillable: there is no other deployment to shift traffic to." in text_of(client, address)
    assert not read(client.get(address).content).all("textarea")
    assert client.post(address, GOOD | {"deployment": "blue"}).status_code == 409


def test_drills__for_somebody_without_the_role__have_the_reason_instead_of_a_form(
    sign_in: SignIn, desk: Desk
) -> None:
    client = sign_in(desk.requester)
    assert not read(client.get(ADDRESS).content).all("textarea")
    assert client.post(ADDRESS, GOOD).status_code == 403


def test_drill__that_came_off__shows_when_azure_and_when_requests_followed(
    desk: Desk, client: Client
) -> None:
    number = order_drill(
        principal=principal(desk.operator),
        endpoint_id=desk.endpoint_id,
        deployment="green",
        weight=5,
        reason="Practise",
    )
    at = db_now()
    Drill.objects.filter(pk=number).update(
        ordered_at=at,
        confirmed_at=at + timedelta(seconds=28),
        observed_at=at + timedelta(seconds=100),
        outcome=Outcome.PASS,
        rollback=_rollback(desk),
    )
    text = text_of(client)
    for said in ("Came off", "28 s", "1 m 40 s", "blue 100 % → blue 95 %, green 5 %"):
        assert said in text


def _rollback(desk: Desk) -> int:
    desk.azure_shows({"blue": 95, "green": 5})
    return int(desk.roll_back().change_id)
