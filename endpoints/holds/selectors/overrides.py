"""Who let what past a hold: for the pages of changes, and for whoever looks back."""

from __future__ import annotations

from endpoints.holds.models import Override
from endpoints.holds.rows import OverrideRow

_FIELDS = ("hold", "subject", "reason", "until", "overridden_by", "overridden_at")


def overrides_of(subject: str, *, limit: int = 50) -> tuple[OverrideRow, ...]:
    """Those of one subject ("change:42"), newest first."""
    found = Override.objects.filter(subject=subject).order_by("-pk")[:limit]
    return tuple(OverrideRow(**row) for row in found.values(*_FIELDS))
