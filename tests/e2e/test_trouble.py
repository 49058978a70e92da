"""What people see while Azure is in trouble: cut off in mid-rollback, throttling, refusing. With real processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from endpoints.inventory.models import Endpoint
from opsportal.embedded.throwaway import Servers
from tests.e2e.journey import ENDPOINT, Portal, portal
from tests.support.databases import Database
from tests.support.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LISTS = "/onlineEndpoints$"


@pytest.fixture
def journey(browser: Browser, servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[Portal]:
    with portal(servers, committed_db, browser, tmp_path) as running:
        yield running


def open_endpoint(page: Page) -> None:
    assert wait_until(lambda: Endpoint.objects.filter(name="checkout-risk").exists(), seconds=30)
    page.goto(ENDPOINT)


def roll_back(page: Page) -> None:
    """Two clicks; where nothing is chosen beforehand, the first target."""
    page.get_by_role("link", name="Roll back traffic").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile("%")).first.check()
    page.wait_for_timeout(450)
    dialog.get_by_role("button", name="Roll back to").click()
    page.wait_for_url("**/live")


def test_azure__gone_in_mid_rollback__is_told_as_unknown_and_never_as_done(journey: Portal) -> None:
    berg = journey.sign_in("berg")
    open_endpoint(berg)
    before = journey.live()
    journey.azure.admin.fault("half_open", method="PUT", path="checkout-risk$", apply=True)
    roll_back(berg)
    # Azure did it, but nobody here was told, and reading is cut off as well.
    assert wait_until(lambda: journey.live() != before, seconds=20)
    journey.azure.admin.fault("reset_before", method="GET")
    operation = berg.locator("#operation")
    expect(operation).to_contain_text("it may have been applied", timeout=30_000)
    expect(operation.locator("[data-clock]")).to_have_text(re.compile(r"\d\d:\d\d"))
    expect(operation).to_contain_text("requested, not yet seen in Azure")
    expect(operation.locator(".pill.k-done")).to_have_count(0)
    berg.get_by_text("The same by hand").click()
    expect(berg.locator("#by-hand")).to_contain_text("az ml online-endpoint update")
    journey.azure.admin.clear_faults()
    expect(operation).to_contain_text("Rolled back.", timeout=60_000)


def test_azure__that_throttles_or_refuses__is_quoted_and_does_not_stop_a_rollback(journey: Portal) -> None:
    berg = journey.sign_in("berg")
    open_endpoint(berg)
    before = journey.live()
    action = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/read"
    message = f"The client does not have authorization to perform action '{action}'."
    journey.azure.admin.fault("status", method="GET", path=LISTS, status=403, message=message)
    berg.goto("/settings/workspaces")
    expect(berg.locator("#workspaces")).to_contain_text(action, timeout=30_000)
    journey.azure.admin.fault("status", method="GET", path=LISTS, status=429, retry_after=40)
    berg.get_by_role("button", name="Sync now").click()
    expect(berg.locator("#workspaces")).to_contain_text(re.compile(r"next read in \d+\ss"), timeout=30_000)
    asked = len(journey.azure.admin.requests(method="GET"))
    berg.goto("/fleet")
    expect(berg.locator("#trouble")).to_contain_text("mlw-prod-weu")
    expect(berg.locator("#trouble")).to_contain_text("Scoring is not affected by this.")
    open_endpoint(berg)
    roll_back(berg)
    # Whoever reads the calls meanwhile, or folds them away, must not be left with what was true before.
    berg.locator("#calls-summary").click()
    assert wait_until(lambda: journey.live() != before, seconds=30)
    expect(berg.locator("#operation")).to_contain_text("Rolled back.", timeout=30_000)
    expect(berg.locator("#calls")).not_to_have_attribute("open", re.compile(".*"))
    expect(berg.locator("#calls-summary")).to_be_focused()
    lists = [
        one for one in journey.azure.admin.requests(method="GET")[asked:] if one["path"].endswith(LISTS[:-1])
    ]
    assert len(lists) <= 1  # what Azure asked to leave alone is left alone
