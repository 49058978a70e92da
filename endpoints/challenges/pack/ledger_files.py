"""The ledger's part of a pack as files: one JSON object per line, in the order of their numbers. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from endpoints.audit.canonical import canonical
from endpoints.challenges.pack.parts import LedgerPart


def ledger_files(part: LedgerPart) -> dict[str, bytes]:
    """Files by path; those of which there is nothing are there and empty."""
    files = {
        "ledger/entries.jsonl": _lines(
            {
                "seq": one.seq,
                "at_us": one.at_us,
                "prev": one.prev.hex(),
                "hash": one.hash.hex(),
                "body": base64.b64encode(one.body).decode(),
            }
            for one in sorted(part.entries, key=lambda entry: entry.seq)
        ),
        "ledger/personal.jsonl": _lines(
            {"seq": one.seq, "field": one.field, "salt": one.salt.hex(), "text": one.text}
            for one in sorted(part.personal, key=lambda text: (text.seq, text.field))
        ),
        "ledger/proofs.jsonl": _lines(
            {"seq": one.seq, "size": one.size, "path": [step.hex() for step in one.path]}
            for one in sorted(part.proofs, key=lambda proof: (proof.seq, proof.size))
        ),
        "ledger/consistency.jsonl": _lines(
            {"old": one.old, "new": one.new, "path": [step.hex() for step in one.path]}
            for one in sorted(part.growth, key=lambda proof: (proof.old, proof.new))
        ),
        "ledger/links.jsonl": _lines(
            {"seq": one.seq, "at_us": one.at_us, "leaf": one.leaf.hex()}
            for one in sorted(part.links, key=lambda link: link.seq)
        ),
    }
    notes = {f"ledger/checkpoints/{size}.txt": note.encode() for size, note in part.checkpoints.items()}
    return files | notes


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(canonical(dict(row)) + b"\n" for row in rows)
