"""`manage.py check_azure`: what the portal's identity can and cannot do, workspace by workspace."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.access.selectors import connected_workspaces
from endpoints.inventory.services.access_check import AccessReport, check_access


class Command(BaseCommand):
    help = "Ask Azure what the portal's identity may do, and name every role action that is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arm_ids", nargs="*", help="ARM ids of workspaces; all connected ones by default")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["arm_ids"] or [workspace.arm_id for workspace in connected_workspaces()]
        if not asked:
            raise CommandError("No workspace is connected. Name one by its ARM id.")
        reports = [self._report(arm_id) for arm_id in asked]
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


def _lines(report: AccessReport) -> list[str]:
    if report.failure:
        named = [f"Missing: {action}." for action in report.missing]
        return [f"Azure could not be asked: {report.failure}", *named, f"Grant: {report.role_command}"]
    good = [f"Region {report.region}. Everything that is needed is granted."] if report.sufficient else []
    return [*good, *report.sentences, *([] if report.sufficient else [f"Grant: {report.role_command}"])]
