"""Tests that may be looked at every minute: how much likelier harm makes what was counted than its absence. Pure.

An e-value is the product, over minutes, of factors whose mean is at most 1 if there is no harm. By Ville's inequality
(J. Ville, "Étude critique de la notion de collectif", 1939) the chance that it ever reaches 1/alpha is then at most
alpha, however often and however long one looks. Each factor is a likelihood ratio, mixed over harms of several sizes
(H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41,
1970); turned round, the same test gives a confidence sequence (S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon,
"Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49, 2021).

One rate against a limit (`rate_evidence`): harm of the size q multiplies by (q/L)^bad ((1-q)/(1-L))^good. For a rate
at or under L the mean is at most 1, so the minutes' rates may differ as long as each is.

Two rates at the same time (`ExcessTest`): the likelihood of a harmful pair (s, c) of rates, over that of the pair
nearest to it which is harmless, c' = s' + allowed. Nearest is in Kullback-Leibler divergence, weighted by the counts.
The harmless pairs are a convex set, so the derivative there says that the mean of the product is at most 1 for each
of them (R. Turner, P. Grünwald, "Exact anytime-valid confidence intervals for contingency tables and beyond",
Statistics & Probability Letters 198, 2023). The stable's rate may move from minute to minute.

Both take requests as independent, given their minute's rate. Where failures of one minute come in clumps, counts are
divided by the design effect (L. Kish, "Survey Sampling", 1965): 1 + (n - 1) * correlation for n requests. For clumps
of equal size this is exact. It costs as many times more requests as it is large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

# Harms that are looked for, as steps of the log odds. Doubling loses at most 17 % of the evidence in between.
SHIFTS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_LOG_SHIFTS = math.log(len(SHIFTS))
_TINY = 1e-9
_NEXT_TO_ALL = 1e-4
# What the minutes before are worth for guessing the stable's rate now, in requests at most.
_MOST_PRIOR = 1000.0
# With fewer minutes there is nothing to be said about clumps.
LEAST_MINUTES = 15


class Count(NamedTuple):
    """`bad` ones of so many."""

    of: float
    bad: float

    def divided(self, by: float) -> Count:
        return self if by == 1 else Count(self.of / by, self.bad / by)


def rate_evidence(count: Count, limit: float, *, harm: bool = True) -> float:
    """The logarithm of the e-value for a rate over the limit or, without `harm`, for one under it."""
    good = count.of - count.bad
    return _mixed([count.bad * bad + good * fine for bad, fine in _ratios(limit, harm)])


def interval(count: Count, alpha: float) -> tuple[float, float]:
    """The rates that were never ruled out, at all looks at once; each end holds with 1 - alpha."""
    if count.of <= 0:
        return 0.0, 1.0
    rate, needed = count.bad / count.of, math.log(1 / alpha)
    low = _edge(count, rate, 0.0, needed) if count.bad > 0 else 0.0
    high = _edge(count, rate, 1.0, needed) if count.bad < count.of else 1.0
    return low, high


def _edge(count: Count, rate: float, towards: float, needed: float) -> float:
    inside, outside = rate, towards
    for _ in range(30):
        middle = (inside + outside) / 2
        if rate_evidence(count, middle, harm=towards < rate) < needed:
            inside = middle
        else:
            outside = middle
    return outside


NOTHING = Count(0.0, 0.0)


class ExcessTest:
    """Whether the candidate's rate exceeds the stable's at the same time by more than is allowed.

    `before` is what the stable did earlier: a guess that the test begins with, which only helps to find harm sooner.
    """

    __slots__ = ("_allowed", "_harm", "_safe", "_stable")

    def __init__(self, allowed: float, before: Count = NOTHING) -> None:
        self._allowed = allowed
        self._harm = [0.0] * len(SHIFTS)
        self._safe = [0.0] * len(SHIFTS)
        scale = min(1.0, _MOST_PRIOR / before.of) if before.of > 0 else 0.0
        # A fifth of a failure in 20 requests: enough to begin with where nothing is known.
        self._stable = Count(20 + before.of * scale, 0.2 + before.bad * scale)

    def feed(self, candidate: Count, stable: Count) -> None:
        """One minute. Its harmful pairs are guessed from the minutes before it, never from itself."""
        if candidate.of > 0 and stable.of > 0:
            self._add(self._harm, candidate, stable, 1)
            # With nothing allowed there is no "surely under it" to be told from "equal".
            if self._allowed > 0:
                self._add(self._safe, candidate, stable, -1)
        self._stable = Count(self._stable.of + stable.of, self._stable.bad + stable.bad)

    @property
    def harm(self) -> float:
        """The logarithm of the e-value for an excess over what is allowed."""
        return _mixed(self._harm)

    @property
    def safe(self) -> float:
        """The logarithm of the e-value for an excess under it."""
        return _mixed(self._safe) if self._allowed > 0 else 0.0

    def _add(self, sums: list[float], candidate: Count, stable: Count, sign: int) -> None:
        rate = self._stable.bad / self._stable.of
        for place, shift in enumerate(SHIFTS):
            sums[place] += pair_evidence(candidate, stable, rate, self._allowed, sign * shift)


def pair_evidence(candidate: Count, stable: Count, rate: float, allowed: float, shift: float) -> float:
    """The log likelihood of the stable's rate with a candidate `shift` off the allowed one, over the nearest pair

    that is just allowed.
    """
    # Any guess is allowed; one next to certainty would only cost precision.
    rate = min(max(rate, _TINY), 1 - _NEXT_TO_ALL - allowed)
    shifted = moved(rate + allowed, shift)
    nearest = _nearest(rate, shifted, allowed, stable.of, candidate.of)
    return _gain(stable, rate, nearest) + _gain(candidate, shifted, nearest + allowed)


def moved(rate: float, shift: float) -> float:
    """The rate with its log odds shifted."""
    odds = rate / (1 - rate) * math.exp(shift)
    return min(max(odds / (1 + odds), _TINY), 1 - _TINY)


def _gain(count: Count, one: float, other: float) -> float:
    return count.bad * math.log(one / other) + (count.of - count.bad) * math.log((1 - one) / (1 - other))


def _nearest(rate: float, shifted: float, allowed: float, stable: float, candidate: float) -> float:
    """The stable's rate of the pair (x, x + allowed) with the least weighted divergence: Newton, kept in a bracket."""
    low, high = sorted((rate, min(max(shifted - allowed, _TINY), 1 - allowed - _TINY)))
    x = (stable * rate + candidate * (shifted - allowed)) / (stable + candidate)
    for _ in range(50):
        if not low <= x <= high:
            x = (low + high) / 2
        y = x + allowed
        slope = stable * (x - rate) / (x * (1 - x)) + candidate * (y - shifted) / (y * (1 - y))
        low, high = (low, x) if slope > 0 else (x, high)
        curve = stable * _curve(rate, x) + candidate * _curve(shifted, y)
        step = slope / curve
        x -= step
        # Newton squares the error: the step that would follow is a thousandth of a millionth.
        if abs(step) < 1e-5 * min(x, 1 - y) or high - low < 1e-13:
            break
    return min(max(x, low), high)


def _curve(true: float, at: float) -> float:
    return true / (at * at) + (1 - true) / ((1 - at) * (1 - at))


@lru_cache(maxsize=1024)
def _ratios(limit: float, harm: bool) -> tuple[tuple[float, float], ...]:
    """What one bad and one good request add to the evidence, for each size of harm."""
    limit = min(max(limit, _TINY), 1 - _TINY)
    rates = (moved(limit, shift if harm else -shift) for shift in SHIFTS)
    return tuple((math.log(rate / limit), math.log((1 - rate) / (1 - limit))) for rate in rates)


def _mixed(logs: Sequence[float]) -> float:
    """The logarithm of the mean of these, which are logarithms themselves."""
    most = max(logs)
    return most + math.log(math.fsum(math.exp(each - most) for each in logs)) - _LOG_SHIFTS


def design_effect(requests: float, correlation: float) -> float:
    """By how much more than that of independent requests the count of bad ones varies."""
    return 1 + max(0.0, requests - 1) * correlation


def correlation(minutes: Iterable[Count]) -> float | None:
    """How much alike two requests of one minute fare, 0 to 1; None when too little is known to tell.

    From Pearson's statistic, whose mean is the sum of the minutes' design effects. A rate that moves over the
    minutes counts as likeness, which errs on the careful side.
    """
    usable = [minute for minute in minutes if minute.of > 0]
    of, bad = sum(minute.of for minute in usable), sum(minute.bad for minute in usable)
    room = sum(max(0.0, minute.of - 1) for minute in usable)
    if len(usable) < LEAST_MINUTES or not 0 < bad < of or room <= 0:
        return None
    rate = bad / of
    pearson = sum((each.bad - each.of * rate) ** 2 / (each.of * rate * (1 - rate)) for each in usable)
    found = (pearson * len(usable) / (len(usable) - 1) - len(usable)) / room
    return min(1.0, max(0.0, found))
