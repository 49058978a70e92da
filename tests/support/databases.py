"""Test databases cloned from a migrated template.

Migrating takes seconds, cloning tens of milliseconds. The template is named after what it was made from, so
that it serves until a migration changes.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from opsportal.embedded import fingerprint
from opsportal.embedded.throwaway import Servers
from opsportal.grants import OWNER_ROLE, grant_runtime
from opsportal.settings.derived import database

ROOT = fingerprint.ROOT
_TEMPLATE = "opsportal_template_"
_CLONE = "opsportal_test_"
_KEPT_TEMPLATES = 4


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of one test session or one test, by either role's URL."""

    name: str
    url: str
    owner_url: str


def build_template(servers: Servers) -> str:
    """The name of a migrated database for the code as it is, made now if there is none."""
    name = _TEMPLATE + fingerprint.of_schema()
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        # Several test runs may find the template missing at the same time.
        admin.execute("SELECT pg_advisory_lock(7261, 2)")
        _drop_leftovers(admin)
        if not _exists(admin, name):
            _migrate(servers, admin, name)
    return name


def clone(servers: Servers, template: str) -> Database:
    """A new database like the template. Its name carries our process id, so that leftovers are known."""
    name = f"{_CLONE}{os.getpid()}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER_ROLE)
            )
        )
    return Database(name=name, url=servers.runtime_url(name), owner_url=servers.owner_url(name))


@contextmanager
def cloned(servers: Servers, template: str) -> Iterator[Database]:
    """A new database until the block ends."""
    database = clone(servers, template)
    try:
        yield database
    finally:
        drop(servers, database.name)


def drop(servers: Servers, name: str) -> None:
    """Drop a database, whoever is still connected."""
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        _drop(admin, name)


@contextmanager
def default_database(url: str) -> Iterator[None]:
    """Django's default connection leads to `url`, in every thread, until the block ends."""
    there = connections.settings["default"]
    before, config_before = dict(there), settings.OPSPORTAL
    connections.close_all()
    config = config_before.model_copy(update={"database_url": type(config_before.database_url)(url)})
    settings.OPSPORTAL = config
    # In place: threads make their own connections, from this very dictionary.
    there |= database(config)
    try:
        yield
    finally:
        connections.close_all()
        there.clear()
        there |= before
        settings.OPSPORTAL = config_before


def _migrate(servers: Servers, admin: psycopg.Connection, name: str) -> None:
    half_made = name + "_new"
    _drop(admin, half_made)
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(half_made), sql.Identifier(OWNER_ROLE))
    )
    with default_database(servers.owner_url(half_made)):
        call_command("migrate", verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            grant_runtime(cursor)
    admin.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half_made), sql.Identifier(name))
    )


def _exists(admin: psycopg.Connection, name: str) -> bool:
    return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_leftovers(admin: psycopg.Connection) -> None:
    """Databases of test runs that were killed, and templates of former code."""
    names = [str(row[0]) for row in admin.execute("SELECT datname FROM pg_database ORDER BY oid")]
    templates = [name for name in names if name.startswith(_TEMPLATE)]
    dead = [name for name in names if name.startswith(_CLONE) and not _owner_lives(name)]
    for name in [*dead, *templates[:-_KEPT_TEMPLATES]]:
        _drop(admin, name)


def _owner_lives(name: str) -> bool:
    try:
        os.kill(int(name.removeprefix(_CLONE).partition("_")[0]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
