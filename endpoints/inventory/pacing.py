"""How often a workspace can be read: as often as wished while Azure's budget of reads allows. Pure.

ARM refills a bucket of reads at a steady rate per subscription and identity, so a subscription's workspaces
share one pace. A part of the rate stays free for changes in progress and for people who ask for a fresh read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

# Of the refill rate; the rest is for single reads.
SHARE = 0.8
LONGEST_BACKOFF = 300.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`reason` is "" while the wish is met, else a sentence for people."""

    seconds: float
    reason: str = ""


def achievable(calls: int, *, wished: float, refill: float) -> Pace:
    """The pace of a subscription whose workspaces take `calls` reads together; `refill` in reads a second."""
    needed = calls / (refill * SHARE)
    if needed <= wished:
        return Pace(wished)
    seconds = float(math.ceil(needed))
    return Pace(
        seconds,
        f"Reading it all takes {calls:,} requests and Azure allows {refill:g} a second, some of which are "
        f"kept for changes and people: every {seconds:g} s instead of every {wished:g} s.",
    )


def after_failures(pace: float, failures: int) -> float:
    """The wait after so many failures in a row: doubled each time, to five minutes at most (or the pace)."""
    doubled = pace * 2.0 ** min(max(failures - 1, 0), 16)
    return min(doubled, max(pace, LONGEST_BACKOFF))


def next_due(
    started: datetime, ended: datetime, *, pace: float, failures: int, retry_at: datetime | None
) -> datetime:
    """When to read again: a pace after the last start, never before Azure's Retry-After is over."""
    wait = after_failures(pace, failures) if failures else pace
    due = max(started + timedelta(seconds=wait), ended)
    return max(due, retry_at) if retry_at else due
