"""The chain: what every entry's hash covers, and how a broken one is found and named.

leaf = SHA-256(0x00 || body)                     body: the stored canonical bytes
hash = SHA-256(0x02 || prev_hash || seq || at || leaf)
       seq and at are 8-byte big-endian signed integers; at counts microseconds since 1970-01-01T00:00:00Z

The first entry is number 1 and follows 32 zero bytes. The prefixes keep leaves and links apart from the
nodes of a Merkle tree over the leaves (0x01, RFC 6962). The insert trigger of migration 0001 computes the
same in SQL. A chain alone can't show that its tail was cut or rewritten as a whole: that takes an anchor
kept elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from struct import Struct

GENESIS = bytes(32)
LEAF, LINK = b"\x00", b"\x02"
_two_integers = Struct(">qq").pack

Row = tuple[int, int, bytes, bytes, bytes]
"""seq, at in microseconds, prev_hash, hash, body: one stored entry, in the order of seq."""


class Fault(StrEnum):
    """What is wrong with the first bad entry."""

    GAP = "gap"  # entries are missing
    EDIT = "edit"  # its own content, time or hash was altered
    SWAP = "swap"  # it stands where another entry stood
    CUT = "cut"  # the end is missing, or was rewritten, as a checkpoint or anchor shows
    COLUMNS = "columns"  # the searchable columns say something else than the hashed body
    PERSONAL = "personal"  # text kept beside the entry is not what the entry commits to
    CHECKPOINT = "checkpoint"  # a checkpoint, or a hash kept with it, was altered, put in or removed
    KEY = "key"  # a checkpoint is signed with a key that is not one of ours


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head noted earlier, outside the database: entry `seq` had this `hash`."""

    seq: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """From "1204:9f86…" as `audit verify` prints it; ValueError with a sentence when it is no anchor."""
        seq, _, digest = text.partition(":")
        try:
            found = cls(int(seq), bytes.fromhex(digest))
        except ValueError:
            found = cls(0, b"")
        if found.seq < 1 or len(found.hash) != len(GENESIS):
            raise ValueError("An anchor is the number of an entry, a colon, and its hash of 64 hex digits.")
        return found

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Verification:
    """`count` entries were found whole and in order, `head` is the last of them (None: an empty ledger).

    `checkpoints` of them agree; `unchecked` says in words what could not be checked, which is no pass.
    """

    ok: bool
    count: int
    head: Anchor | None
    first_bad_seq: int | None = None
    fault: Fault | None = None
    reason: str = ""
    checkpoints: int = 0
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Where a check goes on that does not begin with entry 1: the entry before it, which was checked then."""

    seq: int = 0
    hash: bytes = GENESIS
    at_us: int = -(2**62)


def leaf(body: bytes) -> bytes:
    """The hash of one entry's stored bytes."""
    return sha256(LEAF + body).digest()


def link(prev_hash: bytes, seq: int, at_us: int, leaf_hash: bytes) -> bytes:
    """The hash that entry `seq` stores and that its successor repeats as `prev_hash`."""
    return sha256(LINK + prev_hash + _two_integers(seq, at_us) + leaf_hash).digest()


def verify(
    rows: Iterable[Row],
    anchor: Anchor | None = None,
    *,
    start: Start = Start(),
    leaves: list[bytes] | None = None,
) -> Verification:
    """Follow the chain from entry 1, or after `start`; stops at the first bad entry. Deliberately one flat loop.

    The hash of each good entry's bytes is appended to `leaves`.
    """
    head_seq, head_hash, head_at, before_head = start.seq, start.hash, start.at_us, GENESIS
    anchor_seq = anchor.seq if anchor else 0
    keep = (deque(maxlen=0) if leaves is None else leaves).append
    hashed, packed, expected = sha256, _two_integers, start.seq + 1
    for row in rows:
        seq, at, prev, stored, body = row
        leaf_hash = hashed(b"\x00" + body).digest()
        if (
            seq != expected
            or prev != head_hash
            or at < head_at
            or stored != hashed(b"\x02" + prev + packed(seq, at) + leaf_hash).digest()
        ):
            return _broken(row, _Head(head_seq, head_hash, head_at, before_head))
        if seq == anchor_seq and anchor and stored != anchor.hash:
            return _off_anchor(anchor, seq - 1, prev)
        keep(leaf_hash)
        head_seq, head_hash, head_at, before_head, expected = seq, stored, at, prev, seq + 1
    head = Anchor(head_seq, head_hash) if head_seq else None
    if anchor and anchor.seq > head_seq:
        return _cut(anchor, head, head_seq)
    return Verification(True, head_seq, head)


def _cut(anchor: Anchor, head: Anchor | None, count: int) -> Verification:
    reason = f"Entries {count + 1} to {anchor.seq} are missing: the anchor proves that they existed."
    return Verification(False, count, head, count + 1, Fault.CUT, reason)


def _off_anchor(anchor: Anchor, count: int, head_hash: bytes) -> Verification:
    """The chain agrees with itself but not with the anchor: its end was rewritten and hashed anew."""
    reason = f"Entry {anchor.seq} is not what the anchor names: it, or entries before it, were rewritten."
    return Verification(False, count, _anchor(count, head_hash), anchor.seq, Fault.CUT, reason)


@dataclass(frozen=True, slots=True)
class _Head:
    """The last entry that fitted; `before` is the hash that it follows."""

    seq: int
    hash: bytes
    at: int
    before: bytes


def _broken(row: Row, head: _Head) -> Verification:
    bad, fault, reason = _diagnose(row, head)
    if bad == head.seq:  # the predecessor is at fault after all
        return Verification(False, bad - 1, _anchor(bad - 1, head.before), bad, fault, reason)
    return Verification(False, head.seq, _anchor(head.seq, head.hash), bad, fault, reason)


def _diagnose(row: Row, head: _Head) -> tuple[int, Fault, str]:
    """The entry at fault, and how. Where a row does not fit, its predecessor may be the one that is false."""
    seq, at, prev, stored, body = row
    if seq > head.seq + 1:
        return head.seq + 1, Fault.GAP, _missing(head.seq + 1, seq - 1)
    if seq <= head.seq:
        return seq, Fault.SWAP, f"Entry {seq} appears again or out of order, after entry {head.seq}."
    if prev == head.hash and stored == link(prev, seq, at, leaf(body)):
        return seq, Fault.EDIT, f"Entry {seq} is dated before entry {head.seq}."
    if prev == head.hash or stored == link(head.hash, seq, at, leaf(body)):
        return seq, Fault.EDIT, f"Entry {seq} was altered: content, time or link no longer give its hash."
    if head.seq and prev == head.before:
        return head.seq, Fault.SWAP, f"Entry {head.seq} was put in: entry {seq} follows the one before it."
    if head.seq and stored == link(prev, seq, at, leaf(body)):
        return head.seq, Fault.EDIT, f"Entry {head.seq} was rewritten: entry {seq} follows another one."
    return seq, Fault.SWAP, f"Entry {seq} does not follow entry {head.seq}: another stands in its place."


def _missing(first: int, last: int) -> str:
    return f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."


def _anchor(seq: int, digest: bytes) -> Anchor | None:
    return Anchor(seq, digest) if seq else None
