"""Erasing people: named text goes, an entry says so, the chain stays whole, and nothing else can go."""

from __future__ import annotations

import psycopg
import pytest
from django.db import transaction

from endpoints.audit.actors import Actor
from endpoints.audit.chain import Fault
from endpoints.audit.models import Entry, Personal
from endpoints.audit.selectors import Scope, entry
from endpoints.audit.services import erase
from endpoints.audit.services.record import append as append_entry
from endpoints.audit.verification import verify_stored
from endpoints.core.errors import Invalid, Unavailable
from tests.audit.support import DANA, append, tamper
from tests.support.databases import Database

REASON = {"reason": "because"}


def test_erase__named_entries__lose_their_text_and_the_ledger_stays_whole(committed_db: Database) -> None:
    append(4, personal=REASON, actor=Actor("user:7", "session", ip="192.0.2.1"))
    seq = erase(actor=DANA, entries=[3, 1], reason="A court said so.", subject="case:7", workspace_id=1)
    assert set(Personal.objects.values_list("entry_id", flat=True)) == {2, 4, seq}
    said = entry(Scope(everything=True), seq)
    assert (said.action, said.after, dict(said.personal)) == (
        "personal.erased",
        {"entries": [1, 3]},
        {"reason": "A court said so."},
    )
    assert verify_stored().ok
    assert erase(actor=DANA, entries=[1, seq]) == seq + 1  # again, and the reason of the erasure itself
    assert verify_stored().ok
    assert set(Personal.objects.values_list("entry_id", flat=True)) == {2, 4}


def test_erase__transaction_that_fails__erased_nothing(committed_db: Database) -> None:
    append(1, personal=REASON)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        erase(actor=DANA, entries=[1])
        _ = 1 // 0
    assert (Personal.objects.count(), Entry.objects.count()) == (1, 1)


@pytest.mark.parametrize("entries", [[], [5], [1, 5], [0]])
def test_erase__entries_that_there_are_not__is_refused(committed_db: Database, entries: list[int]) -> None:
    append(1, personal=REASON)
    with pytest.raises(Invalid, match="Nothing was erased"):
        erase(actor=DANA, entries=entries)
    assert (Personal.objects.count(), Entry.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM audit_personal WHERE entry_id = 2"],
        ["UPDATE audit_personal SET text = 'other' WHERE entry_id = 2"],
    ],
)
def test_verify__text_that_no_entry_names_is_gone__names_the_entry(
    committed_db: Database, statements: list[str]
) -> None:
    append(3, personal=REASON)
    erase(actor=DANA, entries=[1])
    tamper(committed_db, *statements)
    found = verify_stored()
    assert (found.ok, found.first_bad_seq, found.fault) == (False, 2, Fault.PERSONAL)


def test_verify__text_that_was_erased_is_there_again__names_the_entry(committed_db: Database) -> None:
    append(2, personal=REASON)
    kept = Personal.objects.get(entry_id=2)
    erase(actor=DANA, entries=[2])
    Personal.objects.create(entry_id=2, field=kept.field, salt=kept.salt, text=kept.text)
    found = verify_stored()
    assert (found.first_bad_seq, found.fault) == (2, Fault.PERSONAL)


def test_verify__entry_says_erased_and_the_text_is_still_there__names_the_entry(
    committed_db: Database,
) -> None:
    append(2, personal=REASON)
    append(1, action="personal.erased", after={"entries": [2]})
    found = verify_stored()
    assert (found.first_bad_seq, found.fault) == (2, Fault.PERSONAL)


def test_erase_function__another_action_or_no_names__erases_nothing(committed_db: Database) -> None:
    append(1, personal=REASON)
    for action, after in (("change.approved", {"entries": [1]}), ("personal.erased", {"entries": 1})):
        with pytest.raises(Unavailable, match="so it was not done"), transaction.atomic():
            append_entry(
                ("SELECT audit_erase(%s, '{}', '{}', '{}')", ""),
                actor=DANA,
                action=action,
                subject="ledger:1",
                workspace_id=None,
                endpoint="",
                before=None,
                after=after,
                azure_request_id="",
            )
    assert (Personal.objects.count(), Entry.objects.count()) == (1, 1)


def test_delete__without_an_entry_that_names_it__is_refused_to_the_owner_and_the_runtime_role(
    committed_db: Database,
) -> None:
    append(2, personal=REASON)
    for url, reason in ((committed_db.owner_url, "no entry says"), (committed_db.url, "permission denied")):
        with psycopg.connect(url) as other, pytest.raises(psycopg.errors.InsufficientPrivilege, match=reason):
            other.execute("DELETE FROM audit_personal WHERE entry_id = 1")
