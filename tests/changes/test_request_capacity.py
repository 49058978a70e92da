"""Asking for other capacity: what is written down, who may, and what is refused with nothing stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.changes.capacity_order import CapacityOrder
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.plan import steps_from_json
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.changes.capacities import DELETE, SCALE, ask
from tests.changes.desk import Desk, history, ledger, rows


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
