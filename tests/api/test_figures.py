"""Business figures through the API: defined, sent, read by pages, and refused with every problem named."""

from __future__ import annotations

import time
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.inventory.models import Endpoint
from endpoints.metrics.figures import MOST_AT_ONCE
from endpoints.metrics.models import FigureMinute
from tests.api.api import Api
from tests.metrics.figuring import minute_ago
from tests.metrics.storing import hour_ago
from tests.support.people import make_endpoint, token_for

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/figures"


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace)
    found.deployments.update(first_seen_at=hour_ago(24))
    return found


@pytest.fixture
def api(endpoint: Endpoint, requester: User) -> Api:
    """A program of somebody who may send."""
    found = Api(token=token_for(requester, "read", "change"))
    assert found.send("PUT", f"{HOME}/clicks", {"label": "Click-through", "kind": "rate"}).status_code == 201
    return found


def value(minutes_ago: int = 5, **changes: Any) -> dict[str, Any]:
    minute = f"{minute_ago(minutes_ago):%Y-%m-%dT%H:%M:%SZ}"
    good = {"figure": "clicks", "deployment": "green", "minute": minute, "count": 120, "total": 30}
    return good | changes


def test_a_figure__defined_again__is_the_same_unless_it_is_to_mean_something_else(api: Api) -> None:
    again = api.send("PUT", f"{HOME}/clicks", {"label": "Click-through", "kind": "rate"})
    assert (again.status_code, again.json()["kind"], again.json()["newest"]) == (200, "rate", None)
    other = api.send("PUT", f"{HOME}/clicks", {"label": "Clicks", "kind": "mean", "unit": "x"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:opsportal:problem:conflict")
    odd = api.send("PUT", f"{HOME}/Clicks", {"label": "Clicks", "kind": "rate", "unit": "%"})
    assert (odd.status_code, sorted(odd.json()["errors"])) == (422, ["name", "unit"])


def test_values__sent_twice__are_there_once(api: Api) -> None:
    batch = {"figures": [value(), value(4, count=80, total=8)]}
    assert api.post(HOME, batch).json() == {"values": 2, "changed": 2}
    assert api.post(HOME, batch).json() == {"values": 2, "changed": 0}
    body = api.get(f"{HOME}/clicks?range=1h").json()
    assert [(one["deployment"], one["count"], one["value"]) for one in body["items"]] == [
        ("green", 120, 0.25), ("green", 80, 0.1),
    ]  # fmt: skip
    assert body["figure"]["defined_by"]["name"] == "Rosa"
    assert body["figure"]["newest"] == body["items"][1]["minute"]


def test_a_batch__with_several_problems__names_them_all_and_stores_nothing(api: Api) -> None:
    batch = {"figures": [value(), value(4, deployment="grene", total=121), value(-5)]}
    answer = api.post(HOME, batch)
    assert answer.status_code == 422
    assert sorted(answer.json()["errors"]) == [
        "figures.1.deployment", "figures.1.total", "figures.2.minute",
    ]  # fmt: skip
    assert "Nothing was changed." in answer.json()["detail"]
    assert FigureMinute.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"count": 1.5}, "count"),
        ({"count": "120"}, "count"),
        ({"count": 2**63}, "count"),
        ({"total": "30"}, "total"),
        ({"minute": "2026-11-25T12:34:00"}, "minute"),
        ({"minute": 1764074040}, "minute"),
        ({"minute": "yesterdayZ"}, "minute"),
        ({"figure": None}, "figure"),
        ({"surplus": 1}, ""),
    ],
)
def test_a_value__of_another_shape__is_refused_by_place_and_field(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    answer = api.post(HOME, {"figures": [value(), value(4, **changes)]})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [f"figures.1.{field}".rstrip(".")]
    assert FigureMinute.objects.count() == 0


@pytest.mark.parametrize("body", [{"figures": []}, {}, {"figures": {}}, {"figures": [1]}])
def test_a_batch__that_is_none__is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.post(HOME, body).status_code == 422


def test_the_largest_batch__of_values__is_taken_within_seconds(api: Api) -> None:
    many = [value(n, deployment=name) for n in range(MOST_AT_ONCE // 2) for name in ("blue", "green")]
    began = time.monotonic()
    answer = api.post(HOME, {"figures": many})
    took = time.monotonic() - began
    assert answer.json() == {"values": MOST_AT_ONCE, "changed": MOST_AT_ONCE}
    assert took < 5
    assert api.post(HOME, {"figures": [*many, value(1500)]}).status_code == 422


def test_sending__many_times_a_minute__is_not_limited(api: Api) -> None:
    assert {api.post(HOME, {"figures": [value(n)]}).status_code for n in range(35)} == {200}


def test_values__by_pages__are_each_there_once_in_the_stretch_of_the_first_page(api: Api) -> None:
    api.post(
        HOME, {"figures": [value(n, deployment=name) for n in range(3, 6) for name in ("blue", "green")]}
    )
    found, address = [], f"{HOME}/clicks?range=1h&limit=4"
    while address:
        body = api.get(address).json()
        found += [(one["minute"], one["deployment"]) for one in body["items"]]
        address = (body["next"] or "").removeprefix("/api/v1")
    assert len(found) == len(set(found)) == 6
    assert found == sorted(found)
    only = api.get(f"{HOME}/clicks?range=1h&deployment=BLUE").json()["items"]
    assert {one["deployment"] for one in only} == {"blue"}
    assert api.get(f"{HOME}/clicks?cursor=9.5.1.blue").status_code == 422


def test_a_figure__that_was_ended__is_listed_with_its_end_and_takes_nothing(api: Api) -> None:
    assert api.send("DELETE", f"{HOME}/clicks").status_code == 204
    assert api.send("DELETE", f"{HOME}/clicks").status_code == 404
    (row,) = api.get(HOME).json()["items"]
    assert (row["name"], row["ended_by"]["name"]) == ("clicks", "Rosa")
    assert api.post(HOME, {"figures": [value()]}).status_code == 422
    assert api.get(f"{HOME}/clicks").json()["items"] == []
    assert api.get(f"{HOME}/nothing").status_code == 404


def test_a_token__without_the_scope_change__reads_and_sends_nothing(api: Api, requester: User) -> None:
    reader = Api(token=token_for(requester, "read"))
    assert reader.get(HOME).status_code == 200
    assert reader.post(HOME, {"figures": [value()]}).status_code == 403


def test_list__of_figures__is_paged(api: Api) -> None:
    api.send("PUT", f"{HOME}/basket", {"label": "Basket", "kind": "mean", "unit": "EUR"})
    body = api.get(f"{HOME}?limit=1").json()
    assert [one["name"] for one in body["items"]] == ["basket"]
    rest = api.get(body["next"].removeprefix("/api/v1")).json()
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["clicks"], None)
