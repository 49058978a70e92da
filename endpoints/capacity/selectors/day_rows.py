"""The rows that every number of capacity is made of, and the formula of each of them. Callers ask for rights before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from endpoints.capacity.day import HOUR
from endpoints.capacity.formula import Line, Price, Told, lines_of, total_of
from endpoints.capacity.models import Made
from endpoints.capacity.selectors.daily import DayPage, DayRow, Explained, Wanted, page_of
from endpoints.capacity.selectors.told_prices import ToldPrices
from endpoints.capacity.selectors.world import World, day_of_life, spans_of, world_of
from endpoints.core.errors import NotFound
from endpoints.dispatch import db_now
from endpoints.inventory.selectors.paid import PaidLife, paid_lives

__all__ = [
    "DayPage",
    "DayRow",
    "Explained",
    "Line",
    "Price",
    "PriceLines",
    "day_rows",
    "price_lines",
    "worked_out",
]


@dataclass(frozen=True, slots=True)
class PriceLines:
    """The formula of one row. `made_at`: when the row was made.

    `agrees`: the lines' sum is the row, to the billionth. Otherwise `words` say that the row was made from other
    knowledge than there is now.
    """

    row: DayRow
    lines: tuple[Line, ...]
    agrees: bool
    made_at: datetime | None
    words: str


def day_rows(
    workspace_ids: Collection[int],
    since: date,
    until: date,
    *,
    cause: str = "",
    owner: str | None = None,
    team: str | None = None,
    deployment_id: int | None = None,
    endpoint_id: int | None = None,
    part: str = "",
    cursor: str = "",
    limit: int = 100,
) -> DayPage:
    """Days from `since` until before `until`, newest first. One query. `owner` and `team` "": where nobody is named.

    `part`: only rows with such seconds: "paid", "useful", "unserved", "over", "unknown" or "unpriced".
    """
    wanted = Wanted(workspace_ids, since, until, cause, owner, team, deployment_id, endpoint_id, part)
    return page_of(wanted, cursor=cursor, limit=limit)


def price_lines(deployment_id: int, day: date, *, workspace_ids: Collection[int]) -> PriceLines:
    """The day of a deployment worked out again from what is known now. NotFound without a row that may be seen."""
    found = day_rows(workspace_ids, day, day + timedelta(days=1), deployment_id=deployment_id, limit=1).rows
    if not found:
        raise NotFound("There is no such day of a deployment in the ledger.")
    return worked_out(found)[0]


def worked_out(rows: Sequence[DayRow]) -> list[PriceLines]:
    """Rows of one workspace and day, from one reading."""
    workspace_id, day = rows[0].workspace_id, rows[0].day
    made = Made.objects.filter(workspace_id=workspace_id, day=day).first()
    made_at = made.made_at if made else None
    hours = _hours(rows, made_at or db_now())
    return [_told(row, hours.get(row.deployment_id, []), made_at) for row in rows]


def _told(row: DayRow, hours: Sequence[Told], made_at: datetime | None) -> PriceLines:
    currency = next((hour.day.currency for hour in hours if hour.day.currency), "")
    lines = lines_of(hours, currency)
    agrees = currency == row.currency and _is(row, lines)
    return PriceLines(row, lines, agrees, made_at, "" if agrees else _words(made_at))


def _hours(rows: Sequence[DayRow], until: datetime) -> dict[int, list[Told]]:
    """By deployment, the hours of the day that were over by `until`."""
    workspace_id, day = rows[0].workspace_id, rows[0].day
    begin = datetime.combine(day, time(), tzinfo=UTC)
    end = min(begin + timedelta(days=1), until.replace(minute=0, second=0, microsecond=0))
    wanted = {row.deployment_id for row in rows}
    only = rows[0].deployment_id if len(wanted) == 1 else None
    lives = [life for life in paid_lives(workspace_id, begin, end, only=only) if life.id in wanted]
    if end <= begin or not lives:
        return {}
    world = world_of(workspace_id, lives, begin, end)
    prices = ToldPrices(workspace_id, {state.sku for told in world.states.values() for state in told})
    places = [begin + place * HOUR for place in range(24) if begin + place * HOUR < end]
    return {life.id: [_hour(life, world, prices, at) for at in places] for life in lives}


def _hour(life: PaidLife, world: World, prices: ToldPrices, at: datetime) -> Told:
    spans = spans_of(life, world.states.get(life.id, ()), at, at + HOUR)
    minutes = sum(round((span.until - span.since).total_seconds() / 60) for span in spans)
    sku = spans[-1].sku if spans else ""
    return Told(at, min(60, minutes) * 60, sku, prices.at(sku, at), day_of_life(life, world, at, at + HOUR))


def _is(row: DayRow, lines: tuple[Line, ...]) -> bool:
    total = total_of(lines)
    amounts = {name: amount or Decimal(0) for name, amount in row.amounts.items()}
    return (total.seconds, total.amounts, total.unpriced_seconds, total.hours_without_count) == (
        row.seconds,
        amounts,
        row.unpriced_seconds,
        row.hours_without_count,
    )


def _words(made_at: datetime | None) -> str:
    when = f"at {made_at:%Y-%m-%d %H:%M} UTC " if made_at else ""
    return (
        f"The row was made {when}from what was known then; by what is known now these lines come to another sum."
        " It is made anew when more of its metrics are known."
    )
