"""The Merkle tree over the ledger's leaves (RFC 6962, section 2.1): roots, proofs, and how a tree grows.

Leaves are hashes already (`chain.leaf`), numbered from 0: entry `seq` is leaf `seq - 1`. A proof is made out of
complete subtrees, which `read(level, index)` gives: 2^level leaves, the index-th such group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32

Read = Callable[[int, int], bytes]
Node = tuple[int, int, bytes]
"""level, index, hash of a complete subtree."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a tree of `size` leaves needs to grow: its complete subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """The reverse of `bytes()`; ValueError when there are more or fewer hashes than that size has."""
        if len(data) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")
        return cls(size, tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)))

    def __bytes__(self) -> bytes:
        return b"".join(self.peaks)

    def root(self) -> bytes:
        """The tree's hash."""
        return _folded(self.peaks)


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the tree over these leaves."""
    return grow(Frontier(), leaves).root()


def grow(
    frontier: Frontier, leaves: Sequence[bytes], *, above: int = 0, kept: list[Node] | None = None
) -> Frontier:
    """The tree with these leaves behind its own; every subtree of level `above` or more that is now complete
    is added to `kept`. Level by level rather than leaf by leaf, because that is three times as fast.
    """
    standing = dict(zip(_levels(frontier.size), frontier.peaks, strict=True))
    row, level, hashed = list(leaves), 0, sha256
    while row:
        first = frontier.size >> level
        if kept is not None and level >= above:
            kept.extend((level, index, digest) for index, digest in enumerate(row, first))
        if first & 1:
            row.insert(0, standing.pop(level))
        if len(row) & 1:
            standing[level] = row.pop()
        row = [
            hashed(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)
        ]
        level += 1
    return Frontier(frontier.size + len(leaves), tuple(standing[at] for at in sorted(standing, reverse=True)))


def inclusion(read: Read, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf up."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(read, middle, high))
            high = middle
        else:
            path.append(_range_root(read, low, middle))
            low = middle
    return tuple(reversed(path))


def consistency(read: Read, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves begins with that of `old` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves can't have grown out of one of {old}")
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_root(read, middle, high))
            high = middle
        else:
            path.append(_range_root(read, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(_range_root(read, low, high))
    return tuple(reversed(path))


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the tree with this root has the leaf at `index` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    return _joined(old - 1, new - 1, steps) == (old_root, new_root)


def _joined(place: int, last: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees that a consistency proof leads to; None when it does not fit their sizes."""
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            first, second = node(step, first), node(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, step)
        place, last = place >> 1, last >> 1
    return (first, second) if last == 0 else None


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(read: Read, low: int, high: int) -> bytes:
    """The hash over leaves `low` to `high`; `low` is a multiple of a power of two that is no less than their count."""
    peaks, at = [], low
    for level in _levels(high - low):
        peaks.append(read(level, at >> level))
        at += 1 << level
    return _folded(peaks)


def _levels(size: int) -> Iterator[int]:
    """The levels of the complete subtrees of a tree, the largest first."""
    return (level for level in reversed(range(size.bit_length())) if size >> level & 1)


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node(peak, found)
    return found
