"""Every move is on record exactly once, in the same transaction, or it does not happen."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, transaction

from endpoints.audit.models import Entry
from endpoints.changes.models import Change, Transition
from endpoints.changes.services.moves import move
from endpoints.core.errors import Conflict, OpsportalError, Unavailable
from opsportal.grants import RUNTIME_ROLE
from tests.changes.desk import ALL_BLUE, rows
from tests.support.people import principal


def refuse_entries(database):
    """The ledger takes nothing any more, as when its disk is full."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(f"REVOKE INSERT ON audit_entry FROM {RUNTIME_ROLE}")


def test_record__every_move__has_one_entry_and_one_transition(desk):
    change_id = desk.started()
    rollback_id = desk.roll_back().change_id
    for one in (change_id, rollback_id):
        moves = Transition.objects.filter(change_id=one).order_by("version")
        entries = Entry.objects.filter(subject=f"change:{one}").order_by("seq")
        assert [move.version for move in moves] == list(range(1, len(moves) + 1))
        assert [entry.after["version"] for entry in entries] == [move.version for move in moves]
        assert [entry.after["state"] for entry in entries] == [move.after for move in moves]
        assert desk.change(one).version == len(moves)


VERBS = {
    "request": lambda desk, _: desk.request(),
    "approve": lambda desk, made: desk.approve(made["in_review"]),
    "reject": lambda desk, made: desk.reject(made["in_review"]),
    "edit": lambda desk, made: desk.edit(made["in_review"]),
    "withdraw": lambda desk, made: desk.withdraw(made["in_review"]),
    "start": lambda desk, made: desk.start(made["approved"]),
    "roll_back": lambda desk, _: desk.roll_back({"green": 100}),
}


@pytest.mark.parametrize("verb", VERBS)
def test_record__ledger_takes_nothing__nothing_is_done_either(committed_desk, committed_db, verb):
    made = {}
    if verb in ("approve", "reject", "edit", "withdraw"):
        made["in_review"] = committed_desk.request()
    elif verb == "start":
        made["approved"] = committed_desk.approved()
    before = (rows(), list(Change.objects.values_list("pk", "state", "version")))
    refuse_entries(committed_db)
    with pytest.raises(Unavailable, match="could not be recorded"):
        VERBS[verb](committed_desk, made)
    assert (rows(), list(Change.objects.values_list("pk", "state", "version"))) == before


@pytest.mark.parametrize("state", ["succeeded", "superseded", "rejected"])
def test_ended_change__whoever_writes__stays_as_it_is(desk, state):
    change_id = desk.request()
    desk.finish(change_id, state)
    for write in (
        lambda: Change.objects.filter(pk=change_id).update(state="approved"),
        lambda: Change.objects.filter(pk=change_id).update(ended_at=None),
        lambda: Change.objects.filter(pk=change_id).update(attention="look"),
    ):
        with pytest.raises(IntegrityError, match="has ended"), transaction.atomic():
            write()
    assert desk.state(change_id) == state


def test_active_change__second_one_on_the_endpoint__is_refused_by_the_database(desk):
    first, second = desk.request(), desk.request()
    Change.objects.filter(pk=first).update(started_at=desk.change(first).created_at)
    with pytest.raises(IntegrityError, match="one_active"), transaction.atomic():
        Change.objects.filter(pk=second).update(started_at=desk.change(second).created_at)


def test_move__by_somebody_who_saw_an_older_version__is_a_conflict(desk):
    change_id = desk.request()
    seen = desk.change(change_id)
    desk.approve(change_id)
    with pytest.raises(Conflict, match="approved by now"):
        move(change=seen, to="rejected", actor=principal(desk.reviewer).actor)
    assert desk.state(change_id) == "approved"


def test_move__that_the_table_does_not_have__is_a_conflict(desk):
    change = desk.change(desk.request())
    with pytest.raises(OpsportalError):
        move(change=change, to="succeeded", actor=principal(desk.reviewer).actor)


def test_rollback__superseding__is_two_changes_and_two_entries_in_one_transaction(desk):
    change_id = desk.started()
    before = Entry.objects.count()
    rollback_id = desk.roll_back(ALL_BLUE).change_id
    fresh = Entry.objects.order_by("seq")[before:]
    assert [(entry.subject, entry.action) for entry in fresh] == [
        (f"change:{change_id}", "change.superseded"),
        (f"change:{rollback_id}", "change.requested.rollback"),
    ]
