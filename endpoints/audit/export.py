"""A ZIP of ledger entries with what proves them, in the form of docs/reference/evidence-pack.md. No personal text.

`verify_evidence.py` checks it like a case's pack.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from endpoints.audit import note as notes
from endpoints.audit import signing
from endpoints.audit.canonical import canonical
from endpoints.audit.selectors import (
    CheckpointRow,
    StoredEntry,
    entries_between,
    inclusion_proofs,
    newest_checkpoint,
)
from endpoints.audit.signing import Keys
from endpoints.core.container import container
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now

MOST_ENTRIES = 50_000
_README = b"""Entries of an audit ledger, with proofs that they are in a signed checkpoint's tree.
Check this file with verify_evidence.py, which needs Python and nothing else:
    python3 verify_evidence.py FILE --key PUBLIC.pem
Names and free text are not in here: entries hold salted commitments to them.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; all that is given must hold."""

    since: datetime | None = None
    until: datetime | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """The ZIP, and how many of its entries a checkpoint proves."""

    data: bytes
    entries: int
    proven: int


@transaction.atomic
def export(wanted: Wanted) -> Export:
    """Entries, proofs and the newest checkpoint. Invalid when nothing fits, or more than one file takes."""
    rows = entries_between(
        since=wanted.since, until=wanted.until, subject=wanted.subject, limit=MOST_ENTRIES + 1
    )
    if not rows:
        raise Invalid("No entry fits. Nothing was written.")
    if len(rows) > MOST_ENTRIES:
        raise Invalid(f"More than {MOST_ENTRIES} entries fit: ask for a shorter time. Nothing was written.")
    newest = newest_checkpoint()
    proven = [row for row in rows if newest and row.seq <= newest.size]
    keys = signing.keys()
    files = {"README.txt": _README, **_ledger(rows, proven, newest)}
    manifest = canonical(_manifest(files, keys))
    named = [*sorted(files.items()), ("manifest.json", manifest)]
    if keys.private is not None:
        named.append(("manifest.json.sig", _signature(manifest, keys)))
    return Export(container(named), len(rows), len(proven))


def _ledger(
    rows: Sequence[StoredEntry], proven: Sequence[StoredEntry], newest: CheckpointRow | None
) -> dict[str, bytes]:
    files = {
        "ledger/entries.jsonl": _lines(
            {
                "seq": row.seq,
                "at_us": row.at_us,
                "prev": row.prev.hex(),
                "hash": row.hash.hex(),
                "body": base64.b64encode(row.body).decode(),
            }
            for row in rows
        ),
        "ledger/personal.jsonl": b"",
        "ledger/proofs.jsonl": b"",
        "ledger/consistency.jsonl": b"",
        "ledger/links.jsonl": b"",
    }
    if newest is None:
        return files
    paths = inclusion_proofs([row.seq for row in proven], newest.size)
    files["ledger/proofs.jsonl"] = _lines(
        {"seq": seq, "size": newest.size, "path": [step.hex() for step in path]}
        for seq, path in paths.items()
    )
    files[f"ledger/checkpoints/{newest.size}.txt"] = newest.note.encode()
    return files


def _manifest(files: Mapping[str, bytes], keys: Keys) -> dict[str, Any]:
    key = None
    if keys.private is not None:
        named = notes.key_id(signing.origin(), keys.public).hex()
        key = {"id": named, "public": base64.b64encode(keys.public).decode()}
    return {
        "format": "opsportal-evidence/1",
        "origin": signing.origin(),
        "case": None,
        "made_at": db_now().astimezone(UTC).isoformat(timespec="seconds"),
        "signed": key is not None,
        "key": key,
        "files": [
            {"path": path, "size": len(data), "sha256": sha256(data).hexdigest()}
            for path, data in sorted(files.items())
        ],
    }


def _signature(manifest: bytes, keys: Keys) -> bytes:
    named = notes.key_id(signing.origin(), keys.public).hex()
    return f"ed25519 {named} {base64.b64encode(keys.sign(manifest)).decode()}\n".encode()


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(canonical(dict(row)) + b"\n" for row in rows)
