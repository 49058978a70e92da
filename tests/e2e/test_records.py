"""The record of a request in a real browser: found by keyboard, without scripts, on a phone, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from endpoints.access.models import Workspace
from endpoints.challenges.recorded import Source
from tests.challenges.past import Past
from tests.challenges.recording import guid
from tests.e2e.stage import Stage
from tests.e2e.test_pages import NARROW, SMALL, UNNAMED, wide

pytestmark = [pytest.mark.browser, pytest.mark.processes]
LONG = "a-rather-long-client-request-id-of-40-ch"


@pytest.fixture(scope="module")
def past(portal: Stage) -> Past:
    made = Past(Workspace.objects.get(slug="mlw-prod-weu"), "vision-triage")
    made.split({"blue": 90, "green": 10}, earliest=None, latest=0)
    made.split({"green": 100}, earliest=99, latest=101, cause="drift")
    made.deployment("blue", 7)
    made.deployment("green", 8)
    made.read(1, 3, 60, 120)
    made.log(0, 50)
    made.log(50, 70, "failed", "Log Analytics refuses it: the identity lacks a role. " * 3)
    made.request(30, source=Source.LOG, request_id=guid(1), deployment="green", status=200, confidence=0.62)
    made.request(100, request_id=guid(2), client_id=LONG, scores={f"class-{n}": n / 20 for n in range(20)})
    made.request(101, request_id=guid(3), client_id=LONG, deployment="green")
    return made


@pytest.fixture(scope="module")
def addresses(past: Past) -> list[str]:
    """Certain, as known then, one of several, several records, none, and the day."""
    then = f"{past.at(60):%Y-%m-%dT%H:%M:%SZ}"
    coverage = f"/w/mlw-prod-weu/e/vision-triage/coverage?day={past.at(100):%Y-%m-%d}"
    return [
        f"/r/{guid(1)}",
        f"/r/{guid(1)}?known={then}",
        f"/r/{guid(2)}",
        f"/r/{LONG}",
        f"/r/{guid(9)}",
        coverage,
    ]


def test_pages_of_records__narrow_wide_and_in_the_dark__fit_and_name_their_controls(
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
    # A page that says that there is no record says so with 404, of which the browser complains.
    assert [one for one in portal.complaints if "404" not in one] == []


def test_record__pasted_into_the_search_without_scripts__is_one_step_from_a_case(
    portal: Stage, past: Past
) -> None:
    with portal.open("omar", java_script_enabled=False) as page:
        page.goto("/search")
        page.get_by_role("searchbox").first.fill(guid(1).upper())
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("green answered, with risk:8, certain.")
        page.get_by_label("As known then").fill(f"{past.at(60):%Y-%m-%dT%H:%M:%S}")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("main")).to_contain_text("What is known better now")
