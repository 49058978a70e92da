"""The fleet's rows, counts and filters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.core.errors import Invalid, NotFound
from endpoints.dispatch import db_now
from endpoints.inventory.marks import Severity
from endpoints.inventory.models import Endpoint, SyncRun, SyncTarget
from endpoints.inventory.selectors import endpoint_page, fleet_counts, fleet_rows, freshness
from endpoints.inventory.services import observe_deployments, observe_endpoint
from endpoints.inventory.services.observation import Answer
from tests.inventory.support import (
    at,
    deployment_document,
    deployment_reading,
    endpoint_document,
    endpoint_reading,
    make_workspace,
)

pytestmark = pytest.mark.django_db


def add(workspace, name, deployments=("blue",), **changes) -> int:
    """An endpoint as a sync would bring it."""
    document = endpoint_document(workspace, name, **changes)
    seen = observe_endpoint(workspace_id=workspace.pk, reading=endpoint_reading(document, 1))
    observe_deployments(
        endpoint_id=seen.endpoint_id,
        records=[deployment_reading(deployment_document(document, one), 2).value for one in deployments],
        answer=Answer(at(2), at(3)),
        is_complete=True,
    )
    return seen.endpoint_id


def cover(workspace, *, seconds_ago: float = 1, error: str = "") -> None:
    """A workspace that was read so long ago, and whose last reading failed if there is an error."""
    now = db_now()
    ended = now - timedelta(seconds=seconds_ago)
    run = SyncRun.objects.create(
        workspace=workspace,
        trigger="schedule",
        outcome="complete",
        started_at=ended,
        ended_at=ended,
        reads_began=ended,
        reads_ended=ended,
        cadence_seconds=30,
    )
    failed = (
        SyncRun.objects.create(
            workspace=workspace,
            trigger="schedule",
            outcome="failed",
            started_at=now,
            ended_at=now,
            error=error,
            cadence_seconds=30,
        )
        if error
        else run
    )
    SyncTarget.objects.create(
        workspace=workspace, due_at=now, covered_by=run, last_run=failed, cadence_seconds=30
    )


def names(page) -> list[str]:
    return [row.name for row in page.rows]


def test_fleet__mixed_states__is_sorted_worst_first_then_by_name():
    workspace = make_workspace()
    cover(workspace)
    add(workspace, "b-quiet")
    add(workspace, "a-quiet")
    add(workspace, "busy", provisioningState="Updating")
    add(workspace, "broken", provisioningState="Failed")
    add(workspace, "strange", provisioningState="Dreaming")

    page = fleet_rows([workspace.pk])

    assert names(page) == ["broken", "strange", "busy", "a-quiet", "b-quiet"]
    assert [row.severity.word for row in page.rows] == ["bad", "unknown", "running", "quiet", "quiet"]
    assert page.rows[0].status == "failed"


def test_fleet__paged__shows_each_row_once():
    workspace = make_workspace()
    cover(workspace)
    for number in range(7):
        add(workspace, f"e{number}", provisioningState="Failed" if number % 3 == 0 else "Succeeded")

    seen, cursor = [], ""
    while True:
        page = fleet_rows([workspace.pk], cursor=cursor, limit=2)
        seen += names(page)
        cursor = page.next_cursor
        if not cursor:
            break

    assert seen == ["e0", "e3", "e6", "e1", "e2", "e4", "e5"]


def test_fleet__cursor_of_no_page__is_invalid():
    with pytest.raises(Invalid):
        fleet_rows([make_workspace().pk], cursor="nonsense")


def test_fleet__fifty_rows__takes_few_queries():
    workspace = make_workspace()
    cover(workspace)
    for number in range(12):
        add(workspace, f"e{number}")

    with CaptureQueriesContext(connection) as queries:
        page = fleet_rows([workspace.pk])

    assert len(page.rows) == 12
    assert len(queries) <= 4


def test_fleet__other_workspaces__are_not_there():
    mine, theirs = make_workspace(), make_workspace()
    add(mine, "same-name")
    add(theirs, "same-name")

    assert [row.workspace_id for row in fleet_rows([mine.pk]).rows] == [mine.pk]
    assert fleet_counts([mine.pk]).total == 1
    with pytest.raises(NotFound):
        endpoint_page(mine.pk, "other-name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk", ["checkout-risk", "route-risk"]),
        ('"risk"', []),
        ('"ROUTE-risk"', ["route-risk"]),
        ("!risk", ["home"]),
        ("home,checkout", ["checkout-risk", "home"]),
        ("owner:payments", ["checkout-risk"]),
        ("owner:none", ["home"]),
        ("tag:team", ["checkout-risk"]),
        ("tag:team=a", ["checkout-risk"]),
        ("tag:team=b", []),
        ("state:failed", ["route-risk"]),
        ("state:switched-off", ["home"]),
        ("state:attention", ["route-risk"]),
        ("state:quiet !home", ["checkout-risk"]),
        ("sku:ds3", ["checkout-risk", "home", "route-risk"]),
        ("model:risk:7", ["checkout-risk", "home", "route-risk"]),
        ("env:prod", ["checkout-risk", "home", "route-risk"]),
        ("env:test", []),
        ("ws:no-such", []),
    ],
)
def test_filter__each_term__finds_what_it_says(text, expected):
    workspace = make_workspace()
    cover(workspace)
    add(workspace, "checkout-risk", tags={"owner": "payments", "team": "a"})
    add(workspace, "route-risk", provisioningState="Failed")
    add(workspace, "home", traffic={}, tags={})

    assert sorted(names(fleet_rows([workspace.pk], text=text))) == expected
    assert fleet_counts([workspace.pk], text=text).total == len(expected)


def test_filter__unknown_key__is_named_and_left_out():
    workspace = make_workspace()
    add(workspace, "home")

    page = fleet_rows([workspace.pk], text="colour:red")

    assert names(page) == ["home"]
    assert page.problems[0].startswith("colour: is not a filter")


def test_workspace__not_read_for_long__keeps_its_rows_and_says_cannot_tell_with_cause():
    workspace = make_workspace()
    cover(workspace, seconds_ago=900, error="Azure refuses: no role.")
    add(workspace, "quiet")
    add(workspace, "broken", provisioningState="Failed")

    page = fleet_rows([workspace.pk])

    assert [row.severity for row in page.rows] == [Severity.BAD, Severity.UNKNOWN]
    quiet = page.rows[1]
    assert quiet.status == "cannot tell"
    assert "no role" in quiet.marks[0].sentence
    assert fleet_counts([workspace.pk]).by_severity["unknown"] == 1
    assert freshness(workspace.pk).cause == "Azure refuses: no role."


def test_freshness__workspace_never_read__is_stale_and_not_zero():
    found = freshness(make_workspace().pk)

    assert (found.read_at, found.age_seconds, found.is_stale) == (None, None, True)


def test_endpoint_page__of_a_living_endpoint__holds_marks_links_and_deployments():
    workspace = make_workspace()
    cover(workspace)
    add(workspace, "checkout-risk", deployments=("blue", "green"), traffic={"blue": 90, "green": 10}, tags={})

    page = endpoint_page(workspace.pk, "Checkout-Risk")

    assert [(row.name, row.weight, row.model) for row in page.deployments] == [
        ("blue", 90, "risk:7"),
        ("green", 10, "risk:8"),
    ]
    assert {mark.code for mark in page.marks} == {"public", "key-auth", "no-owner"}
    assert page.links.studio.startswith("https://ml.azure.com/endpoints/realtime/checkout-risk/detail")
    assert page.severity is Severity.QUIET


def test_endpoint_page__traffic_to_a_deployment_that_is_gone__is_bad():
    workspace = make_workspace()
    cover(workspace)
    add(workspace, "checkout-risk", deployments=("blue",), traffic={"blue": 50, "green": 50})

    page = endpoint_page(workspace.pk, "checkout-risk")

    assert page.marks[0].code == "live-deployment-missing"
    assert Endpoint.objects.get().severity == Severity.BAD
