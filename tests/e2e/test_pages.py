"""The pages in a real browser: keyboard, focus, narrow screens, colour schemes, dialogs, live updates, policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from endpoints.access.models import User
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.withdraw import withdraw_change
from endpoints.inventory.models import Endpoint
from tests.e2e.stage import Stage
from tests.support.people import principal

pytestmark = [pytest.mark.browser, pytest.mark.processes]

HOME = "/w/mlw-prod-weu/e/home-recs/"
NARROW = {"width": 320, "height": 640}
RINGED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 40) / 2);
  return { what: one.tagName + " " + (one.innerText || one.name || one.id).slice(0, 40).trim(),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: Boolean(at && (one.contains(at) || at.contains(one))) };
}"""
INLINE = "'.vh, p, li, td, th, dd, .note, .skip, .facts, label, svg'"
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, textarea")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(INLINE))
  .map((one) => ({ one, box: one.getBoundingClientRect() }))
  .filter(({ box }) => box.width > 1 && (box.height < 24 || box.width < 24))
  .map(({ one, box }) => `${one.outerHTML.slice(0, 80)} ${Math.round(box.width)}x${Math.round(box.height)}`)""".replace(
    "INLINE", INLINE
)
UNNAMED = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.innerText || "").trim() && !one.labels?.length && !one.getAttribute("aria-label"))
  .map((one) => one.outerHTML.slice(0, 80))"""
SPACED = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    " p { margin-bottom: 2em !important }"
)


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_every_page__on_a_phone__needs_no_sideways_scroll_even_with_spaced_text(portal: Stage) -> None:
    with portal.open("rosa", **NARROW, bypass_csp=True) as page:
        for address in portal.addresses:
            page.goto(address)
            assert wide(page) == 320, address
            page.add_style_tag(content=SPACED)
            assert wide(page) == 320, f"{address} with spaced text"


def test_every_page__on_a_desk__needs_no_sideways_scroll_and_names_its_controls(portal: Stage) -> None:
    with portal.open("rosa") as page:
        for address in portal.addresses:
            page.goto(address)
            assert wide(page) == 1440, address
            assert page.evaluate(UNNAMED) == [], address
            assert page.evaluate(SMALL) == [], address


def test_every_page__begins_its_tab_order_with_the_way_to_its_content(portal: Stage) -> None:
    with portal.open("rosa") as page:
        for address in portal.addresses:
            page.goto(address)
            page.keyboard.press("Tab")
            skip = page.locator(".skip")
            expect(skip).to_be_focused()
            expect(skip).to_be_in_viewport()
            page.keyboard.press("Enter")
            expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize(("who", "scheme"), [("vera", "light"), ("vera", "dark"), ("rosa", "light")])
def test_tab_order__shows_a_ring_at_each_stop_and_hides_none_under_a_bar(
    portal: Stage, who: str, scheme: str
) -> None:
    with portal.open(who, color_scheme=scheme) as page:
        for address in (f"/changes/CR-{portal.in_review}", HOME):
            page.goto(address)
            for key in ("Tab", "Shift+Tab"):
                stops = walk(page, key)
                assert len(stops) > 15, address
                assert [one["what"] for one in stops if not one["ring"]] == []
                assert [one["what"] for one in stops if not one["seen"]] == []


def walk(page: Page, key: str) -> list[dict[str, object]]:
    """Every stop until the page's own end; a trap would never come to it."""
    stops: list[dict[str, object]] = []
    for _ in range(200):
        page.keyboard.press(key)
        stop = page.evaluate(RINGED)
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError("the tab order does not end")


def test_pages__in_the_dark__are_dark_and_in_the_light_light(portal: Stage) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        with portal.open("rosa", color_scheme=scheme) as page:
            page.goto("/fleet")
            colours[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colours == {"light": "rgb(244, 245, 247)", "dark": "rgb(17, 20, 26)"}


def test_traffic_bars__in_forced_colours__keep_their_patterns(portal: Stage) -> None:
    with portal.open("rosa", forced_colors="active") as page:
        page.goto(HOME)
        fills = page.evaluate(
            "[...document.querySelectorAll('#endpoint .bar:not(.swatch) rect')]"
            ".map((one) => getComputedStyle(one).fill)"
        )
        assert len(set(fills)) == len(fills) == 3  # two deployments, the second one hatched


def test_nothing__moves_when_motion_is_unwanted(portal: Stage) -> None:
    for motion, moving in (("reduce", False), ("no-preference", True)):
        with portal.open("rosa", reduced_motion=motion) as page:
            page.goto(f"/changes/CR-{portal.started}/live")
            assert bool(page.evaluate("document.getAnimations().length")) is moving


def test_phone__folds_the_menu_and_without_script_shows_it(portal: Stage) -> None:
    with portal.open("rosa", **NARROW) as page:
        page.goto("/fleet")
        link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Changes")
        expect(link).to_be_hidden()
        page.get_by_text("Menu", exact=True).click()
        expect(link).to_be_visible()
    with portal.open("rosa", **NARROW, java_script_enabled=False) as page:
        page.goto("/fleet")
        expect(
            page.get_by_role("navigation", name="Main").get_by_role("link", name="Changes")
        ).to_be_visible()


def right_end(one: Locator) -> float:
    box = one.bounding_box()
    assert box is not None
    return box["x"] + box["width"]


def test_split_form__on_a_phone__has_its_weights_and_their_sum_in_sight(portal: Stage) -> None:
    with portal.open("rosa", **NARROW) as page:
        page.goto("/w/mlw-prod-weu/e/photo-triage/change/new")
        weight, hint = page.get_by_label("blue", exact=True), page.locator("span[data-total-hint]")
        # Looked at before it is filled, which would scroll it into sight.
        assert right_end(weight) <= 320
        weight.fill("50")
        expect(hint).to_have_text("10 % missing")
        assert right_end(hint) <= 320


def test_rollback_dialog__on_a_phone__asks_its_question_first(portal: Stage) -> None:
    with portal.open("omar", **NARROW) as page:
        page.goto(HOME)
        page.get_by_role("link", name="Roll back traffic").click()
        expect(page.get_by_role("heading", name="Roll back to blue 75")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Roll back to blue 75")).to_be_in_viewport(ratio=1)


def test_help__on_a_phone__still_names_the_keys(portal: Stage) -> None:
    with portal.open("rosa", **NARROW) as page:
        page.goto("/help")
        expect(page.locator("kbd", has_text="Esc")).to_be_visible()


def test_rollback_dialog__by_keyboard__opens_on_its_button_and_gives_the_focus_back(portal: Stage) -> None:
    with portal.open("omar") as page:
        page.goto(HOME)
        opener = page.get_by_role("link", name="Roll back traffic")
        opener.focus()
        page.keyboard.press("r")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Roll back to blue 75")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
        assert not Change.objects.filter(kind=Kind.ROLLBACK).exists()


def test_rollback_dialog__says_what_the_chosen_target_does(portal: Stage) -> None:
    with portal.open("omar") as page:
        page.goto(HOME)
        page.get_by_role("link", name="Roll back traffic").click()
        page.get_by_text("other target").click()
        page.get_by_role("radio", name="green 100").check()
        expect(page.get_by_role("button", name="Roll back to green 100")).to_be_visible()
        expect(page.locator("dialog [data-after=green]")).to_have_text("100\u00a0%")
        expect(page.locator("dialog [data-after=blue]")).to_have_text("0\u00a0%")


def test_letter_shortcut__switched_off_or_while_typing__opens_nothing(portal: Stage) -> None:
    with portal.open("omar") as page:
        page.goto(HOME)
        page.locator("#q").focus()
        page.keyboard.press("r")
        expect(page.locator("#q")).to_have_value("r")
        expect(page.locator("dialog")).to_be_hidden()
        page.evaluate("document.documentElement.dataset.shortcuts = 'off'")
        page.locator("#main").focus()
        page.keyboard.press("r")
        expect(page.locator("dialog")).to_be_hidden()


def test_rollback__by_two_clicks__ignores_a_confirmation_that_comes_too_early_and_is_one_change(
    portal: Stage,
) -> None:
    with portal.open("omar") as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.goto(HOME)
        page.keyboard.press("r")
        page.keyboard.press(
            "Enter"
        )  # a key that was still held down: within the time that a dialog is not armed
        page.wait_for_timeout(450)
        assert sent == []
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.wait_for_url("**/live")
        assert len(sent) == 1
        assert Change.objects.filter(kind=Kind.ROLLBACK).count() == 1
        expect(page.locator("#operation")).to_contain_text("requested, not yet seen in Azure")


def test_rollback__without_script__is_a_page_with_the_same_form(portal: Stage) -> None:
    with portal.open("omar", java_script_enabled=False) as page:
        page.goto(f"/changes/CR-{portal.in_review}")
        page.get_by_role("link", name="Roll back traffic").click()
        assert page.url.endswith("/w/mlw-prod-weu/e/checkout-risk/rollback")
        expect(page.get_by_role("button", name="Roll back to the chosen split")).to_be_visible()


def test_split_form__adds_up_while_one_types(portal: Stage) -> None:
    with portal.open("rosa") as page:
        page.goto("/w/mlw-prod-weu/e/photo-triage/change/new")
        page.get_by_label("blue", exact=True).fill("50")
        expect(page.locator("[data-total]")).to_have_text("90 %")
        expect(page.locator("td[data-total-hint]")).to_have_text("10 % missing")
        page.get_by_role("button", name="All to green").click()
        expect(page.locator("[data-total]")).to_have_text("100 %")
        expect(page.get_by_label("green", exact=True)).to_have_value("100")


@pytest.fixture
def fresh_change(portal: Stage) -> int:
    author = User.objects.get(username="rosa")
    endpoint = Endpoint.objects.get(name="photo-triage")
    return request_change(
        principal=principal(author), endpoint_id=endpoint.pk, split={"blue": 100}, reason="Undo the drift"
    )


def end(number: int) -> None:
    withdraw_change(principal=principal(User.objects.get(username="rosa")), change_id=number)


def test_live_page__shows_and_announces_a_move_without_being_reloaded(
    portal: Stage, fresh_change: int
) -> None:
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{fresh_change}/live")
        expect(page.locator("#stream")).to_have_text("Live")
        end(fresh_change)
        expect(page.locator("#operation")).to_contain_text("Withdrawn", timeout=10_000)
        expect(page.locator("#live")).to_contain_text("Withdrawn", timeout=15_000)


def test_live_updates__paused__change_nothing_and_stay_paused_after_a_reload(
    portal: Stage, fresh_change: int
) -> None:
    with portal.open("vera") as page:
        page.goto(f"/changes/CR-{fresh_change}/live")
        expect(page.locator("#stream")).to_have_text("Live")
        page.get_by_role("button", name="Pause live updates").click()
        page.reload()
        button = page.get_by_role("button", name="Live updates paused")
        expect(button).to_have_attribute("aria-pressed", "true")
        page.evaluate(
            "window.moves = 0; new MutationObserver(() => { window.moves += 1; }).observe(document,"
            " { childList: true, subtree: true, characterData: true, attributes: true })"
        )
        end(fresh_change)
        page.wait_for_timeout(4000)
        assert page.evaluate("window.moves") == 0
        button.click()
        expect(page.locator("#operation")).to_contain_text("Withdrawn", timeout=10_000)


def test_list__is_not_replaced_under_the_focus(portal: Stage, fresh_change: int) -> None:
    with portal.open("vera") as page:
        page.goto("/changes?state=open")
        link = page.get_by_role("link", name=f"CR-{fresh_change}", exact=True)
        link.focus()
        end(fresh_change)
        page.wait_for_timeout(4000)
        expect(link).to_be_focused()
        page.locator("#main").focus()
        expect(link).to_be_hidden(timeout=10_000)


def test_stream__of_each_page_that_was_left__ends(portal: Stage) -> None:
    with portal.open("vera") as page:
        for _ in range(3):
            page.goto(f"/changes/CR-{portal.started}/live")
            expect(page.locator("#stream")).to_have_text("Live")
        # HTTP/1.1 gives a browser six connections to a host: streams that stayed would block this page.
        page.goto("/help")
        expect(page.get_by_role("heading", level=1)).to_have_text("Help")


def test_whole_tour__made_no_browser_complain(portal: Stage) -> None:
    """Runs last. A violated content policy is a console error; 4xx answers were not among the steps above."""
    for who in ("rosa", "vera", "omar"):
        with portal.open(who) as page:
            for address in portal.addresses:
                page.goto(address)
                page.wait_for_load_state()
    assert portal.complaints == []


def test_copy_button__copies_the_command_and_says_so(portal: Stage) -> None:
    with portal.open("rosa", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(HOME)
        page.get_by_text("The same by hand").click()
        page.get_by_role("button", name="Copy Set the split").click()
        expect(page.locator(".toast")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("az ml online-endpoint update --name home-recs --traffic")
