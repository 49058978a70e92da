"""What some deployments cost in any stretch of time, out of the mirror and the rollups: where savings are measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from endpoints.capacity.day import HOUR, by_size
from endpoints.capacity.hours import Measured, account
from endpoints.capacity.savings import Pair, Window
from endpoints.capacity.selectors.world import measured_of, prices_of, spans_of
from endpoints.capacity.worth import worth
from endpoints.core.money import Money
from endpoints.inventory.selectors.paid import PaidLife, PaidState, paid_lives, paid_states
from endpoints.metrics.selectors.paid_hours import used_hours

Paid = dict[str, int]
"""Instance-seconds by size."""


class Past:
    """Of some deployments of a workspace between two moments; prices are those of the moment `at`.

    A whole hour is counted as the ledger does it. Of a part of one the mirror's instances count; where it does not know
    them, the part's share of the measured hour.
    """

    def __init__(
        self, workspace_id: int, ids: Collection[int], since: datetime, until: datetime, at: datetime
    ) -> None:
        begin = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        end = until + HOUR
        wanted = sorted(ids)
        self._lives: list[PaidLife] = [
            life for number in wanted for life in paid_lives(workspace_id, begin, end, only=number)
        ]
        self._states = paid_states(wanted, begin, end)
        self._measured: dict[int, dict[datetime, Measured]] = {
            number: measured_of(hours) for number, hours in used_hours(wanted, begin, end).items()
        }
        skus = {state.sku for told in self._states.values() for state in told}
        price = prices_of(workspace_id, skus)
        self._price = {sku: price(sku, at) for sku in skus}

    def pair(self, window: Window) -> Pair:
        """What a window cost, and what the one before it did. Where nothing was there before, that is not known."""
        length = window.until - window.since
        before = None
        if window.before is not None and self._stood(window.before, window.before + length):
            before = self._paid(window.before, window.before + length)
        after = self._paid(window.since, window.until)
        money_before, money_after = self._money(before), self._money(after)
        if after is not None and not after and money_before is not None:
            money_after = Money(Decimal(0), money_before.currency)
        return Pair(
            window.seconds,
            None if before is None else sum(before.values()),
            None if after is None else sum(after.values()),
            money_before,
            money_after,
        )

    def _stood(self, since: datetime, until: datetime) -> bool:
        return any(
            life.since <= since and (life.until is None or until <= life.until) for life in self._lives
        )

    def _paid(self, since: datetime, until: datetime) -> Paid | None:
        total: Counter[str] = Counter()
        for life in self._lives:
            for hour, begin, end in _pieces(since, until):
                found = self._piece(life, hour, begin, end)
                if found is None:
                    return None
                total.update(found)
        return {sku: seconds for sku, seconds in total.items() if seconds}

    def _piece(self, life: PaidLife, hour: datetime, begin: datetime, end: datetime) -> Paid | None:
        states = self._states.get(life.id, ())
        if end - begin == HOUR:
            return self._hour(life, states, hour)
        spans = spans_of(life, states, begin, end)
        found: Counter[str] = Counter()
        for span in spans:
            if span.instances is None:
                return self._share(life, states, hour, end - begin)
            found[span.sku] += round(span.instances * (span.until - span.since).total_seconds())
        return dict(found)

    def _hour(self, life: PaidLife, states: list[PaidState] | tuple[()], hour: datetime) -> Paid | None:
        sizes = by_size(spans_of(life, states, hour, hour + HOUR), hour)
        told = self._measured.get(life.id, {}).get(hour) if len(sizes) == 1 else None
        found = {sku: account(mirrored, told).paid for sku, mirrored in sizes}
        known = {sku: paid for sku, paid in found.items() if paid is not None}
        return known if len(known) == len(found) else None

    def _share(
        self, life: PaidLife, states: list[PaidState] | tuple[()], hour: datetime, length: timedelta
    ) -> Paid | None:
        """A part of an hour in which it was there all the time."""
        if life.since > hour or (life.until is not None and life.until < hour + HOUR):
            return None
        whole = self._hour(life, states, hour)
        if whole is None:
            return None
        return {sku: round(seconds * (length / HOUR)) for sku, seconds in whole.items()}

    def _money(self, paid: Paid | None) -> Money | None:
        """None: not known, or of no or of two currencies."""
        if not paid:
            return None
        parts = [worth(seconds, self._price.get(sku)) for sku, seconds in paid.items()]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts) or len({part.currency for part in known}) != 1:
            return None
        return Money(sum((part.amount for part in known), Decimal(0)), known[0].currency)


def _pieces(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    """The hours of a stretch, each with the part of it that is within."""
    at = since.astimezone(UTC)
    while at < until:
        hour = at.replace(minute=0, second=0, microsecond=0)
        end = min(hour + HOUR, until)
        yield hour, at, end
        at = end.astimezone(UTC)
