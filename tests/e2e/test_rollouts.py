"""Rollouts as people see them: one passes, one stops itself, one can't be told, one drifts, one is an emergency.

Everything is real but the minutes: what would take a quarter of an hour to be measured is written as if it had been,
and the step's beginning is put back by as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from endpoints.changes.models import AfterReview, Change
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.services import write_minutes
from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from tests.e2e.journey import ENDPOINT, PASSWORD, Portal, accept_all, portal
from tests.flows.stage import CHECKOUT
from tests.metrics.storing import row
from tests.support.databases import Database
from tests.support.load import serve

pytestmark = [pytest.mark.browser, pytest.mark.processes]

MINUTE, LONG = timedelta(minutes=1), 15
BAKE, GRACE = 30 * 60, 120
# Metrics are read once: after that the minutes are the test's own.
QUICK = {
    "OPSPORTAL_GATE_SECONDS": "1",
    "OPSPORTAL_GATE_GRACE_SECONDS": str(GRACE),
    "OPSPORTAL_METRICS_CADENCE_SECONDS": "86400",
}


@pytest.fixture
def journey(browser: Browser, servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[Portal]:
    with portal(servers, committed_db, browser, tmp_path, **QUICK) as running:
        found = Deployment.objects.filter(endpoint__name="checkout-risk", deleted_at=None)
        assert wait_until(lambda: found.count() == 2, seconds=40)
        # Far above what the worker may read from Azure: the peak, and what a replica can carry, are these minutes'.
        serve(endpoint().pk, requests=20_000)
        yield running


def endpoint() -> Endpoint:
    return Endpoint.objects.get(name="checkout-risk", deleted_at=None)


def ask(page: Page, gate: str) -> int:
    """Green at 5 %, then at everything, under one gate; the change's number."""
    page.goto(f"{ENDPOINT}change/new?to=green&plan=5-100")
    page.get_by_label("Bake of step 1, minutes").fill("30")
    page.get_by_label("Bake of step 2, minutes").fill("0")
    page.get_by_label("Watch afterwards, minutes").fill("0")
    for box in page.get_by_role("table", name="Gates").locator("input[name^=use-]").all():
        box.uncheck()
    page.get_by_role("table", name="Gates").get_by_label(gate, exact=True).check()
    page.get_by_role("textbox", name="Reason").fill("delivery-risk 24 is better")
    page.get_by_role("button", name="Ask for review").click()
    page.wait_for_url("**/changes/CR-*")
    return int(page.url.rpartition("-")[2])


def approve_and_start(page: Page, number: int) -> None:
    page.goto(f"/changes/CR-{number}")
    accept_all(page)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Start now")).to_be_visible()
    accept_all(page)
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/live")


def bakes(number: int, *, over_for: float | None = None) -> None:
    """Wait until the step is in force, and let it have been so for LONG minutes; `over_for`: baked, since so long."""
    assert wait_until(lambda: state(number) == "baking", seconds=60), told(number)
    began = db_now().astimezone(UTC).replace(second=0, microsecond=0) - LONG * MINUTE
    baked = {} if over_for is None else {"baked": BAKE + over_for}
    times = {"confirmed_at": began, "started_at": began - MINUTE, "measured_at": None}
    Change.objects.filter(pk=number).update(**times, **baked)


def measured(name: str, **values: float) -> None:
    """The same minute, LONG times."""
    deployment = Deployment.objects.get(endpoint=endpoint(), name_key=name, deleted_at=None).pk
    told = {"status_5xx": 0, "model_errors": 0, "status_429": 0, "instances": 2, "cpu_max": 20, **values}
    now: datetime = db_now().astimezone(UTC).replace(second=0, microsecond=0)
    write_minutes(row(deployment, now - n * MINUTE, **told) for n in range(1, LONG + 1))


def verdicts_follow_under_the_focus(page: Page) -> None:
    """Whoever stands on a gate's link sees newer verdicts all the same, and stays there."""
    over_time = page.locator("#rollout-side").get_by_role("link", name="over time").first
    over_time.focus()
    focused = over_time.element_handle()
    assert focused is not None
    page.wait_for_function("one => !one.isConnected", arg=focused, timeout=30_000)
    expect(over_time).to_be_focused()


def act(page: Page, number: int, name: str, *, reason: str = "") -> None:
    """One of the acts of the live page, on the page of its own that needs no script."""
    page.goto(f"/changes/CR-{number}/live")
    where = (
        page.locator("#rollout-acts").get_by_role("link", name=re.compile(name)).first.get_attribute("href")
    )
    assert where is not None
    page.goto(where)
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.locator("main form.card button.primary").click()
    page.wait_for_url("**/live")


def state(number: int) -> str:
    return Change.objects.get(pk=number).state


def told(number: int) -> str:
    """Where it stands, for whoever reads why a test failed."""
    change = Change.objects.get(pk=number)
    return f"{change.state}, {change.hold}: {change.waiting_for} {change.gate_outcome}: {change.gate_reason}"


def test_rollout__healthy_candidate__walks_to_its_end_and_says_so(journey: Portal) -> None:
    novak, okafor = journey.sign_in("novak"), journey.sign_in("okafor")
    number = ask(novak, "Errors")
    approve_and_start(okafor, number)
    bakes(number)
    expect(okafor.locator("#operation")).to_contain_text("Baking", timeout=30_000)
    verdicts_follow_under_the_focus(okafor)
    measured("blue", requests=1900, p95=50)
    measured("green", requests=100, p95=52)
    bakes(number, over_for=GRACE - 30)
    assert wait_until(lambda: state(number) == "succeeded", seconds=60), told(number)
    assert journey.live() == {"green": 100}
    expect(okafor.locator("main")).to_contain_text("Done", timeout=30_000)
    assert journey.splits_applied() == [{"blue": 95, "green": 5}, {"green": 100}]
    assert journey.refused == []


def test_rollout__slow_canary__stops_itself_and_gives_the_traffic_back(journey: Portal) -> None:
    novak, okafor = journey.sign_in("novak"), journey.sign_in("okafor")
    number = ask(novak, "p95 against stable")
    approve_and_start(okafor, number)
    bakes(number)
    measured("blue", requests=1900, p95=50)
    measured("green", requests=100, p95=200)
    assert wait_until(lambda: state(number) == "superseded", seconds=60), told(number)
    back = Change.objects.get(reverts=number)
    assert (back.author_id, back.cause) == (None, "gate")
    assert wait_until(lambda: state(back.pk) == "succeeded", seconds=60)
    assert journey.live() == {"blue": 100}
    main = okafor.locator("main")
    expect(main).to_contain_text(f"CR-{back.pk} took over", timeout=30_000)
    okafor.goto(f"/changes/CR-{back.pk}")
    expect(okafor.locator("main")).to_contain_text("opsportal executor")
    expect(okafor.locator("main")).to_contain_text(re.compile("p95 against stable"))


def test_rollout__without_metrics__is_held_and_goes_on_past_a_named_override(journey: Portal) -> None:
    novak, okafor, berg = (journey.sign_in(name) for name in ("novak", "okafor", "berg"))
    number = ask(novak, "Errors")
    approve_and_start(okafor, number)
    bakes(number, over_for=GRACE + 30)
    assert wait_until(lambda: state(number) == "held", seconds=60), told(number)
    expect(okafor.locator("main")).to_contain_text(re.compile("Held|Cannot tell", re.I), timeout=30_000)
    assert journey.live() == {"blue": 95, "green": 5}
    act(berg, number, "Override", reason="A test endpoint without callers.")
    assert wait_until(lambda: Change.objects.get(pk=number).gate_outcome == "pass", seconds=30), told(number)
    act(berg, number, "Advance|Resume")
    assert wait_until(lambda: journey.live() == {"green": 100}, seconds=60)


def test_rollout__foreign_writer__stops_and_says_what_was_found(journey: Portal) -> None:
    novak, okafor = journey.sign_in("novak"), journey.sign_in("okafor")
    number = ask(novak, "Errors")
    approve_and_start(okafor, number)
    assert wait_until(lambda: state(number) == "baking", seconds=60), told(number)
    journey.azure.admin.foreign(CHECKOUT, traffic={"blue": 50, "green": 50})
    assert wait_until(lambda: state(number) == "drifted", seconds=60), told(number)
    expect(okafor.locator("main")).to_contain_text("Stopped by drift", timeout=30_000)
    expect(okafor.locator("main")).to_contain_text("green 50")
    assert journey.live() == {"blue": 50, "green": 50}


def test_break_glass__by_an_operator__starts_at_once_and_is_looked_back_at(journey: Portal) -> None:
    novak, okafor, berg = (journey.sign_in(name) for name in ("novak", "okafor", "berg"))
    number = ask(novak, "Errors")
    berg.goto(f"/changes/CR-{number}")
    berg.get_by_role("link", name="start it without approval").click()
    berg.get_by_label("Reason").fill("Checkout is down and green has the fix.")
    berg.get_by_label("Your password").fill("not my password")
    berg.get_by_role("button", name="without approval").click()
    expect(berg.get_by_text("Nothing was started.", exact=True)).to_be_visible()
    assert state(number) == "in_review"
    berg.get_by_label("Your password").fill(PASSWORD)
    berg.get_by_role("button", name="without approval").click()
    assert wait_until(lambda: state(number) != "in_review", seconds=10), berg.locator("main").inner_text()
    assert wait_until(lambda: journey.live() == {"blue": 95, "green": 5}, seconds=60), told(number)
    okafor.goto(f"/changes/CR-{number}")
    expect(okafor.locator("main")).to_contain_text("Break-glass")
    okafor.get_by_label("Sound", exact=True).check()
    okafor.get_by_label("What you found").fill("The fix was right, and it could not wait.")
    okafor.get_by_role("button", name="Store my review").click()
    assert wait_until(lambda: AfterReview.objects.get(change=number).sound is True, seconds=10)
