"""Rollback drills: asked for and reviewed as any change, rolled back by the portal, measured."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from endpoints.changes import services
from endpoints.changes.models import Change, ChangeRevision, Drill, Lease
from endpoints.changes.selectors import drill_of, drill_report, readiness_of
from endpoints.changes.services.drills import finish_drills, observe_drills
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.services import write_minutes
from tests.changes.desk import ALL_BLUE, ALL_GREEN, ledger
from tests.metrics.storing import row
from tests.support.people import make_endpoint, make_person, principal

SHIFTED = {"blue": 95, "green": 5}


def order(desk, **more):
    return services.order_drill(
        **{
            "principal": principal(desk.operator),
            "endpoint_id": desk.endpoint_id,
            "deployment": "green",
            "weight": 5,
            "reason": "the quarter's drill",
        }
        | more
    )


def shifted(desk):
    """A drill whose shift came off."""
    number = order(desk)
    desk.approve(number)
    other = principal(make_person("olga", {desk.workspace.slug: ["operator"]}))
    desk.start(number, by=other)
    desk.azure_shows(SHIFTED)
    desk.finish(number, "succeeded")
    Lease.objects.update(goal=None)
    return number


def rolled_back(desk):
    """And whose rollback was confirmed."""
    number = shifted(desk)
    assert finish_drills() == 1
    rollback = Drill.objects.get(pk=number).rollback
    Change.objects.filter(pk=rollback.pk).update(confirmed_at=rollback.started_at + timedelta(seconds=20))
    desk.azure_shows(ALL_BLUE)
    desk.finish(rollback.pk, "succeeded")
    return number


def minutes_of_blue(desk, since):
    """From then on every request goes to blue."""
    begin = since.astimezone(UTC).replace(second=0, microsecond=0)
    ids = dict(Deployment.objects.filter(endpoint=desk.endpoint_id).values_list("name_key", "pk"))
    write_minutes(
        row(ids[name], begin + timedelta(minutes=each), requests=count)
        for name, count in (("blue", 100), ("green", 0))
        for each in range(10)
    )


def test_order__a_small_shift__is_a_change_of_its_own_kind_that_waits_for_review(desk):
    number = order(desk)
    change, revision = desk.change(number), ChangeRevision.objects.get(change_id=number)
    assert (change.kind, change.state) == ("drill", "in_review")
    assert [step["split"] for step in revision.plan] == [SHIFTED]
    assert revision.plan[0]["bake"] == 120
    assert ledger(number)[0] == "change.requested.drill"
    with pytest.raises(Refused):
        desk.approve(number, by=principal(desk.operator))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"weight": 0}, "weight"),
        ({"weight": 21}, "weight"),
        ({"bake": -1}, "bake"),
        ({"deployment": "red"}, "deployment"),
        ({"deployment": "blue"}, "deployment"),
        ({"reason": " "}, "reason"),
    ],
)
def test_order__what_is_no_small_shift__is_refused_and_nothing_is_stored(desk, wrong, field):
    with pytest.raises(Invalid) as error:
        order(desk, **wrong)
    assert list(error.value.fields) == [field]
    assert not Change.objects.exists()


def test_order__of_an_endpoint_with_one_deployment__says_not_drillable(desk, workspace):
    lone = make_endpoint(workspace, "lone", deployments=("blue",)).pk
    with pytest.raises(Conflict, match="Not drillable"):
        order(desk, endpoint_id=lone)


def test_order__by_somebody_without_the_role__is_refused(desk):
    with pytest.raises(Refused):
        order(desk, principal=principal(desk.requester))
    with pytest.raises(NotFound):
        order(desk, principal=principal(make_person("olga")))


def test_order__twice_with_one_key__is_one_drill(desk):
    assert order(desk, idempotency_key="k") == order(desk, idempotency_key="k")
    with pytest.raises(Conflict):
        order(desk, idempotency_key="k", weight=6)


def test_finish__a_shift_that_came_off__is_rolled_back_by_the_portal_in_the_starters_name(desk):
    number = shifted(desk)
    assert finish_drills() == 1
    rollback = Drill.objects.get(pk=number).rollback
    assert (rollback.kind, rollback.state, rollback.cause) == ("rollback", "applying", "drill")
    assert (rollback.author_id, rollback.started_by_id) == (None, desk.change(number).started_by_id)
    assert rollback.reverts_id == number
    assert ChangeRevision.objects.get(change=rollback).plan[0]["split"] == ALL_BLUE
    assert finish_drills() == 0
    assert Lease.objects.get(endpoint=desk.endpoint_id).goal_id == rollback.pk


def test_finish__before_the_shift_is_over__orders_nothing(desk):
    number = order(desk)
    desk.approve(number)
    assert finish_drills() == 0
    assert observe_drills() == 0
    assert drill_of(number).outcome is None


def test_finish__while_somebody_else_is_at_work__fails_and_says_so(desk):
    number = shifted(desk)
    other = desk.started(ALL_GREEN)
    assert finish_drills() == 0
    found = drill_of(number)
    assert found.outcome is Outcome.FAIL
    assert f"CR-{other} is at work" in found.reason


def test_finish__somebody_put_it_back_before__fails_and_says_so(desk):
    number = shifted(desk)
    desk.azure_shows(ALL_BLUE)
    assert finish_drills() == 0
    assert "already" in drill_of(number).reason
    assert ledger(number)[-1] == "drill.ended"


def test_observe__a_rollback_that_was_confirmed__waits_for_metrics_and_then_tells_all_times(desk):
    number = rolled_back(desk)
    assert observe_drills() == 0
    assert (drill_of(number).seconds, drill_of(number).outcome) == (20.0, None)
    then = db_now() - timedelta(minutes=30)
    Drill.objects.update(ordered_at=then)
    minutes_of_blue(desk, then + timedelta(minutes=2))
    assert observe_drills() == 1
    found = drill_of(number)
    assert found.outcome is Outcome.PASS
    assert 60 <= found.observed_seconds <= 180
    light = readiness_of(desk.endpoint_id)
    assert (light.rollbacks, light.seconds, light.last_drill) == (1, 20.0, found.ordered_at)
    assert light.observed_seconds == found.observed_seconds


def test_observe__metrics_that_never_came__passes_and_says_that_this_is_not_known(desk):
    number = rolled_back(desk)
    Drill.objects.update(ordered_at=db_now() - timedelta(hours=2, minutes=1))
    assert observe_drills() == 1
    found = drill_of(number)
    assert (found.outcome, found.observed_seconds) == (Outcome.PASS, None)
    assert "not known" in found.reason


@pytest.mark.parametrize(
    ("state", "outcome"), [("drifted", "fail"), ("failed", "fail"), ("superseded", "inconclusive")]
)
def test_observe__a_shift_that_did_not_come_off__is_said(desk, state, outcome):
    number = order(desk)
    desk.start(desk.approve(number))
    desk.finish(number, state) if state != "drifted" else Change.objects.update(state=state)
    assert observe_drills() == 1
    assert (drill_of(number).outcome, bool(drill_of(number).reason)) == (Outcome(outcome), True)


@pytest.mark.parametrize("state", ["failed", "drifted", "superseded"])
def test_observe__a_rollback_that_did_not_come_off__fails_the_drill(desk, state):
    number = shifted(desk)
    finish_drills()
    rollback = Drill.objects.get(pk=number).rollback_id
    ended = None if state == "drifted" else db_now()
    Change.objects.filter(pk=rollback).update(state=state, ended_at=ended)
    assert observe_drills() == 1
    assert drill_of(number).outcome is Outcome.FAIL
    light = readiness_of(desk.endpoint_id)
    assert any("did not come off" in verdict.reason for verdict in light.reasons)


def test_observe__a_drill_that_was_withdrawn__says_nothing_of_the_endpoint(desk):
    number = order(desk)
    desk.withdraw(number, by=principal(desk.operator))
    assert observe_drills() == 1
    assert drill_of(number).outcome is Outcome.INCONCLUSIVE
    assert readiness_of(desk.endpoint_id).last_drill is None


def test_drill_of__a_change_that_is_none__is_none(desk):
    assert drill_of(desk.request()) is None


def test_report__newest_first__pages(desk):
    numbers = []
    for _ in range(3):
        numbers.append(order(desk))
        desk.withdraw(numbers[-1], by=principal(desk.operator))
    first = drill_report(desk.endpoint_id, limit=2)
    rest = drill_report(desk.endpoint_id, limit=2, before=first.next_before)
    assert [one.change_id for one in (*first.rows, *rest.rows)] == numbers[::-1]
    assert rest.next_before is None
