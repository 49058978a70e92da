"""Freezes and stops through the API: the same rules as on pages, strict input, refusals on record."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.holds.models import Freeze, Stop
from endpoints.holds.scope import Scope
from endpoints.inventory.models import Endpoint
from tests.api.api import PREFIX, Api
from tests.holds.support import ahead, freeze, stop
from tests.holds.test_import import HOLIDAYS, HOURLY, calendar_of
from tests.support.people import make_endpoint, token_for

pytestmark = pytest.mark.django_db
WEEKENDS = {
    "workspace": "mlw-prod-weu",
    "title": "Weekends",
    "reason": "Nobody is here.",
    "zone": "Europe/Zurich",
    "starts": "2027-10-29T16:00",
    "ends": "2027-11-01T08:00",
    "rule": "FREQ=WEEKLY;BYDAY=FR",
}


@pytest.fixture(autouse=True)
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def test_freeze__made_and_ended__tells_when_it_holds_and_who_did_what(operator: User) -> None:
    api = Api(operator)
    made = api.post("/holds/freezes", WEEKENDS | {"name_pattern": "Fraud-*", "tag": "tier=1"})
    body = made.json()
    assert (made.status_code, made["Location"]) == (201, f"{PREFIX}/holds/freezes/{body['id']}")
    assert (body["workspace"], body["name_pattern"], body["tag"]) == ("mlw-prod-weu", "fraud-*", "tier=1")
    assert (body["state"], body["source"], body["made_by"]["name"]) == ("coming", "api", "Omar")
    assert (body["now"], body["over_at"]) == (None, None)
    assert body["next"] == {"start": "2027-10-29T14:00:00Z", "end": "2027-11-01T07:00:00Z"}
    address = f"/holds/freezes/{body['id']}"
    assert api.get(address).json() == body
    ended = api.post(f"{address}/end", {"reason": "They are back."}).json()
    assert (ended["state"], ended["ended_by"]["name"], ended["end_reason"]) == (
        "ended",
        "Omar",
        "They are back.",
    )
    assert api.post(f"{address}/end", {"reason": "Again."}).status_code == 409
    assert [row["id"] for row in api.get("/holds/freezes?show=past").json()["items"]] == [body["id"]]
    assert api.get("/holds/freezes").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"reason": None}, "reason"),
        ({"zone": "Nowhere"}, "zone"),
        ({"starts": "2027-10-29T16:00Z"}, "starts"),
        ({"starts": 5}, "starts"),
        ({"ends": "2027-10-29T15:00"}, "ends"),
        ({"rule": "FREQ=HOURLY"}, "rule"),
        ({"name_pattern": "a b"}, "name_pattern"),
        ({"tag": "=x"}, "tag"),
        ({"until": "2030"}, ""),
    ],
)
def test_freeze__that_can_not_be__is_refused_by_field(
    operator: User, wrong: dict[str, Any], field: str
) -> None:
    answer = Api(operator).post("/holds/freezes", WEEKENDS | wrong)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not Freeze.objects.exists()


def test_freeze__without_its_workspace_named__is_not_one_of_all(operator: User, admin: User) -> None:
    nowhere = {name: text for name, text in WEEKENDS.items() if name != "workspace"}
    assert Api(admin).post("/holds/freezes", nowhere).status_code == 422
    assert Api(admin).post("/holds/freezes", nowhere | {"workspace": ""}).status_code == 422
    assert Api(admin).post("/holds/freezes", nowhere | {"workspace": None}).json()["workspace"] is None


def test_freeze__by_who_may_not__is_refused_on_record_and_hidden_from_strangers(
    operator: User, requester: User, outsider: User, workspace: Workspace
) -> None:
    assert Api(requester).post("/holds/freezes", WEEKENDS).status_code == 403
    assert Entry.objects.filter(action="order.refused").count() == 1
    assert Api(outsider).post("/holds/freezes", WEEKENDS).status_code == 404
    made = freeze(operator, Scope(workspace.pk))
    for path in (f"/holds/freezes/{made.pk}", "/holds/freezes/999999"):
        assert Api(outsider).get(path).status_code == 404
        assert Api(outsider).post(f"{path}/end", {"reason": "Why not."}).status_code == 404
    assert Api(outsider).get("/holds/freezes").json()["items"] == []


def test_freeze__by_a_token__needs_the_scope_to_change(operator: User) -> None:
    assert Api(token=token_for(operator, "read")).post("/holds/freezes", WEEKENDS).status_code == 403
    assert (
        Api(token=token_for(operator, "read", "change")).post("/holds/freezes", WEEKENDS).status_code == 201
    )


def test_list__of_freezes__goes_by_pages(operator: User, workspace: Workspace) -> None:
    made = [freeze(operator, Scope(workspace.pk), ahead(hours)).pk for hours in (3, 1, 2)]
    api = Api(operator)
    first = api.get("/holds/freezes?limit=2").json()
    second = api.get(first["next"].removeprefix(PREFIX)).json()
    assert [row["id"] for row in first["items"] + second["items"]] == [made[1], made[2], made[0]]
    assert second["next"] is None
    for number in made:
        api.post(f"/holds/freezes/{number}/end", {"reason": "Over."})
    first = api.get("/holds/freezes?limit=2&show=past").json()
    second = api.get(first["next"].removeprefix(PREFIX)).json()
    assert [row["id"] for row in first["items"] + second["items"]] == sorted(made, reverse=True)


def test_calendar__sent_as_text__says_what_became_of_each_event(operator: User) -> None:
    sent = {
        "workspace": "mlw-prod-weu",
        "zone": "Europe/Zurich",
        "reason": "The company's.",
        "calendar": calendar_of(HOLIDAYS, HOURLY).decode(),
    }
    found = Api(operator).post("/holds/freezes/import", sent).json()
    assert found["made"] == [Freeze.objects.get().pk]
    assert [row["title"] for row in found["unread"]] == ["Each hour"]
    again = Api(operator).post("/holds/freezes/import", sent).json()
    assert (again["made"], again["known"]) == ([], ["Holidays"])
    broken = Api(operator).post("/holds/freezes/import", sent | {"calendar": "hello"})
    assert (broken.status_code, list(broken.json()["errors"])) == (422, ["file"])


def test_stop__made_twice_and_lifted__is_one_stop(reviewer: User, operator: User) -> None:
    place = {"workspace": "mlw-prod-weu", "endpoint": "checkout-risk"}
    made = Api(reviewer).post("/holds/stops", place | {"reason": "It burns."})
    again = Api(operator).post("/holds/stops", place | {"reason": "I see it too."})
    assert (made.status_code, again.status_code) == (201, 200)
    body = made.json()
    assert again.json() == body
    assert (body["workspace"], body["endpoint"], body["stopped_by"]["name"]) == (
        "mlw-prod-weu",
        "checkout-risk",
        "Vera",
    )
    api = Api(operator)
    assert [row["id"] for row in api.get("/holds/stops").json()["items"]] == [body["id"]]
    address = f"/holds/stops/{body['id']}"
    assert api.post(f"{address}/lift", {"reason": ""}).status_code == 422
    lifted = api.post(f"{address}/lift", {"reason": "It is out."}).json()
    assert (lifted["lifted_by"]["name"], lifted["lift_reason"]) == ("Omar", "It is out.")
    assert api.post(f"{address}/lift", {"reason": "Again."}).status_code == 409
    assert api.get(address).json() == lifted
    assert api.get("/holds/stops?show=lifted").json()["items"] == [lifted]


def test_stop__of_an_endpoint_without_its_workspace__stops_nothing(admin: User) -> None:
    sent = {"workspace": None, "endpoint": "checkout-risk", "reason": "It burns."}
    answer = Api(admin).post("/holds/stops", sent)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["endpoint"])
    assert Api(admin).post("/holds/stops", sent | {"endpoint": ""}).json()["workspace"] is None


def test_stop__of_what_one_does_not_see__is_not_found(operator: User, outsider: User) -> None:
    for place in ({"workspace": "mlw-prod-weu"}, {"workspace": "mlw-prod-weu", "endpoint": "checkout-risk"}):
        assert Api(outsider).post("/holds/stops", place | {"reason": "Why not."}).status_code == 404
    sent = {"workspace": "mlw-prod-weu", "endpoint": "no-such", "reason": "Why not."}
    assert Api(operator).post("/holds/stops", sent).status_code == 404
    assert not Stop.objects.exists()


def test_endpoint__held_by_two_things__says_both_and_when_it_is_free(
    operator: User, requester: User, endpoint: Endpoint, workspace: Workspace
) -> None:
    address = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/holds"
    free = Api(requester).get(address).json()
    assert (free["holds"], free["opens_at"], free["closes_at"]) == ([], free["at"], None)
    made = freeze(operator, Scope(workspace.pk))
    held = Api(requester).get(address).json()
    assert [each["ref"] for each in held["holds"]] == [f"freeze:{made.pk}"]
    assert held["opens_at"] == held["holds"][0]["until"]
    stop(operator, endpoint_id=endpoint.pk)
    stopped = Api(requester).get(address).json()
    assert [each["kind"] for each in stopped["holds"]] == ["stop", "freeze"]
    assert (stopped["opens_at"], stopped["holds"][0]["until"]) == (None, None)
