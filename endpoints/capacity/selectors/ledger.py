"""What a fleet's capacity cost in a stretch of days: headline, causes, owners and trend, which add up to each other.

`fleet_ledger` reads the sums that were made with the days; `fleet_ledger_from_days` adds the days up itself and comes
to the same. Each currency has a ledger of its own: two have no sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from endpoints.capacity.day import PARTS
from endpoints.capacity.worth import NANO

NAMES = ("paid", *PARTS)
Owner = tuple[str, str]
"""Owner and team, "" where no tag names one."""


@dataclass(slots=True)
class Sums:
    """Instance-seconds and exact amounts by "paid", "useful", "unserved", "over" and "unknown"."""

    seconds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(NAMES, Decimal(0)))
    unpriced_seconds: int = 0
    hours_without_count: int = 0

    def add(self, other: Sums) -> None:
        for name in NAMES:
            self.seconds[name] += other.seconds[name]
            self.amounts[name] += other.amounts[name]
        self.unpriced_seconds += other.unpriced_seconds
        self.hours_without_count += other.hours_without_count


@dataclass(frozen=True, slots=True)
class Ledger:
    """One currency's. `causes`: unserved seconds and money by cause; `days`: the sums of each day, oldest first.

    What has no known price is in the ledger of the currency "": its seconds are known, its money is not.
    """

    currency: str
    total: Sums
    causes: Mapping[str, tuple[int, Decimal]]
    owners: Mapping[Owner, Sums]
    days: Mapping[date, Sums]


_NUMBERS = (
    *(f"{name}_seconds" for name in NAMES),
    *(f"{name}_nanos" for name in NAMES),
    "unpriced_seconds",
    "hours_without_count",
)
_COLUMNS = ", ".join(f"sum({name}) AS {name}" for name in _NUMBERS)
_OUTER = ", ".join(f"s.{name}" for name in _NUMBERS)
_WHERE = "workspace_id = ANY (%(workspaces)s) AND day >= %(since)s AND day < %(until)s"
# Days and owners are summed side by side, in one pass over the rows.
_SUMMED = f"""
SELECT currency, owner, team, day, {_COLUMNS} FROM capacity_summary WHERE {_WHERE}
GROUP BY GROUPING SETS ((currency, day), (currency, owner, team))
"""  # noqa: S608 - names of columns
_SUMMED_CAUSES = f"""
SELECT currency, c.key, sum((c.value->>0)::bigint), sum((c.value->>1)::bigint)
FROM capacity_summary s, jsonb_each(s.causes) c WHERE {_WHERE} GROUP BY 1, 2
"""  # noqa: S608
# A number for owner and team, because a million rows are grouped by it. OFFSET 0 keeps the planner from guessing the
# number of groups out of the join: it guesses far too many, and sorts every row.
_SUMMED_DAYS = f"""
WITH places AS MATERIALIZED (
    SELECT id, owner, team, dense_rank() OVER (ORDER BY owner, team)::int AS place
    FROM (SELECT id, owner, coalesce(tags->>'team', '') AS team FROM inventory_endpoint
          WHERE workspace_id = ANY (%(workspaces)s)) e),
days AS MATERIALIZED (
    SELECT currency, place, day, {_COLUMNS}
    FROM (SELECT d.*, p.place FROM capacity_day d JOIN places p ON p.id = d.endpoint_id
          WHERE d.{_WHERE} OFFSET 0) found GROUP BY 1, 2, 3),
sums AS (
    SELECT currency, place, day, {_COLUMNS} FROM days GROUP BY GROUPING SETS ((currency, day), (currency, place))),
names AS (SELECT DISTINCT place, owner, team FROM places)
SELECT s.currency, n.owner, n.team, s.day, {_OUTER} FROM sums s LEFT JOIN names n USING (place)
"""  # noqa: S608
_DAY_CAUSES = f"""
SELECT currency, cause, sum(seconds), sum(nanos) FROM capacity_idle WHERE {_WHERE} GROUP BY 1, 2
"""  # noqa: S608


def fleet_ledger(workspace_ids: Collection[int], *, since: date, until: date) -> tuple[Ledger, ...]:
    """From the sums; the currency in which most was paid first, what has no price last."""
    values = {"workspaces": list(workspace_ids), "since": since, "until": until}
    rows = _rows(_SUMMED, values)
    return _ledgers(rows, _rows(_SUMMED_CAUSES, values))


def fleet_ledger_from_days(workspace_ids: Collection[int], *, since: date, until: date) -> tuple[Ledger, ...]:
    """From every deployment's every day: the same, for whoever doubts the sums."""
    values = {"workspaces": list(workspace_ids), "since": since, "until": until}
    with transaction.atomic(), connection.cursor() as cursor:
        # The groups fit into memory; sorting a million rows for them on disk takes twice as long.
        cursor.execute("SELECT set_config('work_mem', '64MB', true)")
        rows, causes = _rows(_SUMMED_DAYS, values), _rows(_DAY_CAUSES, values)
    return _ledgers(rows, causes)


def _ledgers(rows: Iterable[tuple[Any, ...]], causes: Iterable[tuple[Any, ...]]) -> tuple[Ledger, ...]:
    total: dict[str, Sums] = {}
    owners: dict[str, dict[Owner, Sums]] = {}
    days: dict[str, dict[date, Sums]] = {}
    for currency, owner, team, day, *numbers in rows:
        sums = _sums(numbers)
        if day is None:
            owners.setdefault(currency, {})[owner, team] = sums
            continue
        days.setdefault(currency, {})[day] = sums
        total.setdefault(currency, Sums()).add(sums)
    why: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for currency, cause, seconds, nanos in causes:
        why.setdefault(currency, {})[cause] = (int(seconds), int(nanos) * NANO)
    ordered = sorted(total, key=lambda name: (name == "", -total[name].amounts["paid"], name))
    return tuple(
        Ledger(name, total[name], why.get(name, {}), owners[name], dict(sorted(days[name].items())))
        for name in ordered
    )


def _sums(numbers: list[Any]) -> Sums:
    count = len(NAMES)
    return Sums(
        dict(zip(NAMES, map(int, numbers[:count]), strict=True)),
        dict(zip(NAMES, (int(nanos) * NANO for nanos in numbers[count : 2 * count]), strict=True)),
        int(numbers[2 * count]),
        int(numbers[2 * count + 1]),
    )


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
