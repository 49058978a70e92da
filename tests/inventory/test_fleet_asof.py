"""The fleet and one endpoint at a moment: certain, one of two, unknown with the reason, known then and now."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import Workspace
from endpoints.core.errors import Invalid, NotFound
from endpoints.inventory.selectors import FleetThen, endpoint_page_as_of, fleet_as_of
from endpoints.inventory.timeline import Certainty, Gap
from tests.inventory.past import began, deployment_of_then, endpoint_of_then, read_all
from tests.inventory.support import at, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def told(page: FleetThen) -> list[tuple[str, str, list[Any]]]:
    return [
        (row.name, str(row.then.certainty), [one.state["traffic"] for one in row.then.states])
        for row in page.rows
    ]


def test_fleet_then__states_of_all_kinds__each_with_its_certainty(workspace: Workspace) -> None:
    sure, switching, wild = (
        endpoint_of_then(workspace, name) for name in ("a-sure", "b-switching", "c-wild")
    )
    began(sure, None, 10)
    began(switching, None, 10)
    began(switching, 40, 70, traffic={"green": 100})
    began(wild, None, 10)
    began(wild, 40, 70, traffic={"green": 100})
    began(wild, 45, 75, traffic={"red": 100})
    read_all(workspace, 100, 101)

    page = fleet_as_of([workspace.pk], at(50))

    assert told(page) == [
        ("a-sure", "certain", [{"blue": 100}]),
        ("b-switching", "one of two", [{"blue": 100}, {"green": 100}]),
        ("c-wild", "unknown", []),
    ]
    assert page.rows[2].then.why is not None
    assert page.rows[2].then.why.gap is Gap.SEVERAL


@pytest.mark.parametrize(
    ("moment", "gap", "of"),
    [(5, Gap.READ_LATER, 10), (150, Gap.NOT_READ_AFTER, 100)],
    ids=["before the first reading", "after the last"],
)
def test_fleet_then__outside_of_all_readings__is_unknown_and_says_why(
    workspace: Workspace, moment: float, gap: Gap, of: float
) -> None:
    began(endpoint_of_then(workspace), None, 10)
    read_all(workspace, 100, 101)

    why = fleet_as_of([workspace.pk], at(moment)).rows[0].then.why

    assert why is not None
    assert (why.gap, why.moment) == (gap, at(of))


def test_fleet_then__made_later_or_found_gone_before__is_not_listed(workspace: Workspace) -> None:
    endpoint_of_then(workspace, "later", created=60)
    gone = endpoint_of_then(workspace, "gone")
    began(gone, None, 10)
    began(gone, 20, 30, deleted=True)
    type(gone).objects.filter(pk=gone.pk).update(deleted_at=at(30))
    read_all(workspace, 100, 101)

    assert fleet_as_of([workspace.pk], at(50)).rows == ()
    assert told(fleet_as_of([workspace.pk], at(15))) == [("gone", "certain", [{"blue": 100}])]


def test_fleet_then__as_known_before_a_late_reading__stands_beside_what_is_known_now(
    workspace: Workspace,
) -> None:
    endpoint = endpoint_of_then(workspace)
    began(endpoint, None, 10)
    began(endpoint, 40, 45, known=500, traffic={"green": 100})
    read_all(workspace, 60, 61)
    read_all(workspace, 600, 601)

    row = fleet_as_of([workspace.pk], at(50), known=at(100)).rows[0]

    assert row.then.states[0].state["traffic"] == {"blue": 100}
    assert row.now_known.states[0].state["traffic"] == {"green": 100}
    assert row.corrected
    assert not fleet_as_of([workspace.pk], at(50), known=at(700)).rows[0].corrected


def test_fleet_then__a_run_that_could_not_read_it__bears_nothing_out(workspace: Workspace) -> None:
    endpoint, other = endpoint_of_then(workspace, "hidden"), endpoint_of_then(workspace, "seen")
    began(endpoint, None, 10)
    began(other, None, 10)
    read_all(workspace, 20, 21)
    read_all(workspace, 60, 61, endpoint.arm_id)

    page = fleet_as_of([workspace.pk], at(50), known=at(100))

    assert [row.then.certainty for row in page.rows] == [Certainty.UNKNOWN, Certainty.CERTAIN]
    why = page.rows[0].then.why
    assert why is not None
    assert (why.gap, why.moment) == (Gap.NOT_READ_AFTER, at(20))


def test_fleet_then__nothing_on_record_by_then__was_not_known(workspace: Workspace) -> None:
    began(endpoint_of_then(workspace), None, 300)

    row = fleet_as_of([workspace.pk], at(50), known=at(100)).rows[0]

    assert row.then.why is not None
    assert (row.then.why.gap, row.corrected) == (Gap.NOT_KNOWN, False)


def test_fleet_then__by_pages__has_each_once_and_takes_as_many_queries_whatever_their_number(
    workspace: Workspace,
) -> None:
    for number in range(7):
        endpoint = endpoint_of_then(workspace, f"endpoint-{number}")
        began(endpoint, None, 10)
        began(deployment_of_then(endpoint), None, 10)
    read_all(workspace, 100, 101)
    names: list[str] = []
    cursor, counts = "", []
    while True:
        with CaptureQueriesContext(connection) as queries:
            page = fleet_as_of([workspace.pk], at(50), known=at(200), cursor=cursor, limit=3)
        counts.append(len(queries))
        names += [row.name for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break

    assert names == [f"endpoint-{number}" for number in range(7)]
    assert len(set(counts)) == 1
    assert counts[0] <= 20
    assert [one.name for one in page.rows[0].deployments] == ["blue"]


def test_fleet_then__filtered__by_name_and_says_what_can_not_be_asked(workspace: Workspace) -> None:
    for name in ("checkout-risk", "photo-triage"):
        began(endpoint_of_then(workspace, name), None, 10)

    page = fleet_as_of([workspace.pk], at(5), text="photo sku:NC4")

    assert [row.name for row in page.rows] == ["photo-triage"]
    assert page.problems == ("sku: can't be asked of the past; there are ws, env and names.",)


def test_fleet_then__with_a_cursor_that_no_page_gave__is_invalid(workspace: Workspace) -> None:
    with pytest.raises(Invalid):
        fleet_as_of([workspace.pk], at(5), cursor="nonsense")


def test_page_then__of_a_name_that_two_endpoints_had__is_the_one_of_that_time(workspace: Workspace) -> None:
    old = endpoint_of_then(workspace)
    type(old).objects.filter(pk=old.pk).update(deleted_at=at(40))
    began(old, None, 10)
    began(old, 30, 40, deleted=True)
    new = endpoint_of_then(workspace, created=60, first=70)
    began(new, None, 70, traffic={"green": 100})
    read_all(workspace, 100, 101)

    page = endpoint_page_as_of(workspace.pk, "Checkout-Risk", at(20))
    between = endpoint_page_as_of(workspace.pk, "checkout-risk", at(50))
    after = endpoint_page_as_of(workspace.pk, "checkout-risk", at(80))

    assert (page.id, between.id, after.id) == (old.pk, old.pk, new.pk)
    assert between.then.is_gone
    assert after.then.states[0].state["traffic"] == {"green": 100}


def test_page_then__before_azure_made_it__was_not_there(workspace: Workspace) -> None:
    began(endpoint_of_then(workspace, created=0), None, 10)

    then = endpoint_page_as_of(workspace.pk, "checkout-risk", at(-50)).then

    assert then.is_gone
    assert then.why is not None
    assert (then.why.gap, then.why.moment) == (Gap.NOT_CREATED, at(0))


def test_page_then__deployments__has_those_that_may_have_been_there_and_counts_the_others(
    workspace: Workspace,
) -> None:
    endpoint = endpoint_of_then(workspace)
    began(endpoint, None, 10)
    began(deployment_of_then(endpoint, "blue"), None, 10)
    deployment_of_then(endpoint, "later", created=70, first=80)
    read_all(workspace, 100, 101)

    page = endpoint_page_as_of(workspace.pk, "checkout-risk", at(50))

    assert [one.name for one in page.deployments] == ["blue"]
    assert page.others == 1
    assert page.deployments[0].then.states[0].state["instance_count"] == 2


def test_page_then__of_a_name_that_never_was__is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        endpoint_page_as_of(workspace.pk, "no-such", at(5))
