"""Erasures of people behind cases: asked for, done, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.policies import Principal
from endpoints.audit import selectors as ledger
from endpoints.challenges.models import Erasure
from endpoints.challenges.selectors.case_rows import case_workspaces
from endpoints.core.ids import ref, split_ref

MOST_ENTRIES = 5000


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One erasure. `texts`: how many went; None while it is not done."""

    id: int
    case_id: int
    workspace_id: int
    workspace: str
    reason: str
    asked_by: str
    asked_at: datetime
    agreed_by: str
    agreed_at: datetime | None
    withdrawn_at: datetime | None
    texts: int | None

    @property
    def waits(self) -> bool:
        return self.agreed_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class ErasurePage:
    """Rows, newest first, and the number to ask for older ones with; None when these are the last."""

    rows: tuple[ErasureRow, ...]
    older: int | None


def erasures(principal: Principal, *, before: int | None = None, limit: int = 50) -> ErasurePage:
    """Those of cases that the principal may see."""
    found = Erasure.objects.filter(workspace__in=case_workspaces(principal), subject__startswith="case:")
    if before is not None:
        found = found.filter(pk__lt=before)
    newest = list(found.select_related("workspace").order_by("-pk")[: limit + 1])
    rows = tuple(_row(one) for one in newest[:limit])
    return ErasurePage(rows, rows[-1].id if len(newest) > limit else None)


def erasure_of_case(case_id: int) -> ErasureRow | None:
    """The newest that was not withdrawn; None: nobody asked."""
    found = Erasure.objects.filter(subject=ref("case", case_id), withdrawn_at=None)
    newest = found.select_related("workspace").order_by("-pk").first()
    return _row(newest) if newest else None


def personal_entries(subject: str) -> list[int]:
    """The ledger's entries about a case that still hold text of people, other than where somebody sat."""
    scope, filters = ledger.Scope(everything=True), ledger.Filters(subject=subject)
    found: list[int] = []
    cursor: int | None = None
    while len(found) < MOST_ENTRIES:
        page = ledger.entries(scope, filters, cursor, ledger.LARGEST_PAGE)
        found += [row.seq for row in page.rows if set(row.personal) - {"ip"}]
        if page.cursor is None:
            break
        cursor = page.cursor
    return sorted(found)


def _row(erasure: Erasure) -> ErasureRow:
    return ErasureRow(
        erasure.pk,
        int(split_ref(erasure.subject)[1]),
        erasure.workspace_id or 0,
        erasure.workspace.slug if erasure.workspace else "",
        erasure.reason,
        erasure.asked_by,
        erasure.asked_at,
        erasure.agreed_by,
        erasure.agreed_at,
        erasure.withdrawn_at,
        erasure.texts,
    )
