"""The rows that every number of capacity is made of, and the formula of each of them. Callers ask for rights before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from endpoints.access.selectors import workspace
from endpoints.capacity.day import HOUR
from endpoints.capacity.formula import Line, Price, Told, lines_of, total_of
from endpoints.capacity.models import Agreement, Made
from endpoints.capacity.selectors.daily import DayPage, DayRow, Explained, Wanted, page_of
from endpoints.capacity.selectors.world import World, day_of_life, spans_of, world_of
from endpoints.core.errors import NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors.paid import PaidLife, paid_lives
from endpoints.prices.catalogue import region_key
from endpoints.prices.selectors.periods import Period, price_periods

__all__ = ["DayPage", "DayRow", "Explained", "Line", "Price", "PriceLines", "day_rows", "price_lines"]


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
    (row,) = found
    made = Made.objects.filter(workspace_id=row.workspace_id, day=day).first()
    made_at = made.made_at if made else None
    hours = list(_hours(row, made_at or db_now()))
    currency = next((hour.day.currency for hour in hours if hour.day.currency), "")
    lines = lines_of(hours, currency)
    agrees = currency == row.currency and _is(row, lines)
    return PriceLines(row, lines, agrees, made_at, "" if agrees else _words(made_at))


def _hours(row: DayRow, until: datetime) -> Iterator[Told]:
    """The hours of the day that were over by `until`."""
    begin = datetime.combine(row.day, time(), tzinfo=UTC)
    end = min(begin + timedelta(days=1), until.replace(minute=0, second=0, microsecond=0))
    lives = paid_lives(row.workspace_id, begin, end, only=row.deployment_id) if end > begin else []
    if not lives:
        return
    (life,) = lives
    world = world_of(row.workspace_id, lives, begin, end)
    prices = _Prices(row, world)
    at = begin
    while at < end:
        yield _hour(life, world, prices, at)
        at += HOUR


def _hour(life: PaidLife, world: World, prices: _Prices, at: datetime) -> Told:
    spans = spans_of(life, world.states.get(life.id, ()), at, at + HOUR)
    minutes = sum(round((span.until - span.since).total_seconds() / 60) for span in spans)
    sku = spans[-1].sku if spans else ""
    return Told(at, min(60, minutes) * 60, sku, prices.at(sku, at), day_of_life(life, world, at, at + HOUR))


class _Prices:
    """What the ledger took as price, with the list price and the agreement that it was made of."""

    def __init__(self, row: DayRow, world: World) -> None:
        place = workspace(row.workspace_id)
        skus = {state.sku for states in world.states.values() for state in states}
        self._world, self._region = world, region_key(place.region)
        self._periods = price_periods(place.subscription_id, place.region, skus)
        self._agreements = list(Agreement.objects.filter(workspace_id=row.workspace_id)) if skus else []

    def at(self, sku: str, at: datetime) -> Price | None:
        paid = self._world.price(sku, at)
        if paid is None:
            return None
        listed = self._listed(sku, at)
        source, read_at = (listed.source, listed.read_at) if listed else ("", None)
        before = listed.money if listed and listed.money else paid
        agreement = self._agreement(sku, at) if before != paid else None
        return Price(
            paid=paid,
            listed=before,
            source=source,
            read_at=read_at,
            share=agreement.share if agreement else Decimal(0),
            agreement=ref("agreement", agreement.pk) if agreement else "",
        )

    def _listed(self, sku: str, at: datetime) -> Period | None:
        begun = [period for period in self._periods.get(sku.lower(), ()) if period.since <= at]
        return begun[-1] if begun else None

    def _agreement(self, sku: str, at: datetime) -> Agreement | None:
        """The best that covers it: they are not added up."""
        covering = [
            row
            for row in self._agreements
            if row.sku in ("", sku.lower()) and row.region in ("", self._region) and row.since <= at
            and (row.until is None or at < row.until) and (row.ended_at is None or at < row.ended_at)
        ]  # fmt: skip
        return max(covering, key=lambda row: row.share, default=None)


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
