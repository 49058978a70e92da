"""Freezes and stops in a real browser: by keyboard, without scripts, on a phone, in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from endpoints.access.models import User, Workspace
from endpoints.holds.models import Freeze, Stop
from endpoints.holds.scope import Scope
from endpoints.holds.services import lift_stop
from tests.e2e.stage import Stage
from tests.e2e.test_pages import NARROW, SMALL, UNNAMED, wide
from tests.holds.support import ahead, around, freeze, stop
from tests.holds.test_import import HOLIDAYS, HOURLY, calendar_of
from tests.support.people import principal

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def omar() -> User:
    return User.objects.get(username="omar")


@pytest.fixture(scope="module")
def addresses(portal: Stage) -> list[str]:
    """Pages with a freeze in force, two to come, and a stop that was lifted."""
    workspace = Workspace.objects.get(slug="mlw-prod-weu")
    freeze(omar(), Scope(workspace.pk, "home-*", "team-with-a-rather-long-name", "tier=1"), around(2, 30))
    weekly = freeze(
        omar(), Scope(workspace.pk), ahead(50), title="Weekends " * 10, reason="Nobody is here. " * 20
    )
    freeze(omar(), Scope(), ahead(24 * 40), title="Year end")
    lifted = stop(omar(), workspace_id=workspace.pk)
    lift_stop(principal=principal(omar()), stop_id=lifted, reason="It is out.")
    return ["/holds", "/holds?show=past", f"/holds/freezes/{weekly.pk}", "/holds/stop", "/holds/stops",
            f"/holds/stops/{lifted}"]  # fmt: skip


def fill_weekends(page: Page) -> None:
    page.get_by_label("Title").fill("Weekends")
    page.locator("#f-workspace").select_option("mlw-prod-weu")
    page.get_by_label("Starts").fill("2027-10-29T16:00")
    page.get_by_label("Ends").fill("2027-11-01T08:00")
    page.get_by_label("On the clock of").fill("Europe/Zurich")
    page.get_by_label("Repeats").select_option("FREQ=WEEKLY")
    page.locator("#f-reason").fill("Nobody is here.")


def test_pages_of_holds__narrow_wide_and_in_the_dark__fit_and_name_their_controls(
    portal: Stage, addresses: list[str]
) -> None:
    for scheme in ("light", "dark"):
        with portal.open("omar", color_scheme=scheme) as page:
            for address in addresses:
                page.goto(address)
                assert wide(page) == 1440, address
                assert page.evaluate(UNNAMED) == [], address
                assert page.evaluate(SMALL) == [], address
    with portal.open("omar", **NARROW) as page:
        for address in addresses:
            page.goto(address)
            assert wide(page) == 320, address
    assert portal.complaints == []


def test_freeze__looked_at_and_made_without_scripts__stands(portal: Stage) -> None:
    with portal.open("omar", java_script_enabled=False) as page:
        page.goto("/holds")
        fill_weekends(page)
        page.get_by_role("button", name="Show when it would hold").click()
        expect(page.get_by_role("heading", name="It would hold at these times")).to_be_visible()
        expect(page.locator("main")).to_contain_text("2027-10-29 16:00 CEST to 2027-11-01 08:00 CET")
        expect(page.get_by_label("Title")).to_have_value("Weekends")
        assert not Freeze.objects.filter(title="Weekends").exists()
        page.get_by_role("button", name="Make the freeze").click()
        expect(page.get_by_role("heading", name="Freeze: Weekends")).to_be_visible()
    assert Freeze.objects.get(title="Weekends").rule == "FREQ=WEEKLY"


def test_preview__of_a_freeze__takes_the_focus(portal: Stage) -> None:
    with portal.open("omar") as page:
        page.goto("/holds")
        fill_weekends(page)
        page.get_by_role("button", name="Show when it would hold").click()
        expect(page.locator("#preview")).to_be_focused()


def test_calendar__sent_from_a_real_file__is_taken_over(portal: Stage, tmp_path: Path) -> None:
    file = tmp_path / "holidays.ics"
    file.write_bytes(calendar_of(HOLIDAYS, HOURLY))
    with portal.open("omar") as page:
        page.goto("/holds")
        page.get_by_label("Calendar file").set_input_files(file)
        page.locator("#f-ics-workspace").select_option("mlw-prod-weu")
        page.locator("#f-ics-reason").fill("The company's calendar.")
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_role("status").first).to_contain_text("1 freeze made.")
        expect(page.locator("main")).to_contain_text("Each hour: FREQ=HOURLY can't be read")
    assert Freeze.objects.get(uid="holidays").source == "ics"


def test_line__stopped_by_keyboard_from_an_endpoint__is_told_until_it_is_lifted(portal: Stage) -> None:
    with portal.open("omar") as page:
        page.goto("/w/mlw-prod-weu/e/checkout-risk/")
        page.get_by_role("link", name="Stop the line").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Stop the line")).to_be_visible()
        expect(page.get_by_label("What to stop")).to_have_value("endpoint")
        page.get_by_label("Reason").focus()
        page.keyboard.type("Payments fail.")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Stop of checkout-risk in mlw-prod-weu")).to_be_visible()
        page.goto("/w/mlw-prod-weu/e/checkout-risk/")
        expect(page.locator("main")).to_contain_text("The line is stopped: checkout-risk in mlw-prod-weu.")
        page.goto("/w/mlw-prod-weu/e/home-recs/")
        expect(page.locator("main")).not_to_contain_text("The line is stopped")
        page.set_viewport_size(NARROW)
        page.goto("/fleet")
        assert wide(page) == 320
        page.get_by_role("link", name="See it, or lift it").click()
        page.get_by_label("Reason").fill("It is out.")
        page.get_by_role("button", name="Lift the stop").click()
        expect(page.locator("main")).to_contain_text("Lifted by Omar")
    assert Stop.objects.latest("pk").lift_reason == "It is out."
    assert portal.complaints == []
