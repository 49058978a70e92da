"""What sources say of requests: merged into one record each, kept with who said it, and never told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.models import DirtyMinute, Prediction
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors import lookup, seen
from endpoints.challenges.services import send, take
from endpoints.core.errors import Invalid, Refused
from endpoints.inventory.models import Endpoint
from tests.challenges.recording import MINUTE, SECOND, ago, guid, said
from tests.support.people import make_endpoint, principal

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def counts(taken: object) -> tuple[int, int, int]:
    return taken.new, taken.merged, taken.same  # type: ignore[attr-defined]


def test_a_word__that_is_new__is_a_record_that_both_ids_find(endpoint: Endpoint) -> None:
    at = ago(minutes=5)
    word = said(
        endpoint.pk, at, request_id=guid(1), client_id="order-7", deployment="Blue", status=200,
        confidence=0.62, scores={"fraud": 0.62, "clean": 0.38}, high_risk=False, fingerprint=b"\x01\\\n",
    )  # fmt: skip
    assert counts(take([word], source=Source.CALLER)) == (1, 0, 0)
    for asked in (guid(1).upper(), "{" + guid(1) + "}", " order-7 "):
        (row,) = lookup(asked, workspace_ids=None).found
        assert (row.key, row.day, row.at, row.deployment) == (f"r:{guid(1)}", at.date(), at, "blue")
        assert (row.confidence, row.scores, row.high_risk) == (0.62, {"fraud": 0.62, "clean": 0.38}, False)
        assert row.fingerprint == b"\x01\\\n"
        assert (row.status, row.duration_ms, row.model_version, row.pinned) == (200, None, "", None)
        assert row.sources == (Source.CALLER,)
        assert (row.origin["confidence"], row.endpoint_name) == ("caller", "checkout-risk")
        assert row == seen(endpoint.pk, row.day, row.key)


def test_the_same_word__again__changes_nothing(endpoint: Endpoint) -> None:
    words = [said(endpoint.pk, ago(minutes=n), client_id=f"order-{n}", confidence=0.5) for n in (1, 2)]
    assert counts(take(words, source=Source.CALLER)) == (2, 0, 0)
    before = list(Prediction.objects.values().order_by("key"))
    assert counts(take(words, source=Source.CALLER)) == (0, 0, 2)
    assert list(Prediction.objects.values().order_by("key")) == before


def test_words__of_three_sources__are_one_record_in_which_the_log_counts_first(endpoint: Endpoint) -> None:
    at = ago(minutes=5)
    take(
        [said(endpoint.pk, at, request_id=guid(1), client_id="a", deployment="green", duration_ms=120.5)],
        source=Source.CALLER,
    )
    take(
        [said(endpoint.pk, at + SECOND, request_id=guid(1), model_version="triage:7", confidence=0.9)],
        source=Source.MODEL,
    )
    log = said(
        endpoint.pk, at + 2 * SECOND, request_id=guid(1), deployment="blue", duration_ms=80.0, status=200
    )
    assert counts(take([log], source=Source.LOG)) == (0, 1, 0)
    (row,) = lookup("a", workspace_ids=None).found
    assert (row.at, row.deployment, row.duration_ms) == (at + 2 * SECOND, "blue", 80.0)
    assert row.sources == (Source.LOG, Source.MODEL, Source.CALLER)
    assert (row.origin["deployment"], row.origin["model_version"], row.origin["client_id"]) == (
        "log", "model", "caller",
    )  # fmt: skip
    assert row.conflicts == {
        "deployment": {"caller": "green"},
        "duration_ms": {"caller": 120.5},
        "at": {"caller": at.isoformat(), "model": (at + SECOND).isoformat()},
    }
    assert row.key == f"r:{guid(1)}"


def test_a_request_at_midnight__said_on_both_days__is_one_record(endpoint: Endpoint) -> None:
    midnight = ago(days=1).replace(hour=0, minute=0, second=0)
    take([said(endpoint.pk, midnight - SECOND, request_id=guid(1))], source=Source.CALLER)
    taken = take([said(endpoint.pk, midnight + SECOND, request_id=guid(1))], source=Source.LOG)
    assert counts(taken) == (0, 1, 0)
    (row,) = lookup(guid(1), workspace_ids=None).found
    assert (row.at, row.day) == (midnight + SECOND, (midnight - SECOND).date())
    far = take([said(endpoint.pk, midnight - timedelta(days=3), request_id=guid(1))], source=Source.LOG)
    assert counts(far) == (1, 0, 0)


def test_a_client_id_alone__joins_only_what_it_can_mean(endpoint: Endpoint) -> None:
    at = ago(hours=1)
    take([said(endpoint.pk, at, client_id="c", confidence=0.4)], source=Source.CALLER)
    assert counts(
        take([said(endpoint.pk, at + 9 * MINUTE, request_id=guid(1), client_id="c")], source=Source.LOG)
    ) == (0, 1, 0)
    (row,) = lookup(guid(1), workspace_ids=None).found
    assert row.key.startswith("c:c@")
    assert row.confidence == 0.4
    late = said(endpoint.pk, at + 20 * MINUTE, request_id=guid(2), client_id="c")
    other = said(endpoint.pk, at, request_id=guid(3), client_id="c")
    assert counts(take([late, other], source=Source.MODEL)) == (2, 0, 0)
    assert len(lookup("c", workspace_ids=None).found) == 3
    assert counts(take([late, other], source=Source.MODEL)) == (0, 0, 2)


def test_retries__with_one_client_id__stay_apart_and_the_log_does_not_guess(endpoint: Endpoint) -> None:
    at = ago(hours=1)
    tries = [said(endpoint.pk, at + n * MINUTE, client_id="c") for n in (0, 1)]
    assert counts(take(tries, source=Source.CALLER)) == (2, 0, 0)
    log = [said(endpoint.pk, at, request_id=guid(1), client_id="c")]
    assert counts(take(log, source=Source.LOG)) == (1, 0, 0)
    assert counts(take([*tries, *tries], source=Source.CALLER)) == (0, 0, 4)
    assert len(lookup("c", workspace_ids=None).found) == 3


def test_another_endpoint__with_the_same_ids__is_another_request(
    endpoint: Endpoint, other_workspace: Workspace
) -> None:
    other = make_endpoint(other_workspace, "other")
    at = ago(minutes=5)
    words = [said(one.pk, at, request_id=guid(1), client_id="c") for one in (endpoint, other)]
    assert counts(take(words, source=Source.LOG)) == (2, 0, 0)
    (mine,) = lookup("c", workspace_ids=[endpoint.workspace_id]).found
    assert (mine.endpoint_id, mine.workspace_id) == (endpoint.pk, endpoint.workspace_id)
    assert lookup("c", workspace_ids=[]).found == ()
    assert len(lookup(guid(1), workspace_ids=None).found) == 2


def test_a_source__that_says_otherwise_later__does_not_rewrite_its_word(endpoint: Endpoint) -> None:
    at = ago(minutes=5)
    for confidence in (0.4, 0.9, 0.95):
        take(
            [said(endpoint.pk, at, request_id=guid(1), client_id="c", confidence=confidence)],
            source=Source.CALLER,
        )
    (row,) = lookup("c", workspace_ids=None).found
    assert (row.confidence, row.conflicts) == (0.4, {"confidence": {"caller later": 0.9}})


def test_a_record__as_it_was_known__has_only_what_had_come_in(endpoint: Endpoint) -> None:
    at = ago(minutes=5)
    take([said(endpoint.pk, at, client_id="c", deployment="green")], source=Source.CALLER)
    (first,) = lookup("c", workspace_ids=None).found
    take([said(endpoint.pk, at, client_id="c", confidence=0.5)], source=Source.CALLER)
    take(
        [said(endpoint.pk, at + SECOND, request_id=guid(1), client_id="c", deployment="blue")],
        source=Source.LOG,
    )
    (row,) = lookup("c", workspace_ids=None).found
    assert (row.deployment, row.confidence, row.caller_known_at) == ("blue", 0.5, first.caller_known_at)
    assert first.caller_known_at is not None
    then = row.as_known(first.caller_known_at)
    assert then == first
    assert row.as_known(first.caller_known_at - SECOND) is None
    since = row.since_when("confidence")
    assert since is not None
    assert since > first.caller_known_at
    assert row.as_known(since).confidence == 0.5  # type: ignore[union-attr]


def test_words__that_can_not_be__are_refused_by_place_and_the_others_stored(endpoint: Endpoint) -> None:
    at = ago(minutes=5)
    words = [
        said(endpoint.pk, at, client_id="good"),
        said(endpoint.pk + 99, at, client_id="c"),
        said(endpoint.pk, at),
        said(endpoint.pk, ago(days=800), client_id="c"),
        said(endpoint.pk, at + 60 * MINUTE, client_id="c"),
        said(endpoint.pk, at.replace(tzinfo=None), client_id="c"),
        said(endpoint.pk, at, client_id="c", confidence=float("nan")),
        said(endpoint.pk, at, client_id="c", scores={"a": float("inf")}),
        said(endpoint.pk, at, client_id="c", status=99_999),
        said(endpoint.pk, at, client_id="c", model_version="a\x00b"),
        said(endpoint.pk, at, client_id="also-good"),
    ]
    taken = take(words, source=Source.LOG)
    assert (taken.new, [place for place, _ in taken.refused]) == (2, list(range(1, 10)))
    assert all(reason.endswith(".") for _, reason in taken.refused)
    assert Prediction.objects.count() == 2


def test_text__with_what_copy_takes_for_its_own__is_stored_as_it_is(endpoint: Endpoint) -> None:
    odd = "a\\N\\.\\tb'\"{}%s"
    take(
        [said(endpoint.pk, ago(minutes=5), client_id="c", model_version=odd, deployment="é")],
        source=Source.LOG,
    )
    (row,) = lookup("c", workspace_ids=None).found
    assert (row.model_version, row.deployment) == (odd, "é")


def test_minutes__with_figures_that_changed__are_counted_anew(endpoint: Endpoint) -> None:
    at = ago(minutes=5).replace(second=30)
    minute = at.replace(second=0)
    take([said(endpoint.pk, at, client_id="a", deployment="blue", confidence=0.5)], source=Source.CALLER)
    take([said(endpoint.pk, at, client_id="b", deployment="blue")], source=Source.CALLER)
    take([said(endpoint.pk, at - 9 * MINUTE, client_id="d", confidence=0.5)], source=Source.CALLER)
    assert [(one.endpoint_id, one.minute) for one in DirtyMinute.objects.all()] == [(endpoint.pk, minute)]
    take([said(endpoint.pk, at - MINUTE, client_id="a", request_id=guid(1))], source=Source.LOG)
    assert [one.minute for one in DirtyMinute.objects.order_by("minute")] == [minute - MINUTE, minute]


def test_sending__by_who_may__is_in_the_ledger_once_an_hour_and_whole_or_not_at_all(
    endpoint: Endpoint, requester: User, supervisor: User
) -> None:
    item = {"at": ago(minutes=5).isoformat(), "client_id": "a"}
    for _ in range(2):
        send(principal=principal(requester), endpoint_id=endpoint.pk, items=[item])
    entry = Entry.objects.get(action="predictions.sent")
    assert (entry.endpoint, entry.after) == (f"endpoint:{endpoint.pk}", {"source": "caller", "records": 1})
    with pytest.raises(Refused):
        send(principal=principal(supervisor), endpoint_id=endpoint.pk, items=[item])
    with pytest.raises(Invalid, match="itself"):
        send(principal=principal(requester), endpoint_id=endpoint.pk, items=[item], source=Source.LOG)
    future = {"at": ago(minutes=-60).isoformat(), "client_id": "b"}
    with pytest.raises(Invalid) as caught:
        send(principal=principal(requester), endpoint_id=endpoint.pk, items=[item, future])
    assert list(caught.value.fields) == ["records.1.at"]
    with pytest.raises(Invalid, match="1 to 5,000"):
        send(principal=principal(requester), endpoint_id=endpoint.pk, items=[])
    assert Prediction.objects.count() == 1
