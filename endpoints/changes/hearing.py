"""Who still asks for a deployment that should get nothing: requests in minutes in which its weight was 0. Pure.

The portal's own direct requests are left out. A minute of which nothing is known is neither silence nor a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from endpoints.changes.verdict import Outcome, Verdict

MINUTE = timedelta(minutes=1)
SETTLING = timedelta(minutes=2)
"""After a split moved: what was on its way still comes in."""
LATE = timedelta(minutes=10)
"""Of the newest minutes Azure may not have told yet."""
UNKNOWN_SHARE = 0.1
"""More of the minutes unknown than this, and nobody can tell."""
SCREAM = "Nobody asks for what is deleted"

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one deployment: requests by others, in `known` of the `minutes` that were looked at."""

    requests: float = 0.0
    minutes: int = 0
    known: int = 0
    last: datetime | None = None

    @property
    def enough(self) -> bool:
        """Whether so many minutes are known that no request means silence."""
        return self.minutes > 0 and self.minutes - self.known <= self.minutes * UNKNOWN_SHARE


def heard(
    minutes: Mapping[datetime, float | None], spans: Sequence[Span], own: Iterable[datetime] = ()
) -> Heard:
    """Over all whole minutes of the spans; one that `minutes` lacks is unknown. `own`: when the portal itself asked."""
    wanted = [moment for since, until in spans for moment in _whole(since, until)]
    others = {moment: count for moment in wanted if (count := minutes.get(moment)) is not None}
    known = len(others)
    for asked in own:
        _leave_out(others, asked.replace(second=0, microsecond=0))
    asked_for = [moment for moment, count in others.items() if count > 0]
    return Heard(sum(others.values()), len(wanted), known, max(asked_for, default=None))


def _whole(since: datetime, until: datetime) -> list[datetime]:
    first = since.replace(second=0, microsecond=0)
    first += MINUTE if first < since else timedelta()
    count = max(0, int((until - first) / MINUTE))
    return [first + number * MINUTE for number in range(count)]


def _leave_out(counts: dict[datetime, float], moment: datetime) -> None:
    """One request of our own, counted by Azure in its minute or beside it."""
    for near in (moment, moment + MINUTE, moment - MINUTE):
        if counts.get(near, 0) >= 1:
            counts[near] -= 1
            return


def judge_day(found: Mapping[str, Heard]) -> Verdict:
    """Whether anybody asked for these in the last day although they had no weight."""
    if told := _asked_for(found, "in the last 24\u00a0h"):
        return Verdict(SCREAM, Outcome.FAIL, told)
    for name, one in sorted(found.items()):
        if not one.enough:
            words = f"{_too_little(name, one)} The scream test will tell who names it."
            return Verdict(SCREAM, Outcome.INCONCLUSIVE, words, acceptable=True)
    told = ", ".join(sorted(found))
    return Verdict(
        SCREAM, Outcome.PASS, f"No request for {told} in the last 24\u00a0h in which it had weight 0."
    )


def _too_little(name: str, one: Heard) -> str:
    if not one.minutes:
        return f"It is not known that {name} had weight 0 for any time in the last 24\u00a0h."
    return (
        f"Not known: metrics tell of {one.known:,} of the {one.minutes:,} minutes in which {name} had weight 0 in the "
        "last 24\u00a0h."
    )


def judge_scream(found: Mapping[str, Heard], since: datetime, *, seconds: int) -> Verdict:
    """Whether the scream test, of `seconds` from `since` on, was silent. Nobody can accept what is not known here.

    Of a test of less than a minute metrics can't tell: then only requests that were seen count.
    """
    begun = f"since its weight is 0 ({since:%Y-%m-%d %H:%M}\u00a0UTC)"
    if told := _asked_for(found, begun):
        return Verdict(SCREAM, Outcome.FAIL, told)
    unknown = [(name, one) for name, one in sorted(found.items()) if not one.enough]
    if unknown and seconds >= MINUTE.total_seconds():
        name, one = unknown[0]
        words = (
            f"Nobody can tell: of {one.minutes:,} minutes {begun}, metrics of {name} tell of {one.known:,}. It can be "
            "resumed once they are in; else roll back and ask anew."
        )
        return Verdict(SCREAM, Outcome.INCONCLUSIVE, words)
    return Verdict(SCREAM, Outcome.PASS, f"No request {begun}.")


def _asked_for(found: Mapping[str, Heard], when: str) -> str:
    told = [_one(name, one, when) for name, one in sorted(found.items()) if one.last is not None]
    return f"{'; '.join(told)}. It had weight 0, so somebody names it by header." if told else ""


def _one(name: str, one: Heard, when: str) -> str:
    what = "request" if one.requests == 1 else "requests"
    return f"{one.requests:,.0f} {what} for {name} {when}, the last at {one.last:%Y-%m-%d %H:%M}\u00a0UTC"
