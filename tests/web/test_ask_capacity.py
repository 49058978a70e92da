"""Asking for other capacity on a page: what is stored, what is refused beside its field, and for whom it is there."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User
from endpoints.changes.models import Change, ChangeRevision
from tests.capacity.found import found
from tests.web.conftest import SignIn, Stage
from tests.web.reading import words

pytestmark = pytest.mark.django_db


def send(sign_in: SignIn, user: User, stage: Stage, form: str, **more: str) -> Any:
    told = {"form": form, "deployment": "green", "reason": "Nobody asks for it.", "key": "k"} | more
    return sign_in(user).post(f"{stage.home}capacity", told)


def steps() -> list[dict[str, Any]]:
    change = Change.objects.latest("pk")
    return list(ChangeRevision.objects.get(change=change).plan)


def test_scale__asked_for__becomes_a_change_once(sign_in: SignIn, operator: User, asked: Stage) -> None:
    before = Change.objects.count()
    answer = send(sign_in, operator, asked, "scale", instances="3")
    again = send(sign_in, operator, asked, "scale", instances="3")
    assert answer["Location"] == again["Location"]
    assert Change.objects.count() == before + 1
    (step,) = steps()
    assert (step["verb"], step["instances"]) == ("patch_capacity", 3)


def test_delete__asked_for__begins_with_a_time_without_traffic(
    sign_in: SignIn, operator: User, asked: Stage
) -> None:
    send(sign_in, operator, asked, "delete", typed="green", hours="1.5")
    first, second = steps()
    assert (first["bake"], second["verb"]) == (5400, "delete_deployment")


def test_delete_of_the_endpoint__asked_for__takes_its_name(
    sign_in: SignIn, operator: User, asked: Stage
) -> None:
    assert send(sign_in, operator, asked, "delete-endpoint", typed="checkout-risk").status_code == 302
    assert steps()[-1]["verb"] == "delete_endpoint"


@pytest.mark.parametrize(
    ("form", "more", "said", "id_"),
    [
        ("scale", {"instances": "0"}, "instances can be asked for", "f-scale-instances-error"),
        ("scale", {"instances": "many"}, "instances can be asked for", "f-scale-instances-error"),
        ("scale", {"instances": "3", "deployment": "red"}, "no deployment", "f-scale-deployment-error"),
        ("scale", {"instances": "3", "reason": " "}, "", "f-scale-reason-error"),
        ("delete", {"typed": "blue"}, "", "f-delete-typed-error"),
        ("delete", {"typed": "green", "hours": "soon"}, "number of hours", "f-delete-hours-error"),
        ("delete", {"typed": "green", "hours": "9999"}, "", "f-delete-hours-error"),
        ("delete-endpoint", {"typed": "green"}, "", "f-delete-endpoint-typed-error"),
        ("rename", {}, "Say what is wanted", ""),
    ],
)
def test_form__that_makes_no_sense__says_so_beside_its_field_and_keeps_what_was_typed(
    sign_in: SignIn, operator: User, asked: Stage, form: str, more: dict[str, str], said: str, id_: str
) -> None:
    before = Change.objects.count()
    answer = send(sign_in, operator, asked, form, **more)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Nothing was stored." in page
    assert said in words(page)
    assert not id_ or f'id="{id_}"' in page
    assert Change.objects.count() == before
    if form == "delete" and "hours" in more:
        assert f'value="{more["hours"]}"' in page


def test_page__for_a_reviewer__says_why_they_may_not_ask(
    sign_in: SignIn, reviewer: User, asked: Stage
) -> None:
    answer = sign_in(reviewer).get(f"{asked.home}capacity")
    assert answer.status_code == 200
    assert "<form class" not in answer.content.decode().split('id="main"')[-1].split("<footer")[0]
    assert send(sign_in, reviewer, asked, "scale", instances="3").status_code == 403


def test_page__where_something_was_found__leads_there_who_may_see_it(
    sign_in: SignIn, operator: User, requester: User, asked: Stage
) -> None:
    row = found(asked.endpoint.deployments.get(name="green"), kind="delete")
    mine = sign_in(operator).get(f"{asked.home}capacity").content.decode()
    assert f"/capacity/findings/{row.pk}" in mine
    assert (
        f"/capacity/findings/{row.pk}" not in sign_in(requester).get(f"{asked.home}capacity").content.decode()
    )


def test_endpoint__for_who_may_ask__leads_to_the_form(
    sign_in: SignIn, operator: User, reviewer: User, asked: Stage
) -> None:
    assert f"{asked.home}capacity" in sign_in(operator).get(asked.home).content.decode()
    assert f'href="{asked.home}capacity"' not in sign_in(reviewer).get(asked.home).content.decode()
