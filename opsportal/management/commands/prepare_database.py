"""Brings a database up to the code: migrations, the runtime role's rights, partitions of now. Runs as the owner."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from endpoints.metrics.services import make_ahead
from opsportal.grants import RUNTIME_ROLE


class Command(BaseCommand):
    help = "Migrate, then give the runtime role its rights. Run as the owner before new code starts."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--role", default=RUNTIME_ROLE, help="The role that the portal's processes use.")

    def handle(self, *args: Any, role: str, verbosity: int, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=verbosity)
        # After the migrations: between the two, new tables are closed to the portal, never open for too much.
        call_command("grant_runtime", role=role, verbosity=verbosity)
        make_ahead()
