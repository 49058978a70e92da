"""What acts on findings really saved, newest act first, by pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import QuerySet

from endpoints.capacity.models import Saving
from endpoints.capacity.selectors.keys import money
from endpoints.capacity.selectors.standing import realised
from endpoints.core.errors import Invalid
from endpoints.core.money import Money


@dataclass(frozen=True, slots=True)
class SavingRow:
    """One act. `state`: see `savings.State`. `claimed` and `monthly` are a month's, `saved` is of what was compared.

    `hours` counts the stretches that were compared, `unknown_hours` those of which one side is not known. Money None:
    not known.
    """

    finding_id: int
    endpoint: str
    endpoint_id: int
    deployment: str
    workspace: str
    kind: str
    state: str
    acted_at: datetime
    claimed: Money | None
    monthly: Money | None
    saved: Money | None
    hours: int
    unknown_hours: int
    before_seconds: int
    after_seconds: int
    words: str
    change_id: int | None
    judged_at: datetime | None

    @property
    def number(self) -> str:
        return f"SV-{self.finding_id}"


@dataclass(frozen=True, slots=True)
class SavingPage:
    """`next_cursor` is "" on the last page. `sums`: by currency what is verified in all, a month; `count` match."""

    rows: tuple[SavingRow, ...]
    next_cursor: str
    sums: Mapping[str, Decimal]
    count: int


def savings(
    workspace_ids: Collection[int], *, states: Collection[str] = (), cursor: str = "", limit: int = 50
) -> SavingPage:
    """In these states, or in all."""
    matching = Saving.objects.filter(finding__workspace_id__in=list(workspace_ids))
    if states:
        matching = matching.filter(state__in=list(states))
    rows = _named(matching).order_by("-acted_at", "-pk")
    if cursor:
        at, number = _place(cursor)
        rows = rows.filter(acted_at__lte=at).exclude(acted_at=at, pk__gte=number)
    found = list(rows[: limit + 1])
    return SavingPage(
        tuple(map(_row, found[:limit])),
        _cursor(found[limit - 1]) if len(found) > limit else "",
        realised(workspace_ids),
        matching.count(),
    )


def saving_of(finding_id: int) -> SavingRow | None:
    """What the last act on a finding saved; None: nothing was done about it yet."""
    row = _named(Saving.objects.filter(pk=finding_id)).first()
    return _row(row) if row else None


def _named(rows: QuerySet[Saving]) -> QuerySet[Saving]:
    return rows.select_related("finding__endpoint", "finding__deployment", "finding__workspace")


def _cursor(row: Saving) -> str:
    return f"{int(row.acted_at.timestamp() * 1_000_000)}.{row.pk}"


def _place(cursor: str) -> tuple[datetime, int]:
    at, dot, number = cursor.partition(".")
    if not (dot and all(part.isascii() and part.isdigit() and len(part) < 18 for part in (at, number))):
        raise Invalid("This page of the list does not exist; start at the first one.")
    return datetime.fromtimestamp(int(at) / 1_000_000, UTC), int(number)


def _row(row: Saving) -> SavingRow:
    finding = row.finding
    return SavingRow(
        finding_id=finding.pk,
        endpoint=finding.endpoint.name,
        endpoint_id=finding.endpoint_id,
        deployment=finding.deployment.name if finding.deployment else "",
        workspace=finding.workspace.slug,
        kind=finding.kind,
        state=row.state,
        acted_at=row.acted_at,
        claimed=money(row.claimed_nanos, row.currency or finding.currency),
        monthly=money(row.monthly_nanos, row.currency),
        saved=money(row.saved_nanos, row.currency),
        hours=row.hours,
        unknown_hours=row.unknown_hours,
        before_seconds=row.before_seconds,
        after_seconds=row.after_seconds,
        words=row.words,
        change_id=finding.change_id,
        judged_at=row.judged_at,
    )
