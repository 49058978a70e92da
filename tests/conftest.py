"""Databases for every test: servers of their own, a migrated template, one clone per session.

Tests run as the runtime role, like every process of the portal, so that a missing right shows here first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from opsportal.embedded.throwaway import Lease, Servers, external
from tests.support import databases
from tests.support.databases import ROOT, Database

pytest_plugins = ["tests.support.people", "tests.support.require_all"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver keeps an event loop in the main thread, in which no other test could start its own."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey: throw-away ones, or those that DATABASE_URL and BROKER_URL name."""
    if given := os.environ.get("DATABASE_URL"):
        yield external(given, os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0"))
        return
    lease = Lease(ROOT / ".var" / "test")
    yield lease.servers
    lease.close()


@pytest.fixture(scope="session")
def migrated_template(
    servers: Servers, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> str:
    with django_db_blocker.unblock():
        return databases.build_template(servers)


@pytest.fixture(scope="session")
def django_db_setup(
    servers: Servers, migrated_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """What the `db` mark stands on: one clone for the session, in which each test is rolled back."""
    with (
        databases.cloned(servers, migrated_template) as database,
        django_db_blocker.unblock(),
        databases.default_database(database.url),
    ):
        yield


@pytest.fixture
def committed_db(
    servers: Servers, migrated_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Database]:
    """A database of this test alone, for commits, threads and other processes. Not together with `db`."""
    with (
        databases.cloned(servers, migrated_template) as database,
        django_db_blocker.unblock(),
        databases.default_database(database.url),
    ):
        yield database
