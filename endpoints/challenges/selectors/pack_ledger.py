"""The ledger's part of a pack: entries, and the least that proves them without showing others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from endpoints.audit import selectors as ledger
from endpoints.audit.selectors import CheckpointRow, StoredEntry
from endpoints.audit.selectors.proofs import consistency_proofs
from endpoints.challenges.pack.parts import (
    ChainLink,
    Growth,
    Inclusion,
    LedgerEntry,
    LedgerPart,
    PersonalText,
)

MOST_ENTRIES, MOST_AROUND = 5000, 1000
AROUND = timedelta(hours=1)
MOST_CHECKPOINTS = 120
MOST_LINKS = 20_000
_PAGES = 10
_WITHHELD = frozenset({"ip"})
# Entries about other cases and people happened at the same endpoint, and are nobody's business here.
_OF_OTHERS = frozenset({"case", "user", "token"})


@dataclass(frozen=True, slots=True)
class Found:
    """Entries, oldest first, each with its document. `is_cut`: there are more about the case or its changes."""

    entries: tuple[StoredEntry, ...]
    bodies: dict[int, dict[str, Any]]
    is_cut: bool


def entries_for(subjects: Collection[str], endpoint: str, at: datetime | None) -> Found:
    """Entries about these subjects, whenever, and about the endpoint around a moment."""
    own = ledger.entries_of(subjects, limit=MOST_ENTRIES)
    around: Sequence[StoredEntry] = ()
    if endpoint and at is not None:
        around = ledger.entries_of(
            (), endpoints=[endpoint], since=at - AROUND, until=at + AROUND, limit=MOST_AROUND
        )
    found = {one.seq: one for one in (*around, *own)}
    bodies = {seq: json.loads(found[seq].body) for seq in sorted(found)}
    kept = [seq for seq, body in bodies.items() if body["subject"] in subjects or not _is_of_others(body)]
    return Found(
        tuple(found[seq] for seq in kept), {seq: bodies[seq] for seq in kept}, len(own) == MOST_ENTRIES
    )


def proven(found: Found, subjects: Collection[str]) -> LedgerPart:
    """The entries with texts, checkpoints and proofs, as far as there are any."""
    seqs = [one.seq for one in found.entries]
    newest = ledger.newest_checkpoint()
    near = list(_nearest(seqs)) if newest else []
    rows = _checkpoints(near, newest, seqs)
    size = newest.size if newest else 0
    covered = [seq for seq in seqs if seq <= size]
    texts = [seq for seq, body in found.bodies.items() if body["subject"] in subjects]
    return LedgerPart(
        entries=tuple(LedgerEntry(one.seq, one.at_us, one.prev, one.hash, one.body) for one in found.entries),
        personal=tuple(
            PersonalText(one.seq, one.field, one.salt, one.text)
            for one in ledger.personal_of(texts)
            if one.field not in _WITHHELD
        ),
        proofs=tuple(
            Inclusion(seq, size, path) for seq, path in ledger.inclusion_proofs(covered, size).items()
        ),
        growth=tuple(
            Growth(old, size, path)
            for old, path in consistency_proofs([one.size for one in rows if one.size != size], size).items()
        ),
        links=tuple(_links(seqs, [one.size for one in near])),
        checkpoints={one.size: one.note for one in rows},
    )


def _is_of_others(body: dict[str, Any]) -> bool:
    return str(body["subject"]).partition(":")[0] in _OF_OTHERS


def _nearest(seqs: Sequence[int]) -> Iterator[CheckpointRow]:
    """The first checkpoint at or behind each entry, each once."""
    reached = 0
    for seq in seqs:
        if seq <= reached:
            continue
        behind = ledger.checkpoints_after(seq - 1, limit=1)
        if not behind:
            return
        reached = behind[0].size
        yield behind[0]


def _checkpoints(
    near: Sequence[CheckpointRow], newest: CheckpointRow | None, seqs: Sequence[int]
) -> list[CheckpointRow]:
    """Those near entries, the newest, and the last of each day since the first entry: what others may have noted."""
    if newest is None:
        return []
    chosen = {one.size: one for one in (*near, newest)}
    days: set[object] = set()
    cursor: int | None = None
    for _ in range(_PAGES):
        page = ledger.checkpoints(cursor, limit=ledger.LARGEST_PAGE)
        for row in page.rows:
            if row.at.date() not in days and len(chosen) < MOST_CHECKPOINTS:
                days.add(row.at.date())
                chosen[row.size] = row
        cursor = page.cursor
        if cursor is None or (seqs and cursor < seqs[0]):
            break
    return [chosen[size] for size in sorted(chosen)]


def _links(seqs: Sequence[int], sizes: Sequence[int]) -> Iterator[ChainLink]:
    """The entries between, from each entry up to the checkpoint behind it."""
    before, left = 0, MOST_LINKS
    for size in sizes:
        first = next(seq for seq in seqs if seq > before)
        before = size
        if size - first > left:
            continue  # the verifier says that these times are not proven
        left -= size - first
        for one in ledger.links(first + 1, size):
            if one.seq not in seqs:
                yield ChainLink(one.seq, one.at_us, one.leaf)
