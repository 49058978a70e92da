"""Checks the stored ledger: the chain, then that the searchable columns and the personal text agree with it.

The chain is read in one pass through a server-side cursor, and hashed here rather than in the database. Columns
and personal text are compared inside the database, for entries whose bytes the chain has just vouched for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db import connection, transaction

from endpoints.audit.chain import Anchor, Fault, Row, Verification, verify

_BATCH = 2_000
_SLICE = 50_000  # a statement over the whole table could run into the statement timeout

_ROWS = """
SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, prev_hash, hash, body
FROM audit_entry ORDER BY seq
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
# Commitments without text and text without commitment are as wrong as text that does not match.
_PERSONAL = """
SELECT min(coalesce(c.seq, p.entry_id)) FROM
  (SELECT e.seq, k.field, k.digest FROM audit_entry e,
     LATERAL (SELECT convert_from(e.body, 'UTF8')::jsonb->'personal' AS committed OFFSET 0) b,
     LATERAL jsonb_each_text(b.committed) AS k (field, digest)
   WHERE e.seq BETWEEN %s AND %s) c
FULL JOIN (SELECT * FROM audit_personal WHERE entry_id BETWEEN %s AND %s) p
  ON p.entry_id = c.seq AND p.field = c.field
WHERE c.digest IS DISTINCT FROM encode(sha256(p.salt || convert_to(p.text, 'UTF8')), 'hex')
"""


def verify_stored(anchor: Anchor | None = None) -> Verification:
    """Check everything that is stored, up to the newest entry at this moment."""
    with transaction.atomic():
        chain = verify(_rows(), anchor)
        return _columns_and_personal(chain)


def _rows() -> Iterator[Row]:
    """All entries, oldest first. The driver's own cursor, because its binary one is twice as fast as Django's."""
    with (
        connection.wrap_database_errors,
        connection.connection.cursor(name="audit_verify", binary=True) as cursor,
    ):
        cursor.execute(_ROWS)
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


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
