"""Ways to tamper with a stored ledger, as somebody can who owns the database: guards are off, SQL does anything.

Each is drawn at random, carried out, and tells between which entries the first bad one must be named.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from endpoints.audit import note
from endpoints.audit.chain import GENESIS, leaf, link
from endpoints.audit.merkle import Frontier, grow
from endpoints.audit.seals import KEPT_LEVEL

FORGER = Ed25519PrivateKey.from_private_bytes(b"forger" + bytes(26))
TABLES = ("audit_anchoring", "audit_checkpoint", "audit_subtree", "audit_personal", "audit_entry")
TEXTS = ("actor", "on_behalf", "auth", "subject", "endpoint", "action", "request_id", "azure_request_id")


Bounds = tuple[int, int]
"""Between which entries the first bad one must be named."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What tampering needs to know of the ledger as it is. `erased` maps entries to the one that says so."""

    entries: int
    sealed: tuple[int, ...]
    personal: tuple[int, ...]
    erased: Mapping[int, int]

    def seal_of(self, seq: int) -> int:
        """The first checkpoint that covers an entry."""
        return min(size for size in self.sealed if size >= seq)

    def before(self, size: int) -> int:
        """The checkpoint before one; 0 when it is the first."""
        return max((other for other in self.sealed if other < size), default=0)

    def first_bad(self, seq: int) -> Bounds:
        """If the entry says that texts were erased, then these lack without a record."""
        lost = [one for one, said in self.erased.items() if said == seq]
        return min([*lost, seq]), seq

    def first_bad_of_cut(self, keep: int) -> Bounds:
        """With the end goes what says that texts were erased: these then lack without a record."""
        lost = [seq for seq, said in self.erased.items() if seq <= keep < said]
        return min([*lost, keep + 1]), keep + 1


Mutation = Callable[[Ledger, random.Random], Bounds]


def run(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def edit_column(ledger: Ledger, draw: random.Random) -> Bounds:
    seq, column = draw.randint(1, ledger.entries), draw.choice(TEXTS)
    run(f"UPDATE audit_entry SET {column} = {column} || 'x' WHERE seq = %s", seq)
    return ledger.first_bad(seq)


def edit_value(ledger: Ledger, draw: random.Random) -> Bounds:
    change = draw.choice(
        (
            "workspace_id = coalesce(workspace_id, 0) + 1",
            "event_id = gen_random_uuid()",
            "app_at = app_at + interval '1 microsecond'",
            'before = \'{"state": "draft"}\'',
            "after = coalesce(after, '{}') || '{\"x\": 1}'",
            "at = at + interval '1 microsecond'",
            "at = at - interval '1 day'",
            "hash = sha256(hash)",
            "prev_hash = sha256(prev_hash)",
            "body = body || ' '",
            "body = '\\xff'",
        )
    )
    seq = draw.randint(1, ledger.entries)
    run(f"UPDATE audit_entry SET {change} WHERE seq = %s", seq)
    return ledger.first_bad(seq)


def edit_a_bit(ledger: Ledger, draw: random.Random) -> Bounds:
    seq, share = draw.randint(1, ledger.entries), draw.random()
    run(
        "UPDATE audit_entry SET body = set_bit(body, (bit_length(body) * %s)::int,"
        " 1 - get_bit(body, (bit_length(body) * %s)::int)) WHERE seq = %s",
        share, share, seq,
    )  # fmt: skip
    return ledger.first_bad(seq)


def delete(ledger: Ledger, draw: random.Random) -> Bounds:
    seq = draw.randint(1, ledger.entries)
    run("DELETE FROM audit_personal WHERE entry_id = %s", seq)
    run("DELETE FROM audit_entry WHERE seq = %s", seq)
    return ledger.first_bad(seq)


def delete_and_close_the_gap(ledger: Ledger, draw: random.Random) -> Bounds:
    seq = draw.randint(1, ledger.entries - 1)
    run("DELETE FROM audit_personal WHERE entry_id = %s", seq)
    run("DELETE FROM audit_entry WHERE seq = %s", seq)
    _shift(seq, -1)
    return ledger.first_bad(seq)


def swap(ledger: Ledger, draw: random.Random) -> Bounds:
    one, other = sorted(draw.sample(range(1, ledger.entries + 1), 2))
    run(
        "UPDATE audit_entry SET seq = CASE seq WHEN %s THEN -1 ELSE -2 END WHERE seq IN (%s, %s)",
        one,
        one,
        other,
    )
    run("UPDATE audit_entry SET seq = CASE seq WHEN -1 THEN %s ELSE %s END WHERE seq < 0", other, one)
    # Personal text stays with the number, as a careless forger leaves it.
    return one, one


def swap_contents(ledger: Ledger, draw: random.Random) -> Bounds:
    one, other = sorted(draw.sample(range(1, ledger.entries + 1), 2))
    run(
        "UPDATE audit_entry e SET body = o.body FROM audit_entry o"
        " WHERE e.seq IN (%s, %s) AND o.seq IN (%s, %s) AND e.seq <> o.seq",
        one, other, one, other,
    )  # fmt: skip
    return one, one


def insert(ledger: Ledger, draw: random.Random) -> Bounds:
    """A forged entry with a sound hash of its own, in the place of an entry; the rest moves up."""
    seq = draw.randint(1, ledger.entries)
    ((at_us, prev, body),) = run(
        "SELECT (extract(epoch FROM at) * 1000000)::bigint, prev_hash, body FROM audit_entry WHERE seq = %s",
        seq,
    )
    forged = bytes(body).replace(b"user:7", b"user:8")
    _shift(seq, 1)
    _copy(seq + 1, seq, forged, bytes(prev), link(bytes(prev), seq, at_us, leaf(forged)))
    return seq, seq


def rewrite_one(ledger: Ledger, draw: random.Random) -> Bounds:
    """An entry's content with a fresh hash of its own, columns and all; the next one gives it away."""
    seq = draw.randint(1, ledger.entries)
    _forge(seq)
    _hash_anew(seq, seq)
    # Nothing follows the last one but a checkpoint, which knows only between which entries it is.
    last = seq == ledger.entries
    return (ledger.before(ledger.seal_of(seq)) + 1 if last else seq), seq


def cut(ledger: Ledger, draw: random.Random) -> Bounds:
    """The end is gone, its checkpoints still tell."""
    keep = draw.randint(0, ledger.entries - 1)
    _cut(keep)
    return ledger.first_bad_of_cut(keep)


def restore_backup(ledger: Ledger, draw: random.Random) -> Bounds:
    """All tables as they were before, in agreement with each other: only what is elsewhere tells."""
    keep = draw.randint(0, ledger.entries - 1)
    _cut(keep)
    for table in ("audit_anchoring", "audit_checkpoint"):
        run(f"DELETE FROM {table} WHERE size > %s", keep)
    sealed = max((size for size in ledger.sealed if size <= keep), default=0)
    run("DELETE FROM audit_subtree WHERE (index + 1) << level > %s", sealed)
    return ledger.first_bad_of_cut(keep)


def hash_anew(ledger: Ledger, draw: random.Random) -> Bounds:
    """The whole chain behind a forged entry, in agreement with itself: checkpoints tell."""
    seq = draw.randint(1, ledger.entries)
    _forge(seq)
    _hash_anew(seq, ledger.entries)
    size = ledger.seal_of(seq)
    return ledger.before(size) + 1, size


def hash_and_seal_anew(ledger: Ledger, draw: random.Random) -> Bounds:
    """Chain, stored tree and checkpoints, signed with a key of the forger's: the known key and anchors tell."""
    seq = draw.randint(1, ledger.entries)
    _forge(seq)
    _hash_anew(seq, ledger.entries)
    _seal_anew(ledger)
    return 1, ledger.seal_of(seq)


def sign_anew(ledger: Ledger, draw: random.Random) -> Bounds:
    """A checkpoint that says the same, signed with a key of the forger's."""
    size = draw.choice(ledger.sealed)
    ((text,),) = run("SELECT note FROM audit_checkpoint WHERE size = %s", size)
    claim = note.read(text).checkpoint
    run("UPDATE audit_checkpoint SET note = %s WHERE size = %s", _signed(claim), size)
    return size, size


def edit_checkpoint(ledger: Ledger, draw: random.Random) -> Bounds:
    size = draw.choice(ledger.sealed)
    change = draw.choice(
        (
            "root = sha256(root)",
            "head = sha256(head)",
            "frontier = sha256(frontier)",
            "note = replace(note, 'head ', 'head  ')",
            "note = replace(note, 'ledger.test', 'ledger.best')",
            "note = reverse(note)",
            "note = rtrim(note, E'\\n')",
        )
    )
    run(f"UPDATE audit_checkpoint SET {change} WHERE size = %s", size)
    return size, size


def edit_note(ledger: Ledger, draw: random.Random) -> Bounds:
    """Any character of a checkpoint's text becomes another one."""
    size = draw.choice(ledger.sealed)
    ((text,),) = run("SELECT note FROM audit_checkpoint WHERE size = %s", size)
    at = draw.randrange(len(text))
    other = draw.choice([char for char in "AZaz09+/ \n—x" if char != text[at]])
    run("UPDATE audit_checkpoint SET note = %s WHERE size = %s", text[:at] + other + text[at + 1 :], size)
    return size, size


def swap_notes(ledger: Ledger, draw: random.Random) -> Bounds:
    one, other = sorted(draw.sample(ledger.sealed, 2))
    run(
        "UPDATE audit_checkpoint c SET note = o.note FROM audit_checkpoint o"
        " WHERE c.size IN (%s, %s) AND o.size IN (%s, %s) AND c.size <> o.size",
        one, other, one, other,
    )  # fmt: skip
    return one, one


def remove_checkpoint(ledger: Ledger, draw: random.Random) -> Bounds:
    size = draw.choice(ledger.sealed)
    for table in ("audit_anchoring", "audit_checkpoint"):
        run(f"DELETE FROM {table} WHERE size = %s", size)
    return ledger.before(size) + 1, size


def put_in_checkpoint(ledger: Ledger, draw: random.Random) -> Bounds:
    """One of another size, which the forger signed, last in the row."""
    size = draw.choice([size for size in range(1, ledger.entries) if size not in ledger.sealed])
    tree = grow(Frontier(), [leaf(bytes(body)) for (body,) in run(
        "SELECT body FROM audit_entry WHERE seq <= %s ORDER BY seq", size)])  # fmt: skip
    ((head,),) = run("SELECT hash FROM audit_entry WHERE seq = %s", size)
    claim = note.Checkpoint("ledger.test", size, tree.root(), bytes(head))
    run(
        "INSERT INTO audit_checkpoint (number, size, at, root, head, frontier, note, made_by)"
        " VALUES (%s, %s, now(), %s, %s, %s, %s, 'system:ledger')",
        len(ledger.sealed) + 1, size, claim.root, claim.head, bytes(tree), _signed(claim),
    )  # fmt: skip
    return size, size


def edit_subtree(ledger: Ledger, draw: random.Random) -> Bounds:
    change = draw.choice(
        (
            "UPDATE audit_subtree SET hash = sha256(hash) WHERE level = 8 AND index = 0",
            "DELETE FROM audit_subtree WHERE level = 8 AND index = 0",
            "UPDATE audit_subtree SET level = 9 WHERE level = 8 AND index = 0",
        )
    )
    run(change)
    return 1, 1


def edit_personal(ledger: Ledger, draw: random.Random) -> Bounds:
    change = draw.choice(("text = text || ' '", "salt = sha256(salt)", "field = 'comment'", "text = ''"))
    seq = draw.choice(ledger.personal)
    run(f"UPDATE audit_personal SET {change} WHERE entry_id = %s AND field = 'reason'", seq)
    return seq, seq


def delete_personal(ledger: Ledger, draw: random.Random) -> Bounds:
    seq = draw.choice(ledger.personal)
    run("DELETE FROM audit_personal WHERE entry_id = %s AND field = 'reason'", seq)
    return seq, seq


def put_in_personal(ledger: Ledger, draw: random.Random) -> Bounds:
    """A text that no entry commits to, or one that was erased."""
    seq = draw.choice([*ledger.personal, *ledger.erased, *range(1, ledger.entries + 1)])
    run("INSERT INTO audit_personal (entry_id, field, salt, text) VALUES (%s, 'name', '', 'Rosa')", seq)
    return seq, seq


def move_personal(ledger: Ledger, draw: random.Random) -> Bounds:
    one, other = draw.sample(ledger.personal, 2)
    run("DELETE FROM audit_personal WHERE entry_id = %s", other)
    run("UPDATE audit_personal SET entry_id = %s WHERE entry_id = %s", other, one)
    return min(one, other), min(one, other)


MUTATIONS: Sequence[Mutation] = (
    edit_column, edit_value, edit_a_bit, delete, delete_and_close_the_gap, swap, swap_contents, insert, rewrite_one,
    cut, restore_backup, hash_anew, hash_and_seal_anew, sign_anew, edit_checkpoint, edit_note, swap_notes,
    remove_checkpoint, put_in_checkpoint, edit_subtree, edit_personal, delete_personal, put_in_personal, move_personal,
)  # fmt: skip


def _shift(seq: int, by: int) -> None:
    """Give every entry from `seq` on, and its text, another number."""
    run("UPDATE audit_entry SET seq = -seq WHERE seq >= %s", seq)
    run("UPDATE audit_entry SET seq = %s - seq WHERE seq < 0", by)
    run("UPDATE audit_personal SET entry_id = -entry_id WHERE entry_id >= %s", seq)
    run("UPDATE audit_personal SET entry_id = %s - entry_id WHERE entry_id < 0", by)


def _copy(source: int, seq: int, body: bytes, prev: bytes, digest: bytes) -> None:
    """Another entry that looks like `source`."""
    run(
        "INSERT INTO audit_entry (seq, event_id, at, app_at, actor, on_behalf, auth, workspace_id, subject, endpoint,"
        " action, request_id, azure_request_id, before, after, body, prev_hash, hash)"
        " SELECT %s, gen_random_uuid(), at, app_at, actor, on_behalf, auth, workspace_id, subject, endpoint, action,"
        " request_id, azure_request_id, before, after, %s, %s, %s FROM audit_entry WHERE seq = %s",
        seq, body, prev, digest, source,
    )  # fmt: skip


def _forge(seq: int) -> None:
    """Another actor, in the bytes and in the column."""
    run(
        "UPDATE audit_entry SET actor = 'user:9', body ="
        ' convert_to(regexp_replace(convert_from(body, \'UTF8\'), \'"actor":"[^"]*"\', \'"actor":"user:9"\'), \'UTF8\')'
        " WHERE seq = %s",
        seq,
    )


def _hash_anew(first: int, last: int) -> None:
    rows = run(
        "SELECT seq, (extract(epoch FROM at) * 1000000)::bigint, prev_hash, body FROM audit_entry"
        " WHERE seq BETWEEN %s AND %s ORDER BY seq",
        first, last,
    )  # fmt: skip
    prev = bytes(rows[0][2]) if first > 1 else GENESIS
    made: list[tuple[int, bytes, bytes]] = []
    for seq, at_us, _, body in rows:
        digest = link(prev, seq, at_us, leaf(bytes(body)))
        made.append((seq, prev, digest))
        prev = digest
    seqs, befores, digests = zip(*made, strict=True)
    run(
        "UPDATE audit_entry e SET prev_hash = n.prev, hash = n.hash"
        " FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS n (seq, prev, hash) WHERE e.seq = n.seq",
        list(seqs), list(befores), list(digests),
    )  # fmt: skip


def _seal_anew(ledger: Ledger) -> None:
    rows = run("SELECT body, hash FROM audit_entry ORDER BY seq")
    leaves, tree = [leaf(bytes(body)) for body, _ in rows], Frontier()
    kept: list[tuple[int, int, bytes]] = []
    for size in ledger.sealed:
        tree = grow(tree, leaves[tree.size : size], above=KEPT_LEVEL, kept=kept)
        claim = note.Checkpoint("ledger.test", size, tree.root(), bytes(rows[size - 1][1]))
        run(
            "UPDATE audit_checkpoint SET root = %s, head = %s, frontier = %s, note = %s WHERE size = %s",
            claim.root, claim.head, bytes(tree), _signed(claim), size,
        )  # fmt: skip
    for level, index, digest in kept:
        run("UPDATE audit_subtree SET hash = %s WHERE level = %s AND index = %s", digest, level, index)


def _signed(claim: note.Checkpoint) -> str:
    return note.write(claim, FORGER.public_key().public_bytes_raw(), FORGER.sign(claim.text.encode()))


def _cut(keep: int) -> None:
    run("DELETE FROM audit_personal WHERE entry_id > %s", keep)
    run("DELETE FROM audit_entry WHERE seq > %s", keep)
