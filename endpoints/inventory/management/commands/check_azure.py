"""`manage.py check_azure`: what the portal's identity can and cannot do, workspace by workspace.

For connected workspaces also what else their subscriptions hold, where Resource Graph tells.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.access.selectors import connected_workspaces
from endpoints.inventory.selectors.discovery import discoveries
from endpoints.inventory.services.access_check import AccessReport, check_access
from endpoints.inventory.services.discovery import discover


class Command(BaseCommand):
    help = "Ask Azure what the portal's identity may do, and name every role action that is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arm_ids", nargs="*", help="ARM ids of workspaces; all connected ones by default")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["arm_ids"] or [workspace.arm_id for workspace in connected_workspaces()]
        if not asked:
            raise CommandError("No workspace is connected. Name one by its ARM id.")
        reports = [self._report(arm_id) for arm_id in asked]
        if not options["arm_ids"]:
            self._elsewhere()
        if not all(report.sufficient for report in reports):
            raise CommandError("At least one workspace can't be operated; see above.", returncode=1)

    def _report(self, arm_id: str) -> AccessReport:
        try:
            report = check_access(arm_id)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\n{report.arm_id}")
        for line in _lines(report):
            self.stdout.write(f"  {line}")
        return report

    def _elsewhere(self) -> None:
        """Resource Graph is not needed for anything: that it is silent is no failure."""
        discover(every=timedelta(0))
        for row in discoveries(workspace.id for workspace in connected_workspaces()):
            self.stdout.write(f"\nSubscription {row.subscription}\n  {row.sentence}")
            for one in row.coverage.elsewhere if row.coverage else ():
                self.stdout.write(f"  Not connected: {one.workspace} ({one.endpoints:,})")


def _lines(report: AccessReport) -> list[str]:
    if report.failure:
        named = [f"Missing: {action}." for action in report.missing]
        return [f"Azure could not be asked: {report.failure}", *named, f"Grant: {report.role_command}"]
    good = [f"Region {report.region}. Everything that is needed is granted."] if report.sufficient else []
    return [*good, *report.sentences, *([] if report.sufficient else [f"Grant: {report.role_command}"])]
