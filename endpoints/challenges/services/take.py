"""Take what a source says of requests, and merge it with what is known. The same again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.access.selectors import workspace
from endpoints.audit import selectors as ledger
from endpoints.audit.services import record as enter
from endpoints.challenges.bounds import bounds, problem
from endpoints.challenges.intake import Reader, read
from endpoints.challenges.merge import Book
from endpoints.challenges.recorded import Record, Source
from endpoints.challenges.services import stored
from endpoints.challenges.services.fingerprints import NO_KEY, fingerprinter, keeps_fingerprints
from endpoints.core.errors import Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_facts, endpoint_names

MOST_AT_ONCE = 5000
"""Records that one sender may send at once, and that are worked on together."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Of the words that came: `new` records, `merged` into one that was there, the `same` as before, `refused`."""

    new: int = 0
    merged: int = 0
    same: int = 0
    refused: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.new + other.new,
            self.merged + other.merged,
            self.same + other.same,
            self.refused + other.refused,
        )


@transaction.atomic
def take(records: Iterable[Record], *, source: Source) -> Taken:
    """Store what can be stored, all in one transaction; what can't is `refused` by its place, with the reason.

    Ids are normalised already (`ids.py`).
    """
    now = db_now()
    good, refused = _sorted_out(records, now)
    stored.lock(record.endpoint_id for record in good)
    total = Taken(refused=refused)
    for first in range(0, len(good), MOST_AT_ONCE):
        total += _take(good[first : first + MOST_AT_ONCE], source, now)
    return total


@transaction.atomic
def send(
    *, principal: Principal, endpoint_id: int, items: Sequence[Any], source: Source = Source.CALLER
) -> Taken:
    """Take what a program sends of one endpoint, as `intake` reads it: everything or nothing.

    Invalid, with every mistake by its place. That somebody sends is in the ledger once for each sender, endpoint and
    hour.
    """
    facts = endpoint_facts(endpoint_id)
    slug = workspace(facts.workspace_id).slug
    require(principal, Action.PREDICTIONS_WRITE, workspace_id=facts.workspace_id, workspace=slug)
    if facts.deleted_at is not None:
        raise NotFound("There is no such endpoint, or it was deleted.")
    if source is Source.LOG:
        raise Invalid({"source": ["Azure's log is read by the portal itself. Nothing was stored."]})
    taken = take(_read(items, endpoint_id), source=source)
    if taken.refused:
        raise Invalid({f"records.{place}": [reason] for place, reason in taken.refused})
    if not _is_on_record(principal, endpoint_id):
        enter(
            actor=principal.actor,
            action="predictions.sent",
            subject=ref("endpoint", endpoint_id),
            workspace_id=facts.workspace_id,
            endpoint=ref("endpoint", endpoint_id),
            after={"source": str(source), "records": len(items)},
        )
    return taken


def _read(items: Sequence[Any], endpoint_id: int) -> list[Record]:
    if not 0 < len(items) <= MOST_AT_ONCE:
        raise Invalid({"records": [f"Send 1 to {MOST_AT_ONCE:,} records at once. Nothing was stored."]})
    reader = Reader(
        endpoint_id,
        bounds({endpoint_id}, db_now(), settings.OPSPORTAL.prediction_days),
        fingerprinter() if keeps_fingerprints() else None,
        NO_KEY,
    )
    records, problems = read(items, reader)
    if problems:
        raise Invalid(problems)
    return records


def _is_on_record(principal: Principal, endpoint_id: int) -> bool:
    """Whether the ledger says for this hour that they send."""
    hour = db_now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found = ledger.entries(
        ledger.Scope(everything=True),
        ledger.Filters(
            actor=principal.ref,
            endpoint=ref("endpoint", endpoint_id),
            action="predictions.sent",
            since=hour,
        ),
        limit=1,
    )
    return bool(found.rows)


def _sorted_out(records: Iterable[Record], now: datetime) -> tuple[list[Record], tuple[tuple[int, str], ...]]:
    wanted = list(records)
    there = endpoint_names({record.endpoint_id for record in wanted})
    within = bounds(there, now, settings.OPSPORTAL.prediction_days)
    good, refused = [], []
    for place, record in enumerate(wanted):
        if reason := problem(record, within):
            refused.append((place, reason))
        else:
            good.append(_in_utc(record))
    return good, tuple(refused)


def _in_utc(record: Record) -> Record:
    if record.at.tzinfo is UTC and record.deployment.islower():
        return record
    return replace(record, at=record.at.astimezone(UTC), deployment=record.deployment.lower())


def _take(records: Sequence[Record], source: Source, now: datetime) -> Taken:
    stored.make_partitions({record.at.date() for record in records})
    with stored.by_index():
        book = stored.book_for(records)
        new, merged = _merged(book, records, source, now)
        touched = [row for row in book if row.is_new or row.is_changed]
        stored.store(touched)
    stored.mark((row.endpoint_id, minute) for row in touched for minute in row.minutes)
    return Taken(new, merged, len(records) - new - merged)


def _merged(book: Book, records: Sequence[Record], source: Source, now: datetime) -> tuple[int, int]:
    """Put the words into the book: how many began a record, and how many said something new of one."""
    new = merged = 0
    for record in records:
        there = len(book)
        _, is_changed = book.take(record, source, now)
        is_new = len(book) > there
        new += is_new
        merged += is_changed and not is_new
    return new, merged
