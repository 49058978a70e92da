"""What an act really saved: instances and size after it against the same calendar hours weeks before. Pure.

A fleet that sleeps at night must not be credited with its own nights: each stretch after the act is compared with the
same weekday and hour of the local clock, so many whole weeks before that it lies before the act, and with both sides
at the price after it, so that a new list price saves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from endpoints.capacity.proposals import MONTH_HOURS
from endpoints.core.money import Money

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
LOOKS_BACK = 2 * WEEK
"""The hours before that are compared are of the last week before the act; a change of the clock may move one out."""
MOST_HOURS = 14 * 24
"""Of a longer stretch only the newest hours are compared: what was saved two weeks ago says nothing new."""


class State(StrEnum):
    """Where the judgement stands. The values are stored."""

    MEASURING = "measuring"
    VERIFIED = "verified"
    NOTHING_SAVED = "nothing_saved"
    CANNOT_SAY = "cannot_say"
    REBOUNDED = "rebounded"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch after the act, at most an hour, and the one before it that is compared; None: there is none."""

    since: datetime
    until: datetime
    before: datetime | None

    @property
    def seconds(self) -> int:
        return round((self.until - self.since).total_seconds())


@dataclass(frozen=True, slots=True)
class Pair:
    """Of one window, what an hour cost and cost before: instance-seconds and money. None: not known."""

    seconds: int
    paid_before: int | None
    paid_after: int | None
    money_before: Money | None
    money_after: Money | None

    @property
    def known(self) -> bool:
        return self.paid_before is not None and self.paid_after is not None


@dataclass(frozen=True, slots=True)
class Judged:
    """`hours` and `unknown_hours` are whole numbers of windows. Money None: no priced window is known."""

    hours: int
    unknown_hours: int
    before_seconds: int
    after_seconds: int
    seconds: int
    saved: Money | None
    monthly: Money | None
    unpriced: int


def windows(
    since: datetime, until: datetime, zone: ZoneInfo, *, acted_at: datetime | None = None
) -> tuple[Window, ...]:
    """The whole hours of the clock since the act, and the pieces at both ends, oldest first.

    `acted_at` where only a later stretch is looked at.
    """
    act = acted_at or since
    begun = max(since, until - MOST_HOURS * HOUR)
    found = []
    while begun < until:
        full = begun.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        end = min(full + HOUR, until)
        found.append(Window(begun, end, _before(begun, end, act, zone)))
        begun = end
    return tuple(found)


def _before(since: datetime, until: datetime, acted_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The same weekday and time of the local clock, the fewest weeks ago at which the whole window was before the act.

    None where the clock shows that time twice or not at all: such an hour is like no other.
    """
    local = since.astimezone(zone)
    # As many weeks as it is after the act; one more where a change of the clock moved that hour behind it.
    fewest = max(1, -((acted_at - until) // WEEK))
    for weeks in (fewest, fewest + 1):
        then = (local.replace(tzinfo=None) - weeks * WEEK).replace(tzinfo=zone, fold=local.fold)
        at = then.astimezone(UTC)
        if at + (until - since) <= acted_at:
            return at if _is_plain(at, then, zone) else None
    return None


def _is_plain(at: datetime, then: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock showed that time once."""
    back = at.astimezone(zone).replace(tzinfo=None)
    return (
        back == then.replace(tzinfo=None) and then.utcoffset() == then.replace(fold=1 - then.fold).utcoffset()
    )


def judged(pairs: Iterable[Pair]) -> Judged:
    """Sums of the windows whose both sides are known; a window with one side unknown is left out, and counted."""
    told = tuple(pairs)
    known = [pair for pair in told if pair.known]
    priced = [pair for pair in known if _currency(pair)]
    currency = next((_currency(pair) for pair in priced), "")
    priced = [pair for pair in priced if _currency(pair) == currency]
    saved = sum((_saved(pair) for pair in priced), Decimal(0)) if priced else None
    seconds = sum(pair.seconds for pair in priced)
    return Judged(
        hours=len(known),
        unknown_hours=len(told) - len(known),
        before_seconds=sum(pair.paid_before or 0 for pair in known),
        after_seconds=sum(pair.paid_after or 0 for pair in known),
        seconds=sum(pair.seconds for pair in known),
        saved=Money(saved, currency) if saved is not None else None,
        monthly=_a_month(saved, seconds, currency),
        unpriced=len(known) - len(priced),
    )


def _currency(pair: Pair) -> str:
    """Of both sides; "": one has no price, or they have two."""
    before, after = pair.money_before, pair.money_after
    return before.currency if before and after and before.currency == after.currency else ""


def _saved(pair: Pair) -> Decimal:
    assert pair.money_before is not None and pair.money_after is not None
    return pair.money_before.amount - pair.money_after.amount


def _a_month(saved: Decimal | None, seconds: int, currency: str) -> Money | None:
    if saved is None or not seconds:
        return None
    return Money(saved * MONTH_HOURS * 3600 / seconds, currency)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of an act now."""

    state: State
    words: str


def verdict(found: Judged, elapsed: timedelta, measures: timedelta) -> Verdict:
    """`measures`: so long a saving is measured before anything is said of it; less than half known says nothing."""
    if elapsed < measures:
        return Verdict(State.MEASURING, f"Measured until {_length(measures)} after the act.")
    if not found.hours or found.unknown_hours > found.hours:
        return Verdict(
            State.CANNOT_SAY,
            f"Of {found.hours + found.unknown_hours} compared stretches only {found.hours} are known on both sides:"
            " whether it saved anything can't be said.",
        )
    fewer = found.before_seconds - found.after_seconds
    if found.saved is None:
        less = "Fewer" if fewer > 0 else "Not fewer"
        return Verdict(
            State.CANNOT_SAY,
            f"{less} instance-hours were paid for than in the same hours before, but no price is known for them.",
        )
    if found.saved.amount <= 0:
        return Verdict(
            State.NOTHING_SAVED, "As much was paid as in the same hours before: nothing was saved."
        )
    return Verdict(State.VERIFIED, _compared(found))


def _compared(found: Judged) -> str:
    told = (
        f"{_hours(found.after_seconds)} instance-hours instead of {_hours(found.before_seconds)}"
        f" in the same calendar hours before, in {_hours(found.seconds)} hours that were compared"
    )
    if found.unknown_hours:
        told += f"; {found.unknown_hours} stretches more are not known and left out"
    if found.unpriced:
        told += f"; {found.unpriced} stretches have no price and are in no amount"
    return told + "."


def rebounded(verified: Money | None, lately: Judged) -> bool:
    """Whether the newest stretch saves less than half of what was verified, a month; unknown rebounds nothing."""
    if verified is None or lately.monthly is None or lately.monthly.currency != verified.currency:
        return False
    if lately.unknown_hours > lately.hours:
        return False
    return lately.monthly.amount * 2 < verified.amount


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f}"


def _length(period: timedelta) -> str:
    days = period / timedelta(days=1)
    if days >= 1:
        return f"{days:g} days" if days != 1 else "1 day"
    minutes = period / timedelta(minutes=1)
    return f"{minutes:g} minutes" if minutes != 1 else "1 minute"
