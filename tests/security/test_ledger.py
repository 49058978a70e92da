"""The ledger against who has the portal's own database role, and against who owns the tables."""

from __future__ import annotations

import io
import json
from urllib.parse import quote

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.audit.privileges import check_privileges
from endpoints.audit.verification import verify_stored
from opsportal.grants import APPEND_ONLY_TABLES
from tests.audit.support import append, tamper
from tests.support.databases import Database
from tests.support.people import INSTALLATION, browser, make_person, make_workspace
from tests.web.conftest import Stage

FORBIDDEN = [
    "UPDATE audit_entry SET actor = 'user:1'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry CASCADE",
    "UPDATE audit_personal SET text = 'x'",
    "DELETE FROM audit_personal",
    "TRUNCATE audit_personal",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DISABLE TRIGGER audit_chain",
    "ALTER TABLE audit_entry ADD COLUMN note text",
    "ALTER TABLE audit_entry OWNER TO opsportal_runtime",
    "DROP TABLE audit_entry CASCADE",
    "DROP TRIGGER audit_chain ON audit_entry",
    "DROP FUNCTION audit_chain() CASCADE",
    "CREATE OR REPLACE FUNCTION public.audit_chain() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION audit_chain() SET search_path = pg_temp",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE RULE mine AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "CREATE INDEX mine ON audit_entry (actor)",
    "CREATE TABLE public.mine (x int)",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION dblink",
    "SET session_replication_role = replica",
    "SET ROLE opsportal_owner",
    "SET SESSION AUTHORIZATION opsportal_owner",
    "ALTER ROLE opsportal_runtime SUPERUSER",
    "COPY audit_entry TO PROGRAM 'true'",
    "COPY audit_entry FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "UPDATE django_migrations SET name = 'x'",
    *(f"DELETE FROM {table}" for table in APPEND_ONLY_TABLES),
    *(f"TRUNCATE {table} CASCADE" for table in APPEND_ONLY_TABLES),
]


def test_runtime_role__trying_anything_on_the_past__is_refused(committed_db: Database) -> None:
    append(2)
    with psycopg.connect(committed_db.url, autocommit=True) as runtime:
        for statement in FORBIDDEN:
            try:
                runtime.execute(statement)
            except psycopg.Error as refusal:
                # By right or by the guard, not by a mistake in the statement.
                assert refusal.sqlstate in ("42501", "0A000"), f"{statement}: {refusal}"
            else:
                pytest.fail(f"{statement} was done")
        runtime.execute("GRANT UPDATE ON audit_entry TO opsportal_runtime")  # a warning, and no right
    assert check_privileges() == []
    assert verify_stored().ok
    assert Entry.objects.count() == 2


def test_privileges__of_a_database_from_before_postgresql_15__are_named(committed_db: Database) -> None:
    with psycopg.connect(committed_db.owner_url, autocommit=True) as owner:
        owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    assert [problem for problem in check_privileges() if "REVOKE CREATE ON SCHEMA public" in problem]


def test_runtime_role__shadowing_the_tables_with_temporary_ones__fools_no_trigger(
    committed_db: Database,
) -> None:
    append(1)
    with psycopg.connect(committed_db.url, autocommit=True) as runtime:
        runtime.execute("CREATE TEMP TABLE audit_entry (LIKE public.audit_entry)")
        runtime.execute("CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'")
        runtime.execute("SET search_path = pg_temp, public")
        body = json.dumps({"event": "00000000-0000-4000-8000-000000000000", "app_at": "2026-01-01T00:00:00Z"}
                          | dict.fromkeys(("actor", "on_behalf", "auth", "subject", "endpoint", "action"), "x")
                          | dict.fromkeys(("request", "azure_request"), "") | {"personal": {}})  # fmt: skip
        runtime.execute("INSERT INTO public.audit_entry (body) VALUES (%s)", [body.encode()])
    found = verify_stored()
    assert (found.ok, found.count) == (True, 2)


def test_runtime_role__inserting_with_numbers_and_hashes_of_its_own__gets_the_triggers(
    committed_db: Database,
) -> None:
    append(2)
    body = bytes(Entry.objects.get(seq=1).body).replace(b"user:7", b"user:8")
    body = body.replace(
        str(Entry.objects.get(seq=1).event_id).encode(), b"0" * 8 + b"-0000-4000-8000-" + b"0" * 12
    )
    with psycopg.connect(committed_db.url, autocommit=True) as runtime:
        runtime.execute(
            "INSERT INTO audit_entry (seq, at, prev_hash, hash, actor, subject, body)"
            " VALUES (1, '2001-01-01Z', %s, %s, 'user:1', 'user:1', %s)",
            [b"\0" * 32, b"\1" * 32, body],
        )
    forged = Entry.objects.latest("seq")
    assert (forged.seq, forged.actor, forged.subject) == (3, "user:8", "change:1")
    assert forged.at.year >= 2026
    assert bytes(forged.hash) != b"\1" * 32
    assert bytes(forged.prev_hash) == bytes(Entry.objects.get(seq=2).hash)
    assert verify_stored().ok


def test_runtime_role__adding_personal_text_to_an_old_entry__shows(committed_db: Database) -> None:
    append(2)
    with psycopg.connect(committed_db.url, autocommit=True) as runtime:
        runtime.execute(
            "INSERT INTO audit_personal (entry_id, field, salt, text) VALUES (1, 'reason', %s, 'a lie')",
            [b"s" * 32],
        )
    found = verify_stored()
    assert (found.ok, found.first_bad_seq, found.fault) == (False, 1, "personal")


def test_entry__edited_by_the_owner__is_named_by_command_page_and_api(committed_db: Database) -> None:
    workspace = make_workspace("mlw-prod-weu")
    auditor = make_person("aude", {INSTALLATION: ["auditor"], workspace.slug: ["auditor"]})
    append(3, workspace_id=workspace.pk)
    bad = Entry.objects.latest("seq").seq - 1
    tamper(
        committed_db,
        f"UPDATE audit_entry SET body = replace(body::text, '{b'user:7'.hex()}', '{b'user:8'.hex()}')::bytea"
        f" WHERE seq = {bad}",
    )
    client = browser(auditor)
    client.post("/audit/verify")
    assert f"broken at entry {bad}" in client.get("/audit").content.decode()
    said = client.post("/api/v1/audit/verification", content_type="application/json").json()
    assert (said["ok"], said["first_bad_seq"]) == (False, bad)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "verify", "--json", stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue())["first_bad_seq"] == bad


INJECTED = [
    "' OR '1'='1", "'; DELETE FROM access_grant; --", "user:7' UNION SELECT password FROM access_user --",
    "%' OR 1=1 --",
    "\\' OR 1=1 --", "$$; SELECT pg_sleep(5); $$", "a%", "_", "%", "tag:x'='y", 'tag:"a\'b"=c', "state:' OR 1=1",
    "ws:%", "owner:_%", "model:\\", "sku:'||'", "name:%00",
]  # fmt: skip


@pytest.mark.parametrize("page", ["/audit?actor=", "/audit?subject=", "/audit?endpoint=", "/audit?type=",
                                  "/audit?request=", "/fleet?q=", "/search?q=", "/api/v1/endpoints?q="])  # fmt: skip
def test_filter__with_sql_in_it__is_only_text(page: str, asked: Stage, powerful: User) -> None:
    """Each finds nothing, for nothing is called so: a condition that took it for SQL would find all."""
    client = browser(powerful)
    for text in INJECTED:
        answer = client.get(f"{page}{quote(text)}")
        assert answer.status_code in (200, 400, 422), text
        assert b'<a href="/w/mlw-prod-weu/e/checkout-risk/"' not in answer.content, text
        assert b'"name": "checkout-risk"' not in answer.content, text
        assert b'/audit/1"' not in answer.content, text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM access_grant")
        assert cursor.fetchone()[0] > 0


def test_type_filter__that_is_a_pattern__matches_itself_only(asked: Stage, powerful: User) -> None:
    found = browser(powerful).get("/audit?type=%25.&format=json").json()
    assert found["count"] == 0
