"""Lists of the room as flat rows for files: read page by page, so that a list of any length takes no more memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date
from typing import Any, Protocol

from endpoints.capacity.selectors.daily import NAMES, DayRow, Wanted, page_of
from endpoints.capacity.selectors.findings import FindingRow, Query, findings
from endpoints.capacity.selectors.focus import focus_rows
from endpoints.capacity.selectors.savings import SavingRow, savings
from endpoints.capacity.selectors.unit_costs import UnitCost, unit_costs
from endpoints.core.ids import ref
from endpoints.core.money import Money, plain

Row = dict[str, Any]
PAGE = 2000
"""Rows of one reading. Exact amounts are text: as numbers many programs would round them."""
DAYS = (
    "day", "workspace", "endpoint", "deployment", "owner", "team", "region", "sku", "currency",
    *(f"{name}_seconds" for name in NAMES), "unpriced_seconds", "hours_without_count", *NAMES, "causes",
)  # fmt: skip
FINDINGS = (
    "number", "workspace", "endpoint", "deployment", "kind", "state", "low", "high", "currency", "why", "cause",
    "cause_ref", "to", "instances", "sku", "now_instances", "now_sku", "sure", "risk", "formula", "evidence", "effect",
    "price_date", "since", "until", "owner", "team", "claimed_by", "due", "postponed_until", "change", "change_state",
    "found_at", "seen_at", "saving_state", "saved",
)  # fmt: skip

SAVINGS = (
    "number", "workspace", "endpoint", "deployment", "kind", "state", "acted_at", "claimed", "monthly", "saved",
    "currency", "stretches", "unknown_stretches", "before_seconds", "after_seconds", "words", "change", "judged_at",
)  # fmt: skip
UNIT_COSTS = (
    "workspace", "endpoint", "currency", "cost", "requests", "per_thousand", "value_per_thousand", "margin", "words",
)  # fmt: skip


class Page(Protocol):
    """What all lists of the room answer with."""

    @property
    def rows(self) -> tuple[Any, ...]: ...
    @property
    def next_cursor(self) -> str: ...


def days_for_file(wanted: Wanted) -> Iterator[Row]:
    """Newest day first, as `DAYS` names the columns."""
    return map(_day, _days(wanted))


def focus_for_file(wanted: Wanted) -> Iterator[Row]:
    """The same days as cost rows, as `focus.HEADER` names the columns."""
    return focus_rows(_days(wanted), at_once=PAGE)


def findings_for_file(query: Query) -> Iterator[Row]:
    """Highest saving first, as `FINDINGS` names the columns."""
    return map(_finding, through(lambda cursor: findings(query, cursor=cursor, limit=PAGE)))


def savings_for_file(workspace_ids: Collection[int]) -> Iterator[Row]:
    """Newest act first, as `SAVINGS` names the columns."""
    return map(_saving, through(lambda cursor: savings(workspace_ids, cursor=cursor, limit=PAGE)))


def unit_costs_for_file(workspace_ids: Collection[int], since: date, until: date) -> Iterator[Row]:
    """The dearest endpoint first, as `UNIT_COSTS` names the columns."""
    rows = through(lambda cursor: unit_costs(workspace_ids, since, until, cursor=cursor, limit=PAGE))
    return map(_unit_cost, rows)


def through(page: Callable[[str], Page]) -> Iterator[Any]:
    """All rows of a list, of which one page is read after the other."""
    cursor = ""
    while True:
        found = page(cursor)
        yield from found.rows
        cursor = found.next_cursor
        if not cursor:
            return


def _days(wanted: Wanted) -> Iterator[DayRow]:
    return through(lambda cursor: page_of(wanted, cursor=cursor, limit=PAGE))


def _day(row: DayRow) -> Row:
    fields = ("workspace", "endpoint", "deployment", "owner", "team", "region", "sku", "currency")
    return {
        "day": row.day,
        **{name: getattr(row, name) for name in fields},
        **{f"{name}_seconds": seconds for name, seconds in row.seconds.items()},
        "unpriced_seconds": row.unpriced_seconds,
        "hours_without_count": row.hours_without_count,
        **{name: None if amount is None else plain(amount) for name, amount in row.amounts.items()},
        "causes": [
            {"cause": cause, "ref": about, "seconds": seconds, "amount": None if amount is None else plain(amount)}
            for cause, about, seconds, amount in row.causes
        ],
    }  # fmt: skip


def _finding(row: FindingRow) -> Row:
    told, known = row.told, row.high or row.low
    fields = (
        "number", "workspace", "endpoint", "deployment", "kind", "state", "why", "cause", "cause_ref", "owner", "team",
        "due", "change_state", "found_at", "seen_at", "saving_state",
    )  # fmt: skip
    said = ("to", "instances", "sku", "now_instances", "now_sku", "sure", "risk", "formula", "effect")
    return {
        **{name: getattr(row, name) for name in fields},
        **{name: getattr(told, name) for name in (*said, "price_date", "since", "until")},
        "low": amount(row.low),
        "high": amount(row.high),
        "currency": known.currency if known else "",
        "evidence": list(told.evidence),
        "claimed_by": ref("user", row.claimed_by) if row.claimed_by else "",
        "postponed_until": row.until,
        "change": ref("change", row.change_id) if row.change_id else "",
        "saved": amount(row.saved),
    }


def _saving(row: SavingRow) -> Row:
    known = row.monthly or row.saved or row.claimed
    fields = (
        "number", "workspace", "endpoint", "deployment", "kind", "state", "acted_at", "before_seconds", "after_seconds",
        "words", "judged_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in fields},
        **{name: amount(getattr(row, name)) for name in ("claimed", "monthly", "saved")},
        "currency": known.currency if known else "",
        "stretches": row.hours,
        "unknown_stretches": row.unknown_hours,
        "change": ref("change", row.change_id) if row.change_id else "",
    }


def _unit_cost(row: UnitCost) -> Row:
    exact = ("cost", "per_thousand", "value_per_thousand", "margin")
    told = {name: getattr(row, name) for name in exact}
    return {
        **{name: getattr(row, name) for name in ("workspace", "endpoint", "currency", "requests", "words")},
        **{name: None if value is None else plain(value) for name, value in told.items()},
    }


def amount(money: Money | None) -> str | None:
    """The exact amount as text; None: not known."""
    return None if money is None else plain(money.amount)
