"""Checks the stored ledger: chain, checkpoints and anchors, then that columns and personal text agree with it.

The chain is read in one pass through a server-side cursor, and hashed here rather than in the database; the tree grows
beside it. Columns and personal text are compared inside the database, for entries whose bytes the chain vouched for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from endpoints.audit import signing
from endpoints.audit.anchorfile import Anchored, anchor_file, read_anchored
from endpoints.audit.chain import Anchor, Fault, Row, Verification, verify
from endpoints.audit.models import Anchoring, Checkpoint, Subtree
from endpoints.audit.seals import (
    Flaw,
    Seal,
    Stored,
    Walk,
    altered_node,
    judged,
    noted_seal,
    numbering,
    stored_seal,
)
from endpoints.core.errors import Unavailable

_BATCH = 2_000
_SLICE = 50_000  # a statement over the whole table could run into the statement timeout
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ROWS = """
SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, prev_hash, hash, body
FROM audit_entry WHERE seq > %s ORDER BY seq
"""
# OFFSET 0 keeps the planner from parsing the document anew for every column.
_COLUMNS = """
SELECT min(e.seq) FROM audit_entry e, LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb AS doc OFFSET 0) b
WHERE e.seq BETWEEN %s AND %s AND (
  e.event_id::text, e.app_at, e.actor, e.on_behalf, e.auth, e.workspace_id, e.subject, e.endpoint, e.action,
  e.request_id, e.azure_request_id, e.before, e.after
) IS DISTINCT FROM (
  doc->>'event', (doc->>'app_at')::timestamptz, doc->>'actor', doc->>'on_behalf', doc->>'auth',
  (doc->>'workspace')::bigint, doc->>'subject', doc->>'endpoint', doc->>'action',
  doc->>'request', doc->>'azure_request', nullif(doc->'before', 'null'), nullif(doc->'after', 'null')
)
"""
# Commitments without text and text without commitment are as wrong as text that does not match. Only what a later
# entry names as erased may be missing, and must be. Names are compared as JSON: a cast could fail on a forged one.
_PERSONAL = """
WITH erased AS MATERIALIZED (
  SELECT named.seq FROM audit_entry e,
    LATERAL jsonb_array_elements(
      CASE jsonb_typeof(e.after->'entries') WHEN 'array' THEN e.after->'entries' END) AS named (seq)
  WHERE e.action = 'personal.erased' AND named.seq < to_jsonb(e.seq))
SELECT min(coalesce(c.seq, p.entry_id)) FROM
  (SELECT e.seq, k.field, k.digest FROM audit_entry e,
     LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb->'personal' AS committed OFFSET 0) b,
     LATERAL jsonb_each_text(b.committed) AS k (field, digest)
   WHERE e.seq BETWEEN %s AND %s) c
FULL JOIN (SELECT * FROM audit_personal WHERE entry_id BETWEEN %s AND %s) p
  ON p.entry_id = c.seq AND p.field = c.field
WHERE CASE WHEN to_jsonb(coalesce(c.seq, p.entry_id)) IN (SELECT seq FROM erased) THEN p.entry_id IS NOT NULL
  ELSE c.digest IS DISTINCT FROM encode(sha256(p.salt || convert_to(p.text, 'UTF8')), 'hex') END
"""


def verify_stored(anchor: Anchor | None = None, *, anchored: Anchored | None = None) -> Verification:
    """Check everything that is stored, up to the newest entry at this moment, against what was sealed.

    `anchored` are checkpoints that were kept elsewhere; None takes those of the file in the settings.
    """
    known, unchecked = _known_keys()
    # Outside the transaction: signatures of years take longer than one may rest. And anchors before checkpoints:
    # what is sealed meanwhile is in neither.
    outside = _outside() if anchored is None else anchored
    rows = stored_checkpoints()
    claims = [*(stored_seal(row, known) for row in rows), *_anchored_seals(outside, known, rows)]
    with transaction.atomic():
        chain, walk = follow(anchor, [claim for claim in claims if isinstance(claim, Seal)])
        flaws = [claim for claim in claims if isinstance(claim, Flaw)]
        flaws += [flaw for flaw in (walk.off, walk.missing() if chain.ok else None, numbering(rows)) if flaw]
        found = judged(chain, flaws, agreed=walk.agreed)
        if found.ok:  # stored subtrees are made of the entries: they say nothing about which of these is bad
            found = judged(found, _subtrees(walk, rows), agreed=walk.agreed)
        found = _columns_and_personal(found)
    unproven = unchecked if rows or outside.notes else ()
    return replace(found, unchecked=(*unproven, *outside.unchecked))


def batches(*, after: int = 0) -> Iterator[Sequence[Row]]:
    """Entries behind number `after`, oldest first, through the driver's own cursor: its binary one is twice as fast
    as Django's."""
    with (
        connection.wrap_database_errors,
        connection.connection.cursor(name="audit_verify", binary=True) as cursor,
    ):
        cursor.execute(_ROWS, [after])
        while rows := cursor.fetchmany(_BATCH):
            yield rows


def microseconds(at: datetime) -> int:
    """A moment as the chain hashes it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def follow(anchor: Anchor | None, seals: Sequence[Seal]) -> tuple[Verification, Walk]:
    """The chain, and the tree beside it as far as the chain is whole."""
    walk, leaves, batch = Walk(seals), list[bytes](), list[Row]()

    def rows() -> Iterator[Row]:
        for batch[:] in batches():
            yield from batch
            walk.take(leaves, batch)
            leaves.clear()
        batch.clear()

    found = verify(rows(), anchor, leaves=leaves)
    if leaves:  # it stopped within a batch
        walk.take(leaves, batch)
    return found, walk


def _known_keys() -> tuple[Collection[bytes], tuple[str, ...]]:
    try:
        known = signing.keys().known
    except Unavailable as error:
        return (), (f"Signatures of checkpoints were not checked: {error.message}",)
    return known, () if known else ("Signatures of checkpoints were not checked: no key is set.",)


def stored_checkpoints() -> list[Stored]:
    """All of them as their rows have them, in the order of their numbers."""
    columns = ("number", "size", "root", "head", "frontier", "note")
    rows = Checkpoint.objects.order_by("number").values_list(*columns)
    return [
        Stored(number, size, bytes(root), bytes(head), bytes(frontier), note)
        for number, size, root, head, frontier, note in rows
    ]


def _outside() -> Anchored:
    """What the file of the settings holds; and what it lacks of that which was written to it."""
    path = anchor_file()
    written = set(Anchoring.objects.filter(place="file", ok=True).values_list("checkpoint_id", flat=True))
    if path is None:
        return Anchored(
            unchecked=("No anchor file is set any more, so anchors were not compared.",) if written else ()
        )
    if not written and not path.exists():
        return Anchored()
    found = read_anchored(path)
    if found.unchecked:
        return found
    there = {int(note.split("\n", 2)[1]) for note in found.notes if note.split("\n", 2)[1].isdecimal()}
    if lacking := sorted(written - there):
        words = f"The anchor file lacks checkpoint {lacking[0]} and {len(lacking) - 1} others that were written to it."
        return Anchored(found.notes, (words,))
    return found


def _anchored_seals(outside: Anchored, known: Collection[bytes], rows: Sequence[Stored]) -> list[Seal | Flaw]:
    """The claims of anchored checkpoints; a Flaw for each that is not stored here any more."""
    same = {row.note: row.size for row in rows}
    found: list[Seal | Flaw] = []
    for text in dict.fromkeys(outside.notes):
        if text in same:
            continue  # judged as a stored one
        seal = noted_seal(text, known, where="anchored checkpoint")
        found.append(seal)
        if isinstance(seal, Seal) and seal.size not in same.values():
            reason = f"Checkpoint {seal.size} was anchored, and is not stored any more: it was removed."
            found.append(Flaw(seal.size, Fault.CHECKPOINT, reason))
    return found


def _subtrees(walk: Walk, rows: Sequence[Stored]) -> list[Flaw]:
    """Whether the stored subtrees are those of the sealed entries. What is behind them is of a newer checkpoint."""
    sealed = rows[-1].size if rows else 0
    stored = [
        (level, index, bytes(digest))
        for level, index, digest in Subtree.objects.values_list("level", "index", "hash")
        if (index + 1) << level <= sealed
    ]
    flaw = altered_node(walk.nodes, stored, sealed)
    return [flaw] if flaw else []


def _columns_and_personal(chain: Verification) -> Verification:
    """The first entry, before the chain's own first bad one, whose copies disagree with its bytes."""
    for first in range(1, chain.count + 1, _SLICE):
        last = min(first + _SLICE - 1, chain.count)
        columns, personal = _lowest(_COLUMNS, first, last), _lowest(_PERSONAL, first, last, first, last)
        if columns is not None and (personal is None or columns <= personal):
            reason = f"Entry {columns}: the columns that pages show do not say what the hashed bytes say."
            return _at(chain, columns, Fault.COLUMNS, reason)
        if personal is not None:
            reason = f"Entry {personal}: personal text was altered, added or removed without a record."
            return _at(chain, personal, Fault.PERSONAL, reason)
    return chain


def _lowest(query: str, *bounds: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(query, bounds)
        row = cursor.fetchone()
    seq: int | None = row[0]
    return seq


def _at(chain: Verification, seq: int, fault: Fault, reason: str) -> Verification:
    return replace(chain, ok=False, count=seq - 1, head=None, first_bad_seq=seq, fault=fault, reason=reason)
