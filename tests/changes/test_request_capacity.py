"""Asking for other capacity: what is written down, who may, and what is refused with nothing stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.capacity_order import CapacityOrder
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import steps_from_json
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.changes.capacities import DELETE, SCALE, ask
from tests.changes.desk import HALF, Desk, history, ledger, rows
from tests.support.people import make_person, principal


def test_capacity__asked_for_by_finops__is_written_down_checked_and_told(desk: Desk, finops: User) -> None:
    number = ask(desk, by=finops, origin="finding:7")
    change = desk.change(number)
    assert (change.kind, change.origin, change.author_id) == (Kind.CAPACITY, "finding:7", finops.pk)
    assert history(number) == ["checking", change.state]
    assert ledger(number)[0] == "change.requested.capacity"
    entry = Entry.objects.filter(subject=f"change:{number}").order_by("seq")[0]
    assert entry.after["origin"] == "finding:7"
    (step,) = steps_from_json(ChangeRevision.objects.get(change=number).plan)
    assert (step.verb, step.deployment, step.instances, step.was) == ("patch_capacity", "blue", 4, 2)


def test_capacity__asked_for_by_a_reviewer__is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        ask(desk, by=desk.reviewer)
    assert not Change.objects.exists()


def test_capacity__of_an_endpoint_not_seen__is_not_found(desk: Desk, outsider: User) -> None:
    with pytest.raises(NotFound):
        ask(desk, by=outsider)


def test_capacity__twice_with_one_key__is_one_change_even_when_instances_moved(desk: Desk) -> None:
    first = ask(desk, idempotency_key="k1")
    desk.azure_shows(
        {"blue": 100}, deployments={"blue": {"sku": {"name": "Default", "capacity": 3}}, "green": {}}
    )
    assert ask(desk, idempotency_key="k1") == first


@pytest.mark.parametrize(
    "more", [{"order": replace(SCALE, instances=5)}, {"origin": "finding:8"}], ids=["other", "origin"]
)
def test_capacity__with_a_used_key_for_something_else__is_a_conflict(
    desk: Desk, more: dict[str, Any]
) -> None:
    ask(desk, idempotency_key="k1")
    with pytest.raises(Conflict):
        ask(desk, **{"idempotency_key": "k1"} | more)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(SCALE, instances=2), "instances"),
        (replace(SCALE, deployment="red"), "deployment"),
        (replace(DELETE, typed="Green"), "typed"),
        (replace(DELETE, deployment="blue", typed="blue"), "deployment"),
    ],
)
def test_capacity__that_cannot_be_asked_for__stores_nothing(
    desk: Desk, order: CapacityOrder, field: str
) -> None:
    before = rows()
    with pytest.raises(Invalid) as raised:
        ask(desk, order)
    assert list(raised.value.fields) == [field]
    assert rows() == before


# What comes after.


def test_capacity__withdrawn_by_finops_who_asked__ends(desk: Desk, finops: User) -> None:
    number = ask(desk, by=finops)
    services.withdraw_change(principal=principal(finops), change_id=number)
    assert desk.state(number) == "withdrawn"


def test_capacity__withdrawn_by_somebody_else__is_refused(desk: Desk, finops: User) -> None:
    number = ask(desk, by=finops)
    for other in (desk.requester, desk.reviewer, desk.operator):
        with pytest.raises(Refused):
            services.withdraw_change(principal=principal(other), change_id=number)
    assert desk.state(number) == "in_review"


def test_capacity__edited__says_that_it_is_asked_for_anew(desk: Desk) -> None:
    number = ask(desk)
    with pytest.raises(Conflict, match="asked for anew"):
        desk.edit(number)


def test_capacity__in_an_emergency__needs_its_approval_all_the_same(desk: Desk) -> None:
    with pytest.raises(Conflict, match="Only traffic changes"):
        desk.break_glass(ask(desk))


def test_capacity__approved__can_be_scheduled_and_starts_when_it_is_due(desk: Desk) -> None:
    number = desk.schedule(desk.approve(ask(desk)))
    desk.due_now(number)
    assert services.start_due() == 1
    assert desk.state(number) == "applying"


def test_capacity__on_a_split_that_moved__drifts_and_says_how_it_goes_on(desk: Desk) -> None:
    number = desk.approve(ask(desk))
    desk.azure_shows(HALF)
    with pytest.raises(Conflict, match="ask anew"):
        desk.start(number)
    assert desk.state(number) == "drifted"
    services.withdraw_change(principal=principal(desk.operator), change_id=number)
    assert desk.state(number) == "withdrawn"


def test_capacity__approved_by_who_asked__is_refused(desk: Desk, workspace: Workspace) -> None:
    both = make_person("both", {workspace.slug: ["operator", "reviewer"]})
    number = ask(desk, by=both)
    with pytest.raises(Refused):
        desk.approve(number, by=principal(both))


def test_capacity__beside_a_change_of_traffic__is_held_by_it(desk: Desk) -> None:
    desk.request()
    assert desk.state(ask(desk)) == "check_failed"
