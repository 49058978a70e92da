"""Lists of findings: their order, their pages, and sums that are the sums of their rows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from endpoints.access.models import Workspace
from endpoints.capacity.models import LeftAlone, Looked
from endpoints.capacity.selectors.findings import (
    Query,
    counts,
    finding,
    findings,
    left_alone,
    looked,
)
from endpoints.core.errors import Invalid, NotFound
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from tests.capacity.found import found, told
from tests.capacity.test_roll_up import deployed
from tests.inventory.support import make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Workspace:
    return make_workspace("mlw-prod-weu")


def usd(amount: int) -> Money:
    return Money(Decimal(amount), "USD")


def test_page__of_findings__has_the_highest_saving_first_and_what_has_no_price_last(place: Workspace) -> None:
    for name, high in (
        ("a", usd(5)),
        ("b", None),
        ("c", usd(90)),
        ("d", usd(5)),
        ("e", Money(Decimal(7), "EUR")),
    ):
        found(deployed(place, name), high=high)
    rows, cursor = [], ""
    while True:
        page = findings(Query([place.pk]), cursor=cursor, limit=2)
        assert (page.count, page.unpriced, page.sums) == (5, 1, {"USD": Decimal(100), "EUR": Decimal(7)})
        rows += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
    assert [row.deployment for row in rows] == ["c", "e", "a", "d", "b"]
    by_hand: Counter[str] = Counter()
    for row in rows:
        if row.high:
            by_hand[row.high.currency] += row.high.amount  # type: ignore[assignment]
    assert by_hand == page.sums


def test_page__with_a_filter__has_what_matches_alone(place: Workspace) -> None:
    one = found(deployed(place, "blue"), kind="delete")
    found(deployed(place, "green"), state="claimed")
    found(deployed(place, "old"), state="gone", high=usd(5), ended_at=db_now())
    assert [row.id for row in findings(Query([place.pk], kinds=("delete",))).rows] == [one.pk]
    assert [row.deployment for row in findings(Query([place.pk], states=("claimed",))).rows] == ["green"]
    assert findings(Query([place.pk], text="LU")).count == 1
    assert findings(Query([place.pk], owner="risk@example.org", team="risk")).count == 3
    assert findings(Query([place.pk], team="fraud")).count == 0
    assert findings(Query([place.pk], endpoint_id=one.endpoint_id)).count == 1
    assert findings(Query([])).rows == ()
    assert findings(Query([place.pk])).sums == {}
    assert counts([place.pk]) == {"delete": 1, "waiting": 1}


@pytest.mark.parametrize("cursor", ["x", "1", "1.x", "-9.1", f"{2**63}.1"])
def test_page__from_a_place_that_no_page_gave__is_refused(place: Workspace, cursor: str) -> None:
    with pytest.raises(Invalid):
        findings(Query([place.pk]), cursor=cursor)


def test_finding__on_its_own__tells_all_that_was_stored(place: Workspace) -> None:
    advice = told(high=usd(5), low=usd(4), others=(("resize", usd(3)), ("batch", None)))
    row = found(deployed(place), high=usd(5), advice=advice)
    LeftAlone.objects.create(
        deployment_id=row.deployment_id, endpoint_id=row.endpoint_id, workspace_id=place.pk, reasons=["CH-3 needs it."],
        kind="shrink", seen_at=db_now(),
    )  # fmt: skip
    detail = finding([place.pk], row.pk)
    assert (detail.row.number, detail.row.told, detail.row.team) == (f"SV-{row.pk}", advice, "risk")
    assert detail.kept_alone == ("CH-3 needs it.",)
    with pytest.raises(NotFound):
        finding([], row.pk)


def test_left_alone__by_pages__names_each_once(place: Workspace) -> None:
    for number, name in enumerate(("a", "b", "c")):
        row = deployed(place, name)
        LeftAlone.objects.create(
            deployment_id=row.pk, endpoint_id=row.endpoint_id, workspace_id=place.pk, reasons=["CH-3 still needs it."],
            kind="delete", currency="USD", high_nanos=number * 10**9 if number else None, seen_at=db_now(),
        )  # fmt: skip
    first = left_alone([place.pk], limit=2)
    then = left_alone([place.pk], cursor=first.next_cursor, limit=2)
    assert [row.deployment for row in (*first.rows, *then.rows)] == ["c", "b", "a"]
    assert (first.count, first.rows[0].high, then.rows[0].high, then.next_cursor) == (3, usd(2), None, "")


def test_looked__of_a_workspace__says_when_and_over_how_many(place: Workspace) -> None:
    Looked.objects.create(workspace_id=place.pk, at=db_now(), deployments=4, seconds=0.2)
    (row,) = looked([place.pk])
    assert (row.workspace_id, row.deployments, row.failed) == (place.pk, 4, "")
