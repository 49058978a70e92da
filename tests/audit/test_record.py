"""Recording: what the trigger and the service write, refuse and guarantee."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import Error, ProgrammingError, connection, transaction

from endpoints.audit import services
from endpoints.audit.actors import SYSTEM_EXECUTOR, Actor
from endpoints.audit.canonical import NotCanonical, canonical
from endpoints.audit.chain import GENESIS, leaf, link
from endpoints.audit.models import Entry, Personal
from endpoints.audit.services import record
from endpoints.core.errors import Unavailable
from endpoints.core.request import current_request_id
from endpoints.dispatch import db_now
from tests.audit.support import DANA, append

pytestmark = pytest.mark.django_db


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_record__one_event__stores_its_canonical_bytes_and_columns() -> None:
    token = current_request_id.set("r-1")
    try:
        seq = record(
            actor=Actor("system:executor", "system", on_behalf="user:7"),
            action="change.applied",
            subject="change:42",
            workspace_id=3,
            endpoint="endpoint:5",
            before={"blue": 100},
            after={"blue": 90, "green": 10},
            azure_request_id="az-1",
        )
    finally:
        current_request_id.reset(token)
    row = Entry.objects.get(seq=seq)
    body = json.loads(bytes(row.body))
    assert canonical(body) == bytes(row.body)
    assert body == {
        "v": 1,
        "event": str(row.event_id),
        "app_at": row.app_at.isoformat(timespec="microseconds"),
        "actor": "system:executor",
        "on_behalf": "user:7",
        "auth": "system",
        "workspace": 3,
        "subject": "change:42",
        "endpoint": "endpoint:5",
        "action": "change.applied",
        "request": "r-1",
        "azure_request": "az-1",
        "before": {"blue": 100},
        "after": {"blue": 90, "green": 10},
        "personal": {},
    }
    assert (row.actor, row.on_behalf, row.auth) == ("system:executor", "user:7", "system")
    assert (row.workspace_id, row.subject, row.endpoint) == (3, "change:42", "endpoint:5")
    assert (row.action, row.request_id, row.azure_request_id) == ("change.applied", "r-1", "az-1")
    assert (row.before, row.after) == ({"blue": 100}, {"blue": 90, "green": 10})


def test_record__several_events__are_chained_as_documented() -> None:
    append(3)
    prev, at = GENESIS, 0
    for expected, row in enumerate(Entry.objects.order_by("seq"), start=1):
        assert row.seq == expected
        assert bytes(row.prev_hash) == prev
        assert microseconds(row.at) >= at
        prev, at = bytes(row.hash), microseconds(row.at)
        assert prev == link(bytes(row.prev_hash), row.seq, at, leaf(bytes(row.body)))


def test_record__personal_text__stands_beside_the_entry_and_is_committed_to() -> None:
    seq = record(
        actor=Actor("user:7", "session", ip="192.0.2.7"),
        action="change.rejected",
        subject="change:1",
        personal={"reason": "Zoë sagt nein", "comment": ""},
    )
    row, texts = Entry.objects.get(seq=seq), {p.field: p for p in Personal.objects.filter(entry_id=seq)}
    assert {name: p.text for name, p in texts.items()} == {"reason": "Zoë sagt nein", "ip": "192.0.2.7"}
    committed = json.loads(bytes(row.body))["personal"]
    assert committed == {
        name: sha256(bytes(p.salt) + p.text.encode()).hexdigest() for name, p in texts.items()
    }
    assert len({bytes(p.salt) for p in texts.values()}) == 2
    assert "Zo" not in bytes(row.body).decode()
    assert b"192.0.2" not in bytes(row.body)


def test_insert__forged_number_time_hash_and_columns__are_overwritten() -> None:
    append(1)
    body = canonical(
        json.loads(bytes(Entry.objects.get(seq=1).body)) | {"event": "00000000-0000-4000-8000-000000000001"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_entry (seq, at, prev_hash, hash, actor, subject, body)"
            " VALUES (99, '2001-01-01Z', '\\x00', '\\x00', 'user:1', 'change:9', %s)",
            [body],
        )
    row = Entry.objects.order_by("-seq")[0]
    assert (row.seq, row.actor, row.subject) == (2, "user:7", "change:1")
    assert row.at > db_now() - timedelta(minutes=1)
    assert bytes(row.prev_hash) == bytes(Entry.objects.get(seq=1).hash)


def test_insert__several_rows_in_one_statement__are_chained_too() -> None:
    bodies = []
    for number in (1, 2, 3):
        append(1)
        body = json.loads(bytes(Entry.objects.order_by("-seq")[0].body))
        bodies.append(canonical(body | {"event": f"00000000-0000-4000-8000-00000000000{number}"}))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_entry (body) SELECT unnest(%s::bytea[])", [bodies])
    hashes = {row.seq: bytes(row.hash) for row in Entry.objects.all()}
    assert sorted(hashes) == [1, 2, 3, 4, 5, 6]
    assert all(bytes(row.prev_hash) == hashes[row.seq - 1] for row in Entry.objects.filter(seq__gt=1))


def test_insert__temporary_table_of_the_same_name__fools_nobody() -> None:
    append(1)
    real = bytes(Entry.objects.get(seq=1).hash)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE audit_entry (LIKE public.audit_entry)")
        body = bytes(
            json.dumps(json.loads(_body_of(cursor)) | {"event": "00000000-0000-4000-8000-000000000002"}),
            "utf8",
        )
        cursor.execute("INSERT INTO public.audit_entry (body) VALUES (%s) RETURNING seq, prev_hash", [body])
        assert cursor.fetchone() == (2, real)


def _body_of(cursor: object) -> str:
    cursor.execute("SELECT convert_from(body, 'UTF8') FROM public.audit_entry")  # type: ignore[attr-defined]
    return str(cursor.fetchone()[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "values",
    [
        {"subject": "Dana"},
        {"subject": ""},
        {"endpoint": "checkout-risk"},
        {"actor": Actor("dana", "session")},
    ],
)
def test_record__a_name_where_an_id_belongs__is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        append(1, **values)
    assert not Entry.objects.exists()


def test_record__a_float__is_refused() -> None:
    with pytest.raises(NotCanonical, match=r"\.before\.share is a float"):
        append(1, before={"share": 0.1})


def test_record__unknown_personal_field__is_refused() -> None:
    with pytest.raises(ValueError, match="no personal field of the ledger: mail"):
        append(1, personal={"mail": "d@example.org"})


def test_record__nul_in_free_text__is_kept_as_a_replacement_character() -> None:
    seq = append(1, personal={"comment": "a\x00b"})[0]
    assert Personal.objects.get(entry_id=seq).text == "a\ufffdb"


def test_record__ledger_refuses__says_that_nothing_was_done() -> None:
    with (
        connection.cursor() as cursor,
        pytest.raises(Unavailable, match="so it was not done"),
        transaction.atomic(),
    ):
        cursor.execute("SET LOCAL statement_timeout = 1")
        record(actor=SYSTEM_EXECUTOR, action="x.y", subject="change:1", after={"n": ["x" * 500_000] * 20})
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x'",
        "UPDATE audit_entry SET seq = 5",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry CASCADE",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_chain ON audit_entry",
        "DROP TABLE audit_entry CASCADE",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "UPDATE audit_personal SET text = 'x'",
        "TRUNCATE audit_personal",
    ],
)
def test_runtime_role__tries_to_rewrite_history__is_refused(statement: str) -> None:
    append(1, personal={"reason": "because"})
    before = list(Entry.objects.values()), list(Personal.objects.values())
    refused = pytest.raises(ProgrammingError, match=r"denied|refused|must be owner")
    with connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(statement)
    assert (list(Entry.objects.values()), list(Personal.objects.values())) == before


def test_record__rolled_back__leaves_no_gap() -> None:
    append(1)
    with pytest.raises(Error), transaction.atomic():
        append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
    append(1)
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]


def test_commitment__same_text_other_salt__differs() -> None:
    assert services.commitment(b"a" * 32, "x") != services.commitment(b"b" * 32, "x")
    assert services.commitment(b"a" * 32, "x") == sha256(b"a" * 32 + b"x").hexdigest()


def test_actor__as_a_row__holds_refs_only() -> None:
    append(1)
    assert Entry.objects.get(seq=1).actor == DANA.ref
