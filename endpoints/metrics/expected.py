"""How much traffic to expect, out of the same hours of the last weeks and the last hour; and which latency. Pure.

A forecast by habit: the same weekday and time of the last weeks, each moved up or down as this day's last hour stands
to that week's. The range is what those weeks say, with and without this; it promises nothing of weeks unlike them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# A week in which the last hour had so many times more or less says no more than this.
MOST_MOVED = 4.0
# Of fewer minutes no range is told.
FEWEST_MINUTES = 30
# A load is like another one up to so many times more or less.
ALIKE = 2.0


@dataclass(frozen=True, slots=True)
class Week:
    """Requests a minute in one of the last weeks: in the stretch that is asked for, and in this day's last hour."""

    stretch: float | None
    hour: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """Requests a minute of a whole endpoint, None where there is nothing to go by. `weeks` of the past stand behind it.

    `low` to `high` is the range of what those weeks did, no interval with a promise.
    """

    low: float | None
    typical: float | None
    high: float | None
    weeks: int
    words: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One minute of a deployment: what was asked of it, and its p95 in ms."""

    p95: float
    requests: float
    instances: float | None = None


@dataclass(frozen=True, slots=True)
class LatencyRange:
    """Quantiles (10, 50, 90 %) of so many minutes' p95 in ms; never a mean of them. None: unknown."""

    low: float | None
    typical: float | None
    high: float | None
    minutes: int
    words: str


def expected(weeks: Sequence[Week], last_hour: Sequence[float]) -> Expected:
    """`weeks` of the past, in any order; `last_hour`: the requests of each of its known minutes, or none."""
    now = sum(last_hour) / len(last_hour) if len(last_hour) >= FEWEST_MINUTES else None
    known = [
        (each.stretch, _moved(each.stretch, each.hour, now)) for each in weeks if each.stretch is not None
    ]
    if known:
        moved = [one for _, one in known]
        every = [*moved, *(one for one, _ in known)]
        return Expected(min(every), _median(moved), max(every), len(known), _words(len(known), now))
    if now is None:
        return Expected(
            None, None, None, 0, "Neither the last hour nor the same time of any week before is known."
        )
    words = "No week before is known at that time: this is the last hour, and a day's rhythm is not in it."
    return Expected(_rank(last_hour, 0.1), _rank(last_hour, 0.5), _rank(last_hour, 0.9), 0, words)


def latency_range(
    minutes: Sequence[Answered], requests: float | None, instances: float | None = None
) -> LatencyRange:
    """The latencies of minutes with about such a load: requests a minute, of each replica where `instances` is given.

    Without `requests`, those of all minutes.
    """
    if requests is None:
        return _range([one.p95 for one in minutes], "its known minutes, whatever the load")
    wanted = requests / instances if instances else requests
    loads = [(load, one.p95) for one in minutes if (load := _load(one, bool(instances))) is not None]
    alike = [p95 for load, p95 in loads if wanted / ALIKE <= load <= wanted * ALIKE]
    unit = f"{wanted:,.0f} requests a minute" + (" and replica" if instances else "")
    if len(alike) >= FEWEST_MINUTES:
        return _range(alike, f"the minutes with about {unit} (half to twice as many)")
    least, most = (
        min((load for load, _ in loads), default=None),
        max((load for load, _ in loads), default=None),
    )
    if least is None or most is None:
        return _unknown(len(alike), "No minute of it is known with its load.")
    return _unknown(
        len(alike),
        f"Only {len(alike)} minutes with about {unit} are known, too few to tell; its load was {least:,.0f} to"
        f" {most:,.0f}.",
    )


def _moved(stretch: float, hour: float | None, now: float | None) -> float:
    """What a week says when this day goes on as that one did."""
    if now is None or not hour:
        return stretch
    return stretch * min(MOST_MOVED, max(1 / MOST_MOVED, now / hour))


def _words(weeks: int, now: float | None) -> str:
    which = "the last week" if weeks == 1 else f"{weeks} weeks before"
    moved = ", moved as the last hour stands to theirs" if now is not None else ""
    return f"By the same weekday and time of {which}{moved}."


def _load(one: Answered, of_a_replica: bool) -> float | None:
    if not of_a_replica:
        return one.requests
    return one.requests / one.instances if one.instances else None


def _range(latencies: Sequence[float], which: str) -> LatencyRange:
    if len(latencies) < FEWEST_MINUTES:
        return _unknown(len(latencies), f"Only {len(latencies)} minutes are known, too few to tell a range.")
    low, typical, high = (_rank(latencies, share) for share in (0.1, 0.5, 0.9))
    words = f"p95 of {which}: in eight of ten of {len(latencies):,} it was within this range."
    return LatencyRange(low, typical, high, len(latencies), words)


def _unknown(minutes: int, words: str) -> LatencyRange:
    return LatencyRange(None, None, None, minutes, words)


def _rank(values: Sequence[float], share: float) -> float:
    """The smallest value that at least such a share of them does not exceed: one of them, and no mean."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _median(values: Sequence[float]) -> float:
    """Of an even number, the mean of the two in the middle: these are counts, and no percentiles."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
