"""The whole journey in real browsers, judged by what Azure's emulator really served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from endpoints.inventory.models import Endpoint
from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from tests.e2e.journey import ENDPOINT, Portal, accept_all, portal
from tests.support.databases import Database

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture
def journey(browser: Browser, servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[Portal]:
    with portal(servers, committed_db, browser, tmp_path) as running:
        yield running


def see_endpoint(page: Page) -> None:
    """The endpoint's page, once the worker has read the fleet."""
    assert wait_until(lambda: Endpoint.objects.filter(name="checkout-risk").exists(), seconds=30)
    page.goto(ENDPOINT)


def ask(page: Page, blue: int, green: int, reason: str) -> str:
    """Ask for a split in the form; the new change's address."""
    see_endpoint(page)
    page.get_by_role("link", name="Change traffic").click()
    page.get_by_label("blue", exact=True).fill(str(blue))
    page.get_by_label("green", exact=True).fill(str(green))
    page.get_by_role("textbox", name="Reason").fill(reason)
    page.locator("form[data-sum] button.primary").click()
    page.wait_for_url("**/changes/CR-*")
    return page.url


def approve_and_start(page: Page, change: str) -> None:
    page.goto(change)
    accept_all(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Start now")).to_be_visible()
    accept_all(page)
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/live")


def wait_for_done(page: Page) -> None:
    expect(page.locator("#operation")).to_contain_text("Done", timeout=30_000)
    expect(page.get_by_text("Read back once")).to_be_visible()


def test_journey__asked_approved_applied_rolled_back__azure_served_what_the_pages_said(
    journey: Portal,
) -> None:
    novak, okafor, berg = (journey.sign_in(name) for name in ("novak", "okafor", "berg"))
    change = ask(novak, 95, 5, "delivery-risk 24 is better")
    expect(novak.get_by_text("You wrote this change, so somebody else has to approve it.")).to_be_visible()
    assert novak.get_by_role("button", name="Approve").count() == 0

    approve_and_start(okafor, change)
    assert wait_until(lambda: journey.live() == {"blue": 95, "green": 5}, seconds=30)
    expect(okafor.locator("main")).to_contain_text("Done", timeout=30_000)

    see_endpoint(berg)
    berg.keyboard.press("r")
    expect(berg.get_by_role("dialog")).to_contain_text("Roll back to blue 100")
    berg.wait_for_timeout(500)  # the dialog takes no Enter for its first 400 ms
    berg.keyboard.press("Enter")
    berg.wait_for_url("**/live")
    assert wait_until(lambda: journey.live() == {"blue": 100}, seconds=30)
    expect(berg.locator("main")).to_contain_text("Done", timeout=30_000)
    assert journey.splits_applied() == [{"blue": 95, "green": 5}, {"blue": 100}]

    berg.goto("/audit")
    for said in ("asked for a traffic change", "approved it", "started it", "rolled back", "for O. Berg"):
        expect(berg.locator("main")).to_contain_text(said, ignore_case=True)
    assert journey.refused == []


def test_journey__without_javascript__is_the_same(journey: Portal) -> None:
    novak, okafor, berg = (journey.sign_in(name, javascript=False) for name in ("novak", "okafor", "berg"))
    change = ask(novak, 90, 10, "ten percent for the new model")
    approve_and_start(okafor, change)
    assert wait_until(lambda: journey.live() == {"blue": 90, "green": 10}, seconds=30)

    def rolled_back() -> bool:
        see_endpoint(berg)
        return berg.get_by_role("link", name="Roll back traffic").count() == 1

    assert wait_until(rolled_back, seconds=30)
    berg.get_by_role("link", name="Roll back traffic").click()
    berg.get_by_role("button", name="Roll back to").click()
    assert wait_until(lambda: journey.live() == {"blue": 100}, seconds=30)


def test_journey__executor_is_gone__rollback_is_recorded_and_the_page_shows_the_command(
    journey: Portal,
) -> None:
    novak, okafor, berg = (journey.sign_in(name) for name in ("novak", "okafor", "berg"))
    change = ask(novak, 95, 5, "five percent")
    approve_and_start(okafor, change)
    assert wait_until(lambda: journey.live() == {"blue": 95, "green": 5}, seconds=30)
    expect(okafor.locator("main")).to_contain_text("Done", timeout=30_000)
    journey.executor.kill()
    journey.executor.stop()
    see_endpoint(berg)
    berg.get_by_role("link", name="Roll back traffic").click()
    berg.wait_for_timeout(500)
    berg.get_by_role("dialog").get_by_role("button", name="Roll back to").click()
    berg.wait_for_url("**/live")
    expect(berg.locator("main")).to_contain_text("az ml online-endpoint update", timeout=10_000)
    expect(berg.locator("#operation")).to_contain_text("executor does not answer", timeout=45_000)
    assert journey.live() == {"blue": 95, "green": 5}
    journey.executor.restart()
    assert wait_until(lambda: journey.live() == {"blue": 100}, seconds=60)
