"""What checkpoints say about the ledger, compared with the tree that its entries give. Pure.

A seal is the claim of one signed checkpoint, stored here or anchored elsewhere: at this size the tree had this root
and the chain this hash. While the chain is followed, `Walk` grows the tree beside it and stops at every sealed size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from endpoints.audit import note as notes
from endpoints.audit.chain import Fault, Row, Verification
from endpoints.audit.merkle import Frontier, Node, grow

KEPT_LEVEL = 8
"""Complete subtrees of 2^8 leaves and more are stored, so that proofs need not hash the whole ledger."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as its row has it."""

    number: int
    size: int
    root: bytes
    head: bytes
    frontier: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A claim about the first `size` entries. `signed`: by one of our keys; else it is only stored text."""

    size: int
    root: bytes
    head: bytes
    signed: bool
    where: str = "checkpoint"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong, and the first entry that is not proven because of it; `last`: it may be one up to there."""

    seq: int
    fault: Fault
    reason: str
    last: int = 0


def stored_seal(row: Stored, known: Collection[bytes]) -> Seal | Flaw:
    """The claim of a stored checkpoint; a Flaw when its row, its text and its signature do not agree."""
    found = noted_seal(row.note, known, where="checkpoint", size=row.size)
    if isinstance(found, Flaw):
        return found
    try:
        root = Frontier.from_bytes(row.size, row.frontier).root()
    except ValueError:
        root = b""
    if (row.size, row.root, row.head, root) != (found.size, found.root, found.head, found.root):
        reason = f"Checkpoint {row.size} was altered: what is stored with it is not what was signed."
        return Flaw(row.size, Fault.CHECKPOINT, reason)
    return found


def noted_seal(text: str, known: Collection[bytes], *, where: str, size: int = 0) -> Seal | Flaw:
    """The claim of a checkpoint's text. With no known key its signature stays unproven."""
    try:
        note = notes.read(text)
    except ValueError:
        claimed = text.split("\n", 2)[1:2]
        at = size or (int(claimed[0]) if claimed and claimed[0].isdecimal() else 0)
        reason = f"{where.capitalize()} {at} was altered: it is no checkpoint any more."
        return Flaw(max(at, 1), Fault.CHECKPOINT, reason)
    claim = note.checkpoint
    try:
        key = notes.signer(note, known) if known else b""
    except ValueError as error:
        reason = f"{where.capitalize()} {claim.size} was altered: {error}."
        return Flaw(size or claim.size, Fault.CHECKPOINT, reason)
    if key is None:
        ids = ", ".join(one.key_id.hex() for one in note.signatures)
        reason = f"{where.capitalize()} {claim.size} is signed with a key that is not known here ({ids})."
        return Flaw(size or claim.size, Fault.KEY, reason)
    return Seal(claim.size, claim.root, claim.head, bool(key), where)


def numbering(rows: Sequence[Stored]) -> Flaw | None:
    """Whether checkpoints, in the order of their numbers, have gaps or shrink."""
    before = 0
    for number, row in enumerate(rows, start=1):
        if row.number != number:
            reason = f"Checkpoint number {number}, before the one of {row.size} entries, was removed."
            return Flaw(before + 1, Fault.CHECKPOINT, reason)
        if row.size <= before:
            reason = f"Checkpoint number {number} is of {row.size} entries, after one of {before}."
            return Flaw(max(row.size, 1), Fault.CHECKPOINT, reason)
        before = row.size
    return None


class Walk:
    """The tree over the entries, grown batch by batch, and where it stopped to agree with a seal."""

    def __init__(self, seals: Iterable[Seal]) -> None:
        self.frontier = Frontier()
        self.nodes: list[Node] = []
        self.agreed = 0
        self.off: Flaw | None = None
        self._waiting = deque(sorted(seals, key=lambda seal: seal.size))
        self._agreed_size = 0

    def take(self, leaves: Sequence[bytes], rows: Sequence[Row]) -> None:
        """The next entries: their leaves, and the rows that begin with the same entry."""
        at, size = 0, self.frontier.size
        while self._waiting and (upto := self._waiting[0].size - size) <= len(leaves):
            self._grow(leaves[at:upto])
            at = upto
            self._compare(self._waiting.popleft(), rows[upto - 1][3] if upto else None)
        self._grow(leaves[at:])

    def missing(self) -> Flaw | None:
        """Entries that a seal proves to have existed, when all that is stored was taken."""
        beyond = [seal for seal in self._waiting if seal.size > self.frontier.size]
        if not beyond:
            return None
        seal, first = max(beyond, key=lambda one: (one.signed, one.size)), self.frontier.size + 1
        if not seal.signed:
            reason = f"The {seal.where} {seal.size} is of more entries than there are, and is not proven."
            return Flaw(first, Fault.CHECKPOINT, reason)
        gone = f"Entry {first} is" if seal.size == first else f"Entries {first} to {seal.size} are"
        return Flaw(
            first, Fault.CUT, f"{gone} missing: the {seal.where} {seal.size} proves that they existed."
        )

    def _grow(self, leaves: Sequence[bytes]) -> None:
        if leaves:
            self.frontier = grow(self.frontier, leaves, above=KEPT_LEVEL, kept=self.nodes)

    def _compare(self, seal: Seal, head: bytes | None) -> None:
        if self.off is not None:
            return
        if self.frontier.root() == seal.root and head in (None, seal.head):
            self.agreed += seal.where == "checkpoint"
            self._agreed_size = seal.size
            return
        first, last = self._agreed_size + 1, seal.size
        which = (
            f"entry {first} was" if first == last else f"one or more of the entries {first} to {last} were"
        )
        if seal.signed:
            reason = (
                f"The {seal.where} {last} was signed over other entries: {which} rewritten and hashed anew."
            )
            self.off = Flaw(first, Fault.CUT, reason, last)
        else:
            reason = f"The {seal.where} {last} does not fit the entries: it was altered, or {which}."
            self.off = Flaw(first, Fault.CHECKPOINT, reason, last)


def altered_node(grown: Sequence[Node], stored: Sequence[Node], size: int) -> Flaw | None:
    """The first stored hash of a subtree, within `size` leaves, that is not what the entries give."""
    expected = {(level, index): digest for level, index, digest in grown if (index + 1) << level <= size}
    kept = {(level, index): digest for level, index, digest in stored}
    wrong = [place for place in expected.keys() | kept.keys() if expected.get(place) != kept.get(place)]
    if not wrong:
        return None
    level, index = min(wrong, key=lambda place: (place[1] << place[0], place[0]))
    first, last = (index << level) + 1, (index + 1) << level
    reason = f"The stored tree hash over entries {first} to {last} was altered, put in or removed."
    return Flaw(first, Fault.CHECKPOINT, reason)


def judged(chain: Verification, flaws: Iterable[Flaw | None], *, agreed: int) -> Verification:
    """The chain's own result, or whatever is wrong before it. A seal may know only a range: the chain knows better."""
    found = replace(chain, checkpoints=agreed)
    for flaw in flaws:
        if flaw is not None and (found.first_bad_seq is None or _is_before(flaw, chain, found.first_bad_seq)):
            found = replace(
                found,
                ok=False,
                count=min(flaw.seq - 1, chain.count),
                head=None,
                first_bad_seq=flaw.seq,
                fault=flaw.fault,
                reason=flaw.reason,
            )
    return found


def _is_before(flaw: Flaw, chain: Verification, bad: int) -> bool:
    exact = bad == chain.first_bad_seq
    return max(flaw.seq, flaw.last) < bad if exact else flaw.seq < bad
