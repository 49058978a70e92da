"""Reads of the ledger, newest first, narrowed to what the reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from endpoints.audit.models import Entry, Personal
from endpoints.core.errors import NotFound

PAGE = 50
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reader may see: everything; whole workspaces; in `own_in` only what concerns `own_refs`.

    Entries of no workspace (sign-ins, accounts) are seen by those who see everything, and by their own refs.
    """

    everything: bool = False
    workspaces: frozenset[int] = frozenset()
    own_refs: frozenset[str] = frozenset()
    own_in: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Filters:
    """All that are given must hold. An `action` that ends in "." is a prefix."""

    workspace_id: int | None = None
    actor: str = ""
    subject: str = ""
    endpoint: str = ""
    action: str = ""
    request_id: str = ""
    azure_request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One event as a page shows it, with the personal text that is still kept."""

    seq: int
    event_id: str
    at: datetime
    app_at: datetime
    actor: str
    on_behalf: str
    auth: str
    workspace_id: int | None
    subject: str
    endpoint: str
    action: str
    request_id: str
    azure_request_id: str
    before: Any
    after: Any
    hash: str
    prev_hash: str
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`cursor` is given back to get the next, older page; None: this was the last."""

    rows: list[EntryRow]
    cursor: int | None


def entries(
    scope: Scope, filters: Filters = Filters(), cursor: int | None = None, limit: int = PAGE
) -> EntryPage:
    """A page of events, newest first; `cursor` comes from the page before."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = _filtered(_seen(scope), filters)
    if cursor is not None:
        found = found.filter(seq__lt=cursor)
    rows = list(found.order_by("-seq")[: limit + 1])
    more = len(rows) > limit
    shown = rows[:limit]
    return EntryPage(_entry_rows(shown), shown[-1].seq if more else None)


def entry(scope: Scope, seq: int) -> EntryRow:
    """One event; NotFound when there is none or the reader may not see it."""
    found = list(_seen(scope).filter(seq=seq))
    if not found:
        raise NotFound(f"There is no entry {seq}, or you may not read it.")
    return _entry_rows(found)[0]


def _seen(scope: Scope) -> QuerySet[Entry]:
    if scope.everything:
        return Entry.objects.all()
    own = Q(actor__in=scope.own_refs) | Q(subject__in=scope.own_refs) | Q(on_behalf__in=scope.own_refs)
    own_places = Q(workspace_id__in=scope.own_in) | Q(workspace_id__isnull=True)
    return Entry.objects.filter(Q(workspace_id__in=scope.workspaces) | (own & own_places))


def _filtered(found: QuerySet[Entry], filters: Filters) -> QuerySet[Entry]:
    equal = {
        name: value
        for name in ("workspace_id", "actor", "subject", "endpoint", "request_id", "azure_request_id")
        if (value := getattr(filters, name)) not in (None, "")
    }
    found = found.filter(**equal)
    if filters.action.endswith("."):
        found = found.filter(action__startswith=filters.action)
    elif filters.action:
        found = found.filter(action=filters.action)
    if filters.since:
        found = found.filter(at__gte=filters.since)
    if filters.until:
        found = found.filter(at__lt=filters.until)
    return found


def _entry_rows(rows: list[Entry]) -> list[EntryRow]:
    texts: dict[int, dict[str, str]] = {}
    for seq, name, text in Personal.objects.filter(entry_id__in=[row.seq for row in rows]).values_list(
        "entry_id", "field", "text"
    ):
        texts.setdefault(seq, {})[name] = text
    return [_entry_row(row, texts.get(row.seq, {})) for row in rows]


def _entry_row(row: Entry, personal: dict[str, str]) -> EntryRow:
    return EntryRow(
        seq=row.seq,
        event_id=str(row.event_id),
        at=row.at,
        app_at=row.app_at,
        actor=row.actor,
        on_behalf=row.on_behalf,
        auth=row.auth,
        workspace_id=row.workspace_id,
        subject=row.subject,
        endpoint=row.endpoint,
        action=row.action,
        request_id=row.request_id,
        azure_request_id=row.azure_request_id,
        before=row.before,
        after=row.after,
        hash=bytes(row.hash).hex(),
        prev_hash=bytes(row.prev_hash).hex(),
        personal=personal,
    )


def azure_calls(endpoint: str, since: datetime, until: datetime) -> frozenset[str]:
    """Under which request ids the portal itself wrote to an endpoint, or was about to, between two moments.

    Whoever calls Azure records the intent first, with the id as `call`.
    """
    rows = Entry.objects.filter(endpoint=endpoint, at__gte=since, at__lte=until, after__has_key="call")
    return frozenset(str(call) for call in rows.values_list("after__call", flat=True) if call)
