"""Findings for lists and pages: what could be saved, whose it is, where it stands. Callers ask for rights before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from endpoints.capacity import told
from endpoints.capacity.models import Finding, FindingNote, LeftAlone
from endpoints.capacity.selectors.keys import UNPRICED, money, place
from endpoints.capacity.selectors.looks import (
    LeftAlonePage,
    LeftAloneRow,
    LookedRow,
    left_alone,
    looked,
)
from endpoints.capacity.told import Told
from endpoints.capacity.worth import NANO
from endpoints.core.errors import NotFound
from endpoints.core.money import Money

__all__ = [
    "FindingDetail",
    "FindingPage",
    "FindingRow",
    "Happened",
    "LeftAlonePage",
    "LeftAloneRow",
    "LookedRow",
    "Query",
    "Told",
    "counts",
    "finding",
    "findings",
    "left_alone",
    "looked",
]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding. `deployment` "": the whole endpoint. Money is a month's.

    `why`: one sentence, the cause and how long. `saved` is what was verified, a month; None: not (yet) known.
    """

    id: int
    workspace_id: int
    workspace: str
    endpoint_id: int
    endpoint: str
    deployment: str
    kind: str
    state: str
    version: int
    low: Money | None
    high: Money | None
    why: str
    cause: str
    cause_ref: str
    told: Told
    owner: str
    team: str
    claimed_by: int | None
    due: date | None
    until: date | None
    change_id: int | None
    change_state: str
    found_at: datetime
    seen_at: datetime
    saving_state: str
    saved: Money | None
    deployment_id: int | None = None

    @property
    def number(self) -> str:
        return f"SV-{self.id}"


@dataclass(frozen=True, slots=True)
class Query:
    """All that is given must hold. No `states`: every state. `text` is in a name of an endpoint or deployment."""

    workspace_ids: Collection[int]
    states: Collection[str] = ()
    kinds: Collection[str] = ()
    owner: str = ""
    team: str = ""
    text: str = ""
    endpoint_id: int | None = None


@dataclass(frozen=True, slots=True)
class FindingPage:
    """`next_cursor` is "" on the last page. `count`, `sums` by currency and `unpriced` are of all that match.

    What has ended is in no sum, so that each instance is in them once.
    """

    rows: tuple[FindingRow, ...]
    next_cursor: str
    count: int
    sums: Mapping[str, Decimal]
    unpriced: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One move. `words` are a person's, "" where they gave none or they were erased."""

    kind: str
    before: str
    after: str
    actor: str
    data: Mapping[str, Any]
    words: str
    author_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """`facts_changed`: what it stands on is not what it was when it was frozen. `kept_alone`: why nothing would be
    proposed there now."""

    row: FindingRow
    happened: tuple[Happened, ...]
    facts_changed: bool
    kept_alone: tuple[str, ...]


def findings(query: Query, *, cursor: str = "", limit: int = 50) -> FindingPage:
    """Highest monthly saving first, what has no known price last. Invalid for a cursor that no page gave."""
    matching = _matching(query)
    ordered = matching.annotate(worth=Coalesce(F("high_nanos"), UNPRICED))
    if cursor:
        high, number = place(cursor)
        ordered = ordered.filter(Q(worth__lt=high) | Q(worth=high, pk__gt=number))
    found = list(_named(ordered).order_by("-worth", "pk")[: limit + 1])
    rows = tuple(map(_row, found[:limit]))
    last = found[limit - 1] if len(found) > limit else None
    sums, unpriced = _sums(matching)
    return FindingPage(rows, f"{last.worth}.{last.pk}" if last else "", matching.count(), sums, unpriced)


def finding(workspace_ids: Collection[int], finding_id: int) -> FindingDetail:
    """One of them, with all that happened to it; NotFound for all others."""
    row = _named(Finding.objects.filter(pk=finding_id, workspace_id__in=list(workspace_ids))).first()
    if row is None:
        raise NotFound(f"There is no SV-{finding_id}, or not for you.")
    alone = LeftAlone.objects.filter(deployment_id=row.deployment_id).first() if row.deployment_id else None
    return FindingDetail(
        row=_row(row),
        happened=_happened(row),
        facts_changed=bool(row.advice.get("facts_now")),
        kept_alone=tuple(alone.reasons) if alone else (),
    )


def counts(workspace_ids: Collection[int]) -> Mapping[str, int]:
    """Open findings by kind, and as "waiting" how many are open in all: nobody is at them yet."""
    rows = Finding.objects.filter(workspace_id__in=list(workspace_ids), state="open").values_list("kind")
    found = Counter(dict(rows.annotate(many=Count("pk")).order_by()))
    return {**found, "waiting": found.total()}


def _matching(query: Query) -> QuerySet[Finding]:
    found = Finding.objects.filter(workspace_id__in=list(query.workspace_ids))
    if query.states:
        found = found.filter(state__in=list(query.states))
    if query.kinds:
        found = found.filter(kind__in=list(query.kinds))
    if query.owner:
        found = found.filter(endpoint__owner=query.owner)
    if query.team:
        found = found.filter(endpoint__tags__team=query.team)
    if query.endpoint_id is not None:
        found = found.filter(endpoint_id=query.endpoint_id)
    if query.text:
        named = Q(endpoint__name__icontains=query.text) | Q(deployment__name__icontains=query.text)
        found = found.filter(named)
    return found


def _named(found: QuerySet[Finding]) -> QuerySet[Any]:
    """With all that a row tells: one query for a page."""
    related = ("workspace", "endpoint", "deployment", "change", "saving")
    return found.select_related(*related)


def _sums(matching: QuerySet[Finding]) -> tuple[dict[str, Decimal], int]:
    living = matching.filter(ended_at=None)
    priced = (
        living.filter(high_nanos__isnull=False).values("currency").annotate(sum=Sum("high_nanos")).order_by()
    )
    sums = {row["currency"]: Decimal(row["sum"]) * NANO for row in priced}
    return sums, living.filter(high_nanos=None).count()


def _happened(row: Finding) -> tuple[Happened, ...]:
    events = list(row.events.order_by("version"))
    notes: dict[int, FindingNote] = {
        note.event_id: note for note in FindingNote.objects.filter(event__in=events).order_by("pk")
    }
    return tuple(
        Happened(
            kind=event.kind,
            before=event.before,
            after=event.after,
            actor=event.actor,
            data=event.data,
            words=notes[event.pk].text if event.pk in notes else "",
            author_id=notes[event.pk].author_id if event.pk in notes else None,
            at=event.at,
        )
        for event in events
    )


def _row(row: Any) -> FindingRow:
    saving = getattr(row, "saving", None)
    return FindingRow(
        id=row.pk,
        workspace_id=row.workspace_id,
        workspace=row.workspace.slug,
        endpoint_id=row.endpoint_id,
        endpoint=row.endpoint.name,
        deployment=row.deployment.name if row.deployment else "",
        kind=row.kind,
        state=row.state,
        version=row.version,
        low=money(row.low_nanos, row.currency),
        high=money(row.high_nanos, row.currency),
        why=row.advice.get("why", ""),
        cause=row.cause,
        cause_ref=row.cause_ref,
        told=told.from_json(row.advice),
        owner=row.endpoint.owner,
        team=str(row.endpoint.tags.get("team") or ""),
        claimed_by=row.claimed_by_id,
        due=row.due,
        until=row.until,
        change_id=row.change_id,
        change_state=row.change.state if row.change else "",
        found_at=row.found_at,
        seen_at=row.seen_at,
        saving_state=saving.state if saving else "",
        saved=money(saving.monthly_nanos, saving.currency) if saving and saving.state == "verified" else None,
        deployment_id=row.deployment_id,
    )
