"""Legal holds of a case, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.challenges.models import LegalHold
from endpoints.core.ids import ref


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold: waiting for a second person, in force, or ended."""

    id: int
    since: datetime
    until: datetime
    reason: str
    asked_by: str
    asked_at: datetime
    agreed_by: str
    agreed_at: datetime | None
    ended_by: str
    ended_at: datetime | None

    @property
    def in_force(self) -> bool:
        return self.agreed_at is not None and self.ended_at is None

    @property
    def waits(self) -> bool:
        return self.agreed_at is None and self.ended_at is None


def holds_of_case(case_id: int) -> tuple[HoldRow, ...]:
    """All of them, newest first."""
    found = LegalHold.objects.filter(cause=ref("case", case_id)).order_by("-pk")[:20]
    return tuple(
        HoldRow(
            one.pk,
            one.since,
            one.until,
            one.reason,
            one.asked_by,
            one.asked_at,
            one.agreed_by,
            one.agreed_at,
            one.ended_by,
            one.ended_at,
        )
        for one in found
    )
