"""Whatever looks at changes takes those of capacity too, and says nothing of them that is not so."""

from __future__ import annotations

import pytest

from endpoints.access.models import User
from endpoints.changes.capacity_order import CapacityOrder
from endpoints.changes.gatespec import gate
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import ChangeRevision
from endpoints.changes.selectors import change_detail, change_rows
from endpoints.changes.selectors.backtest import backtests
from endpoints.changes.selectors.change_asof import change_then
from endpoints.changes.selectors.forecast import forecast_of
from endpoints.changes.selectors.parts import parts_of
from endpoints.changes.selectors.readiness import readiness_of
from endpoints.changes.selectors.releases import release_of
from endpoints.changes.selectors.waiting import waiting_ids
from endpoints.dispatch import db_now
from tests.changes.capacities import AUTOSCALE, DELETE, DELETE_ENDPOINT, SCALE, ask, begun, done, scaled
from tests.changes.desk import Desk
from tests.support.people import principal

ORDERS = [SCALE, AUTOSCALE, DELETE, DELETE_ENDPOINT]
each = pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.want)


@each
def test_capacity_change__in_review__is_shown_forecast_and_waited_for(
    desk: Desk, order: CapacityOrder
) -> None:
    number = ask(desk, order, origin="finding:7")
    reviewer = principal(desk.reviewer)
    detail = change_detail(reviewer, number)
    assert (detail.row.kind, detail.row.origin) == (Kind.CAPACITY, "finding:7")
    assert detail.quorum is not None
    assert not detail.blocking
    assert [row.id for row in change_rows(reviewer).rows] == [number]
    assert forecast_of(ChangeRevision.objects.get(change=number)) is not None
    assert number in waiting_ids(reviewer)


@each
def test_capacity_change__started_and_over__is_shown_and_kept_as_any(
    desk: Desk, order: CapacityOrder
) -> None:
    number = begun(desk, order)
    assert change_detail(principal(desk.operator), number).row.active
    done(desk, number)
    reviewer = principal(desk.reviewer)
    assert change_then(reviewer, number, db_now()).number == f"CR-{number}"
    assert release_of(reviewer, number).number == f"CR-{number}"
    assert readiness_of(desk.endpoint_id).outcome


@each
def test_capacity_change__is_no_part_of_traffics_history(desk: Desk, order: CapacityOrder) -> None:
    done(desk, begun(desk, order))
    assert parts_of([desk.endpoint_id], until=db_now()) == {}
    assert backtests(principal(desk.reviewer), [gate("errors")]).rows == ()


def test_withdrawing__is_offered_to_who_asked_and_to_nobody_else(desk: Desk, finops: User) -> None:
    number = ask(desk, by=finops)
    assert change_detail(principal(finops), number).may["capacity.create"]
    assert not change_detail(principal(desk.operator), number).may["capacity.create"]


def test_scaled__an_endpoint_is_as_ready_to_roll_back_as_before(desk: Desk) -> None:
    number = scaled(desk)
    (target,) = [
        one for one in readiness_of(desk.endpoint_id).reasons if one.name == "There is a split to go back to"
    ]
    assert f"2 instances of blue again, as before CR-{number}" in target.reason
