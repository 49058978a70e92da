"""`manage.py grant_role`: how the first administrator comes to be. Recorded as the command line's act."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.access.roles import Role
from endpoints.access.selectors import user_id_by_name, workspace_id_by_slug
from endpoints.access.services import add_grant
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.core.errors import OpsportalError


class Command(BaseCommand):
    help = "Give an account a role on one workspace, or on the whole installation (admin and auditor only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("role", choices=[role.value for role in Role])
        parser.add_argument("--workspace", metavar="SLUG", help="without it: the whole installation")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["workspace"]
        try:
            grant_id = add_grant(
                actor=SYSTEM_COMMAND,
                user_id=user_id_by_name(options["username"]),
                role=Role(options["role"]),
                workspace_id=workspace_id_by_slug(slug) if slug else None,
                reason=options["reason"],
            )
        except OpsportalError as error:
            raise CommandError(error.message) from error
        where = slug or "the whole installation"
        self.stdout.write(
            f"Gave {options['username']} the role {options['role']} on {where} (grant {grant_id})."
        )
