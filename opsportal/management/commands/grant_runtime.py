"""Gives the runtime role its rights after a migration. Runs as the owner; repeating it changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from opsportal.grants import RUNTIME_ROLE, grant_runtime


class Command(BaseCommand):
    help = "Give the runtime role its rights on every table. Run as the owner after each migration."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--role", default=RUNTIME_ROLE, help="The role that the portal's processes use.")

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                grant_runtime(cursor, role=role)
        except ProgrammingError as error:
            raise CommandError(f"No right was changed: {error}") from error
        self.stdout.write(f"{role} may use every table; history is open for adding only.")
