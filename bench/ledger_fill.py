"""A long ledger as the portal would have written it: entries, a checkpoint every so many, stored subtrees."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

EVERY = 100
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEP = timedelta(milliseconds=20)
_ENTRY = (
    "COPY audit_entry (seq, event_id, at, app_at, actor, on_behalf, auth, workspace_id, subject, endpoint, action,"
    " request_id, azure_request_id, body, before, after, prev_hash, hash) FROM STDIN"
)
_CHECKPOINT = (
    "INSERT INTO audit_checkpoint (number, size, at, root, head, frontier, note, made_by)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, 'system:ledger')"
)


@contextmanager
def key() -> Iterator[None]:
    """The settings name a fresh key, until the block ends."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from django.conf import settings

    before = settings.OPSPORTAL
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.pem"
        file.write_bytes(
            Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        settings.OPSPORTAL = before.model_copy(update={"audit_key_file": file, "audit_origin": "bench"})
        yield
    settings.OPSPORTAL = before


def fill(owner: psycopg.Connection, entries: int) -> None:
    """Write the entries past the triggers, hashed as these would; then seal them."""
    for table in ("audit_entry", "audit_checkpoint", "audit_subtree"):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    leaves, hashes = _entries(owner, entries)
    _seal(owner, leaves, hashes)
    for table in ("audit_entry", "audit_checkpoint", "audit_subtree"):
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        owner.execute(f"VACUUM ANALYZE {table}")
    for name, table in (("rows", "entry"), ("table", "entry")):
        owner.execute(f"ALTER TABLE audit_{table} ENABLE ALWAYS TRIGGER audit_{table}_{name}")


def _entries(owner: psycopg.Connection, entries: int) -> tuple[list[bytes], list[bytes]]:
    from endpoints.audit.canonical import canonical
    from endpoints.audit.chain import GENESIS, leaf, link
    from endpoints.audit.verification import microseconds

    prev, leaves, hashes = GENESIS, [], []
    with owner.cursor() as cursor, cursor.copy(_ENTRY) as copy:
        for seq in range(1, entries + 1):
            at, event = _BEGIN + seq * _STEP, str(uuid.uuid4())
            said = _said(seq, event, at)
            body = canonical(said)
            leaves.append(leaf(body))
            digest = link(prev, seq, microseconds(at), leaves[-1])
            copy.write_row((
                seq, event, at, said["app_at"], said["actor"], "", "session", 1, said["subject"], said["endpoint"],
                said["action"], said["request"], "", body, json.dumps(said["before"]), json.dumps(said["after"]),
                prev, digest,
            ))  # fmt: skip
            hashes.append(digest)
            prev = digest
    return leaves, hashes


def _said(seq: int, event: str, at: datetime) -> dict[str, Any]:
    return {
        "v": 1,
        "event": event,
        "app_at": at.isoformat(timespec="microseconds"),
        "actor": f"user:{seq % 40}",
        "on_behalf": "",
        "auth": "session",
        "workspace": 1,
        "subject": f"change:{seq // 12}",
        "endpoint": f"endpoint:{seq % 200}",
        "action": "change.approved",
        "request": event.replace("-", ""),
        "azure_request": "",
        "before": {"state": "in_review", "version": seq % 9},
        "after": {"state": "approved", "version": seq % 9 + 1},
        "personal": {},
    }


def _seal(owner: psycopg.Connection, leaves: list[bytes], hashes: list[bytes]) -> None:
    from endpoints.audit import note, signing
    from endpoints.audit.merkle import Frontier, Node, grow
    from endpoints.audit.seals import KEPT_LEVEL

    keys, tree, rows = signing.keys(), Frontier(), []
    nodes: list[Node] = []
    for number, size in enumerate(range(EVERY, len(leaves) + 1, EVERY), start=1):
        tree = grow(tree, leaves[size - EVERY : size], above=KEPT_LEVEL, kept=nodes)
        claim = note.Checkpoint("bench", size, tree.root(), hashes[size - 1])
        text = note.write(claim, keys.public, keys.sign(claim.text.encode()))
        rows.append((number, size, _BEGIN + size * _STEP, claim.root, claim.head, bytes(tree), text))
    with owner.cursor() as cursor:
        cursor.executemany(_CHECKPOINT, rows)
        cursor.executemany("INSERT INTO audit_subtree (level, index, hash) VALUES (%s, %s, %s)", nodes)
