"""Every page, rendered: its structure, its headers, its weight and what it asks of the database."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from pytest_django.fixtures import DjangoAssertNumQueries

from endpoints.access.models import Grant, User
from endpoints.access.roles import Role
from endpoints.access.services import add_grant
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.models import Entry
from endpoints.capacity.models import Alert, Saving
from endpoints.capacity.services import set_plan, set_value
from endpoints.challenges.services import ask_hold
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from tests.capacity.found import found
from tests.capacity.ledgered import agreed, ledgered
from tests.challenges.cases import raised, record
from tests.support.people import make_endpoint, make_person, principal
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words

STATIC = Path(__file__).parents[2] / "static"
LIMIT_KIB = 100

# Each page with the most queries that it may ask: lists and pages must not grow with their rows. Two of the fleet's
# ask for workspaces that were never read and for an executor that never ran; there are none of these in use.
PAGES = {
    "/fleet": 10,
    "/w/mlw-prod-weu/": 11,
    "/w/mlw-prod-weu/e/checkout-risk/": 74,
    "/w/mlw-prod-weu/e/checkout-risk/?range=7d": 74,
    "/w/mlw-prod-weu/e/checkout-risk/d/blue/": 34,  # a second list of prices is asked
    "/w/mlw-prod-weu/e/checkout-risk/budget": 14,
    "/telemetry": 14,
    "/w/mlw-prod-weu/e/checkout-risk/change/new": 16,
    "/w/mlw-prod-weu/e/checkout-risk/capacity": 22,
    "/w/mlw-prod-weu/e/checkout-risk/rollback": 22,
    "/w/mlw-prod-weu/e/checkout-risk/drills": 30,
    "/w/mlw-prod-weu/e/checkout-risk/probe": 12,
    "/w/mlw-prod-weu/e/checkout-risk/compare": 14,
    "/rollouts": 8,
    "/backtest": 10,
    "/changes": 12,
    "/changes?state=open": 10,
    "/changes?state=closed": 10,
    "/changes/CR-{number}": 76,
    "/changes/CR-{number}?at={at}": 34,
    "/fleet?at={at}": 24,
    "/fleet?at={at}&known={at}": 30,
    "/w/mlw-prod-weu/?at={at}": 24,
    "/w/mlw-prod-weu/e/checkout-risk/?at={at}": 26,
    "/w/mlw-prod-weu/e/checkout-risk/?at={at}&known={at}": 34,
    "/w/mlw-prod-weu/e/checkout-risk/d/blue/?at={at}": 22,
    "/changes/CR-{number}/break-glass": 34,
    "/w/mlw-prod-weu/e/checkout-risk/change/new?to=green&plan=5-25-100": 18,
    "/settings/approval-rules/mlw-prod-weu": 14,
    "/settings/rollout-templates/mlw-prod-weu": 14,
    "/changes/CR-{number}/live": 48,
    "/changes/CR-{number}/edit": 36,
    "/challenges": 12,
    "/challenges?state=due": 13,
    "/challenges?state=closed": 12,
    "/challenges/new": 10,
    "/challenges/new?cid=no-such-id": 12,
    "/challenges/erasures": 10,
    "/challenges/CH-{case}": 34,
    "/settings/challenge-policy/mlw-prod-weu": 13,
    "/capacity": 40,
    "/capacity?state=all&days=7": 40,
    "/capacity/days": 14,
    "/capacity/days?part=unserved&cause=forgotten-canary": 14,
    "/capacity/days/{row}/{day}": 26,
    "/capacity/left-alone": 12,
    "/capacity/rules": 12,
    "/capacity/rules?ws=mlw-prod-weu": 14,
    "/capacity/savings": 14,
    "/capacity/unit-costs": 12,
    "/capacity/plans": 18,
    "/capacity/findings/{finding}": 24,
    "/capacity/findings/{finding}/file": 24,
    "/holds": 14,
    "/holds?show=past": 14,
    "/holds/stop": 9,
    "/holds/stop?ws=mlw-prod-weu&name=checkout-risk": 9,
    "/holds/stops": 11,
    "/audit": 20,
    "/audit/verify": 17,
    "/audit/{seq}": 18,
    "/settings/workspaces": 10,
    "/settings/profile": 10,
    "/settings/tokens": 10,
    "/search": 8,
    "/search?q=nothing-by-that-name": 10,
    "/help": 8,
}


@pytest.fixture(params=PAGES)
def address(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _get(sign_in: SignIn, user: User, stage: Stage, address: str) -> HttpResponse:
    answer = sign_in(user).get(_filled(address, user, stage))
    assert answer.status_code == 200, (address, answer.content[:600])
    return answer


def _filled(address: str, user: User, stage: Stage) -> str:
    case = _case(stage) if "{case}" in address else 0
    seq = Entry.objects.filter(actor=f"user:{user.pk}").values_list("seq", flat=True).last()
    blue = stage.endpoint.deployments.get(name="blue")
    if "/capacity" in address:
        day, finding = _capacity(blue)
        address = (
            address.replace("{day}", f"{day}")
            .replace("{finding}", f"{finding}")
            .replace("{row}", f"{blue.pk}")
        )
    return address.format(number=stage.number, at=f"{db_now():%Y-%m-%dT%H:%M:%S.%fZ}", seq=seq, case=case)


def _capacity(blue: Deployment) -> tuple[date, int]:
    """A day in the ledger, a finding whose saving is measured, and everything that people say about money."""
    day = ledgered(blue)
    agreed(blue.endpoint.workspace_id)
    row = found(blue, state="acted", high=Money(Decimal(20), "USD"))
    Saving.objects.create(finding=row, state="measuring", acted_at=db_now())
    Alert.objects.create(
        workspace_id=blue.endpoint.workspace_id,
        kind="over_plan",
        key="over",
        words="Too much.",
        since=db_now(),
    )
    finops = make_person("fin", {blue.endpoint.workspace.slug: [Role.FINOPS]})
    set_plan(
        principal=principal(finops), workspace_id=blue.endpoint.workspace_id, amount=Decimal(5), currency="USD",
        reason="A budget.",
    )  # fmt: skip
    set_value(
        principal=principal(finops), endpoint_id=blue.endpoint_id, amount=Decimal("0.1"), currency="USD",
        reason="Sales.",
    )  # fmt: skip
    return day, row.pk


def _case(stage: Stage) -> int:
    """A case with evidence, a hold that waits and another one to be linked with."""
    supervisor = make_person("sina", {stage.workspace.slug: [Role.SUPERVISOR]})
    one, _ = (raised(supervisor, stage.endpoint, record(stage.endpoint, number)) for number in range(2))
    ask_hold(
        principal=principal(supervisor),
        case_id=one.pk,
        since=db_now() - timedelta(days=1),
        until=db_now(),
        reason="A court",
    )
    return one.pk


@pytest.fixture
def everything(requester: User, auditor: User) -> User:
    """One who may see every page."""
    workspace_id = Grant.objects.values_list("workspace_id", flat=True).get(user=requester)
    add_grant(actor=SYSTEM_COMMAND, user_id=requester.pk, role=Role.FINOPS, workspace_id=workspace_id)
    return requester


def test_page__has_one_main_one_navigation_and_a_heading_that_its_title_repeats(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    page = read(_get(sign_in, everything, asked, address).content)
    title, heading = words(page.one("title").text), words(page.one("h1").text)
    assert title.removesuffix(" - opsportal") == heading
    assert page.one("main").attributes["id"] == "main"
    assert page.one("html").attributes["lang"] == "en"
    assert len(page.all("nav", aria_label="Main")) == 1
    assert [one.tag for one in page.elements if one.tag == "header"] == ["header"]


def test_page__starts_with_the_link_that_skips_to_its_content(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    page = read(_get(sign_in, everything, asked, address).content)
    first = next(one for one in page.elements if one.tag in ("a", "button", "input", "select", "textarea"))
    assert first.attributes["href"] == "#main"


def test_page__names_every_control_and_repeats_no_id(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    page = read(_get(sign_in, everything, asked, address).content)
    assert _repeated(page) == []
    assert _nameless(page) == []
    assert _dangling(page) == []


def _repeated(page: Page) -> list[str]:
    ids = Counter(one.attributes["id"] for one in page.elements if "id" in one.attributes)
    return [name for name, number in ids.items() if number > 1]


def _nameless(page: Page) -> list[str]:
    labelled = {one.attributes.get("for") for one in page.all("label")}
    controls = [one for one in page.elements if one.tag in ("input", "select", "textarea")]
    nameless = [
        str(one.attributes)
        for one in controls
        if one.attributes.get("type") != "hidden"
        and one.attributes.get("id") not in labelled
        # cells of a table: their column names them for eyes
        and not one.attributes.get("aria-label", "").strip()
        and "label" not in one.inside
    ]
    pressed = [one for one in page.elements if one.tag in ("button", "a", "summary")]
    return nameless + [str(one.attributes) for one in pressed if not words(one.text)]


def _dangling(page: Page) -> list[str]:
    ids = {one.attributes.get("id") for one in page.elements}
    wanted = [
        name
        for one in page.elements
        for attribute in ("aria-labelledby", "aria-describedby", "for", "list")
        for name in one.attributes.get(attribute, "").split()
    ]
    wanted += [
        one.attributes["href"][1:]
        for one in page.elements
        if one.tag in ("a", "use") and one.attributes.get("href", "").startswith("#")
    ]
    return sorted({name for name in wanted if name not in ids})


def test_tables__have_a_caption_and_scoped_headings(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    page = read(_get(sign_in, everything, asked, address).content)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(one.attributes.get("scope") in ("row", "col") for one in page.all("th"))


def test_page__is_sent_with_a_policy_that_allows_nothing_inline_and_is_never_stored(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    answer = _get(sign_in, everything, asked, address)
    policy = answer["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_page__has_no_inline_style_script_or_handler(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    page = read(_get(sign_in, everything, asked, address).content)
    assert [one.tag for one in page.elements if "style" in one.attributes or one.tag == "style"] == []
    assert [one.tag for one in page.elements if any(name.startswith("on") for name in one.attributes)] == []
    assert all(one.attributes.get("src") for one in page.all("script"))


def test_page__with_everything_it_loads__is_light(
    address: str, sign_in: SignIn, everything: User, asked: Stage
) -> None:
    html = gzip.compress(_get(sign_in, everything, asked, address).content)
    loaded = [
        STATIC / "css" / "opsportal.css",
        STATIC / "js" / "opsportal.js",
        STATIC / "img" / "favicon.svg",
    ]
    if "/e/" in address:
        loaded.append(STATIC / "js" / "charts.js")
    htmx = finders.find("django_htmx/htmx-4.min.js")
    assert isinstance(htmx, str)
    assets = sum(len(gzip.compress(path.read_bytes())) for path in [*loaded, Path(htmx)])
    assert (len(html) + assets) / 1024 < LIMIT_KIB


@pytest.mark.parametrize(("address", "limit"), PAGES.items())
def test_page__asks_no_more_queries_than_it_may(
    address: str,
    limit: int,
    sign_in: SignIn,
    everything: User,
    asked: Stage,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for name in ("photo-triage", "home-recs", "route-eta", "rank-home"):
        make_endpoint(asked.workspace, name)
    client, where = sign_in(everything), _filled(address, everything, asked)
    with django_assert_max_num_queries(limit):
        answer = client.get(where)
    assert answer.status_code == 200


def test_page__in_dark_or_light__follows_what_the_person_chose(
    sign_in: SignIn, requester: User, asked: Stage
) -> None:
    client = sign_in(requester)
    assert "data-theme" not in read(client.get("/help").content).one("html").attributes
    client.post("/settings/profile", {"form": "display", "time_zone": "UTC", "theme": "dark"})
    assert read(client.get("/help").content).one("html").attributes["data-theme"] == "dark"
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in read(client.get("/help").content).one("html").attributes


def test_times__switch_to_the_persons_zone_and_back(sign_in: SignIn, requester: User, asked: Stage) -> None:
    client = sign_in(requester)
    client.post("/settings/profile", {"form": "display", "time_zone": "Asia/Tokyo", "shortcuts": "on"})
    before = read(client.get(f"/changes/CR-{asked.number}").content)
    answer = client.post("/settings/zone", {"zone": "home", "next": "/fleet"})
    assert answer["Location"] == "/fleet"
    after = read(client.get(f"/changes/CR-{asked.number}").content)
    shown = [time.attributes["datetime"] for time in before.all("time")]
    assert shown == [time.attributes["datetime"] for time in after.all("time")]
    assert any("UTC" in time.text for time in before.all("time"))
    assert not any("UTC" in time.text for time in after.all("time"))
    assert any("JST" in time.text for time in after.all("time"))


def test_settings__load_no_engine_but_the_autoescaping_one() -> None:
    assert [one["BACKEND"] for one in settings.TEMPLATES] == ["django.template.backends.jinja2.Jinja2"]
