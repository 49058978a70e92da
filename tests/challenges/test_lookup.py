"""Records are found by whatever somebody has of a request, the nearest or the newest first, through indexes alone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.challenges import services
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors import lookup, seen
from endpoints.challenges.selectors.lookup import MOST_FOUND
from endpoints.core.errors import NotFound
from endpoints.core.ids import split_ref
from endpoints.inventory.models import Endpoint
from tests.challenges.recording import MINUTE, ago, guid, said
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


def stored(endpoint: Endpoint, *numbers: int, client_id: str = "c") -> None:
    words = [
        said(endpoint.pk, ago(days=2) + number * MINUTE, request_id=guid(number), client_id=client_id)
        for number in numbers
    ]
    assert services.take(words, source=Source.LOG).new == len(numbers)


def test_lookup__of_an_id_that_was_used_again__gives_the_newest_or_the_nearest_first(
    endpoint: Endpoint,
) -> None:
    stored(endpoint, 1, 30, 60)
    newest = lookup("c", workspace_ids=None)
    assert [row.request_id for row in newest.found] == [guid(60), guid(30), guid(1)]
    near = lookup("c", workspace_ids=None, near=ago(days=2) + 35 * MINUTE)
    assert [row.request_id for row in near.found] == [guid(30), guid(60), guid(1)]
    assert (near.client_id, near.request_id, near.is_cut) == ("c", "", False)


def test_lookup__of_an_id_for_everything__is_cut_around_the_time_and_says_so(endpoint: Endpoint) -> None:
    stored(endpoint, *range(1, MOST_FOUND + 30))
    found = lookup("c", workspace_ids=None, near=ago(days=2) + 5 * MINUTE)
    assert (len(found.found), found.is_cut) == (MOST_FOUND, True)
    assert found.found[0].request_id == guid(5)
    assert {guid(1), guid(MOST_FOUND)} <= {row.request_id for row in found.found}


@pytest.mark.parametrize("asked", ["", " ", "x" * 301, "\x00", "…", "\U0001f600", "{}"])
def test_lookup__of_what_is_no_id__finds_nothing(endpoint: Endpoint, asked: str) -> None:
    stored(endpoint, 1)
    assert lookup(asked, workspace_ids=None).found == ()


def test_lookup__asks_one_query_and_only_indexes(endpoint: Endpoint) -> None:
    stored(endpoint, 1)
    near = ago(days=1)
    with CaptureQueriesContext(connection) as asked:
        lookup(guid(1), workspace_ids=[endpoint.workspace_id], near=near)
    assert len(asked) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on challenges" not in plan
    assert "challenges_prediction_pkey" not in plan


def test_seen__of_an_address__is_the_record_or_not_found(endpoint: Endpoint) -> None:
    stored(endpoint, 1)
    (row,) = lookup(guid(1), workspace_ids=None).found
    assert seen(endpoint.pk, row.day, row.key) == row
    assert split_ref(row.ref)[0] == "prediction"
    with pytest.raises(NotFound, match="no such record"):
        seen(endpoint.pk, row.day, "r:none")


def test_refs__of_long_and_odd_keys__are_references_and_differ(endpoint: Endpoint) -> None:
    words = [said(endpoint.pk, ago(minutes=5), client_id=letter * 40) for letter in "ab_"]
    services.take(words, source=Source.LOG)
    refs = {lookup(letter * 40, workspace_ids=None).found[0].ref for letter in "ab_"}
    assert len(refs) == 3
    assert all(split_ref(ref) for ref in refs)
