"""Passports and coverage through the API: what pages show, in the form in which cases keep it."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.recorded import Source
from tests.api.api import Api
from tests.challenges.past import Past
from tests.challenges.recording import guid
from tests.support.people import token_for

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"


@pytest.fixture
def past(workspace: Workspace) -> Past:
    made = Past(workspace)
    made.split({"blue": 100}, earliest=None, latest=0)
    made.deployment("blue", 7)
    made.read(1, 120)
    return made


@pytest.fixture
def api(past: Past, supervisor: User) -> Api:
    return Api(token=token_for(supervisor, "read"))


def fact(passport: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for section in passport["sections"] for one in section["facts"] if one["name"] == name)
    return dict(found)


def test_passport__of_an_id__is_the_document_that_cases_keep(api: Api, past: Past) -> None:
    past.request(30, source=Source.LOG, request_id=guid(1), deployment="blue", duration_ms=12.5)
    (told,) = api.get(f"/predictions/passport?id={guid(1)}").json()["items"]
    assert (told["v"], told["sure"], told["verdict"]) == (
        1,
        "certain",
        "blue answered, with risk:7, certain.",
    )
    assert fact(told, "duration")["value"] == "12.5"
    assert fact(told, "confidence")["sure"] == "cannot say"
    assert Entry.objects.filter(action="evidence.read").count() == 1


def test_passport__of_an_id_that_nobody_sent__is_an_empty_list(api: Api) -> None:
    told = api.get(f"/predictions/passport?id={guid(9)}").json()
    assert (told["items"], told["request_id"], told["is_cut"]) == ([], guid(9), False)


def test_passport__as_known_then__has_corrections(api: Api, past: Past) -> None:
    past.request(30, source=Source.LOG, request_id=guid(1), deployment="blue", status=200)
    known = f"{past.at(60):%Y-%m-%dT%H:%M:%SZ}"
    (told,) = api.get(f"/predictions/passport?id={guid(1)}&known={known}").json()["items"]
    assert told["known"].startswith(f"{past.at(60):%Y-%m-%dT%H:%M:%S}")
    assert "Status that the caller got: cannot say then, 200 now." in told["corrections"]


def test_passport__of_another_tenants_request__is_an_empty_list(past: Past, outsider: User) -> None:
    past.request(30, request_id=guid(1), deployment="blue")
    api = Api(token=token_for(outsider, "read"))
    assert api.get(f"/predictions/passport?id={guid(1)}").json()["items"] == []
    assert api.get(f"{HOME}/passport?at=2026-01-01T00:00:00Z").status_code == 404


def test_passport__of_a_moment__goes_by_the_split(api: Api, past: Past) -> None:
    told = api.get(f"{HOME}/passport?at={past.at(30):%Y-%m-%dT%H:%M:%SZ}").json()
    assert told["verdict"] == "blue answered, with risk:7, certain."
    assert fact(told, "request_id")["value"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/predictions/passport",
        f"/predictions/passport?id={guid(1)}&known=2999-01-01T00:00:00Z",
        f"/predictions/passport?id={guid(1)}&nonsense=1",
        f"{HOME}/passport?at=2999-01-01T00:00:00Z",
        f"{HOME}/passport?at=noon",
        f"{HOME}/coverage?day=2026-02-30",
        f"{HOME}/coverage",
    ],
)
def test_question__that_can_not_be_asked__is_refused_by_field(api: Api, path: str) -> None:
    assert api.get(path).status_code == 422


def test_coverage__of_a_day__has_four_lanes_without_gaps(api: Api, past: Past) -> None:
    told = api.get(f"{HOME}/coverage?day={past.at(30):%Y-%m-%d}").json()
    assert [lane["name"] for lane in told["lanes"]] == ["mirror", "log", "split", "answer"]
    for lane in told["lanes"]:
        edges = [part["since"] for part in lane["parts"]] + [told["until"]]
        assert edges[0] == told["since"]
        assert [part["until"] for part in lane["parts"]] == edges[1:]


def test_coverage__of_a_day_to_come__is_not_found(api: Api) -> None:
    assert api.get(f"{HOME}/coverage?day=2999-01-01").status_code == 404
