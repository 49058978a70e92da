"""Since when nobody called a deployment, as far back as days are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection


@dataclass(frozen=True, slots=True)
class Quiet:
    """`served`: the last UTC day with a request; None: there was none since `known`, the first day on record."""

    served: date | None
    known: date


_QUIET = """
SELECT deployment_id, max(day) FILTER (WHERE requests > 0), min(day) FROM metrics_day
WHERE deployment_id = ANY (%s::bigint[]) GROUP BY 1
"""


def quiet_since(ids: Sequence[int]) -> dict[int, Quiet]:
    """By deployment; one of which no day is known is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_QUIET, [list(ids)])
        return {number: Quiet(served, known) for number, served, known in cursor.fetchall()}
