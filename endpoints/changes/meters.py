"""What a gate has counted so far, minute by minute, and the evidence in it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.readings import Reading
from endpoints.changes.sequential import (
    NOTHING,
    Count,
    ExcessTest,
    correlation,
    design_effect,
    interval,
    rate_evidence,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """All minutes so far. Evidence is the logarithm of an e-value: for `harm`, for `safe`, and, where the stable was

    over the limit `before` the change, for the candidate being `worse` than that.
    `known`: minutes in which what is judged is known; `telling`: those of them that say anything.
    """

    candidate: Count
    stable: Count
    before: Count
    requests: float
    known: int
    telling: int
    harm: float
    safe: float
    red_before: bool
    worse: float
    design_effect: float
    stable_effect: float


def limit_of(spec: GateSpec) -> float:
    """The share of bad ones that is just allowed: of requests, of minutes, or beyond the stable's."""
    if spec.counts_minutes:
        return spec.share
    if spec.kind is Kind.FIGURE and spec.direction == "under" and not spec.relative:
        return 1 - spec.limit
    return spec.limit


class Meter:
    """Counts minutes. It is made with what the stable did before, which sets how far failures come in clumps."""

    def __init__(self, spec: GateSpec, before: Sequence[Count]) -> None:
        self._spec = spec
        self._limit = limit_of(spec)
        self._bar = math.log(1 / spec.alpha)
        self._before = _sum(before)
        self._correlation = correlation(before) or 0.0
        self._pairs = spec.against_stable and not spec.counts_minutes
        self._before_divided = _sum([self._without_clumps(count) for count in before])
        self._red = not spec.against_stable and self._was_over()
        self._excess = ExcessTest(self._limit if self._pairs else 0.0, self._before)
        self._candidate = self._stable = self._divided = self._stable_divided = NOTHING
        self._requests, self._known, self._telling = 0.0, 0, 0

    def feed(self, reading: Reading) -> None:
        """One more minute."""
        candidate, stable = reading.candidate, reading.stable
        if candidate is None or (self._pairs and stable is None):
            return
        stable = stable or NOTHING
        self._known += 1
        self._telling += candidate.of > 0
        self._requests += reading.requests or 0.0
        self._candidate, self._stable = _sum((self._candidate, candidate)), _sum((self._stable, stable))
        divided, beside = self._without_clumps(candidate), self._without_clumps(stable)
        self._divided, self._stable_divided = (
            _sum((self._divided, divided)),
            _sum((self._stable_divided, beside)),
        )
        if self._pairs or self._red:
            self._excess.feed(divided, beside)

    def tally(self) -> Tally:
        """What there is so far."""
        harm, safe = self._excess.harm, self._excess.safe
        if not self._pairs:
            harm = rate_evidence(self._divided, self._limit)
            safe = rate_evidence(self._divided, self._limit, harm=False)
        return Tally(
            self._candidate, self._stable, self._before, self._requests, self._known, self._telling,
            harm, safe, self._red, self._worse() if self._red else 0.0,
            _ratio(self._candidate.of, self._divided.of), _ratio(self._stable.of, self._stable_divided.of),
        )  # fmt: skip

    def _without_clumps(self, count: Count) -> Count:
        fixed = self._spec.design_effect
        return count.divided(design_effect(count.of, self._correlation) if fixed is None else fixed)

    def _was_over(self) -> bool:
        """Whether the stable was surely over the limit before the change."""
        return rate_evidence(self._before_divided, self._limit) >= self._bar

    def _worse(self) -> float:
        """Beside the stable at the same time or, where that had nothing to do, beside what it did before."""
        if self._stable.of > 0:
            return self._excess.harm
        # Each of the two statements may be wrong with half of alpha, so the second has to be twice as sure.
        _, high = interval(self._before_divided, self._spec.alpha / 2)
        return rate_evidence(self._divided, high) - math.log(2)


def _sum(counts: Sequence[Count]) -> Count:
    return Count(sum(count.of for count in counts), sum(count.bad for count in counts))


def _ratio(whole: float, divided: float) -> float:
    return whole / divided if divided > 0 else 1.0
