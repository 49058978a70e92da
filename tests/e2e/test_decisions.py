"""Decisions in a real browser: by keyboard alone, without script, by two people and in two tabs at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from endpoints.access.models import User
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.models import Change, Decision
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.withdraw import withdraw_change
from endpoints.inventory.models import Endpoint
from tests.e2e.stage import Stage
from tests.support.people import principal

pytestmark = [pytest.mark.browser, pytest.mark.processes]

TRIAGE = "/w/mlw-prod-weu/e/photo-triage/"
HOME = "/w/mlw-prod-weu/e/home-recs/"


@pytest.fixture
def asked(portal: Stage) -> int:
    """A change of photo-triage that waits for review; what was open there is closed."""
    author = principal(User.objects.get(username="rosa"))
    endpoint = Endpoint.objects.get(name="photo-triage")
    for number in _open(endpoint):
        withdraw_change(principal=author, change_id=number)
    return request_change(
        principal=author, endpoint_id=endpoint.pk, split={"blue": 100}, reason="Undo the drift"
    )


def _open(endpoint: Endpoint) -> list[int]:
    states = (State.IN_REVIEW, State.APPROVED, State.CHECK_FAILED)
    return list(Change.objects.filter(endpoint_id=endpoint.pk, state__in=states).values_list("pk", flat=True))


def state(number: int) -> State:
    return State(Change.objects.get(pk=number).state)


def tab_to(page: Page, name: str) -> None:
    """Tab until the control of that name has the focus."""
    wanted = re.compile(name)
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate("(at => at.innerText || at.id || at.name || '')(document.activeElement).trim()")
        if wanted.match(said):
            return
    raise AssertionError(f"{name} is not in the tab order")


def test_approval__by_keyboard_alone__is_stored_for_who_pressed_it(portal: Stage, asked: int) -> None:
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{asked}")
        tab_to(page, "Approve blue")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Approved. It can be started now.")
    assert state(asked) is State.APPROVED


def test_approval__by_its_letter_and_enter__is_stored(portal: Stage, asked: int) -> None:
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{asked}")
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Approve blue")).to_be_focused()
        assert state(asked) is State.IN_REVIEW  # a letter decides nothing
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        expect(page.locator("main")).to_contain_text("It can be started now.")


def test_rejection__by_keyboard_alone__keeps_the_comment(portal: Stage, asked: int) -> None:
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{asked}")
        tab_to(page, "comment$")  # of the decision, not of the talk beside it
        page.keyboard.type("Friday afternoon")
        tab_to(page, "Reject")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Friday afternoon")
    assert state(asked) is State.REJECTED


def test_approval__of_what_was_edited_in_another_tab__stores_nothing_and_keeps_the_comment(
    portal: Stage, asked: int
) -> None:
    author = principal(User.objects.get(username="rosa"))
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{asked}")
        edit_change(
            principal=author,
            change_id=asked,
            seen_hash=change_detail(author, asked).content_hash,
            split={"green": 100},
            reason="The other way",
        )
        page.get_by_label("Comment, needed to reject").fill("Looks right")
        page.keyboard.press("Control+Enter")
        expect(page.locator("main")).to_contain_text("Not stored.")
        expect(page.get_by_label("Comment, needed to reject")).to_have_value("Looks right")
        expect(page.get_by_role("button", name="Approve green")).to_be_visible()
    portal.complaints = [one for one in portal.complaints if "409" not in one]
    assert not Decision.objects.filter(change_id=asked).exists()


def test_author__reads_why_there_is_no_button(portal: Stage, asked: int) -> None:
    with portal.open("rosa") as page:
        page.goto(f"/changes/CR-{asked}")
        expect(page.get_by_role("note")).to_have_text(
            "You wrote this change, so somebody else has to approve it."
        )
        expect(page.get_by_role("button", name=re.compile("Approve|Reject"))).to_have_count(0)


def test_approval__without_script__is_stored(portal: Stage, asked: int) -> None:
    with portal.open("vera", java_script_enabled=False) as page:
        page.goto(f"/changes/CR-{asked}")
        page.get_by_role("button", name="Approve blue").click()
        expect(page.locator("main")).to_contain_text("It can be started now.")
    assert state(asked) is State.APPROVED


def test_filters_and_exports__without_script__work(portal: Stage) -> None:
    with portal.open("rosa", java_script_enabled=False) as page:
        page.goto("/fleet")
        page.get_by_label("Filter", exact=True).fill("home")
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_role("link", name="home-recs")).to_be_visible()
        expect(page.get_by_role("link", name="doc-class")).to_have_count(0)
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        lines = download.value.path().read_text().splitlines()
        assert len(lines) == 2
        assert "home-recs" in lines[1]


def test_rollback__from_each_page_by_two_clicks_two_people_and_two_tabs__is_one(portal: Stage) -> None:
    started = f"/changes/CR-{portal.started}"
    orders: list[str] = []
    with portal.open("omar") as first, portal.open("omar") as second, portal.open("vera") as third:
        doors = ((first, HOME), (second, started), (third, f"{started}/live"))
        for page, address in doors:
            page.goto(address)
            page.get_by_role("link", name="Roll back traffic").click()
            expect(page.get_by_role("dialog")).to_be_visible()
        first.wait_for_timeout(450)  # no dialog takes a confirmation in its first 400 ms
        for page, _ in doors:
            page.get_by_role("dialog").get_by_role("button", name="Roll back to").dblclick(no_wait_after=True)
        for page, _ in doors:
            page.wait_for_url("**/live")
            expect(page.get_by_role("heading", level=1)).to_contain_text("roll back home-recs")
            orders.append(page.url)
        # Nothing answers for Azure here: the old split stays, and nobody is told that anything is done.
        expect(first.locator("#operation")).to_contain_text("requested, not yet seen in Azure")
        expect(first.locator("#operation .truths")).to_contain_text("green 25")
        expect(first.locator("#operation .pill.k-done")).to_have_count(0)
    assert len(set(orders)) == 1
    assert Change.objects.filter(kind=Kind.ROLLBACK).count() == 1


def test_rollback__with_letters_switched_off__goes_by_tab_and_enter(portal: Stage) -> None:
    User.objects.filter(username="omar").update(shortcuts_enabled=False)
    with portal.open("omar") as page:
        page.goto("/w/mlw-prod-weu/e/checkout-risk/")
        page.keyboard.press("r")
        expect(page.get_by_role("dialog")).to_be_hidden()
        tab_to(page, "Roll back traffic")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        page.keyboard.press("Space")  # the first target, as nothing is chosen beforehand
        tab_to(page, "Roll back to")
        page.wait_for_timeout(450)
        page.keyboard.press("Enter")
        page.wait_for_url("**/live")
    User.objects.filter(username="omar").update(shortcuts_enabled=True)
    assert Change.objects.filter(kind=Kind.ROLLBACK, endpoint__name="checkout-risk").count() == 1
