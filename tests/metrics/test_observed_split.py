"""The observed split of an endpoint, from stored minutes and the history of its splits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint, EndpointRevision, SyncRun
from endpoints.inventory.selectors import deployments_between, split_spans
from endpoints.metrics.observed import Verdict
from endpoints.metrics.selectors import ObservedSplit, observed_split
from endpoints.metrics.services import write_hours, write_minutes
from tests.metrics.storing import hour_ago, row

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    """One with two deployments and no history yet: a reading of now would put what was before in doubt."""
    found = Endpoint.objects.create(workspace=workspace, **_mirrored("checkout-risk"))
    for name in ("blue", "green"):
        Deployment.objects.create(endpoint=found, **_mirrored(name))
    return found


def _mirrored(name: str) -> dict[str, Any]:
    long_ago = hour_ago(24 * 30)
    names = {"name": name, "name_key": name, "arm_id": name, "arm_key": name, "state_hash": ""}
    return names | {"first_seen_at": long_ago, "last_read_began": long_ago, "last_read_ended": long_ago}


def had(
    endpoint: Endpoint, since: datetime, live: dict[str, int], mirror: dict[str, int] | None = None
) -> None:
    """A split that certainly began at this minute, after the one before was last seen a minute earlier."""
    EndpointRevision.objects.create(
        endpoint=endpoint,
        earliest=since - MINUTE,
        latest=since,
        known_at=since,
        state_hash=str(since),
        state={"traffic": live, "mirror_traffic": mirror or {}},
        cause="change:1",
    )


def read_until(endpoint: Endpoint, moment: datetime) -> None:
    """A reading that found everything as it is on record."""
    SyncRun.objects.create(
        workspace_id=endpoint.workspace_id, trigger="schedule", outcome="succeeded", started_at=moment,
        ended_at=moment, reads_began=moment, reads_ended=moment, cadence_seconds=30,
    )  # fmt: skip


def ids(endpoint: Endpoint) -> dict[str, int]:
    return {one.name_key: one.pk for one in endpoint.deployments.all()}


def served(endpoint: Endpoint, begin: datetime, minutes: int, **requests: float | None) -> None:
    known = ids(endpoint)
    write_minutes(
        row(known[name], begin + n * MINUTE, requests=count, cpu_avg=1)
        for name, count in requests.items()
        for n in range(minutes)
    )


def observed(endpoint: Endpoint, begin: datetime, minutes: int) -> ObservedSplit:
    return observed_split(endpoint.pk, since=begin, until=begin + minutes * MINUTE)


@pytest.fixture
def begin(endpoint: Endpoint) -> datetime:
    """An hour in which blue has 90 and green 10, and of which nobody doubts it."""
    found = hour_ago(3)
    had(endpoint, found - HOUR, {"Blue": 90, "green": 10})
    read_until(endpoint, db_now())
    return found


def test_minutes__of_a_certain_split__are_compared_with_it(endpoint: Endpoint, begin: datetime) -> None:
    served(endpoint, begin, 60, blue=181, green=19)
    found = observed(endpoint, begin, 60)
    assert found.comparison.verdict is Verdict.SAME
    assert found.comparison.requests == 12_000
    assert (found.used_minutes, found.changing_minutes, found.unknown_minutes) == (60, 0, 0)
    assert found.ordered is not None
    assert found.ordered.traffic == {"blue": 90, "green": 10}


def test_minutes__of_which_a_deployments_requests_are_unknown__are_left_out_and_counted(
    endpoint: Endpoint, begin: datetime
) -> None:
    served(endpoint, begin, 20, blue=900, green=100)
    served(endpoint, begin + 20 * MINUTE, 10, blue=900, green=None)
    found = observed(endpoint, begin, 60)
    assert (found.used_minutes, found.unknown_minutes) == (20, 40)
    assert found.comparison.verdict is Verdict.SAME


def test_split__of_no_known_request__is_unknown(endpoint: Endpoint, begin: datetime) -> None:
    found = observed(endpoint, begin, 60)
    assert (found.comparison.verdict, found.used_minutes) == (Verdict.UNKNOWN, 0)


def test_split__changed_in_the_window__is_compared_by_its_times_and_the_change_left_out(
    endpoint: Endpoint, begin: datetime
) -> None:
    change = begin + 30 * MINUTE
    had(endpoint, change, {"blue": 50, "green": 50})
    served(endpoint, begin, 30, blue=180, green=20)
    served(endpoint, change, 30, blue=100, green=100)
    found = observed(endpoint, begin, 60)
    assert found.comparison.verdict is Verdict.SAME
    assert (found.used_minutes, found.changing_minutes) == (59, 1)
    assert found.ordered is not None
    assert found.ordered.since == change


def test_requests__that_stay_where_they_were_after_a_change__differ(
    endpoint: Endpoint, begin: datetime
) -> None:
    had(endpoint, begin + 30 * MINUTE, {"blue": 50, "green": 50})
    served(endpoint, begin, 60, blue=180, green=20)
    assert observed(endpoint, begin, 60).comparison.verdict is Verdict.DIFFERS


def test_requests__at_weight_0_and_mirrored__are_told_apart(endpoint: Endpoint, begin: datetime) -> None:
    had(endpoint, begin - 10 * MINUTE, {"blue": 100}, {"green": 20})
    served(endpoint, begin, 60, blue=100, green=20)
    found = observed(endpoint, begin, 60).comparison
    assert [(each.name, each.verdict) for each in found.mirrored] == [("green", Verdict.SAME)]
    assert found.direct == 0
    had(endpoint, begin - 5 * MINUTE, {"blue": 100})
    assert observed(endpoint, begin, 60).comparison.direct == 20 * 60


def test_minutes__after_the_last_reading__are_of_no_certain_split(endpoint: Endpoint) -> None:
    begin = hour_ago(3)
    had(endpoint, begin - HOUR, {"blue": 90, "green": 10})
    read_until(endpoint, begin + 30 * MINUTE)
    served(endpoint, begin, 60, blue=90, green=10)
    found = observed(endpoint, begin, 60)
    assert (found.used_minutes, found.changing_minutes) == (30, 30)


def test_hours__of_an_older_window__count_when_all_their_minutes_are_known(
    endpoint: Endpoint,
) -> None:
    begin = hour_ago(24 * 10)
    had(endpoint, begin - HOUR, {"blue": 90, "green": 10})
    read_until(endpoint, db_now())
    known = ids(endpoint)
    for hour, minutes in ((0, 60), (1, 59)):
        write_hours(
            row(known[name], begin + hour * HOUR + n * MINUTE, requests=count)
            for name, count in (("blue", 90), ("green", 10))
            for n in range(minutes)
        )
    found = observed_split(endpoint.pk, since=begin, until=begin + 2 * HOUR)
    assert (found.used_minutes, found.unknown_minutes) == (60, 60)
    assert found.comparison.requests == 6000


def test_spans__of_revisions_that_differ_elsewhere__are_one(endpoint: Endpoint, begin: datetime) -> None:
    had(endpoint, begin + 10 * MINUTE, {"blue": 90, "green": 10})
    (span,) = split_spans(endpoint.pk, since=begin, until=begin + HOUR)
    assert (span.since, span.until) == (begin, begin + HOUR)


def test_deployments__of_a_stretch__are_those_that_were_there(endpoint: Endpoint) -> None:
    now = db_now()
    gone = endpoint.deployments.get(name="green")
    type(gone).objects.filter(pk=gone.pk).update(
        first_seen_at=now - 5 * HOUR, azure_created_at=None, deleted_at=now - 3 * HOUR
    )
    type(gone).objects.filter(endpoint=endpoint, name="blue").update(
        first_seen_at=now - HOUR, azure_created_at=now - 4 * HOUR
    )

    def names(since: timedelta, until: timedelta) -> list[str]:
        found = deployments_between(endpoint.pk, since=now - since, until=now - until)
        return [one.name for one in found]

    assert names(6 * HOUR, 0 * HOUR) == ["blue", "green"]
    assert names(2 * HOUR, HOUR) == ["blue"]
    assert names(5 * HOUR, 4.5 * HOUR) == ["green"]
    assert names(9 * HOUR, 8 * HOUR) == []
