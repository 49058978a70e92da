"""`manage.py audit verify`, `checkpoint`, `export` and `privileges`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from endpoints.audit import signing
from endpoints.audit.actors import SYSTEM_COMMAND
from endpoints.audit.anchorfile import read_anchored
from endpoints.audit.chain import Anchor, Verification
from endpoints.audit.export import Wanted, export
from endpoints.audit.privileges import check_privileges
from endpoints.audit.selectors import newest_checkpoint, verification_summary
from endpoints.audit.services import make_checkpoint, remember_verification
from endpoints.audit.verification import verify_stored
from endpoints.core.errors import OpsportalError

WHOLE, TAMPERED, INCOMPLETE = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Check, seal and hand over the audit ledger. Exit codes: 0 whole and done, 1 tampered with or open to it, "
        "2 could not be checked or done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="Check everything and name the first bad entry.")
        verify.add_argument(
            "--anchor", metavar="SEQ:HASH", help="a head noted earlier, kept outside the database"
        )
        verify.add_argument(
            "--anchors",
            metavar="FILE",
            type=Path,
            help="checkpoints kept elsewhere; default: the anchor file",
        )
        verify.add_argument("--json", action="store_true", help="print one JSON object")
        verify.add_argument("--remember", action="store_true", help="let the audit page show this check")
        verbs.add_parser("checkpoint", help="Sign a checkpoint now, and print the newest one.")
        taken = verbs.add_parser("export", help="Write entries with their proofs and checkpoints to a ZIP.")
        taken.add_argument("file", metavar="FILE", type=Path)
        taken.add_argument(
            "--since", metavar="DAY", type=_moment, help="entries from this day or moment (UTC) on"
        )
        taken.add_argument(
            "--until", metavar="DAY", type=_moment, help="entries before this day or moment (UTC)"
        )
        taken.add_argument("--subject", metavar="REF", default="", help="entries about this alone: change:42")
        privileges = verbs.add_parser("privileges", help="Say how this database role could alter the ledger.")
        privileges.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        act = {
            "verify": self._verify,
            "checkpoint": self._checkpoint,
            "export": self._export,
            "privileges": self._privileges,
        }[verb]
        try:
            code = act(options)
        except Error as error:
            raise CommandError(
                f"The ledger could not be read to its end: {error}", returncode=INCOMPLETE
            ) from error
        except OpsportalError as error:
            raise CommandError(error.message, returncode=INCOMPLETE) from error
        if code != WHOLE:
            sys.exit(code)

    def _verify(self, options: dict[str, Any]) -> int:
        anchor = _anchor(options["anchor"])
        anchored = read_anchored(options["anchors"]) if options["anchors"] else None
        found = (
            remember_verification(asked_by="system:command", anchor=anchor, anchored=anchored)
            if options["remember"]
            else verify_stored(anchor, anchored=anchored)
        )
        self.stdout.write(_as_json(found) if options["json"] else _as_text(found))
        if not found.ok:
            return TAMPERED
        return INCOMPLETE if found.unchecked else WHOLE

    def _checkpoint(self, options: dict[str, Any]) -> int:
        signing.public_key()  # Unavailable, with the reason, when there is none
        made = make_checkpoint(actor=SYSTEM_COMMAND)
        if made is None and verification_summary().ok is False:
            self.stdout.write(f"Nothing was signed. {verification_summary().reason}")
            return TAMPERED
        newest = newest_checkpoint()
        self.stdout.write(newest.note if newest else "The ledger is empty: there is nothing to sign.")
        return WHOLE

    def _export(self, options: dict[str, Any]) -> int:
        wanted = Wanted(options["since"], options["until"], options["subject"])
        made = export(wanted)
        try:
            options["file"].write_bytes(made.data)
        except OSError as error:
            raise CommandError(f"The file could not be written: {error}", returncode=INCOMPLETE) from error
        self.stdout.write(f"{made.entries} entries, {made.proven} of them proven by a checkpoint.")
        return WHOLE if made.proven == made.entries else INCOMPLETE

    def _privileges(self, options: dict[str, Any]) -> int:
        problems = check_privileges()
        text = json.dumps({"problems": problems}) if options["json"] else "\n".join(problems)
        self.stdout.write(text or "This database role can add to the ledger and alter nothing in it.")
        return TAMPERED if problems else WHOLE


def _moment(text: str) -> datetime:
    """A day or a moment; what has no zone is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _anchor(text: str | None) -> Anchor | None:
    try:
        return Anchor.parse(text) if text else None
    except ValueError as error:
        raise CommandError(str(error), returncode=INCOMPLETE) from error


def _as_json(found: Verification) -> str:
    return json.dumps(asdict(found) | {"head": str(found.head) if found.head else None})


def _as_text(found: Verification) -> str:
    if not found.ok:
        return f"TAMPERED: {found.reason}\nFirst bad entry: {found.first_bad_seq} ({found.fault})."
    if found.head is None and not found.unchecked:
        return "The ledger is empty."
    lines = [f"Whole: {found.count} entries. Head {found.head or 'none'}"]
    if found.checkpoints:
        lines.append(f"{found.checkpoints} checkpoints agree.")
    lines += [f"NOT CHECKED: {words}" for words in found.unchecked]
    lines.append(
        "Keep the head outside this database and give it as --anchor later: "
        "only then does a cut or rewritten end show."
    )
    return "\n".join(lines)
