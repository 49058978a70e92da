"""`manage.py seed_demo`: people and workspaces of the demo; later its first changes, cases, savings, budgets and past.

Makes only what is missing. Refuses any Azure that is not on this machine: these passwords are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.access.selectors import connected_workspaces, user_id_by_name
from endpoints.access.services.accounts import add_user
from endpoints.access.services.grants import add_grant
from endpoints.access.services.workspaces import add_workspace
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.core.errors import NotFound
from opsportal import demo
from opsportal.demo_capacity import make_capacity
from opsportal.demo_cases import make_cases
from opsportal.demo_changes import make_changes
from opsportal.demo_metrics import make_metrics, order_past

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Fill the demo: people, roles and workspaces; then its first changes, budgets and past."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--changes", action="store_true", help="make the first changes; after a sync")
        parser.add_argument(
            "--metrics", action="store_true", help="set budgets and order the past of metrics; after a sync"
        )
        parser.add_argument(
            "--cases", action="store_true", help="make the first challenge cases; after the changes"
        )
        parser.add_argument(
            "--capacity", action="store_true", help="find idle capacity and act on some; after the changes"
        )
        parser.add_argument(
            "--fleet", default="", help="ARM ids of a made-up fleet's workspaces, separated by commas"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host = urlsplit(settings.OPSPORTAL.azure_resource_manager).hostname
        if host not in LOOPBACK:
            raise CommandError(f"This is for the emulator on this machine, not for {host}. Nothing was made.")
        if options["changes"]:
            for line in make_changes():
                self.stdout.write(line)
            return
        if options["cases"]:
            for line in make_cases():
                self.stdout.write(line)
            return
        if options["capacity"]:
            for line in make_capacity():
                self.stdout.write(line)
            return
        if options["metrics"]:
            for line in order_past() if options["fleet"] else make_metrics():
                self.stdout.write(line)
            return
        fleet = tuple(demo.workspace(arm_id) for arm_id in options["fleet"].split(",") if arm_id)
        workspaces = self._workspaces(fleet or demo.WORKSPACES)
        self._people(workspaces, everywhere=bool(fleet))
        self._greet()

    def _workspaces(self, wanted: Sequence[demo.Workspace]) -> dict[str, int]:
        known = {row.slug: row.id for row in connected_workspaces()}
        for workspace in wanted:
            if workspace.slug not in known:
                known[workspace.slug] = add_workspace(
                    actor=SYSTEM_COMMAND,
                    arm_id=workspace.arm_id,
                    slug=workspace.slug,
                    environment="production",
                    region=workspace.region,
                )
        return known

    def _people(self, workspaces: dict[str, int], *, everywhere: bool) -> None:
        """With their roles where the demo has them, or on all workspaces of another fleet."""
        for person in demo.PEOPLE:
            if _is_known(person.username):
                continue
            user_id = add_user(
                actor=SYSTEM_COMMAND,
                username=person.username,
                display_name=person.name,
                password=demo.PASSWORD,
            )
            for role in person.roles:
                where = tuple(workspaces) if everywhere and person.where else person.where
                places: list[int | None] = [workspaces[slug] for slug in where]
                for workspace_id in places or [None]:
                    add_grant(actor=SYSTEM_COMMAND, user_id=user_id, role=role, workspace_id=workspace_id)

    def _greet(self) -> None:
        self.stdout.write(f"Sign in as any of these, password {demo.PASSWORD}:")
        for person in demo.PEOPLE:
            self.stdout.write(f"  {person.username:<8} {person.name:<12} {person.does}")


def _is_known(username: str) -> bool:
    try:
        user_id_by_name(username)
    except NotFound:
        return False
    return True
