"""Latency budgets: what loosens one, who must agree, and whether a minute is over. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from endpoints.core.errors import Invalid

# Azure ends a request after 180 s at most; a limit far beyond that holds nothing against anything.
MOST_MILLISECONDS = 600_000.0
# Over so much of the budget there is little left.
TIGHT_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """`p95_ms` for the 95th percentile of each minute; `failure_share` (0 to 1) of requests. None: no limit."""

    p95_ms: float | None = None
    failure_share: float | None = None

    @property
    def is_empty(self) -> bool:
        return self.p95_ms is None and self.failure_share is None


class Effect(StrEnum):
    """What new limits do to those in force."""

    SAME = "same"
    FIRST = "first"
    TIGHTER = "tighter"
    LOOSER = "looser"  # in any of the two figures, whatever the other does


def effect(before: Limits | None, after: Limits) -> Effect:
    """Compare both figures; a limit that is dropped is a looser one, and the first budget has nothing to loosen."""
    old = before or Limits()
    pairs = ((old.p95_ms, after.p95_ms), (old.failure_share, after.failure_share))
    if all(one == other for one, other in pairs):
        return Effect.SAME
    if any(_size(other) > _size(one) for one, other in pairs):
        return Effect.LOOSER
    return Effect.FIRST if old.is_empty else Effect.TIGHTER


def needs_second_person(found: Effect) -> bool:
    """Whoever may set budgets tightens alone; to loosen, another person must agree."""
    return found is Effect.LOOSER


def checked(limits: Limits) -> Limits:
    """The limits, or Invalid with what is wrong with each."""
    problems: dict[str, list[str]] = {}
    if limits.p95_ms is not None and not 0 < limits.p95_ms <= MOST_MILLISECONDS:
        problems["p95_ms"] = [f"A latency limit is above 0 and at most {MOST_MILLISECONDS:,.0f} ms."]
    if limits.failure_share is not None and not 0 <= limits.failure_share <= 1:
        problems["failure_share"] = ["A share of failures is from 0 to 1."]
    if problems:
        raise Invalid(problems)
    return limits


def is_over(value: float | None, limit: float | None) -> bool | None:
    """Whether a value is over its limit; None when either is not known."""
    return None if value is None or limit is None else value > limit


def is_tight(value: float | None, limit: float | None) -> bool:
    """Whether little of the limit is left, and it is known to hold."""
    return value is not None and limit is not None and limit * TIGHT_SHARE <= value <= limit


def describe(limits: Limits) -> str:
    """ "p95 at most 250 ms, failures at most 1 %"; "no limit" when there is none."""
    parts = []
    if limits.p95_ms is not None:
        parts.append(f"p95 at most {limits.p95_ms:g}\u00a0ms")
    if limits.failure_share is not None:
        parts.append(f"failures at most {limits.failure_share * 100:g}\u00a0%")
    return ", ".join(parts) or "no limit"


def _size(limit: float | None) -> float:
    return math.inf if limit is None else limit
