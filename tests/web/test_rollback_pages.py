"""The rollback form: whether it would work, how long it takes here, and scaling first by the server's own numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.changes.capacity_order import CapacityOrder, Want
from endpoints.changes.models import Change, ChangeRevision, Executor
from endpoints.changes.targets import key_of
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from tests.changes.capacities import begun, done
from tests.changes.desk import ALL_BLUE, ALL_GREEN, Desk
from tests.changes.test_readiness import busy
from tests.changes.test_rollback import completed
from tests.web.conftest import SignIn
from tests.web.reading import read, words

HOME = "/w/mlw-prod-weu/e/checkout-risk/"
ADDRESS = f"{HOME}rollback"


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    """All on green, where all on blue was before."""
    found = Desk(workspace, requester, reviewer, operator)
    completed(found, ALL_GREEN)
    return found


@pytest.fixture
def client(sign_in: SignIn, desk: Desk) -> Client:
    return sign_in(desk.operator)


@pytest.fixture
def too_small(desk: Desk) -> Desk:
    """blue could not carry what green carries."""
    busy(desk.endpoint_id, "blue", requests=500, instances=1, cpu_max=80)
    busy(desk.endpoint_id, "green", requests=1400, instances=2, cpu_max=70)
    Deployment.objects.filter(endpoint=desk.endpoint_id).update(instance_count=2)
    return desk


def text_of(client: Client, address: str) -> str:
    return words(read(client.get(address).content).one("main").text)


def verbs(number: int) -> list[str]:
    return [step["verb"] for step in ChangeRevision.objects.get(change=number).plan]


def test_rollback_form__target_is_large_enough__offers_no_scaling(desk: Desk, client: Client) -> None:
    page = read(client.get(ADDRESS).content)
    assert not page.all("input", name="scale")
    assert "No rollback was timed here yet." in words(page.one("main").text)


def test_rollback_form__target_is_too_small__offers_to_scale_first_and_not_by_itself(
    too_small: Desk, client: Client
) -> None:
    page = read(client.get(ADDRESS).content)
    choices = page.all("input", name="scale")
    assert [(one.attributes["value"], "checked" in one.attributes) for one in choices] == [
        ("", True),
        ("first", False),
    ]
    assert "For blue 100 %: blue to" in words(page.one("main").text)


@pytest.mark.parametrize(
    ("scale", "steps"), [("", ["put_split"]), ("first", ["patch_capacity", "put_split"])]
)
def test_rollback__with_and_without_scaling_first__orders_what_was_chosen(
    too_small: Desk, client: Client, scale: str, steps: list[str]
) -> None:
    answer = client.post(ADDRESS, {"target": key_of(ALL_BLUE, {}), "reason": "errors", "scale": scale})
    assert answer.status_code == 302
    assert verbs(Change.objects.latest("pk").pk) == steps


def test_rollback__scale_first_wanted_but_not_needed__orders_the_split_alone(
    desk: Desk, client: Client
) -> None:
    client.post(ADDRESS, {"target": key_of(ALL_BLUE, {}), "reason": "errors", "scale": "first"})
    assert verbs(Change.objects.latest("pk").pk) == ["put_split"]


def test_rollbacks_that_were_timed__are_told_in_the_form_and_on_the_endpoint(
    desk: Desk, client: Client
) -> None:
    number = desk.roll_back().change_id
    change = desk.change(number)
    assert change.started_at is not None
    Change.objects.filter(pk=number).update(confirmed_at=change.started_at + timedelta(seconds=31))
    desk.finish(number, "succeeded")
    desk.azure_shows(ALL_BLUE)
    said = "Median time to a confirmed rollback here: 31 s (1 rollback)."
    assert said in text_of(client, ADDRESS)
    assert said in text_of(client, HOME)


def test_endpoint__readiness__is_told_with_its_worst_reason_first(desk: Desk, client: Client) -> None:
    text = text_of(client, HOME)
    assert "Not ready to roll back" in text
    assert "None ever ran: nothing that is ordered would be carried out." in text
    Executor.objects.create(name="one", started_at=db_now(), beat_at=db_now())
    text = text_of(client, HOME)
    assert "Not ready to roll back" not in text
    assert "Readiness not known" in text


def test_drills_page__lists_every_reason_with_its_outcome(desk: Desk, client: Client) -> None:
    text = text_of(client, f"{HOME}drills")
    for name in (
        "There is a split to go back to",
        "Its deployments stand and are Succeeded",
        "A rollback was practised lately",
    ):
        assert name in text


def test_rollback_form__after_a_capacity_change__says_what_goes_back_and_how_by_hand(
    desk: Desk, client: Client
) -> None:
    number = done(desk, begun(desk, CapacityOrder(Want.SCALE, "green", instances=4)))
    desk.azure_shows(
        ALL_GREEN, deployments={"blue": {}, "green": {"sku": {"name": "Default", "capacity": 4}}}
    )
    page = read(client.get(ADDRESS).content)
    chosen = next(one for one in page.all("input", name="target") if "checked" in one.attributes)
    assert words(chosen.attributes["data-words"] or "") == "green 100 % with 2 instances of green"
    said = words(page.one("main").text)
    assert f"2 instances of green again, as before CR-{number}" in said
    assert "--set instance_count=2" in said
    client.post(ADDRESS, {"target": chosen.attributes["value"], "reason": "errors"})
    assert verbs(Change.objects.latest("pk").pk) == ["patch_capacity"]
