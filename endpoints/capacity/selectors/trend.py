"""Idle capacity day by day and cause by cause, out of the sums that were made with the days. Callers ask for rights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from endpoints.capacity.worth import NANO


@dataclass(frozen=True, slots=True)
class Trend:
    """One currency's. `causes`: by cause and day the unserved money; a day without any has none.

    `made`: days that are in the ledger, of whatever currency; of the others nothing is known.
    """

    currency: str
    causes: Mapping[str, Mapping[date, Decimal]]
    made: frozenset[date]


_CAUSES = """
SELECT s.currency, c.key, s.day, sum((c.value->>1)::bigint)
FROM capacity_summary s, jsonb_each(s.causes) c
WHERE s.workspace_id = ANY (%(workspaces)s) AND s.day >= %(since)s AND s.day < %(until)s AND s.currency <> ''
GROUP BY 1, 2, 3
"""
_MADE = """
SELECT DISTINCT day FROM capacity_made
WHERE workspace_id = ANY (%(workspaces)s) AND day >= %(since)s AND day < %(until)s
"""


def trend(workspace_ids: Collection[int], since: date, until: date) -> dict[str, Trend]:
    """By currency, from `since` until before `until`. Two queries."""
    values: dict[str, Any] = {"workspaces": list(workspace_ids), "since": since, "until": until}
    found: dict[str, dict[str, dict[date, Decimal]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_MADE, values)
        made = frozenset(row[0] for row in cursor.fetchall())
        cursor.execute(_CAUSES, values)
        for currency, cause, day, nanos in cursor.fetchall():
            found.setdefault(currency, {}).setdefault(cause, {})[day] = int(nanos) * NANO
    return {currency: Trend(currency, causes, made) for currency, causes in found.items()}
