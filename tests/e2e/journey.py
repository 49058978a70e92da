"""The world of the journey: Azure's emulator, web, executor and worker as real processes, and real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from emulator.launch import Emulator, launch
from endpoints.access.roles import Role
from endpoints.access.services import add_grant, add_user, add_workspace
from endpoints.audit.actors import SYSTEM_COMMAND
from opsportal.embedded.throwaway import Servers
from opsportal.settings import base
from tests.flows.stage import CHECKOUT, TIMES, WORKSPACE
from tests.support import processes
from tests.support.databases import Database

PASSWORD = "a long enough pass phrase"
ENDPOINT = "/w/mlw-prod-weu/e/checkout-risk/"


@dataclass
class Portal:
    """The running portal, and what Azure really did."""

    url: str
    azure: Emulator
    browser: Browser
    executor: processes.Process
    refused: list[str] = field(default_factory=list)
    """Console errors of all pages: a violated content security policy among them."""

    def sign_in(self, username: str, *, javascript: bool = True) -> Page:
        """A browser of its own, signed in."""
        context = self.browser.new_context(
            base_url=self.url, viewport={"width": 1440, "height": 900}, java_script_enabled=javascript
        )
        page = context.new_page()
        page.on("console", lambda said: self.refused.append(said.text) if said.type == "error" else None)
        page.goto("/login")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Fleet")
        return page

    def live(self) -> dict[str, int]:
        """The split that Azure serves: ground truth."""
        return dict(self.azure.admin.resource(CHECKOUT)["document"]["properties"]["traffic"])

    def splits_applied(self) -> list[dict[str, int]]:
        """Every split that Azure applied to the endpoint, in order, by its own log."""
        records = [r for r in self.azure.admin.log() if r["resource"].lower() == CHECKOUT.lower()]
        return [
            dict(record["document"]["properties"]["traffic"])
            for record in records
            if record["phase"] == "applied" and record["who"]["name"] == "opsportal"
        ]


def accept_all(page: Page) -> None:
    """What no check could tell, such as a load that nobody measured yet, has to be accepted by name."""
    for box in page.locator("input[name=accept]").all():
        box.check()


@contextmanager
def portal(
    servers: Servers, database: Database, browser: Browser, folder: Path, **more: str
) -> Iterator[Portal]:
    """Everything up, the fleet read by the real worker; `more` settings by their environment names."""
    _people()
    with ExitStack() as stack:
        azure = stack.enter_context(launch(folder / "azure", scenario="small"))
        told = processes.environment(
            database,
            broker_url=servers.broker_url,
            **TIMES,
            **azure.environment(),
            OPSPORTAL_AZURE_CLOUD="JourneyCloud",
            OPSPORTAL_AZURE_RESOURCE_MANAGER=azure.arm,
            OPSPORTAL_AZURE_CA_BUNDLE=str(azure.ca_file),
            OPSPORTAL_AZURE_METRICS_ENDPOINT=azure.metrics,
            OPSPORTAL_AZURE_LOGS_ENDPOINT=azure.logs,
            OPSPORTAL_SYNC_CADENCE_SECONDS="2",
            **more,
        )
        url, _ = stack.enter_context(processes.web(told, folder))
        executor = stack.enter_context(processes.running("executor", told, folder))
        for name in ("worker", "beat"):
            stack.enter_context(processes.running(name, told, folder))
        yield Portal(url, azure, browser, executor)


# The tests' own fast hasher is not known to the real web process.
@override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
def _people() -> None:
    workspace = add_workspace(
        actor=SYSTEM_COMMAND,
        arm_id=WORKSPACE,
        slug="mlw-prod-weu",
        environment="production",
        region="westeurope",
    )
    for username, name, role in (
        ("novak", "A. Novak", Role.REQUESTER),
        ("okafor", "R. Okafor", Role.REVIEWER),
        ("berg", "O. Berg", Role.OPERATOR),
        ("haddad", "S. Haddad", Role.SUPERVISOR),
        ("reyes", "M. Reyes", Role.SUPERVISOR),
        ("lund", "D. Lund", Role.AUDITOR),
    ):
        user = add_user(actor=SYSTEM_COMMAND, username=username, display_name=name, password=PASSWORD)
        add_grant(actor=SYSTEM_COMMAND, user_id=user, role=role, workspace_id=workspace)
