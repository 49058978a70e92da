"""Idle capacity in real browsers: found by what Azure reports, filed, approved, carried out, and verified.

Everything is real: a month of metrics and the prices are read by the worker from the emulator, whose own words say what
was changed in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.db.models import F
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from endpoints.access.models import Workspace
from endpoints.access.roles import Role
from endpoints.access.services import add_grant, add_user
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.capacity.models import Finding, Saving
from endpoints.capacity.services import look_for_findings, roll_up_due
from endpoints.inventory.models import Endpoint
from endpoints.metrics.models import Backfill, Collector
from endpoints.metrics.services import order_backfill, roll_up_all
from endpoints.prices.models import PriceReading
from opsportal.celery import REPORTS, SYNC
from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from opsportal.settings import base
from tests.e2e.journey import PASSWORD, Portal, accept_all, portal
from tests.flows.stage import CHECKOUT, WORKSPACE
from tests.support.databases import Database

pytestmark = [pytest.mark.browser, pytest.mark.processes]
DAYS = 35
"""Of metrics: findings look at 30 whole days."""
QUICK = {"OPSPORTAL_SAVING_SECONDS": "5", "OPSPORTAL_SCREAM_TEST_SECONDS": "0"}


@pytest.fixture
def journey(browser: Browser, servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[Portal]:
    with portal(servers, committed_db, browser, tmp_path, **QUICK) as running:
        _costa()
        yield running


@override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
def _costa() -> None:
    user = add_user(actor=SYSTEM_COMMAND, username="costa", display_name="F. Costa", password=PASSWORD)
    workspace = Workspace.objects.get(slug="mlw-prod-weu")
    add_grant(actor=SYSTEM_COMMAND, user_id=user, role=Role.FINOPS, workspace_id=workspace.pk)


def now(servers: Servers, task: str, queue: str) -> None:
    """The worker does it at once, and not only when the timetable says so."""
    with Celery(broker=servers.broker_url) as app:
        app.send_task(task, queue=queue)


def look(servers: Servers) -> None:
    """What the worker would do within a quarter of an hour, once it has read a month."""
    now(servers, "prices.read_due", SYNC)
    assert wait_until(Collector.objects.exists, seconds=60)
    order_backfill(actor=SYSTEM_COMMAND, days=DAYS)
    assert wait_until(_all_is_read, seconds=180)
    roll_up_all()
    roll_up_due()
    look_for_findings()


def _all_is_read() -> bool:
    unread = PriceReading.objects.filter(sizes_read_at=None)
    read = PriceReading.objects.exists() and not unread.exists()
    return read and not Backfill.objects.filter(cursor__gt=F("since")).exists()


def instances(journey: Portal, deployment: str) -> int:
    """What Azure has: ground truth."""
    found = journey.azure.admin.resource(f"{CHECKOUT}/deployments/{deployment}")
    return int(found["document"]["sku"]["capacity"])


TRIAGE = f"{WORKSPACE}/onlineEndpoints/photo-triage"
PHOTOS = "/w/mlw-prod-weu/e/photo-triage/"


def triage(journey: Portal) -> dict[str, int]:
    """The split that Azure serves there."""
    return dict(journey.azure.admin.resource(TRIAGE)["document"]["properties"]["traffic"])


def there(journey: Portal, deployment: str) -> bool:
    """Whether Azure has it."""
    return f"{TRIAGE}/deployments/{deployment}".lower() in journey.azure.admin.world()


def ask_for_delete(page: Page, deployment: str, *, hours: str = "") -> str:
    """Ask on the endpoint's page; first with a wrong name, which stores nothing. The change's address."""
    page.goto(PHOTOS)
    page.get_by_role("link", name="Capacity").last.click()
    for typed in ("something-else", deployment):
        form = page.get_by_role("form", name="Ask for a delete")
        form.get_by_label("Deployment").select_option(deployment)
        form.get_by_label("Hours without traffic").fill(hours)
        form.get_by_label("Type its name").fill(typed)
        form.get_by_label("Reason").fill("Nobody needs it.")
        form.get_by_role("button", name="Ask for the delete").click()
        if typed != deployment:
            expect(page.locator(".note.bad")).to_contain_text("Nothing was stored.")
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


def _is_verified(finding: Finding, servers: Servers) -> bool:
    for task in ("capacity.follow", "capacity.judge"):
        now(servers, task, REPORTS)
    return Saving.objects.filter(finding=finding, state="verified").exists()


def test_a_finding__filed_in_three_clicks_and_approved__shrinks_in_azure_and_saves(
    journey: Portal, servers: Servers
) -> None:
    assert wait_until(lambda: Endpoint.objects.filter(name="checkout-risk").exists(), seconds=60)
    look(servers)
    finding = Finding.objects.get(endpoint__name="checkout-risk", kind="shrink")
    wanted = finding.advice["instances"]
    assert instances(journey, "blue") == 4
    assert wanted < 4

    costa = journey.sign_in("costa")
    clicks = 0
    costa.get_by_role("link", name="Capacity").click()
    row = costa.locator(f"#SV-{finding.pk}")
    expect(row).to_contain_text("checkout-risk/blue")
    clicks += 1
    row.get_by_text("File action").click()
    clicks += 1
    costa.locator(f"#act-{finding.pk}").get_by_role("button", name="Ask for it").click()
    clicks += 1
    expect(costa.get_by_role("status")).to_contain_text(f"SV-{finding.pk} is filed as CR-")
    assert clicks <= 3
    finding.refresh_from_db()
    assert finding.change_id is not None

    approve_and_start(journey.sign_in("okafor"), f"/changes/CR-{finding.change_id}")
    assert wait_until(lambda: instances(journey, "blue") == wanted, seconds=60)
    # The worker follows the change, measures, and verifies; the page says so.
    assert wait_until(lambda: _is_verified(finding, servers), seconds=120, every=2), list(
        Saving.objects.values()
    )
    costa.goto("/capacity/savings")
    expect(costa.locator("main")).to_contain_text("Verified")
    expect(costa.locator("main")).to_contain_text("a month is verified")
    costa.goto(f"/capacity/findings/{finding.pk}")
    expect(costa.locator("main")).to_contain_text("Verified: the ledger shows the saving")
    told = set(Entry.objects.filter(subject=f"finding:{finding.pk}").values_list("action", flat=True))
    assert {"finding.filed", "finding.acted", "finding.verified"} <= told
    assert journey.refused == []


def test_a_delete__asked_with_its_name_typed__is_called_off_in_its_scream_test_or_done_with_its_file_kept(
    journey: Portal,
) -> None:
    assert wait_until(lambda: Endpoint.objects.filter(name="photo-triage").exists(), seconds=60)
    berg, okafor = journey.sign_in("berg"), journey.sign_in("okafor")
    before = triage(journey)
    assert before == {"main": 90, "next": 10}

    approve_and_start(okafor, ask_for_delete(berg, "next", hours="0.5"))
    assert wait_until(lambda: triage(journey) == {"main": 100}, seconds=60)
    berg.goto(f"{PHOTOS}rollback")
    berg.get_by_role("button", name="Roll back").last.click()
    berg.wait_for_url("**/live")
    assert wait_until(lambda: triage(journey) == before, seconds=60)
    assert there(journey, "next")

    change = ask_for_delete(berg, "broken")
    approve_and_start(okafor, change)
    assert wait_until(lambda: not there(journey, "broken"), seconds=90)
    expect(okafor.locator("#operation")).to_contain_text("Done", timeout=60_000)
    okafor.goto(change)
    with okafor.expect_download() as kept:
        okafor.get_by_role("link", name="broken.yml").first.click()
    text = Path(kept.value.path()).read_text()
    assert "name: broken" in text
    assert "triage-cnn" in text
    assert triage(journey) == before
    # The wrong name was refused with a status, which browsers report too; nothing else was.
    assert [text for text in journey.refused if "422" not in text] == []
