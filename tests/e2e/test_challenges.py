"""Challenge cases in a real browser: on one screen, by keyboard and without scripts, on a phone, in the dark."""

from __future__ import annotations

import pytest
from django.test import override_settings
from playwright.sync_api import expect

from endpoints.access.models import User, Workspace
from endpoints.access.roles import Role
from endpoints.challenges.models import Case
from endpoints.inventory.models import Endpoint
from opsportal.settings import base
from tests.challenges.cases import QUESTION, decide, raised, record
from tests.e2e.stage import Stage
from tests.e2e.test_pages import NARROW, SMALL, UNNAMED, wide
from tests.support.people import make_person

pytestmark = [pytest.mark.browser, pytest.mark.processes]
LONG = "a-rather-long-client-request-id-of-40-ch"


@pytest.fixture(scope="module")
def supervisor(portal: Stage) -> User:
    workspace = Workspace.objects.get(slug="mlw-prod-weu")
    with override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS):
        return make_person("sina", {workspace.slug: [Role.SUPERVISOR, Role.REVIEWER]})


@pytest.fixture(scope="module")
def endpoint(portal: Stage) -> Endpoint:
    return Endpoint.objects.get(name="checkout-risk", workspace__slug="mlw-prod-weu")


@pytest.fixture(scope="module")
def addresses(supervisor: User, endpoint: Endpoint) -> list[str]:
    """An open case, a closed one, one without a record, and the lists and forms around them."""
    for number in (1, 2):
        record(endpoint, number, client_id=LONG, confidence=0.62)
    words = f"{QUESTION} " * 20
    asked = record(endpoint, 3)
    cases = [
        raised(
            supervisor, endpoint, asked, question=words, reference="F-8841-" * 8, claimant="Insp. D. Lund"
        ),
        decide(supervisor, raised(supervisor, endpoint, asked)),
        raised(supervisor, endpoint, LONG),
    ]
    return [
        "/challenges",
        "/challenges?state=closed",
        "/challenges/new",
        f"/challenges/new?cid={LONG}",
        "/challenges/erasures",
        "/settings/challenge-policy/mlw-prod-weu",
        *(f"/challenges/CH-{case.pk}" for case in cases),
    ]


def test_pages_of_cases__narrow_wide_and_in_the_dark__fit_and_name_their_controls(
    portal: Stage, addresses: list[str]
) -> None:
    for scheme in ("light", "dark"):
        with portal.open("sina", color_scheme=scheme) as page:
            for address in addresses:
                page.goto(address)
                assert wide(page) == 1440, address
                assert page.evaluate(UNNAMED) == [], address
                assert page.evaluate(SMALL) == [], address
    with portal.open("sina", **NARROW) as page:
        for address in addresses:
            page.goto(address)
            assert wide(page) == 320, address
    assert portal.complaints == []


def test_case__without_scripts_and_by_keyboard__is_raised_from_an_id_and_decided(
    portal: Stage, supervisor: User, endpoint: Endpoint
) -> None:
    asked = record(endpoint, 7)
    with portal.open("sina", java_script_enabled=False) as page:
        page.goto("/challenges/new")
        page.get_by_label("Id of the request").fill(asked)
        page.keyboard.press("Enter")
        page.get_by_label("Question").fill(QUESTION)
        page.get_by_role("button", name="Raise the case").press("Enter")
        expect(page.locator("main")).to_contain_text("blue answered, with")
        page.get_by_label("overturned").check()
        page.get_by_label("Reason", exact=True).fill("The picture shows another facility.")
        page.get_by_role("button", name="Decide and close").press("Enter")
        expect(page.locator("main")).to_contain_text("Closed: overturned")
    assert Case.objects.latest("pk").outcome == "overturned"


def test_verdict__of_an_open_case__is_in_sight_with_what_it_stands_on(
    portal: Stage, addresses: list[str]
) -> None:
    with portal.open("sina") as page:
        page.goto(addresses[6])
        for name in ("What answered", "Your verdict"):
            box = page.get_by_text(name).first if name != "Your verdict" else page.locator("#decision")
            expect(box).to_be_in_viewport()
