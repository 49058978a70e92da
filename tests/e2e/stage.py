"""A portal without Azure for looking at pages: one web process, a seeded database, one browser per person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page

from endpoints.access.models import User
from endpoints.changes.selectors import change_detail
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.start import start_change
from endpoints.inventory.models import Endpoint
from opsportal.settings import base
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
            f"{home}rollback",
            "/changes?state=open",
            f"/changes/CR-{self.in_review}",
            f"/changes/CR-{self.started}/live",
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
    in_review, started = seed()
    with processes.web(processes.environment(database), folder) as (url, _):
        yield Stage(url, browser, in_review, started, kept={"folder": str(folder)})


# The tests' own fast hasher is not known to the real web process.
@override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
def seed() -> tuple[int, int]:
    workspace, other = make_workspace("mlw-prod-weu"), make_workspace("mlw-test-neu", "test")
    roles = {"rosa": "requester", "vera": "reviewer", "omar": "operator"}
    people = {
        name: make_person(name, {workspace.slug: [role], other.slug: [role]}) for name, role in roles.items()
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
    return _ask(people["rosa"], risk.pk, {"green": 100}), started


def _ask(author: User, endpoint_id: int, split: dict[str, int]) -> int:
    return request_change(
        principal=principal(author), endpoint_id=endpoint_id, split=split, reason="Green is better " * 8
    )


def _hash(user: User, number: int) -> str:
    return change_detail(principal(user), number).content_hash
