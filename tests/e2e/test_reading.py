"""Reading the pages under every condition: paper, long names, many deployments, other zones, data that grows old."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from endpoints.access.models import User, Workspace
from tests.e2e.stage import Stage
from tests.support.people import make_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.processes]

HOME = "/w/mlw-prod-weu/e/home-recs/"
PAPER = {"width": 794, "height": 1123}  # A4 at 96 dots per inch
LONG = "x" * 130 + "-" + "y" * 129
CUT = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && !one.closest(".vh, svg, dialog, .clip, .name, .tail, textarea, input"))
  .filter((one) => ["hidden", "clip", "auto", "scroll"].includes(getComputedStyle(one).overflowX))
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 90))"""

# Links in the text whose address the paper does not tell.
UNTOLD = """() => [...document.querySelectorAll('main a[href^="/"]')]
  .filter((one) => one.checkVisibility() && !one.closest("table, .crumbs, .tiles, .tabs"))
  .filter((one) => !getComputedStyle(one, "::after").content.includes(one.getAttribute("href")))
  .map((one) => one.outerHTML.slice(0, 90))"""


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_printed__review_and_live_page__show_everything_and_where_links_go(portal: Stage) -> None:
    with portal.open("vera", **PAPER) as page:
        for address in (f"/changes/CR-{portal.in_review}", f"/changes/CR-{portal.started}/live", HOME):
            page.goto(address)
            page.emulate_media(media="print")
            assert wide(page) <= PAPER["width"], address
            assert page.evaluate(CUT) == [], address
            for hidden in (".top", ".side", ".decision"):
                for found in page.locator(hidden).all():
                    expect(found).to_be_hidden()
            expect(page.locator("#by-hand pre").first).to_be_visible()
            assert page.evaluate(UNTOLD) == [], address
            page.emulate_media(media="screen")


def test_long_names_and_two_hundred_deployments__keep_every_layout(portal: Stage) -> None:
    names = [f"{number}-{'d' * 28}" for number in range(200)]
    shares = dict.fromkeys(names[:100], 1)
    workspace = Workspace.objects.get(slug="mlw-prod-weu")
    tags = {"نظام": "🙂" * 60, "long": "w" * 256}
    make_endpoint(workspace, "many", traffic=shares, deployments=names, tags=tags)
    make_endpoint(workspace, LONG, traffic={"blue": 100}, deployments=["blue"])
    for size in ({"width": 320, "height": 700}, {"width": 1440, "height": 900}):
        with portal.open("rosa", **size) as page:
            for address in (
                "/fleet",
                "/fleet?q=many",
                f"/w/mlw-prod-weu/e/{LONG}/",
                "/w/mlw-prod-weu/e/many/",
            ):
                page.goto(address)
                assert wide(page) == size["width"], (address[:40], size)
            page.goto("/w/mlw-prod-weu/e/many/change/new")
            assert wide(page) == size["width"]
            assert page.locator("input[data-weight]").count() == 200


def test_times__switch_together_and_back(portal: Stage) -> None:
    User.objects.filter(username="rosa").update(time_zone="Europe/Warsaw")
    with portal.open("rosa") as page:
        for address in (HOME, f"/changes/CR-{portal.started}/live", "/audit"):
            page.goto(address)
            for zone, other in (("UTC", "CE"), ("CE", "UTC")):
                shown = [one for one in page.locator("main time").all_inner_texts() if ":" in one]
                assert shown, address
                assert all(zone in one and other not in one for one in shown), (address, zone, shown[:3])
                page.get_by_role("button", name="Time zone").click()
                page.wait_for_load_state()
    User.objects.filter(username="rosa").update(time_zone="UTC")


def test_age_of_the_data__goes_on_counting_when_no_answer_comes(portal: Stage) -> None:
    with portal.open("vera") as page:
        page.clock.install()
        page.goto(f"/changes/CR-{portal.in_review}")
        chip = page.locator("#freshness")
        expect(chip).to_contain_text("Azure data")
        page.route("**/*", lambda route: route.abort())  # from here on nothing answers
        page.clock.run_for(120_000)
        expect(chip).to_have_class("fresh warn")
        expect(chip).to_contain_text("Azure data 2\u00a0min old")
        page.clock.run_for(600_000)
        expect(chip).to_have_class("fresh unknown")
        expect(chip).to_contain_text("Not current: 12\u00a0min old")


def test_age_of_the_data__comes_again_with_the_list(portal: Stage) -> None:
    with portal.open("vera") as page:
        page.goto("/fleet")
        page.evaluate("document.querySelector('#freshness').dataset.mark = 'first'")
        page.evaluate("document.querySelector('#trouble').dataset.mark = 'first'")
        page.evaluate("htmx.trigger(document.querySelector('#fleet'), 'refresh')")
        expect(page.locator("#freshness")).not_to_have_attribute("data-mark", "first")
        expect(page.locator("#trouble")).not_to_have_attribute("data-mark", "first")
        expect(page.locator("#freshness")).to_have_count(1)


def test_long_id__shows_its_end_and_is_copied_whole(portal: Stage) -> None:
    with portal.open("rosa", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(HOME)
        page.get_by_role("button", name="Copy ARM id").click()
        expect(page.locator(".toast")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("/subscriptions/")
        assert copied.endswith("/onlineEndpoints/home-recs")


def test_phone__gives_the_deciding_buttons_a_thumbs_room(portal: Stage) -> None:
    with portal.open("vera", width=320, height=700) as page:
        page.goto(f"/changes/CR-{portal.in_review}")
        for name in ("Reject", "Approve"):
            box = page.get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["height"] >= 44
        page.goto(HOME)
        page.get_by_role("link", name="Roll back traffic").click()
        confirm = page.get_by_role("dialog").get_by_role("button", name="Roll back to")
        expect(confirm).to_be_in_viewport(ratio=1)
