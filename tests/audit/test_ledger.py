"""The stored ledger with commits: many writers, tampering by the owner, the command and the self-check."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from endpoints.audit import privileges
from endpoints.audit.actors import Actor
from endpoints.audit.chain import Anchor, Fault
from endpoints.audit.models import Entry
from endpoints.audit.privileges import check_at_start, check_privileges, found_at_start
from endpoints.audit.selectors import verification_summary
from endpoints.audit.services import record, remember_verification
from endpoints.audit.verification import verify_stored
from tests.audit.support import append, tamper
from tests.support.databases import Database


def test_record__eight_writers_at_once__no_gap_and_a_whole_chain(committed_db: Database) -> None:
    each, writers = 25, 8

    def write(writer: int) -> None:
        try:
            for number in range(each):
                with transaction.atomic():
                    record(
                        actor=Actor(f"user:{writer}", "session", ip="192.0.2.1"),
                        action="change.approved",
                        subject=f"change:{number}",
                        workspace_id=1,
                    )
                    if number % 5 == 4:
                        transaction.set_rollback(True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(1, writers + 1)))
    kept = writers * each * 4 // 5
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, kept + 1))
    found = verify_stored()
    assert (found.ok, found.count) == (True, kept)


def test_record__repeatable_read__is_refused(committed_db: Database) -> None:
    with psycopg.connect(committed_db.url) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED only"):
            other.execute("INSERT INTO audit_entry (body) VALUES ('{}')")


def test_record__outside_a_transaction__is_refused(committed_db: Database) -> None:
    with pytest.raises(RuntimeError, match="belongs into the transaction"):
        record(actor=Actor("user:7", "session"), action="x.y", subject="change:1")
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("statements", "bad", "fault"),
    [
        (
            [
                "UPDATE audit_entry SET body = replace(encode(body, 'escape'), 'user:7', 'user:8')::bytea WHERE seq = 3"
            ],
            3,
            "edit",
        ),
        (["UPDATE audit_entry SET body = '\\xff' WHERE seq = 3"], 3, "edit"),
        (["UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 3"], 3, "edit"),
        (["UPDATE audit_entry SET hash = prev_hash WHERE seq = 3"], 3, "edit"),
        (["UPDATE audit_entry SET actor = 'user:8' WHERE seq = 3"], 3, "columns"),
        (["UPDATE audit_entry SET after = '{\"blue\": 1}' WHERE seq = 3"], 3, "columns"),
        (["UPDATE audit_entry SET workspace_id = NULL WHERE seq = 3"], 3, "columns"),
        (["UPDATE audit_personal SET text = 'other' WHERE entry_id = 3"], 3, "personal"),
        (["DELETE FROM audit_personal WHERE entry_id = 3"], 3, "personal"),
        (["UPDATE audit_personal SET field = 'comment' WHERE entry_id = 3"], 3, "personal"),
        (
            ["DELETE FROM audit_personal WHERE entry_id = 3", "DELETE FROM audit_entry WHERE seq = 3"],
            3,
            "gap",
        ),
        (
            ["DELETE FROM audit_personal WHERE entry_id = 1", "DELETE FROM audit_entry WHERE seq = 1"],
            1,
            "gap",
        ),
        (
            [
                "DELETE FROM audit_personal",
                "UPDATE audit_entry SET seq = 100 WHERE seq = 2",
                "UPDATE audit_entry SET seq = 2 WHERE seq = 4",
                "UPDATE audit_entry SET seq = 4 WHERE seq = 100",
            ],
            1,
            "personal",
        ),
    ],
)
def test_verify__owner_tampered__names_the_first_bad_entry(
    committed_db: Database, statements: list[str], bad: int, fault: str
) -> None:
    append(5, personal={"reason": "because"}, after={"blue": 100})
    assert verify_stored().ok
    tamper(committed_db, *statements)
    found = verify_stored()
    assert (found.ok, found.first_bad_seq, found.fault, found.count) == (False, bad, fault, bad - 1)


def test_verify__tail_cut__shows_with_the_anchor_noted_before(committed_db: Database) -> None:
    append(4)
    anchor = verify_stored().head
    tamper(committed_db, "DELETE FROM audit_entry WHERE seq > 2")
    assert verify_stored().ok
    found = verify_stored(anchor)
    assert (found.ok, found.first_bad_seq, found.fault) == (False, 3, Fault.CUT)


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_command_verify__whole_ledger__exits_0_and_prints_an_anchor(committed_db: Database) -> None:
    assert run("verify") == (0, "The ledger is empty.\n")
    append(2)
    code, text = run("verify")
    assert (code, text.splitlines()[0].partition(" Head ")[0]) == (0, "Whole: 2 entries.")
    head = text.splitlines()[0].rpartition(" ")[2]
    append(1)
    assert run("verify", "--anchor", head)[0] == 0


def test_command_verify__tampered__exits_1_and_names_the_entry(committed_db: Database) -> None:
    append(3)
    tamper(committed_db, "UPDATE audit_entry SET action = 'x' WHERE seq = 2")
    code, text = run("verify", "--json")
    found: dict[str, Any] = json.loads(text)
    assert (code, found["ok"], found["first_bad_seq"], found["fault"]) == (1, False, 2, "columns")
    assert "TAMPERED: Entry 2: the columns" in run("verify")[1]


def test_command_verify__unreadable__exits_2(committed_db: Database) -> None:
    assert run("verify", "--anchor", "nonsense")[0] == 2
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute("REVOKE SELECT ON audit_entry FROM opsportal_runtime")
    code, text = run("verify")
    assert (code, text.partition(":")[0]) == (2, "The ledger could not be read to its end")


def test_summary__never_checked__says_unknown_and_later_what_was_found(committed_db: Database) -> None:
    append(2)
    assert (verification_summary().entries, verification_summary().ok) == (2, None)
    remember_verification(asked_by="user:7")
    append(1)
    summary = verification_summary()
    assert (summary.entries, summary.ok, summary.checked_to) == (3, True, 2)
    tamper(committed_db, "DELETE FROM audit_entry WHERE seq = 1")
    assert run("verify", "--remember")[0] == 1
    summary = verification_summary()
    assert (summary.ok, summary.first_bad_seq, summary.reason) == (False, 1, "Entry 1 is missing.")


def test_privileges__runtime_role_as_granted__has_no_way_into_the_entries(committed_db: Database) -> None:
    assert [problem for problem in check_privileges() if "audit_entry" in problem] == []


def test_privileges__role_that_may_only_add_and_read__has_no_way_in(committed_db: Database) -> None:
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute("REVOKE UPDATE, DELETE ON audit_entry, audit_personal FROM opsportal_runtime")
    assert check_privileges() == []
    assert run("privileges")[0] == 0


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("GRANT UPDATE ON audit_entry TO opsportal_runtime", "The runtime role may UPDATE on audit_entry"),
        (
            "GRANT UPDATE (action) ON audit_entry TO opsportal_runtime",
            "The runtime role may UPDATE on audit_entry",
        ),
        (
            "GRANT TRUNCATE ON audit_entry TO opsportal_runtime",
            "The runtime role may TRUNCATE on audit_entry",
        ),
        (
            "GRANT UPDATE ON audit_personal TO opsportal_runtime",
            "The runtime role may UPDATE on audit_personal",
        ),
        (
            "ALTER TABLE audit_entry DISABLE TRIGGER audit_chain",
            "The trigger audit_chain of audit_entry is missing",
        ),
        (
            "DROP TRIGGER audit_entry_table ON audit_entry",
            "The trigger audit_entry_table of audit_entry is missing",
        ),
    ],
)
def test_privileges__a_way_in__is_named(committed_db: Database, statement: str, problem: str) -> None:
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute(statement)
    assert any(found.startswith(problem) for found in check_privileges())
    assert run("privileges")[0] == 1


def test_privileges__owner__is_told_that_it_owns_the_ledger(committed_db: Database) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="permission denied"):
        cursor.execute("SET ROLE opsportal_owner")
    settings = connections["default"].settings_dict
    before = dict(settings)
    connections.close_all()
    with psycopg.connect(committed_db.owner_url) as owner:
        settings |= {"USER": owner.info.user, "PASSWORD": owner.info.password}
    try:
        assert any("owns the ledger's table" in problem for problem in check_privileges())
    finally:
        connections.close_all()
        settings |= before


def test_anchor__from_the_stored_head__reads_back(committed_db: Database) -> None:
    append(1)
    head = verify_stored().head
    assert head is not None
    assert Anchor.parse(str(head)) == head


def test_start__closed_ledger__goes_on_and_tells_nothing(committed_db: Database) -> None:
    assert check_at_start(strict=True) == ()
    assert found_at_start() == ()


def test_start__open_ledger__is_told_or_strictly_refused(
    committed_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "_found", None)
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute("GRANT UPDATE ON audit_entry TO opsportal_runtime")
    told = check_at_start(strict=False)
    assert told == found_at_start()
    assert told[0].startswith("The runtime role may UPDATE on audit_entry")
    with pytest.raises(SystemExit, match="The portal does not start: the ledger is open"):
        check_at_start(strict=True)
    assert [problem.id for problem in run_checks(databases=["default"])] == ["audit.W001"]


def test_start__no_database__is_not_known_and_strictly_no_closed_ledger(
    committed_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "_found", None)
    settings = connections["default"].settings_dict
    before, settings["PORT"] = settings["PORT"], "1"
    connections.close_all()
    try:
        assert "is not known" in check_at_start(strict=False)[0]
        with pytest.raises(SystemExit, match="is not known"):
            check_at_start(strict=True)
    finally:
        settings["PORT"] = before
        connections.close_all()
