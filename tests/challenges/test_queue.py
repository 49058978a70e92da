"""The queue: whose turn it is, in which order, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.access.models import User, Workspace
from endpoints.challenges import services
from endpoints.challenges.models import Case
from endpoints.challenges.selectors.queue import QueueFilters, Tab, due_count, queue, waiting_count
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import decide, endpoint, grown_older, raised, record, second, two_people
from tests.support.people import make_endpoint, principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


def ids(user: User, tab: Tab, **more: object) -> list[int]:
    return [row.id for row in queue(principal(user), tab=tab, **more).rows]  # type: ignore[arg-type]


@pytest.fixture
def cases(supervisor: User, endpoint: Endpoint) -> list[Case]:
    """Five open cases; the later ones are the older ones."""
    made = []
    for number in range(5):
        case = raised(supervisor, endpoint, record(endpoint, number))
        grown_older(case, timedelta(hours=2 * number))
        made.append(case)
    return made


def test_queue__of_open_cases__is_by_when_they_press_page_by_page(
    supervisor: User, cases: list[Case]
) -> None:
    wanted = [case.pk for case in reversed(cases)]
    found: list[int] = []
    after: int | None = None
    for _ in range(3):
        page = queue(principal(supervisor), tab=Tab.OPEN, after=after, limit=2)
        found += [row.id for row in page.rows]
        after = page.next
    assert (found, after) == (wanted, None)


def test_queue__of_due_cases__has_those_of_which_four_fifths_are_over(
    supervisor: User, cases: list[Case]
) -> None:
    assert ids(supervisor, Tab.DUE) == [cases[4].pk]  # 8 h of 8 h; 6 h are 75 %
    assert due_count(principal(supervisor)) == 1
    decide(supervisor, cases[4])
    assert ids(supervisor, Tab.DUE) == []
    assert ids(supervisor, Tab.CLOSED) == [cases[4].pk]


def test_queue__of_mine__has_what_is_assigned_to_me_and_what_i_may_confirm(
    supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = raised(supervisor, endpoint, record(endpoint))
    assert (waiting_count(principal(supervisor)), waiting_count(principal(second))) == (0, 0)
    services.assign(principal=principal(supervisor), case_id=case.pk, user_id=supervisor.pk)
    assert (waiting_count(principal(supervisor)), waiting_count(principal(second))) == (1, 0)
    decide(supervisor, case)
    assert (waiting_count(principal(supervisor)), waiting_count(principal(second))) == (0, 1)
    assert (ids(supervisor, Tab.MINE), ids(second, Tab.MINE)) == ([], [case.pk])


def test_queue__for_people_of_other_workspaces_or_without_the_power__is_empty(
    cases: list[Case], reviewer: User, finops: User, outsider: User, admin: User
) -> None:
    assert len(ids(reviewer, Tab.ALL)) == 5
    assert waiting_count(principal(reviewer)) == 0
    for nobody in (finops, outsider, admin):
        assert [ids(nobody, tab) for tab in Tab] == [[], [], [], [], []]


def test_queue__filtered__holds_what_all_filters_say(
    supervisor: User, endpoint: Endpoint, workspace: Workspace
) -> None:
    other = make_endpoint(workspace, "fraud-score")
    one = raised(supervisor, endpoint, record(endpoint, 1), reference="F-1")
    two = raised(supervisor, other, record(other, 2), reference="F-2")
    assert ids(supervisor, Tab.ALL, filters=QueueFilters(reference="F-1")) == [one.pk]
    assert ids(supervisor, Tab.ALL, filters=QueueFilters(endpoint_id=other.pk)) == [two.pk]
    assert ids(supervisor, Tab.ALL, filters=QueueFilters(endpoint_id=other.pk, reference="F-1")) == []
    assert one.model
    assert set(ids(supervisor, Tab.ALL, filters=QueueFilters(model=one.model))) == {one.pk, two.pk}


def test_queue__after_a_case_that_never_was__is_empty(supervisor: User, cases: list[Case]) -> None:
    assert ids(supervisor, Tab.OPEN, after=10**9) == []


def test_queue__of_cases_without_a_clock__has_them_last(
    supervisor: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    clocked = raised(supervisor, endpoint, record(endpoint, 1))
    two_people(admin, workspace)
    timeless = raised(supervisor, endpoint, record(endpoint, 2))
    assert timeless.next_due_at is None
    assert ids(supervisor, Tab.OPEN) == [clocked.pk, timeless.pk]
    assert ids(supervisor, Tab.OPEN, after=clocked.pk) == [timeless.pk]
