"""Proofs for one entry or one checkpoint, out of stored subtrees: a few reads, however long the ledger is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from django.db import connection
from psycopg import Cursor

from endpoints.audit import merkle
from endpoints.audit.chain import leaf
from endpoints.audit.models import Subtree
from endpoints.audit.seals import KEPT_LEVEL
from endpoints.core.errors import NotFound

Proofs = dict[int, tuple[bytes, ...]]

_BLOCK = 1 << KEPT_LEVEL
_SUBTREES = """
SELECT s.level, s.index, s.hash FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (level, index)
JOIN audit_subtree s ON s.level = wanted.level AND s.index = wanted.index
"""
_BODIES = "SELECT body FROM audit_entry WHERE seq > %s AND seq <= %s ORDER BY seq"


def inclusion_proof(seq: int, size: int) -> tuple[bytes, ...]:
    """That entry `seq` is among the first `size`: the path of leaf `seq - 1`. NotFound when it is not."""
    return inclusion_proofs([seq], size)[seq]


def inclusion_proofs(seqs: Iterable[int], size: int) -> dict[int, tuple[bytes, ...]]:
    """Proofs of several entries in one tree, by their numbers; what they share is read once."""
    wanted = list(seqs)
    for seq in wanted:
        if not 1 <= seq <= size:
            raise NotFound(f"Entry {seq} is not among the first {size}.")
    return _proven(size, lambda read: {seq: merkle.inclusion(read, seq - 1, size) for seq in wanted})


def consistency_proof(old: int, new: int) -> tuple[bytes, ...]:
    """That the first `new` entries begin with the first `old`. NotFound when there are not so many."""
    return consistency_proofs([old], new)[old]


def consistency_proofs(olds: Iterable[int], new: int) -> dict[int, tuple[bytes, ...]]:
    """Proofs for several sizes that grew into one, by the old size; what they share is read once."""
    wanted = list(olds)
    for old in wanted:
        if not 0 < old <= new:
            raise NotFound(f"{new} entries can't have grown out of {old}.")
    return _proven(new, lambda read: {old: merkle.consistency(read, old, new) for old in wanted})


def _proven(size: int, prove: Callable[[merkle.Read], Proofs]) -> Proofs:
    """Prove twice: first to learn which subtrees that takes, then with what one query for them gave."""
    places: set[tuple[int, int]] = set()

    def ask(level: int, index: int) -> bytes:
        places.add((level, index))
        return bytes(merkle.HASH_BYTES)

    prove(ask)
    return prove(_Tree(size, {place for place in places if place[0] >= KEPT_LEVEL}).read)


class _Tree:
    """Complete subtrees within the first `size` entries, each read once."""

    def __init__(self, size: int, stored: Collection[tuple[int, int]]) -> None:
        self._size = size
        self._known = _subtrees(stored)
        self._blocks: dict[int, list[bytes]] = {}

    def read(self, level: int, index: int) -> bytes:
        place = (level, index)
        if place not in self._known:
            self._known[place] = (
                self._stored(level, index) if level >= KEPT_LEVEL else self._low(level, index)
            )
        return self._known[place]

    def _stored(self, level: int, index: int) -> bytes:
        found = Subtree.objects.filter(level=level, index=index).values_list("hash", flat=True).first()
        if found is not None:
            return bytes(found)
        if level == KEPT_LEVEL:  # behind the newest checkpoint nothing is stored
            return merkle.root(self._leaves(index))
        return merkle.node(self.read(level - 1, 2 * index), self.read(level - 1, 2 * index + 1))

    def _low(self, level: int, index: int) -> bytes:
        first = index << level
        block = self._leaves(first >> KEPT_LEVEL)
        at = first & (_BLOCK - 1)
        return merkle.root(block[at : at + (1 << level)])

    def _leaves(self, block: int) -> list[bytes]:
        if block not in self._blocks:
            first = block * _BLOCK
            last = min(first + _BLOCK, self._size)
            found = [leaf(body) for body in _bodies(first, last)]
            if len(found) != last - first:
                raise NotFound(f"Entries {first + 1} to {last} are not all there: nothing can be proven.")
            self._blocks[block] = found
        return self._blocks[block]


def _subtrees(places: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    if not places:
        return {}
    levels, indexes = zip(*places, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_SUBTREES, [list(levels), list(indexes)])
        return {(level, index): bytes(digest) for level, index, digest in cursor}


def _bodies(after: int, upto: int) -> Iterator[bytes]:
    """Through a binary cursor, which Django's own is not: most of a proof's time is these reads."""
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(_BODIES, [after, upto], binary=True)
        for (body,) in cursor:
            yield body
