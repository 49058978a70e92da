"""Checkpoints as text: a C2SP tlog-checkpoint in a signed note, as other verifiers of transparency logs read it.

ORIGIN
SIZE
BASE64 OF THE ROOT
head HEX OF THE CHAIN'S HASH

— ORIGIN BASE64 OF (4 BYTES OF KEY ID, 64 BYTES OF SIGNATURE)
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
_NOTE = re.compile(r"(?:[^\n]+\n)+\n(?:— [^\n]+\n)+")
_TEXT = re.compile(
    r"(?P<origin>[^\n ]+)\n(?P<size>[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\nhead (?P<head>[0-9a-f]{64})\n"
)
_SIGNATURE = re.compile(r"— (?P<name>[^\n ]+) (?P<blob>[A-Za-z0-9+/]{91}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says: so many entries, with this root over them and this hash of the last."""

    origin: str
    size: int
    root: bytes
    head: bytes

    @property
    def text(self) -> str:
        """The part that is signed."""
        root = b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nhead {self.head.hex()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note's text."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint and who signed it."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]


def key_id(origin: str, public: bytes) -> bytes:
    """Four bytes that name a key; they are a hint and prove nothing."""
    return sha256(origin.encode() + b"\n" + ED25519 + public).digest()[:4]


def write(checkpoint: Checkpoint, public: bytes, signature: bytes) -> str:
    """The note, signed."""
    made = Signature(checkpoint.origin, key_id(checkpoint.origin, public), signature)
    return _written(Note(checkpoint, (made,)))


def read(text: str) -> Note:
    """The note that `text` is from its first to its last character; ValueError with a sentence when it is none."""
    body, _, signed = text.partition("\n\n")
    found = _TEXT.fullmatch(body + "\n")
    lines = signed.splitlines(keepends=True)
    signatures = [_SIGNATURE.fullmatch(line) for line in lines]
    if not found or not lines or not all(signatures):
        raise ValueError("This is no checkpoint: origin, size, root, head, an empty line and signatures.")
    checkpoint = Checkpoint(
        found["origin"], int(found["size"]), b64decode(found["root"]), bytes.fromhex(found["head"])
    )
    note = Note(checkpoint, tuple(_signature(one) for one in signatures if one))
    # Base64 has spare bits: only one of the texts that mean the same is a note of ours.
    if _written(note) != text:
        raise ValueError("This is no checkpoint as it was written: its base64 has another form.")
    return note


def split(text: str) -> tuple[list[str], bool]:
    """The notes in a file that holds one after the other, and whether there is nothing else in it."""
    notes = _NOTE.findall(text)
    return notes, not _NOTE.sub("", text).strip()


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of a key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signer(note: Note, known: Collection[bytes]) -> bytes | None:
    """The public key, one of `known`, that signed the note; None: it names none of them. ValueError: not signed so."""
    origin = note.checkpoint.origin
    by_id = {key_id(origin, public): public for public in known}
    for one in note.signatures:
        public = by_id.get(one.key_id) if one.name == origin else None
        if public is None:
            continue
        if not verifies(public, note.checkpoint.text.encode(), one.signature):
            raise ValueError("its signature does not fit its text")
        return public
    return None


def _signature(found: re.Match[str]) -> Signature:
    blob = b64decode(found["blob"])
    return Signature(found["name"], blob[:4], blob[4:])


def _written(note: Note) -> str:
    lines = [f"— {one.name} {b64encode(one.key_id + one.signature).decode()}\n" for one in note.signatures]
    return f"{note.checkpoint.text}\n{''.join(lines)}"
