"""A portal without Azure for looking at pages: one web process, a seeded database, one browser per person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page

from endpoints.access.models import User
from endpoints.capacity.models import Alert, LeftAlone, Looked, Saving, SpendPlan
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.start import start_change
from endpoints.core.money import Money
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from opsportal.settings import base
from tests.capacity.found import found
from tests.capacity.ledgered import agreed, ledgered, yesterday
from tests.support import processes
from tests.support.databases import Database
from tests.support.load import serve
from tests.support.people import PASSWORD, make_endpoint, make_person, make_workspace, principal

LONG = "a-name-as-long-as-azure-lets-one"
FIRST, SECOND = {"blue": {}, "green": {}}, {"blue": {}}
TRIAGE = {"blue": {"model": f"azureml:triage-of-photos-by-{LONG}:7"}, "green": {}}


@dataclass
class Stage:
    """The portal's address, numbers of changes in different states, and what browsers complained about."""

    url: str
    browser: Browser
    in_review: int
    started: int
    row: tuple[int, date]
    finding: int
    complaints: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> list[str]:
        home = "/w/mlw-prod-weu/e/checkout-risk/"
        then = f"at={datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return [
            f"/fleet?{then}",
            f"{home}?{then}",
            f"{home}d/blue/?{then}",
            f"/changes/CR-{self.in_review}?{then}",
            f"{home}compare",
            "/fleet",
            "/w/mlw-prod-weu/",
            home,
            f"{home}d/blue/",
            f"{home}budget",
            "/telemetry",
            f"{home}change/new",
            f"{home}capacity",
            f"{home}rollback",
            "/changes?state=open",
            f"/changes/CR-{self.in_review}",
            f"/changes/CR-{self.started}/live",
            "/capacity",
            "/capacity?days=90",
            "/capacity/days",
            f"/capacity/days/{self.row[0]}/{self.row[1]}",
            f"/capacity/findings/{self.finding}",
            "/capacity/left-alone",
            "/capacity/rules?ws=mlw-prod-weu",
            "/capacity/savings",
            "/capacity/unit-costs",
            "/capacity/plans",
            "/holds",
            "/holds/stop",
            "/holds/stops",
            "/audit",
            "/audit/5",
            "/settings/workspaces",
            "/settings/profile",
            "/settings/tokens",
            "/search?q=nothing",
            "/help",
        ]

    @contextmanager
    def open(
        self, username: str, *, width: int = 1440, height: int = 900, **options: object
    ) -> Iterator[Page]:
        """A page of somebody's own browser. Signed in once for each person; sessions are shared."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            storage_state=self._session(username),
            **options,  # type: ignore[arg-type]  # playwright's own options
        )
        page = context.new_page()
        self._listen(page)
        yield page
        context.close()

    def _session(self, username: str) -> str:
        if username not in self.kept:
            context = self.browser.new_context(base_url=self.url)
            self._sign_in(context, username)
            path = Path(self.kept["folder"]) / f"{username}.json"
            context.storage_state(path=path)
            context.close()
            self.kept[username] = str(path)
        return self.kept[username]

    def _sign_in(self, context: BrowserContext, username: str) -> None:
        page = context.new_page()
        self._listen(page)
        page.goto("/login")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/fleet")

    def _listen(self, page: Page) -> None:
        page.on("console", lambda said: self._keep(said.type, said.text))
        page.on("pageerror", lambda error: self._keep("error", str(error)))

    def _keep(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@contextmanager
def stage(database: Database, browser: Browser, folder: Path) -> Iterator[Stage]:
    """Everything up; `database` is Django's default one while this lasts."""
    in_review, started, row, finding = seed()
    with processes.web(processes.environment(database), folder) as (url, _):
        yield Stage(url, browser, in_review, started, row, finding, kept={"folder": str(folder)})


# The tests' own fast hasher is not known to the real web process.
@override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
def seed() -> tuple[int, int, tuple[int, date], int]:
    workspace, other = make_workspace("mlw-prod-weu"), make_workspace("mlw-test-neu", "test")
    roles = {"rosa": ["requester", "finops"], "vera": ["reviewer", "finops"], "omar": ["operator"]}
    people = {
        name: make_person(name, {workspace.slug: mine, other.slug: mine}) for name, mine in roles.items()
    }
    risk = make_endpoint(workspace, traffic={"blue": 90, "green": 10}, deployments=FIRST)
    recs = make_endpoint(workspace, "home-recs", traffic={"blue": 75, "green": 25}, deployments=FIRST)
    make_endpoint(workspace, "doc-class", provisioningState="Failed", deployments=SECOND)
    make_endpoint(workspace, "photo-triage", deployments=TRIAGE)
    make_endpoint(workspace, "photo-triage", traffic={"blue": 60, "green": 40}, deployments=TRIAGE)
    make_endpoint(workspace, LONG, traffic={}, deployments=SECOND, tags={"team": "نظام " * 20, "🙂": "yes"})
    make_endpoint(other, deployments=SECOND)
    for endpoint in Endpoint.objects.filter(deleted_at=None):
        serve(endpoint.pk)
    started = _ask(people["rosa"], recs.pk, {"green": 100})
    approve_change(
        principal=principal(people["vera"]), change_id=started, seen_hash=_hash(people["vera"], started)
    )
    start_change(
        principal=principal(people["omar"]), change_id=started, seen_hash=_hash(people["omar"], started)
    )
    return _ask(people["rosa"], risk.pk, {"green": 100}), started, *_capacity(risk, recs)


def _capacity(*endpoints: Endpoint) -> tuple[tuple[int, date], int]:
    """A month in the ledger, findings to act on and one whose saving is verified, what people said, and an alert."""
    rows = [row for endpoint in endpoints for row in endpoint.deployments.order_by("name")]
    for back in range(30):
        ledgered(*rows, day=yesterday() - timedelta(days=back))
    kinds = (
        ("shrink", "open", 427),
        ("delete", "open", 85),
        ("resize", "claimed", 40),
        ("shrink", "verified", 9),
    )
    first, _, _, fourth = [
        found(
            row,
            kind=kind,
            state=state,
            high=Money(Decimal(amount), "USD"),
            why=f"No request in {amount} days.",
        )
        for row, (kind, state, amount) in zip(rows, kinds, strict=True)
    ]
    Saving.objects.create(
        finding=fourth, state="verified", acted_at=db_now() - timedelta(days=9), currency="USD", hours=168,
        before_seconds=7200, after_seconds=3600, saved_nanos=2 * 10**9, monthly_nanos=9 * 10**9, words="Less.",
    )  # fmt: skip
    now, place = db_now(), endpoints[0].workspace_id
    Looked.objects.create(workspace_id=place, at=now, deployments=4, seconds=0.1)
    LeftAlone.objects.create(
        deployment_id=rows[0].pk, endpoint_id=rows[0].endpoint_id, workspace_id=place, kind="delete", seen_at=now,
        reasons=["An open case needs it.", "It is what a rollback would go back to."],
    )  # fmt: skip
    Alert.objects.create(
        workspace_id=place, kind="over_plan", key="over", words="Too much was spent.", since=now
    )
    SpendPlan.objects.create(
        workspace_id=place, amount=Decimal(100), currency="USD", reason="A budget.", made_by="system:command",
        made_at=now,
    )  # fmt: skip
    agreed(place)
    return (rows[0].pk, yesterday()), first.pk


def _ask(author: User, endpoint_id: int, split: dict[str, int]) -> int:
    return request_change(
        principal=principal(author), endpoint_id=endpoint_id, split=split, reason="Green is better " * 8
    )


def _hash(user: User, number: int) -> str:
    return change_detail(principal(user), number).content_hash
