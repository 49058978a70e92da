"""Where endpoints export their logs to, as their diagnostic settings said when they were read last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from endpoints.metrics.models import Telemetry


@dataclass(frozen=True, slots=True)
class Exports:
    """`workspaces`: ARM ids of Log Analytics workspaces by category of log. `categories` go anywhere, these included.

    `known_at` None: the settings were never read; `reason` says why not, or why they could not be read again.
    """

    known_at: datetime | None = None
    categories: Sequence[str] = ()
    workspaces: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reason: str = ""


def log_exports(endpoint_ids: Iterable[int]) -> dict[int, Exports]:
    """For every endpoint asked for, those of which nothing was read included. One query."""
    wanted = list(endpoint_ids)
    rows = Telemetry.objects.filter(pk__in=wanted).values_list(
        "pk", "log_exports_at", "log_categories", "log_exports", "diagnostics_reason"
    )
    found = {
        endpoint_id: Exports(known_at, tuple(categories or ()), exports or {}, reason)
        for endpoint_id, known_at, categories, exports, reason in rows
    }
    return {endpoint_id: found.get(endpoint_id, Exports()) for endpoint_id in wanted}
