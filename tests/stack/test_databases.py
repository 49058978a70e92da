"""The databases that tests run on are what production has: two roles, and history that stays."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction

from opsportal.grants import APPEND_ONLY_TABLES, RUNTIME_ROLE
from tests.support.databases import Database, default_database


def _who_and_where() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        name, database = cursor.fetchone()
    return name, database


@pytest.mark.django_db
def test_a_test__with_the_database__runs_as_the_runtime_role() -> None:
    assert _who_and_where()[0] == RUNTIME_ROLE


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "DROP TABLE django_session"])
def test_the_runtime_role__changing_the_schema__is_refused(statement: str) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {}"])
def test_the_runtime_role__removing_history__is_refused(table: str, verb: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb.format(table))


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
def test_the_runtime_role__rewriting_history__is_refused(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(current_user, %s, 'UPDATE')", [table])
        assert cursor.fetchone() == (False,)


def test_a_database_of_ones_own__after_a_commit__shows_it_to_others(committed_db: Database) -> None:
    assert _who_and_where() == (RUNTIME_ROLE, committed_db.name)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_session VALUES ('key', 'data', now())")
    with psycopg.connect(committed_db.owner_url) as other:
        assert other.execute("SELECT session_data FROM django_session").fetchall() == [("data",)]


def test_a_database_of_ones_own__in_another_thread__is_the_same(committed_db: Database) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> None:
        seen.append(_who_and_where())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(RUNTIME_ROLE, committed_db.name)]


def test_the_default_connection__after_a_database_of_ones_own__leads_back(django_db_setup: None) -> None:
    def leads_to() -> object:
        return connections.settings["default"]["NAME"]

    before = leads_to()
    with default_database("postgresql://somebody@127.0.0.1:1/elsewhere"):
        assert leads_to() == "elsewhere"
    assert leads_to() == before
