"""Figures for lists, the health of telemetry, collectors and back-fills: paged, and narrowed to what one may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.metrics.models import Backfill, Collector, CollectorRun, Latest, Telemetry
from endpoints.metrics.selectors import backfills, briefs, collectors, health, latest
from endpoints.metrics.telemetry import State
from tests.metrics.budgeting import budget_since
from tests.support.people import SUBSCRIPTION, make_endpoint, make_workspace

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def seen(endpoint_id: int, state: State, **figures: Any) -> None:
    Telemetry.objects.create(endpoint_id=endpoint_id, state=state, **figures)


def collector(region: str = "westeurope", subscription: str = SUBSCRIPTION, **run: Any) -> Collector:
    now = db_now()
    made = Collector.objects.create(subscription=subscription, region=region, due_at=now)
    if run:
        made.last_run = CollectorRun.objects.create(
            collector=made,
            started_at=now - timedelta(seconds=3),
            ended_at=now,
            since=now - HOUR,
            until=now,
            **run,
        )
        made.save()
    return made


def test_briefs__of_many__are_one_query_and_name_those_never_read(workspace: Workspace) -> None:
    read, unread = make_endpoint(workspace), make_endpoint(workspace, "photo-triage")
    minute = db_now() - timedelta(minutes=5)
    budget_since(read.pk, minute, 250, 0.01)
    seen(read.pk, State.FLOWING, minute=minute, requests=12, p95=300, spark=[1, None, 2], over_budget=4)
    with CaptureQueriesContext(connection) as queries:
        found = briefs([read.pk, unread.pk])
    assert len(queries) == 1
    one = found[read.pk]
    assert (one.state, one.p95, one.budget_p95, one.budget_failure_share) == (State.FLOWING, 300, 250, 0.01)
    assert one.spark == (1, None, 2)
    assert one.age_seconds == pytest.approx(240, abs=30)
    assert (found[unread.pk].state, found[unread.pk].requests, found[unread.pk].spark) == (
        State.NONE_YET,
        None,
        (),
    )
    assert briefs([]) == {}


def test_brief__whose_budget_was_withdrawn__has_none(workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)
    seen(endpoint.pk, State.FLOWING)
    budget_since(endpoint.pk, db_now() - 2 * HOUR, 250)
    budget_since(endpoint.pk, db_now() - HOUR, None)
    found = briefs([endpoint.pk])[endpoint.pk]
    assert (found.budget_p95, found.age_seconds, found.minute) == (None, None, None)


def test_latest__of_deployments__is_theirs_with_its_age(workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)
    blue = endpoint.deployments.get(name="blue").pk
    minute = db_now() - timedelta(minutes=3)
    Latest.objects.create(deployment_id=blue, endpoint_id=endpoint.pk, minute=minute, p95=12, hour_minutes=58)
    found = latest([blue, 4711])
    assert set(found) == {blue}
    assert (found[blue].p95, found[blue].requests, found[blue].hour_minutes) == (12, None, 58)
    assert found[blue].age_seconds == pytest.approx(120, abs=30)


def test_health__by_pages__has_each_endpoint_once_worst_first(workspace: Workspace) -> None:
    states = [State.FLOWING, State.LATE, State.FORBIDDEN, None, State.THROTTLED]
    for number, state in enumerate(states):
        endpoint = make_endpoint(workspace, f"endpoint-{number}")
        if state:
            seen(endpoint.pk, state, reason="Because.", log_categories=["AmlOnlineEndpointTrafficLog"])
    found, cursor = [], ""
    while True:
        page = health([workspace.pk], cursor=cursor, limit=2)
        found += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
    assert [row.state for row in found] == [
        State.FORBIDDEN,
        State.THROTTLED,
        State.LATE,
        State.NONE_YET,
        State.FLOWING,
    ]
    assert page.counts[State.LATE] == 1
    assert page.counts[State.UNREADABLE] == 0
    assert found[0].log_categories == ["AmlOnlineEndpointTrafficLog"]
    assert (found[3].log_categories, found[3].reason, found[3].age_seconds) == (None, "", None)


def test_health__filtered__has_what_matches_and_counts_all_states(workspace: Workspace) -> None:
    late, flowing = make_endpoint(workspace, "risk-late"), make_endpoint(workspace, "risk-flowing")
    make_endpoint(workspace, "photo-triage")
    seen(late.pk, State.LATE)
    seen(flowing.pk, State.FLOWING)
    page = health([workspace.pk], state="late", text="RISK")
    assert [row.name for row in page.rows] == ["risk-late"]
    assert (page.counts[State.LATE], page.counts[State.FLOWING], page.counts[State.NONE_YET]) == (1, 1, 0)


def test_health__of_other_workspaces_and_deleted_endpoints__is_not_told(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    make_endpoint(other_workspace)
    gone = make_endpoint(workspace)
    type(gone).objects.filter(pk=gone.pk).update(deleted_at=db_now())
    assert health([workspace.pk]).rows == ()
    assert health([]).rows == ()


@pytest.mark.parametrize("cursor", ["x", "1.2", "9.1.a", "1.-1.a", "1.1.\x00", "1.99999999999999999999.a"])
def test_health__from_a_place_that_no_page_gave__is_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="start at the first one"):
        health([1], cursor=cursor)


def test_health__of_a_state_that_there_is_none_of__is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="flowing"):
        health([1], state="splendid")


def test_collectors__of_a_subscription__are_seen_with_their_newest_run(workspace: Workspace) -> None:
    collector(outcome="partial", points=120, lag_seconds=90.5, truncated=["/a", "/b"], error="Azure said no.")
    collector("northeurope")
    collector("westeurope", "00000000-0000-4000-8000-000000000009")
    page = collectors([workspace.pk])
    ran, fresh = page.rows
    assert (ran.region, ran.outcome, ran.points, ran.lag_seconds) == ("westeurope", "partial", 120, 90.5)
    assert (ran.truncated, ran.unreadable, ran.error, ran.seconds) == (2, 0, "Azure said no.", 3)
    assert (fresh.outcome, fresh.age_seconds, fresh.lag_seconds, fresh.unreadable) == (None, None, None, None)
    assert page.next_after is None
    first = collectors([workspace.pk], limit=1)
    assert first.next_after == ran.id
    assert [row.id for row in collectors([workspace.pk], after=ran.id).rows] == [fresh.id]


def test_collectors__shared_with_a_workspace_that_one_may_not_see__keep_azures_words_back(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    collector(outcome="failed", error="No right on mlw-test-neu/secret-endpoint.", error_code="Forbidden")
    (row,) = collectors([workspace.pk]).rows
    assert (row.error, row.error_code) == ("", "Forbidden")
    (row,) = collectors([workspace.pk, other_workspace.pk]).rows
    assert "secret-endpoint" in (row.error or "")
    assert collectors([]).rows == ()


def test_backfills__newest_first__say_how_far_they_are(workspace: Workspace) -> None:
    now = db_now()
    made = collector()
    for cursor, more in (
        (now, {}),
        (now - 2 * HOUR, {"claimed_until": now + HOUR}),
        (now - 8 * HOUR, {"ended_at": now}),
        (now - HOUR, {"ended_at": now, "cancelled_at": now}),
    ):
        Backfill.objects.create(
            collector=made, since=now - 8 * HOUR, until=now, cursor=cursor, asked_by="user:1", asked_at=now,
            due_at=now, **more,
        )  # fmt: skip
    found = backfills([workspace.pk], limit=3)
    assert [(row.state, row.progress) for row in found.rows] == [
        ("cancelled", 0.125),
        ("done", 1),
        ("reading", 0.25),
    ]
    assert found.next_before == found.rows[-1].id
    (last,) = backfills([workspace.pk], before=found.next_before).rows
    assert (last.state, last.progress) == ("waiting", 0)
    assert backfills([make_workspace("mlw-other").pk]).rows != ()
    assert backfills([]).rows == ()
