"""Entries as they are stored, byte for byte, for whoever hands them over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from endpoints.audit.chain import leaf
from endpoints.audit.models import Entry, Personal


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry: what its hash covers, and the hash."""

    seq: int
    at_us: int
    prev: bytes
    hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredLink:
    """An entry without its content: enough to follow the chain across it."""

    seq: int
    at_us: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class PersonalText:
    """A text that an entry commits to: SHA-256(salt || text)."""

    seq: int
    field: str
    salt: bytes
    text: str


_COLUMNS = "seq, (extract(epoch FROM at) * 1000000)::bigint, prev_hash, hash, body"


def entries_of(
    subjects: Collection[str],
    *,
    endpoints: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 5_000,
) -> tuple[StoredEntry, ...]:
    """Entries about `subjects`, whenever, and about `endpoints` from `since` until before `until`. Oldest first."""
    around = Q(endpoint__in=endpoints) | Q(subject__in=endpoints)
    if since:
        around &= Q(at__gte=since)
    if until:
        around &= Q(at__lt=until)
    wanted = Q(subject__in=subjects)
    return _stored(Entry.objects.filter(wanted | around if endpoints else wanted), limit)


def entries_between(
    *,
    after: int = 0,
    since: datetime | None = None,
    until: datetime | None = None,
    subject: str = "",
    limit: int = 5_000,
) -> tuple[StoredEntry, ...]:
    """Entries behind number `after` that fit, oldest first."""
    found = Entry.objects.filter(seq__gt=after)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if subject:
        found = found.filter(subject=subject)
    return _stored(found, limit)


def links(first: int, last: int) -> tuple[StoredLink, ...]:
    """Entries `first` to `last` without content."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM audit_entry WHERE seq BETWEEN %s AND %s ORDER BY seq",  # noqa: S608 - fixed
            [first, last],
        )
        return tuple(StoredLink(seq, at_us, leaf(bytes(body))) for seq, at_us, _, _, body in cursor)


def personal_of(seqs: Collection[int]) -> tuple[PersonalText, ...]:
    """Personal text of these entries, as far as it is not erased."""
    rows = Personal.objects.filter(entry_id__in=seqs).order_by("entry_id", "field")
    return tuple(PersonalText(row.entry_id, row.field, bytes(row.salt), row.text) for row in rows)


def _stored(found: QuerySet[Entry], limit: int) -> tuple[StoredEntry, ...]:
    seqs = list(found.order_by("seq").values_list("seq", flat=True)[:limit])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM audit_entry WHERE seq = ANY(%s) ORDER BY seq",  # noqa: S608 - fixed
            [seqs],
        )
        return tuple(
            StoredEntry(seq, at_us, bytes(prev), bytes(digest), bytes(body))
            for seq, at_us, prev, digest, body in cursor
        )
