"""Charts in a real browser: drawn by the portal alone, in the theme's colours, kept up to date without disturbing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from endpoints.access.models import User
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.services.rollups import roll_up
from tests.e2e.stage import Stage
from tests.support.measured import measure, now, tell

pytestmark = [pytest.mark.browser, pytest.mark.processes]

HOME = "/w/mlw-prod-weu/e/home-recs/"
PLACES = (HOME, f"{HOME}?range=7d", f"{HOME}d/blue/")
NARROW = {"width": 320, "height": 640}
MINUTE = timedelta(minutes=1)
REFRESH = """() => {
  const one = document.querySelector('#chart-requests');
  one.dataset.every = '0';
  htmx.trigger(one, 'refresh');
}"""
STROKES = "(figure) => [...figure.querySelectorAll('.js-line')].map((one) => getComputedStyle(one).stroke)"
AXIS = "(figure) => figure.querySelector('.xtitle').textContent"
RANGE = "(figure) => figure.querySelector('[data-plot]').layout.xaxis.range.map(String)"


@pytest.fixture(scope="module")
def measured(portal: Stage) -> Iterator[Stage]:
    """Both deployments with six hours of minutes, a quarter of an hour of which nobody knows."""
    endpoint, moment = Endpoint.objects.get(name="home-recs"), now()
    since = moment - timedelta(hours=6)
    lost = moment - timedelta(minutes=90), moment - timedelta(minutes=75)
    for deployment in Deployment.objects.filter(endpoint=endpoint):
        Deployment.objects.filter(pk=deployment.pk).update(azure_created_at=since, first_seen_at=since)
        measure(
            deployment,
            since=since,
            until=moment - timedelta(minutes=3),
            share=0.75 if deployment.name == "blue" else 0.25,
            change=lambda at: None if lost[0] <= at < lost[1] else {},
        )
    roll_up(1000)
    tell(
        endpoint,
        minute=moment - timedelta(minutes=4),
        requests=800,
        p95=140.0,
        spark=[1.0] * 24,
        spark_until=moment,
    )
    yield portal


def drawn(page: Page, name: str = "") -> Locator:
    """All figures of the page, or one, once they are drawn."""
    figures = page.locator(f"#chart-{name}" if name else "[data-chart]")
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-drawn", "1", timeout=20_000)
    return figures


def test_charts__are_drawn_without_a_word_to_any_other_host_or_a_violated_policy(measured: Stage) -> None:
    asked: list[str] = []
    for scheme in ("light", "dark"):
        with measured.open("vera", color_scheme=scheme) as page:
            page.on("request", lambda request: asked.append(request.url))
            for place in PLACES:
                page.goto(place)
                named = page.title()
                figures = drawn(page)
                assert 4 <= figures.count() <= 6
                page.wait_for_timeout(1200)  # ages and titles are looked after every second
                assert page.title() == named
                assert page.locator(".js-line").count() > 4
                expect(page.locator("[data-trouble]:visible")).to_have_count(0)
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(measured.url).netloc}
    assert measured.complaints == []


def test_chart__offers_to_reset_and_to_save_it_and_nothing_that_sends_it_away(measured: Stage) -> None:
    with measured.open("vera") as page:
        page.goto(HOME)
        figure = drawn(page, "latency")
        titles = figure.locator(".modebar-btn").evaluate_all("(all) => all.map((one) => one.dataset.title)")
        assert titles == ["Show the whole range", "Download plot as a PNG"]
        with page.expect_download() as download:
            figure.locator(".modebar-btn").last.click()
        assert download.value.suggested_filename.endswith(".png")


def test_charts__wear_the_colours_of_the_theme_and_change_with_it(measured: Stage) -> None:
    with measured.open("vera", color_scheme="light") as page:
        page.goto(HOME)
        figure = drawn(page, "requests")
        light = set(figure.evaluate(STROKES))
        assert light == {"rgb(61, 71, 86)", "rgb(194, 80, 10)"}
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            f"(before) => ({STROKES})(document.querySelector('#chart-requests'))[0] !== before",
            arg=next(iter(light)),
        )
        expect(figure.locator(".js-line").first).to_have_css("stroke", "rgb(255, 154, 87)")


def test_chart__brought_up_to_date__keeps_its_zoom_and_the_focus_and_takes_the_new_minute(
    measured: Stage,
) -> None:
    with measured.open("vera") as page:
        page.goto(HOME)
        figure = drawn(page, "requests")
        full = figure.evaluate(RANGE)
        zoom(page, figure)
        page.wait_for_function(
            f"(full) => String({RANGE}(document.querySelector('#chart-requests'))) !== String(full)", arg=full
        )
        zoomed, said = figure.evaluate(RANGE), figure.locator("figcaption").inner_text()
        blue = Deployment.objects.get(endpoint__name="home-recs", name="blue")
        late = now() - timedelta(minutes=3)
        measure(blue, since=late, until=late + MINUTE, change=lambda _: {"requests": 5000.0})
        search = page.locator("#q")
        search.focus()
        page.evaluate(REFRESH)
        expect(figure.locator("figcaption")).not_to_have_text(said)
        expect(figure.locator("figcaption")).to_contain_text("peak 5\u202f000/min")
        assert figure.evaluate(RANGE) == zoomed
        expect(search).to_be_focused()
        figure.locator(".modebar-btn").first.click()
        page.wait_for_function(
            f"(zoomed) => String({RANGE}(document.querySelector('#chart-requests'))) !== String(zoomed)",
            arg=zoomed,
        )
        assert figure.evaluate(RANGE)[0][:13] == full[0][:13]


def zoom(page: Page, figure: Locator) -> None:
    """Drag over a part of the chart."""
    box = figure.locator(".nsewdrag").last.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=6)
    page.mouse.up()


def test_charts__paused__ask_for_nothing(measured: Stage) -> None:
    with measured.open("vera") as page:
        page.goto(HOME)
        drawn(page)
        page.get_by_role("button", name="Pause live updates").click()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.evaluate(
            "() => document.querySelectorAll('[data-chart]').forEach((one) => { one.dataset.every = '0'; })"
        )
        page.wait_for_timeout(4000)
        assert asked == []


def test_chart__whose_data_does_not_come__says_so_and_keeps_its_words(measured: Stage) -> None:
    with measured.open("vera") as page:
        page.route("**/charts/latency.json*", lambda route: route.fulfill(status=503, body="no"))
        page.goto(HOME)
        figure = page.locator("#chart-latency")
        expect(figure.locator("[data-trouble]")).to_contain_text("could not be drawn")
        expect(figure.locator("figcaption")).to_contain_text("worst minute")
    measured.complaints[:] = [one for one in measured.complaints if "503" not in one]


def test_page__without_script__has_the_words_and_the_numbers_and_no_empty_frames(measured: Stage) -> None:
    with measured.open("vera", java_script_enabled=False) as page:
        page.goto(HOME)
        figure = page.locator("#chart-requests")
        expect(figure.locator("figcaption")).to_contain_text("requests")
        expect(figure.locator("[data-plot]")).to_be_hidden()
        figure.get_by_text("Data table").click()
        expect(figure.locator("tbody tr").first).to_be_visible()
        page.get_by_role("link", name="24 hours").click()
        expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")


def test_charts__on_a_phone__fit_and_lose_no_words(measured: Stage) -> None:
    with measured.open("vera", **NARROW) as page:
        for place in PLACES:
            page.goto(place)
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth") == 320, place
            for plot in page.locator("[data-plot]").all():
                box = plot.bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= 320


def test_charts__in_forced_colours__keep_their_lines(measured: Stage) -> None:
    with measured.open("vera", forced_colors="active") as page:
        page.goto(HOME)
        assert len(set(drawn(page, "requests").evaluate(STROKES))) == 2


def test_zone__switched__moves_axis_and_table_together(measured: Stage) -> None:
    User.objects.filter(username="vera").update(time_zone="Europe/Warsaw")
    with measured.open("vera") as page:
        page.goto(HOME)
        for zone, short in (("UTC", "UTC"), ("Europe/Warsaw", "CE")):
            figure = drawn(page, "latency")
            assert zone in figure.evaluate(AXIS)
            cells = figure.locator("tbody th").all_text_contents()
            assert cells
            assert all(short in cell for cell in cells)
            page.get_by_role("button", name="Time zone").click()
            page.wait_for_load_state()
    User.objects.filter(username="vera").update(time_zone="UTC")


def test_tab_order__reaches_every_chart_and_shows_where_one_is(measured: Stage) -> None:
    with measured.open("vera") as page:
        page.goto(HOME)
        figure = drawn(page, "latency")
        figure.get_by_role("link", name="CSV").focus()
        page.keyboard.press("Tab")
        expect(figure.locator(".modebar-btn").first).to_be_focused()
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert float(ring.removesuffix("px")) >= 2
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(figure.locator("summary")).to_be_focused()
