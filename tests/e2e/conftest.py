"""One real Chromium for the session: Debian's, found on the path; and a portal to look at for each module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from opsportal.embedded.throwaway import Servers
from tests.e2e.stage import Stage, stage
from tests.support import databases

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Its path; without one the test is skipped with the reason, or fails where nothing may be skipped."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = f"No browser: none of {', '.join(NAMES)} is on the path."
    if os.environ.get("OPSPORTAL_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    # Playwright keeps an event loop in this thread; the tests' own queries run in it one after the other.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def portal(
    servers: Servers,
    migrated_template: str,
    browser: Browser,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """One for the module: most tests only look."""
    database = databases.clone(servers, migrated_template)
    folder: Path = tmp_path_factory.mktemp("portal")
    with (
        django_db_blocker.unblock(),
        databases.default_database(database.url),
        stage(database, browser, folder) as running,
    ):
        yield running
    databases.drop(servers, database.name)
