"""A pack out of thin air: a ledger of its own, checkpoints, a key, and a case that happened in it.

Trees are computed here by the definitions of RFC 6962, section 2.1, word for word, and by nothing of the product's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from endpoints.audit.canonical import canonical
from endpoints.audit.chain import GENESIS, leaf, link
from endpoints.challenges.pack.assemble import assemble, key_id, shown_json
from endpoints.challenges.pack.parts import (
    ChainLink,
    Chart,
    Growth,
    Inclusion,
    LedgerEntry,
    LedgerPart,
    Line,
    NotKept,
    PackInput,
    PersonalText,
    Signer,
)
from endpoints.challenges.verifier import verify_evidence
from endpoints.challenges.words import moment
from endpoints.core.container import container

ORIGIN = "opsportal.test"
START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SIZES = (40, 90, 130)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def signer(key: Ed25519PrivateKey = KEY) -> Signer:
    return Signer(key.public_key().public_bytes_raw(), key.sign)


def public(key: Ed25519PrivateKey = KEY) -> bytes:
    return key.public_key().public_bytes_raw()


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaves that are hashed already."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF of RFC 6962, 2.1.2."""
    return _subproof(m, leaves, True)


def _subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], whole), root(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), root(leaves[:k])]


def _split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def note(size: int, root_hash: bytes, head: bytes, key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> str:
    """A signed checkpoint."""
    text = f"{origin}\n{size}\n{base64.b64encode(root_hash).decode()}\nhead {head.hex()}\n"
    raw = bytes.fromhex(key_id(origin, public(key))) + key.sign(text.encode())
    return f"{text}\n\u2014 {origin} {base64.b64encode(raw).decode()}\n"


@dataclass(frozen=True)
class Ledger:
    """A whole ledger, of which packs take parts."""

    entries: tuple[LedgerEntry, ...]

    @property
    def leaves(self) -> list[bytes]:
        return [leaf(one.body) for one in self.entries]

    def checkpoint(self, size: int, key: Ed25519PrivateKey = KEY) -> str:
        return note(size, root(self.leaves[:size]), self.entries[size - 1].hash, key)

    def part(self, numbers: Sequence[int], sizes: Sequence[int] = SIZES, **more: Any) -> LedgerPart:
        newest = max(sizes)
        return LedgerPart(
            entries=tuple(self.entries[seq - 1] for seq in numbers),
            proofs=tuple(
                Inclusion(seq, newest, tuple(path(seq - 1, self.leaves[:newest]))) for seq in numbers
            ),
            growth=tuple(
                Growth(size, newest, tuple(proof(size, self.leaves[:newest])))
                for size in sizes
                if size != newest
            ),
            links=tuple(
                ChainLink(one.seq, one.at_us, leaf(one.body))
                for one in self.entries[min(numbers) : newest]
                if one.seq not in numbers
            ),
            checkpoints={size: self.checkpoint(size) for size in sizes},
            **more,
        )


def ledger_of(bodies: Sequence[Mapping[str, Any]]) -> Ledger:
    """Chained as the database's trigger does it, ten seconds apart."""
    rows, prev = [], GENESIS
    for seq, body in enumerate(bodies, start=1):
        at = microseconds(START + timedelta(seconds=10 * seq))
        raw = canonical(dict(body))
        digest = link(prev, seq, at, leaf(raw))
        rows.append(LedgerEntry(seq, at, prev, digest, raw))
        prev = digest
    return Ledger(tuple(rows))


def microseconds(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def body(subject: str, action: str, actor: str = "user:3", **more: Any) -> dict[str, Any]:
    return {
        "v": 1, "event": "e", "app_at": "2026-11-23T07:00:00.000000+00:00", "actor": actor, "on_behalf": "",
        "auth": "session", "workspace": 1, "subject": subject, "endpoint": "endpoint:5", "action": action,
        "request": "", "azure_request": "", "before": None, "after": None, "personal": {},
    } | more  # fmt: skip


PASSPORTS = {
    1: canonical(
        {
            "v": 1, "endpoint_id": 5, "at": "2026-11-23T07:14:22.481000Z", "sure": "one of several",
            "verdict": "One of blue with triage-cnn:7 or green with triage-cnn:8 answered.", "made_at":
            "2026-11-23T07:05:00.000000Z", "known": None, "corrections": [], "sections": [],
        }
    ),
    2: canonical(
        {
            "v": 1, "endpoint_id": 5, "at": "2026-11-23T07:14:22.481000Z", "sure": "certain",
            "verdict": "blue answered, with triage-cnn:7, certain.", "made_at": "2026-11-23T07:06:00.000000Z",
            "known": None, "corrections": [],
            "sections": [
                {
                    "name": "answered", "label": "What answered", "facts": [
                        {
                            "name": "deployment", "label": "Deployment that answered", "value": "blue",
                            "sure": "certain", "source": "Azure's traffic log", "reason": "", "alternatives": [],
                            "ref": "", "known_at": None,
                        },
                        {
                            "name": "code", "label": "Code", "value": None, "sure": "cannot say", "source": "",
                            "reason": "The deployment has no code of its own.", "alternatives": [], "ref": "",
                            "known_at": None,
                        },
                    ],
                },
                {
                    "name": "traffic", "label": "Traffic then", "facts": [
                        {
                            "name": "split", "label": "Split in force", "value": {"blue": 90, "green": 10},
                            "sure": "certain", "source": "mirror", "reason": "", "alternatives": [],
                            "ref": "change:413", "known_at": None,
                        },
                    ],
                },
            ],
        }
    ),
}  # fmt: skip
QUESTION, REASON = (
    "Why was facility 8841 marked urgent?",
    "The records agree, and the model was the approved one.",
)
_SALT = bytes(range(32))
FIRST, SECOND = (sha256(raw).hexdigest() for raw in PASSPORTS.values())
_ASKED = {"asked": "6f1e0c52", "record": "", "via": "page", "policy": 0}
MOVES: tuple[tuple[str, str, str, str, dict[str, Any], dict[str, str]], ...] = (
    ("raised", "", "open", "user:3", _ASKED, {"comment": QUESTION}),
    ("evidence collected", "open", "open", "user:3", {"number": 1, "sha256": FIRST, "sure": "one of several"}, {}),
    ("assigned", "open", "open", "user:3", {"to": "user:4"}, {}),
    ("evidence collected", "open", "open", "user:4", {"number": 2, "sha256": SECOND, "sure": "certain"}, {}),
    (
        "decided", "open", "decided", "user:4",
        {"outcome": "stands", "evidence": 2, "sha256": SECOND}, {"reason": REASON},
    ),
    ("confirmed", "decided", "closed", "user:6", {"outcome": "stands", "decided_by": "user:4"}, {}),
)  # fmt: skip
AT = (50, 51, 60, 77, 100, 120)
"""Entries in which the moves stand, by version."""
WINDOW = (10, 11, 52, 99)


@cache
def ledger() -> Ledger:
    bodies = [body(f"change:{1 + seq % 7}", "change.approved", after={"n": seq}) for seq in range(1, 141)]
    for version, (place, move) in enumerate(zip(AT, MOVES, strict=True), start=1):
        kind, before, after, by, data, texts = move
        bodies[place - 1] = body(
            "case:7",
            verify_evidence.ACTIONS[kind],
            by,
            before={"state": before} if before else None,
            after={"state": after, "version": version, **data},
            personal={name: sha256(_SALT + text.encode()).hexdigest() for name, text in texts.items()},
        )
    bodies[51] = body("case:7", "evidence.read", "user:6")
    return ledger_of(bodies)


def case() -> dict[str, Any]:
    entries = ledger().entries
    times = [
        moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=entries[seq - 1].at_us))
        for seq in AT
    ]
    return {
        "id": 7, "number": "CH-7", "workspace": {"id": 1, "slug": "prod-weu"},
        "endpoint": {"id": 5, "name": "photo-triage"}, "asked_id": "6f1e0c52", "asked_at": None,
        "day": "2026-11-23", "key": "r:6f1e0c52", "model": "triage-cnn:7", "reference": "B-2214",
        "state": "closed", "version": 6, "outcome": "stands", "two_roles": True, "legal_hold": False,
        "via": "page", "raised_by": "user:3", "raised_at": times[0], "assigned_to": "user:4",
        "decided_by": "user:4", "decided_at": times[4], "confirmed_by": "user:6", "closed_at": times[5],
        "due": [], "links": [],
        "moves": [
            {
                "version": version, "kind": kind, "before": before, "after": after, "data": data, "by": by,
                "at": times[version - 1], "entry": AT[version - 1],
            }
            for version, (kind, before, after, by, data, _) in enumerate(MOVES, start=1)
        ],
        "notes": [
            {"kind": "question", "version": 1, "text": QUESTION, "by": "user:3", "at": times[0], "erased_at": None},
            {"kind": "reason", "version": 5, "text": REASON, "by": "user:4", "at": times[4], "erased_at": None},
        ],
        "evidence": [
            {"number": number, "sha256": sha256(raw).hexdigest(), "path": where, "collected_by": "user:3",
             "collected_at": times[number]}
            for (number, raw), where in zip(PASSPORTS.items(), ("passports/1.json", "passport.json"), strict=True)
        ],
    }  # fmt: skip


def chart() -> Chart:
    times = tuple(START + timedelta(minutes=minute) for minute in range(30))
    return Chart(
        "p95",
        "Latency, 95th percentile of each minute",
        "ms",
        times,
        (
            Line("blue", tuple(None if 10 <= place < 14 else 900.0 + 20 * place for place in range(30))),
            Line("green", (None,) * 30),
        ),
        mark=START + timedelta(minutes=14, seconds=22),
        source="Figures are Azure's.",
    )


CHANGE = {
    "number": "CR-413", "kind": "traffic", "state": "succeeded", "author": "user:9", "cause": "",
    "created_at": "2026-11-21T08:00:00.000000Z", "started_at": "2026-11-21T09:00:00.000000Z",
    "ended_at": "2026-11-21T09:02:00.000000Z",
    "revisions": [
        {
            "number": 1, "content_hash": "ab" * 32, "editor": "user:9", "created_at": "2026-11-21T08:00:00.000000Z",
            "base": {"split": {"blue": 100}, "mirror": {}}, "terms": {},
            "plan": [{"verb": "put_split", "split": {"blue": 90, "green": 10}, "mirror": {}}],
        }
    ],
    "decisions": [{"approved": True, "by": "user:8", "at": "2026-11-21T08:30:00.000000Z", "revision": 1}],
    "measurements": [
        {"step": 0, "gate": "errors", "outcome": "pass", "until": "2026-11-21T09:02:00.000000Z", "reason": "0 of 900."}
    ],
}  # fmt: skip


def pack_input(**changed: Any) -> PackInput:
    numbers = sorted({*AT, *WINDOW})
    texts = tuple(
        PersonalText(AT[place], name, _SALT, text)
        for place, move in enumerate(MOVES)
        for name, text in move[5].items()
    )
    given: dict[str, Any] = {
        "origin": ORIGIN,
        "made_at": START + timedelta(hours=1),
        "case": case(),
        "passports": PASSPORTS,
        "changes": {413: CHANGE},
        "splits": {
            "spans": [
                {
                    "since": "2026-11-21T09:02:00.000000Z",
                    "until": "2026-11-23T08:00:00.000000Z",
                    "traffic": {"blue": 90, "green": 10},
                    "mirror_traffic": {},
                }
            ]
        },
        "charts": (chart(),),
        "people": {"user:3": "Ida Dvořák 漢", "user:4": "Sana Haddad", "user:6": None, "user:9": "Rita"},
        "not_kept": (NotKept("Image, request and answer", "They are not stored, by design."),),
        "ledger": ledger().part(numbers, personal=texts),
    }
    return PackInput(**(given | changed))


@cache
def whole_pack() -> bytes:
    return assemble(pack_input(), signer())


def remade(files: Mapping[str, bytes], key: Ed25519PrivateKey | None, *, named: str = "") -> bytes:
    """A pack of these files with a manifest of its own; `named`: it claims to be signed with that key."""
    own = {name: raw for name, raw in files.items() if not name.startswith("manifest.json")}
    manifest: dict[str, Any] = json.loads(files["manifest.json"])
    manifest["files"] = [
        {"path": name, "size": len(raw), "sha256": sha256(raw).hexdigest()}
        for name, raw in sorted(own.items())
    ]
    raw = shown_json(manifest)
    signed = files["manifest.json.sig"]
    if key is not None:
        label = named or key_id(ORIGIN, public(key))
        signed = f"ed25519 {label} {base64.b64encode(key.sign(raw)).decode()}\n".encode()
    return container([*sorted(own.items()), ("manifest.json", raw), ("manifest.json.sig", signed)])
