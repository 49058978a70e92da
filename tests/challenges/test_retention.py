"""Records go by whole months, and what a case or a hold needs was copied first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from endpoints.access.models import Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.lifecycle import State
from endpoints.challenges.models import Case, KeptPrediction, LegalHold, Prediction
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors import lookup, seen
from endpoints.challenges.services import take
from endpoints.challenges.services.retention import Dropped, drop_old, make_ahead
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.challenges.recording import guid, said
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


@pytest.fixture
def old() -> datetime:
    """Noon of a day whose month is past retention by now, and was not when its records came."""
    return (db_now().astimezone(UTC) - 500 * DAY).replace(day=9, hour=12, minute=0, second=0, microsecond=0)


def stored(endpoint: Endpoint, at: datetime, monkeypatch: pytest.MonkeyPatch, **ids: str) -> None:
    with monkeypatch.context() as patch:
        config = settings.OPSPORTAL.model_copy(update={"prediction_days": 3700})
        patch.setattr(settings, "OPSPORTAL", config)
        assert take([said(endpoint.pk, at, deployment="blue", **ids)], source=Source.LOG).new == 1


def case(endpoint: Endpoint, **fields: Any) -> Case:
    return Case.objects.create(
        workspace_id=endpoint.workspace_id, endpoint=endpoint, state=State.OPEN, via="api",
        raised_by="user:1", raised_at=db_now(), **fields,
    )  # fmt: skip


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'challenges_prediction'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def test_partitions__made_ahead__hold_this_month_and_the_next() -> None:
    make_ahead()
    make_ahead()
    today = db_now().astimezone(UTC).date()
    after = (today.replace(day=1) + 31 * DAY).replace(day=1)
    assert {f"challenges_prediction_{month:%Y%m}" for month in (today, after)} <= partitions()


def test_a_month__past_retention__goes_with_what_nobody_needs(
    endpoint: Endpoint, old: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(endpoint, old, monkeypatch, client_id="a")
    stored(endpoint, db_now(), monkeypatch, client_id="b")
    found = drop_old()
    assert found == Dropped((old.date().replace(day=1),), records=1)
    assert f"challenges_prediction_{old:%Y%m}" not in partitions()
    assert [row.client_id for row in Prediction.objects.all()] == ["b"]
    entry = Entry.objects.get(action="predictions.dropped")
    assert (entry.actor, entry.subject, entry.after) == (
        "system:challenges", f"month:{old:%Y-%m}", {"records": 1, "kept": 0},
    )  # fmt: skip
    assert drop_old() == Dropped()


def test_records__that_a_case_or_a_hold_needs__outlive_their_month_and_are_found(
    endpoint: Endpoint, other_workspace: Workspace, old: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_endpoint(other_workspace)
    for number, name in enumerate(("chosen", "asked", "held", "gone"), 1):
        stored(endpoint, old + number * DAY, monkeypatch, client_id=name, request_id=guid(number))
    stored(other, old, monkeypatch, client_id="asked")
    case(endpoint, day=(old + DAY).date(), key=f"r:{guid(1)}")
    case(endpoint, asked_id=" " + guid(2).upper())
    since = old + 3 * DAY
    hold = LegalHold.objects.create(
        endpoint=endpoint, since=since, until=since, cause="authority", reason="Asked by the court.",
        asked_by="user:1", asked_at=db_now(),
    )  # fmt: skip
    found = drop_old()
    assert (found.records, found.kept, found.released) == (2, 3, 0)
    assert sorted(row.client_id for row in KeptPrediction.objects.all()) == ["asked", "chosen", "held"]
    (row,) = lookup("chosen", workspace_ids=None).found
    assert (row.deployment, row.origin["deployment"]) == ("blue", "log")
    assert seen(endpoint.pk, row.day, row.key) == row
    hold.ended_at, hold.ended_by = db_now(), "user:1"
    hold.save()
    assert drop_old() == Dropped(released=1)
    assert lookup("held", workspace_ids=None).found == ()
    assert Entry.objects.get(action="predictions.released").after == {"records": 1}


def test_a_month__that_retention_still_covers__stays(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = (db_now() - settings.OPSPORTAL.prediction_days * DAY).date().replace(day=1)
    first = datetime.combine(oldest, datetime.min.time(), tzinfo=UTC)
    stored(endpoint, first, monkeypatch, client_id="first")
    assert drop_old() == Dropped()
    assert Prediction.objects.count() == 1
    late = take([said(endpoint.pk, first - timedelta(seconds=1), client_id="x")], source=Source.LOG)
    assert [place for place, _ in late.refused] == [0]


def test_a_month__that_is_young__is_not_dropped_whoever_asks() -> None:
    today: date = db_now().astimezone(UTC).date()
    with pytest.raises(Exception, match="too young"), connection.cursor() as cursor:
        cursor.execute("SELECT challenges_drop_partition(%s)", [today])
