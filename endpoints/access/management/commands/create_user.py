"""`manage.py create_user`: how the first account comes to be. Recorded in the ledger as the command line's act."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints.access.services import add_user
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.core.errors import OpsportalError


class Command(BaseCommand):
    help = "Create an account. It can do nothing until manage.py grant_role gives it a role."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("display_name", help='as others will read it, for example "Dana Okafor"')
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--service", action="store_true", help="a service account, which uses tokens only"
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = bool(options["service"])
        try:
            user_id = add_user(
                actor=SYSTEM_COMMAND,
                username=options["username"],
                display_name=options["display_name"],
                email=options["email"],
                kind="service" if service else "person",
                password="" if service else _password(from_stdin=options["password_stdin"]),
            )
        except OpsportalError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Created account {user_id}, {options['username'].lower()}.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise CommandError("The two passwords differ; no account was created.")
    return first
