"""`manage.py audit verify` and `manage.py audit privileges`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from endpoints.audit.chain import Anchor, Verification
from endpoints.audit.privileges import check_privileges
from endpoints.audit.services import remember_verification
from endpoints.audit.verification import verify_stored

WHOLE, TAMPERED, INCOMPLETE = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Check the audit ledger. Exit codes: 0 whole, 1 tampered with or open to it, 2 could not be checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="Follow the chain and name the first bad entry.")
        verify.add_argument(
            "--anchor", metavar="SEQ:HASH", help="a head noted earlier, kept outside the database"
        )
        verify.add_argument("--json", action="store_true", help="print one JSON object")
        verify.add_argument("--remember", action="store_true", help="let the audit page show this check")
        privileges = verbs.add_parser("privileges", help="Say how this database role could alter the ledger.")
        privileges.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            code = self._verify(options) if verb == "verify" else self._privileges(options)
        except Error as error:
            raise CommandError(
                f"The ledger could not be read to its end: {error}", returncode=INCOMPLETE
            ) from error
        if code != WHOLE:
            sys.exit(code)

    def _verify(self, options: dict[str, Any]) -> int:
        anchor = _anchor(options["anchor"])
        found = (
            remember_verification(asked_by="system:command", anchor=anchor) if options["remember"] else None
        )
        found = found or verify_stored(anchor)
        self.stdout.write(_as_json(found) if options["json"] else _as_text(found))
        return WHOLE if found.ok else TAMPERED

    def _privileges(self, options: dict[str, Any]) -> int:
        problems = check_privileges()
        text = json.dumps({"problems": problems}) if options["json"] else "\n".join(problems)
        self.stdout.write(text or "This database role can add to the ledger and alter nothing in it.")
        return TAMPERED if problems else WHOLE


def _anchor(text: str | None) -> Anchor | None:
    try:
        return Anchor.parse(text) if text else None
    except ValueError as error:
        raise CommandError(str(error), returncode=INCOMPLETE) from error


def _as_json(found: Verification) -> str:
    return json.dumps(asdict(found) | {"head": str(found.head) if found.head else None})


def _as_text(found: Verification) -> str:
    if found.ok and found.head is None:
        return "The ledger is empty."
    if found.ok:
        return (
            f"Whole: {found.count} entries. Head {found.head}\n"
            "Keep the head outside this database and give it as --anchor later: "
            "only then does a cut or rewritten end show."
        )
    return f"TAMPERED: {found.reason}\nFirst bad entry: {found.first_bad_seq} ({found.fault})."
