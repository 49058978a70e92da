"""Metrics through the API: series, rows, the newest minute, minutes over budget, the observed split, telemetry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import User, Workspace
from endpoints.api.endpoint_shapes import EndpointItemOut, endpoint_item
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors import fleet_rows
from endpoints.metrics.models import Collector, Latest, Telemetry
from endpoints.metrics.selectors import briefs
from endpoints.metrics.services import write_minutes
from tests.api.api import Api
from tests.metrics.budgeting import budget_since
from tests.metrics.storing import hour_ago, row
from tests.support.people import SUBSCRIPTION, make_endpoint, token_for

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace)
    found.deployments.update(first_seen_at=hour_ago(24))
    return found


def ids(endpoint: Endpoint) -> dict[str, int]:
    return {one.name: one.pk for one in endpoint.deployments.all()}


def served(endpoint: Endpoint, begin: datetime, minutes: int, **values: float) -> None:
    write_minutes(row(ids(endpoint)["blue"], begin + n * MINUTE, **values) for n in range(minutes))


def at(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_series__of_a_stretch__has_every_step_as_arrays_and_null_for_unknown(
    endpoint: Endpoint, requester: User
) -> None:
    begin = hour_ago(3)
    served(endpoint, begin, 2, requests=0, p95=12.5)
    query = f"since={at(begin)}&until={at(begin + 4 * MINUTE)}&columns=requests,p95"
    body = Api(requester).get(f"{HOME}/metrics?{query}").json()
    assert (body["grain"], body["start"], body["step_seconds"], body["count"]) == ("minute", at(begin), 60, 4)
    assert body["units"] == {"requests": "requests", "p95": "ms"}
    assert body["known_until"] == at(begin + 2 * MINUTE)
    blue, green = body["deployments"]
    assert (blue["name"], blue["known_minutes"], blue["of_minutes"]) == ("blue", 2, 4)
    assert blue["values"] == {"requests": [0, 0, None, None], "p95": [12.5, 12.5, None, None]}
    assert green["values"] == {"requests": [None] * 4, "p95": [None] * 4}


@pytest.mark.parametrize("name", ["1h", "6h", "24h", "7d", "30d", "90d", "13mo"])
def test_series__of_each_range__is_answered_with_all_columns_of_its_grain(
    endpoint: Endpoint, requester: User, name: str
) -> None:
    body = Api(requester).get(f"{HOME}/metrics?range={name}&deployment=BLUE").json()
    (blue,) = body["deployments"]
    assert {len(values) for values in blue["values"].values()} == {body["count"]}
    assert set(body["units"]) == set(blue["values"])


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("range=2h", 422, "range"),
        ("range=1h&since=2026-11-01T00:00:00Z", 422, "range"),
        ("since=2026-11-25T00:00:00Z&until=2026-11-24T00:00:00Z", 422, "since"),
        ("until=2026-11-24T00:00:00Z", 422, "since"),
        ("range=13mo&grain=minute&columns=p95", 422, "grain"),
        ("range=30d&columns=p90", 422, "columns"),
        ("range=1h&columns=", 422, "columns"),
        ("range=1h&columns=p95;--", 422, "columns"),
        ("deployment=nowhere", 404, None),
    ],
)
def test_series__that_can_not_be__is_refused_by_field(
    endpoint: Endpoint, requester: User, query: str, status: int, field: str | None
) -> None:
    answer = Api(requester).get(f"{HOME}/metrics?{query}")
    assert answer.status_code == status
    assert field is None or field in answer.json()["errors"]


def test_series__of_too_many_values__is_refused_with_the_way_out(
    workspace: Workspace, requester: User
) -> None:
    many = make_endpoint(workspace, "many", deployments=[f"d{n}" for n in range(12)])
    many.deployments.update(first_seen_at=hour_ago(24 * 30))
    answer = Api(requester).get("/workspaces/mlw-prod-weu/endpoints/many/metrics?range=7d&grain=minute")
    assert answer.status_code == 422
    assert "ask for one deployment" in answer.json()["detail"]


def test_rows__by_pages__are_each_there_once_in_the_stretch_of_the_first_page(
    endpoint: Endpoint, requester: User
) -> None:
    begin = hour_ago(3)
    known = ids(endpoint)
    write_minutes(
        row(known[name], begin + n * MINUTE, requests=n)
        for name in known
        for n in range(5)
        if (name, n) != ("green", 3)
    )
    api, found, pages = Api(requester), [], 0
    address = f"{HOME}/metrics/rows?since={at(begin)}&until={at(begin + HOUR)}&columns=requests&limit=2"
    while address:
        body = api.get(address).json()
        assert len(body["items"]) <= 2
        found += [(one["time"], one["deployment"], one["values"]["requests"]) for one in body["items"]]
        address, pages = (body["next"] or "").removeprefix("/api/v1"), pages + 1
    wanted = [(n, name) for n in range(5) for name in sorted(known, key=lambda one: known[one])]
    assert found == [(at(begin + n * MINUTE), name, n) for n, name in wanted if (name, n) != ("green", 3)]
    assert pages == 5


@pytest.mark.parametrize("cursor", ["minute.5.5.1", "minute.9.5.1", "second.1.2.3", "minute.1.2", "x"])
def test_rows__from_a_place_that_no_page_gave__are_refused(
    endpoint: Endpoint, requester: User, cursor: str
) -> None:
    assert Api(requester).get(f"{HOME}/metrics/rows?cursor={cursor}").status_code == 422


def test_latest__of_an_endpoint__says_why_there_is_nothing(endpoint: Endpoint, requester: User) -> None:
    Telemetry.objects.create(endpoint_id=endpoint.pk, state="throttled", reason="Azure asked to wait.")
    Latest.objects.create(
        deployment_id=ids(endpoint)["blue"],
        endpoint_id=endpoint.pk,
        minute=hour_ago(1),
        p95=7,
        hour_minutes=3,
    )
    body = Api(requester).get(f"{HOME}/metrics/latest").json()
    assert (body["endpoint"]["state"], body["endpoint"]["reason"]) == ("throttled", "Azure asked to wait.")
    shown = {one["deployment"]: (one["p95"], one["requests"], one["hour_minutes"]) for one in body["items"]}
    assert shown == {"blue": (7, None, 3), "green": (None, None, None)}


def test_minutes_over_budget__with_two_budgets__name_both(endpoint: Endpoint, requester: User) -> None:
    begin = hour_ago(3)
    budget_since(endpoint.pk, begin, 250)
    budget_since(endpoint.pk, begin + 2 * MINUTE, 100)
    served(endpoint, begin, 4, requests=5, p95=200)
    body = Api(requester).get(f"{HOME}/metrics/over-budget?since={at(begin)}&until={at(begin + HOUR)}").json()
    blue = next(one for one in body["items"] if one["deployment"] == "blue")
    assert (blue["known_minutes"], blue["over_at_least"], blue["over_at_most"]) == (4, 2, 2)
    assert (blue["worst_minute"], blue["worst_p95_ms"], blue["worst_grain"]) == (at(begin), 200, "minute")
    assert [one["p95_ms"] for one in body["budgets"]] == [250, 100]


def test_observed_split__of_nothing_known__is_unknown_and_no_pass(
    endpoint: Endpoint, requester: User
) -> None:
    body = Api(requester).get(f"{HOME}/metrics/observed?range=1h").json()
    assert (body["verdict"], body["deployments"], body["false_alarms"]) == ("unknown", [], 1000)


def test_list__of_endpoints__has_the_newest_figures_of_each(endpoint: Endpoint, requester: User) -> None:
    Telemetry.objects.create(endpoint_id=endpoint.pk, state="flowing", p95=210, requests=12, spark=[1, None])
    budget_since(endpoint.pk, hour_ago(1), 250)
    make_endpoint(endpoint.workspace, "photo-triage")
    found = {one["name"]: one["metrics"] for one in Api(requester).get("/endpoints").json()["items"]}
    assert (found["checkout-risk"]["p95"], found["checkout-risk"]["budget_p95"]) == (210, 250)
    assert found["checkout-risk"]["spark"] == [1, None]
    assert (found["photo-triage"]["state"], found["photo-triage"]["requests"]) == ("none-yet", None)


def test_list__whatever_its_length__takes_as_many_queries(endpoint: Endpoint, requester: User) -> None:
    api = Api(token=token_for(requester, "read"))
    counts = []
    for more in ("photo-triage", "text-rank", "image-tag"):
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/endpoints").status_code == 200
        counts.append(len(queries))
        make_endpoint(endpoint.workspace, more, traffic={"blue": 50, "green": 50})
    assert counts[0] == counts[-1]


def test_item_of_a_list__made_by_hand__is_what_its_description_makes(
    endpoint: Endpoint, workspace: Workspace
) -> None:
    make_endpoint(
        workspace, traffic={"blue": 40, "green": 60}, deployments={"blue": {"provisioningState": "Failed"}}
    )
    (shown,) = fleet_rows([workspace.pk]).rows
    made: dict[str, Any] = endpoint_item(shown, briefs([shown.id])[shown.id])
    assert shown.marks
    described = dict(EndpointItemOut(made | {"severity": shown.severity, "marks": shown.marks}).data)
    assert set(described) == set(made)
    for name in set(made) - {"read_at", "unreadable_since", "metrics"}:
        assert described[name] == made[name], name
    assert set(described["metrics"]) == set(made["metrics"])


def test_telemetry_and_collectors__of_what_one_may_see__are_paged(
    endpoint: Endpoint, other_workspace: Workspace, requester: User
) -> None:
    make_endpoint(other_workspace, "elsewhere")
    make_endpoint(endpoint.workspace, "photo-triage")
    Telemetry.objects.create(endpoint_id=endpoint.pk, state="forbidden", reason="No right to read metrics.")
    for region in ("westeurope", "northeurope"):
        Collector.objects.create(subscription=SUBSCRIPTION, region=region, due_at=hour_ago(1))
    api = Api(requester)
    body = api.get("/telemetry?limit=1").json()
    assert [(one["endpoint"], one["state"]) for one in body["items"]] == [("checkout-risk", "forbidden")]
    assert (body["counts"]["forbidden"], body["counts"]["none-yet"]) == (1, 1)
    following = api.get(body["next"].removeprefix("/api/v1")).json()
    assert [one["endpoint"] for one in following["items"]] == ["photo-triage"]
    assert following["next"] is None
    first = api.get("/collectors?limit=1").json()
    second = api.get(first["next"].removeprefix("/api/v1")).json()
    assert [one["items"][0]["region"] for one in (first, second)] == ["westeurope", "northeurope"]
    assert (second["next"], first["items"][0]["lag_seconds"]) == (None, None)
    assert api.get("/backfills").json() == {"items": [], "next": None}
