"""How many instances would have been enough: a percentile of the load plus headroom, never below what concurrency asks.

Two ways to say how much one instance carries, and the one that asks for more instances wins:
use: in proportion to what it served while busy (`metrics.peaks.Capacity`);
concurrency: requests under way at once = arrivals x time in the system (Little, 1961), of which an instance takes
`max_concurrent_requests_per_instance` before Azure refuses (429: how-to-troubleshoot-online-endpoints).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

PERCENTILE = 0.99
HEADROOM = 0.2
LEAST = 1
"""A deployment that serves has one instance at least: Azure can't scale one to none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A workspace's choice: the share of busy hours that must be carried, and the room above them."""

    percentile: float = PERCENTILE
    headroom: float = HEADROOM


@dataclass(frozen=True, slots=True)
class Load:
    """What an hour asked of the deployment: its mean minute's requests, and how long they took."""

    requests_per_minute: float
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Need:
    """`instances` None: cannot be said, and `words` say why. `bound` is what asked for the most of them."""

    instances: int | None
    bound: str
    words: str


UNKNOWN = Need(None, "", "Nothing is known of its load.")


def need(
    loads: Sequence[Load], *, per_instance: float | None, concurrent: int | None, settings: Settings
) -> Need:
    """The instances that carry the percentile of these loads with headroom. `per_instance`: requests a minute."""
    if not loads:
        return UNKNOWN
    busy = _rank([load.requests_per_minute for load in loads], settings.percentile)
    return need_of(
        busy,
        _concurrency(loads, settings),
        per_instance=per_instance,
        concurrent=concurrent,
        settings=settings,
    )


def need_of(
    busy: float,
    at_once: float | None,
    *,
    per_instance: float | None,
    concurrent: int | None,
    settings: Settings,
) -> Need:
    """The same of loads that were ranked already: requests a minute, and requests under way at once."""
    if per_instance is None or per_instance <= 0:
        return Need(None, "", "What one instance carries is not known: it was never busy enough to tell.")
    by_use = max(LEAST, ceil(busy * (1 + settings.headroom) / per_instance))
    told = (
        f"{settings.percentile:.0%} of the busy hours had at most {busy:,.0f} requests a minute; with"
        f" {settings.headroom:.0%} more, at {per_instance:,.0f} each, that takes {by_use}."
    )
    if at_once is None or not concurrent:
        return Need(by_use, "use", f"{told} Whether concurrency asks for more is not known.")
    by_concurrency = max(LEAST, ceil(at_once * (1 + settings.headroom) / concurrent))
    if by_concurrency > by_use:
        words = (
            f"{at_once:,.1f} requests at once, {concurrent} for each instance: that takes {by_concurrency}."
        )
        return Need(by_concurrency, "concurrency", f"{told} {words}")
    return Need(by_use, "use", told)


def _concurrency(loads: Sequence[Load], settings: Settings) -> float | None:
    known = [load.requests_per_minute / 60 * load.p95_ms / 1000 for load in loads if load.p95_ms is not None]
    return _rank(known, settings.percentile) if known else None


def _rank(values: Sequence[float], share: float) -> float:
    """The smallest value that at least such a share of them does not exceed: one of them, and no mean."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), ceil(share * len(ordered))) - 1)]
