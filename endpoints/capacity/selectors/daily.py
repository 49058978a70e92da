"""Rows of the ledger with their names, by pages: newest day first, and within a day by deployment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from endpoints.capacity.day import PARTS
from endpoints.capacity.worth import NANO
from endpoints.core.errors import Invalid

NAMES = ("paid", *PARTS)
MOST_DAYS = 400
"""A page looks at no more days than these: thirteen months of the ledger."""
Explained = tuple[str, str, int, Decimal | None]
"""Cause, what it stands on ("change:7" or ""), unserved seconds and their money; None: the price is not known."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One deployment's UTC day. `seconds` and exact `amounts` by "paid", "useful", "unserved", "over", "unknown".

    Amounts are of the hours whose price is known, and None where no hour's is: `unpriced_seconds` are the others.
    `owner` and `team` are the endpoint's of today, "" where nobody is named.
    """

    day: date
    workspace_id: int
    workspace: str
    endpoint_id: int
    endpoint: str
    deployment_id: int
    deployment: str
    owner: str
    team: str
    region: str
    sku: str
    currency: str
    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal | None]
    unpriced_seconds: int
    hours_without_count: int
    causes: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class DayPage:
    """`next_cursor` is "" on the last page."""

    rows: tuple[DayRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class DaySum:
    """What many rows come to, of one currency; "": of which no price is known. `rows`: how many there are.

    `cause_seconds` and `cause_amount` are of the one cause that was asked for. An amount is None without a price.
    """

    currency: str
    rows: int
    seconds: Mapping[str, int]
    amounts: Mapping[str, Decimal | None]
    unpriced_seconds: int
    hours_without_count: int
    cause_seconds: int
    cause_amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is given must hold; None is any. `part`: rows of which such seconds are counted ("over", "unpriced")."""

    workspace_ids: Collection[int]
    since: date
    until: date
    cause: str = ""
    owner: str | None = None
    team: str | None = None
    deployment_id: int | None = None
    endpoint_id: int | None = None
    part: str = ""


_NAMED = (
    "day", "workspace_id", "workspace", "endpoint_id", "endpoint", "deployment_id", "deployment", "owner", "team",
    "region", "sku", "currency",
)  # fmt: skip
_COUNTED = ", ".join(
    f"w.{name}"
    for name in (
        *(f"{part}_seconds" for part in NAMES),
        *(f"{part}_nanos" for part in NAMES),
        "unpriced_seconds",
        "hours_without_count",
    )
)
_FILTERS = {
    "deployment_id": "d.deployment_id = %(deployment_id)s",
    "endpoint_id": "d.endpoint_id = %(endpoint_id)s",
    "owner": "e.owner = %(owner)s",
    "team": "coalesce(e.tags->>'team', '') = %(team)s",
    "cause": "EXISTS (SELECT FROM capacity_idle i WHERE i.deployment_id = d.deployment_id AND i.day = d.day"
    " AND i.cause = %(cause)s)",
}
_PARTS = {name: f"d.{name}_seconds > 0" for name in (*NAMES, "unpriced")}
# Days are walked through from the newest; what follows the page's last row is never read.
_PAGE = """
WITH wanted AS (
    SELECT x.*
    FROM (SELECT g::date AS at FROM generate_series(%(last)s::date, %(since)s::date, interval '-1 day') g
          ORDER BY 1 DESC) days,
    LATERAL (
        SELECT d.* FROM capacity_day d {join}
        WHERE d.workspace_id = ANY (%(workspaces)s) AND d.day = days.at
        AND (days.at < %(last)s OR d.deployment_id > %(after)s) {filters}
        ORDER BY d.deployment_id LIMIT %(limit)s) x
    ORDER BY days.at DESC, x.deployment_id LIMIT %(limit)s)
SELECT w.day, w.workspace_id, s.slug, w.endpoint_id, e.name, w.deployment_id, n.name, e.owner,
    coalesce(e.tags->>'team', ''), coalesce(nullif(e.location, ''), s.region), w.sku, w.currency,
    (SELECT json_agg(json_build_array(i.cause, i.ref, i.seconds, i.nanos) ORDER BY i.seconds DESC, i.cause, i.ref)
     FROM capacity_idle i WHERE i.deployment_id = w.deployment_id AND i.day = w.day),
    {counted}
FROM wanted w JOIN inventory_endpoint e ON e.id = w.endpoint_id
JOIN inventory_deployment n ON n.id = w.deployment_id JOIN access_workspace s ON s.id = w.workspace_id
ORDER BY w.day DESC, w.deployment_id
"""

_SUMMED = ", ".join(
    f"sum(d.{name})"
    for name in (
        *(f"{part}_seconds" for part in NAMES),
        *(f"{part}_nanos" for part in NAMES),
        "unpriced_seconds",
        "hours_without_count",
    )
)
_SUMS = """
SELECT d.currency, count(*), sum(i.seconds), sum(i.nanos), {summed}
FROM capacity_day d {join} LEFT JOIN LATERAL (
    SELECT sum(c.seconds) AS seconds, sum(c.nanos) AS nanos FROM capacity_idle c
    WHERE %(cause)s <> '' AND c.deployment_id = d.deployment_id AND c.day = d.day AND c.cause = %(cause)s) i ON true
WHERE d.workspace_id = ANY (%(workspaces)s) AND d.day >= %(since)s AND d.day < %(until)s {filters}
GROUP BY 1 ORDER BY d.currency = '', sum(d.paid_nanos) DESC, 1
"""


def page_of(wanted: Wanted, *, cursor: str, limit: int) -> DayPage:
    """Invalid for a cursor that no page gave, for a part that there is not, and for more than MOST_DAYS."""
    _check(wanted)
    last, after = _place(cursor, wanted) if cursor else (wanted.until - timedelta(days=1), 0)
    found = _read(wanted, last, after, limit + 1)
    rows = tuple(map(_row, found[:limit]))
    return DayPage(rows, f"{rows[-1].day}.{rows[-1].deployment_id}" if len(found) > limit else "")


def sums_of(wanted: Wanted) -> tuple[DaySum, ...]:
    """What all rows come to that match, the currency in which most was paid first. One query."""
    _check(wanted)
    join, filters, values = _conditions(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS.format(join=join, filters=filters, summed=_SUMMED), values | {"cause": wanted.cause}
        )
        return tuple(map(_sum, cursor.fetchall()))


def _read(wanted: Wanted, last: date, after: int, limit: int) -> list[tuple[Any, ...]]:
    join, filters, values = _conditions(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGE.format(join=join, filters=filters, counted=_COUNTED),
            values | {"last": last, "after": after, "limit": limit},
        )
        return list(cursor.fetchall())


def _conditions(wanted: Wanted) -> tuple[str, str, dict[str, Any]]:
    """The join and the conditions that filters need, and their values."""
    given = {name: getattr(wanted, name) for name in _FILTERS}
    asked = [name for name, value in given.items() if value not in (None, "") or name in _named(wanted)]
    filters = [_FILTERS[name] for name in asked] + ([_PARTS[wanted.part]] if wanted.part else [])
    return (
        "JOIN inventory_endpoint e ON e.id = d.endpoint_id" if {"owner", "team"} & {*asked} else "",
        "".join(f"AND {text} " for text in filters),
        {name: given[name] for name in asked}
        | {"workspaces": list(wanted.workspace_ids), "since": wanted.since, "until": wanted.until},
    )


def _check(wanted: Wanted) -> None:
    if (wanted.until - wanted.since).days > MOST_DAYS:
        raise Invalid({"since": [f"Ask for {MOST_DAYS} days at most."]})
    if wanted.part and wanted.part not in _PARTS:
        raise Invalid({"part": [f"There is no such part; there are {', '.join(_PARTS)}."]})


def _named(wanted: Wanted) -> set[str]:
    """Filters in which "" is an answer: nobody's."""
    return {name for name in ("owner", "team") if getattr(wanted, name) == ""}


def _place(cursor: str, wanted: Wanted) -> tuple[date, int]:
    day, _, number = cursor.partition(".")
    try:
        last = date.fromisoformat(day)
    except ValueError:
        last = date.min
    if not (
        wanted.since <= last < wanted.until and number.isascii() and number.isdigit() and len(number) < 19
    ):
        raise Invalid("This page of the days does not exist; start at the first one.")
    return last, int(number)


def _row(found: tuple[Any, ...]) -> DayRow:
    named = dict(zip(_NAMED, found, strict=False))
    causes, numbers = found[len(_NAMED)], found[len(_NAMED) + 1 :]
    currency, count = named["currency"], len(NAMES)
    return DayRow(
        **named,
        seconds=dict(zip(NAMES, numbers[:count], strict=True)),
        amounts={
            name: _money(nanos, currency)
            for name, nanos in zip(NAMES, numbers[count : 2 * count], strict=True)
        },
        unpriced_seconds=numbers[2 * count],
        hours_without_count=numbers[2 * count + 1],
        causes=tuple(
            (cause, ref, seconds, _money(nanos, currency)) for cause, ref, seconds, nanos in causes or ()
        ),
    )


def _sum(found: tuple[Any, ...]) -> DaySum:
    currency, rows, cause_seconds, cause_nanos, *numbers = found
    count = len(NAMES)
    return DaySum(
        currency=currency,
        rows=rows,
        seconds=dict(zip(NAMES, map(int, numbers[:count]), strict=True)),
        amounts={
            name: _money(int(nanos), currency)
            for name, nanos in zip(NAMES, numbers[count : 2 * count], strict=True)
        },
        unpriced_seconds=int(numbers[2 * count]),
        hours_without_count=int(numbers[2 * count + 1]),
        cause_seconds=int(cause_seconds or 0),
        cause_amount=_money(int(cause_nanos or 0), currency),
    )


def _money(nanos: int, currency: str) -> Decimal | None:
    return nanos * NANO if currency else None
