"""Seals the ledger: a signed checkpoint over all entries, made from the newest one and the entries behind it.

Nothing is signed unless the new tree extends the one that was signed before, and the chain since then is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import connection, transaction

from endpoints.audit import cadence, signing
from endpoints.audit import note as notes
from endpoints.audit.actors import SYSTEM_LEDGER, Actor
from endpoints.audit.chain import Anchor, Fault, Row, Start, Verification, verify
from endpoints.audit.merkle import Frontier, Node, grow
from endpoints.audit.models import Checkpoint, Entry, Subtree, VerificationRun
from endpoints.audit.seals import KEPT_LEVEL, Flaw, Stored, stored_seal
from endpoints.audit.selectors.checkpoints import unsealed
from endpoints.audit.services.anchoring import anchor_new
from endpoints.audit.services.record import record
from endpoints.audit.services.verify import remember
from endpoints.audit.signing import Keys
from endpoints.audit.verification import batches, microseconds
from endpoints.dispatch import db_now

log = structlog.get_logger(__name__)

_LOCK = 7203419


@dataclass(frozen=True, slots=True)
class _Grown:
    """The tree over all entries, and its subtrees that were completed on the way."""

    frontier: Frontier
    head: Anchor
    nodes: list[Node]


def make_due_checkpoint() -> None:
    """Make a checkpoint if the entries behind the newest one call for it, and anchor what is not anchored yet."""
    if not signing.has_key():
        return
    newest = Checkpoint.objects.order_by("-number").first()
    waiting = unsealed(newest.size if newest else 0)
    if cadence.is_due(waiting, rhythm(), db_now()):
        make_checkpoint(actor=SYSTEM_LEDGER)
    anchor_new()


def rhythm() -> cadence.Rhythm:
    """How often the settings want checkpoints."""
    config = settings.OPSPORTAL
    return cadence.Rhythm(config.audit_checkpoint_entries, config.audit_checkpoint_seconds)


@transaction.atomic
def make_checkpoint(*, actor: Actor) -> Checkpoint | None:
    """Sign all entries up to now, and anchor that after the commit.

    None when there is no key, nothing new, or something wrong: then an entry `audit.broken` says so, and the audit
    pages do. Unavailable when the key file can't be used.
    """
    keys = signing.keys()
    if keys.private is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    newest = Checkpoint.objects.order_by("-number").first()
    found = _grown(newest, keys)
    if isinstance(found, Verification):
        _tell_broken(found)
        return None
    if (newest and found.frontier.size == newest.size) or not found.frontier.size:
        return None
    return _seal(found, keys, number=newest.number + 1 if newest else 1, actor=actor)


def _seal(grown: _Grown, keys: Keys, *, number: int, actor: Actor) -> Checkpoint:
    size, root = grown.frontier.size, grown.frontier.root()
    claim = notes.Checkpoint(signing.origin(), size, root, grown.head.hash)
    made = Checkpoint.objects.create(
        number=number,
        size=size,
        at=db_now(),
        root=root,
        head=grown.head.hash,
        frontier=bytes(grown.frontier),
        note=notes.write(claim, keys.public, keys.sign(claim.text.encode())),
        made_by=actor.ref,
    )
    Subtree.objects.bulk_create(
        Subtree(level=level, index=index, hash=digest) for level, index, digest in grown.nodes
    )
    transaction.on_commit(anchor_new)
    return made


def _grown(newest: Checkpoint | None, keys: Keys) -> _Grown | Verification:
    """The newest checkpoint's tree with the entries behind it; a Verification that is not ok when they don't fit."""
    start = _start(newest, keys)
    if isinstance(start, Flaw):
        return Verification(False, start.seq - 1, None, start.seq, start.fault, start.reason)
    tree = Frontier.from_bytes(newest.size, bytes(newest.frontier)) if newest else Frontier()
    leaves: list[bytes] = []
    nodes: list[Node] = []

    def rows() -> Iterator[Row]:
        nonlocal tree
        for batch in batches(after=start.seq):
            yield from batch
            tree = grow(tree, leaves, above=KEPT_LEVEL, kept=nodes)
            leaves.clear()

    found = verify(rows(), start=start, leaves=leaves)
    return found if not found.ok else _Grown(tree, found.head or Anchor(start.seq, start.hash), nodes)


def _start(newest: Checkpoint | None, keys: Keys) -> Start | Flaw:
    """The entry that the newest checkpoint ends with, when both still are what was signed."""
    if newest is None:
        return Start()
    row = Stored(
        newest.number,
        newest.size,
        bytes(newest.root),
        bytes(newest.head),
        bytes(newest.frontier),
        newest.note,
    )
    if isinstance(seal := stored_seal(row, keys.known), Flaw):
        return seal
    last = Entry.objects.filter(seq=newest.size).first()
    if last is None:
        count = (
            Entry.objects.filter(seq__lt=newest.size).order_by("-seq").values_list("seq", flat=True).first()
        )
        reason = (
            f"Entries up to {newest.size} are missing: the checkpoint {newest.size} proves that they existed."
        )
        return Flaw((count or 0) + 1, Fault.CUT, reason)
    if bytes(last.hash) != seal.head:
        reason = f"Entry {newest.size} is not the one that the checkpoint {newest.size} ends with."
        return Flaw(newest.size, Fault.CUT, reason)
    return Start(newest.size, seal.head, microseconds(last.at))


def _tell_broken(found: Verification) -> None:
    """Say it once: what is broken from an entry on stays so, whatever is found behind that entry."""
    last, bad = VerificationRun.objects.order_by("-ended_at", "-id").first(), found.first_bad_seq or 0
    if last and not last.ok and (last.first_bad_seq or 0) <= bad:
        return
    log.error("ledger_broken", first_bad_seq=found.first_bad_seq, fault=found.fault, reason=found.reason)
    remember(found, began_at=db_now(), asked_by=SYSTEM_LEDGER.ref)
    record(
        actor=SYSTEM_LEDGER,
        action="audit.broken",
        subject="ledger:1",
        after={"first_bad_seq": found.first_bad_seq, "fault": str(found.fault)},
    )
