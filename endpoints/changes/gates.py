"""Measure one gate on the evidence of a step. Pure: no clock, no rows; the same evidence gives the same words.

Harm is what the sequential test proves (see `sequential`), by however little. A pass needs as much as the spec says,
a value that keeps to the limit, and either proof of that or enough requests that harm would have shown. All else is
inconclusive, and what can't be measured is an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from endpoints.changes import gatewords as words
from endpoints.changes.detecting import detectable_beside, detectable_rate
from endpoints.changes.evidence import (
    MINUTE,
    Evidence,
    FigureEvidence,
    FigureSample,
    MinuteSample,
    after_minutes,
    begins_at,
    combined,
)
from endpoints.changes.gatespec import GateSpec, Kind, blind_beyond, gate
from endpoints.changes.meters import Meter, Tally, limit_of
from endpoints.changes.readings import Broken, Reading, before, readings
from endpoints.changes.sequential import interval
from endpoints.changes.verdict import Outcome

__all__ = [
    "Evidence",
    "FigureEvidence",
    "FigureSample",
    "GateSpec",
    "Kind",
    "Measurement",
    "MinuteSample",
    "combined",
    "gate",
    "measure",
    "measure_each",
]
# The logarithm of the most that is told of an e-value.
_MOST = 300.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one gate says of the step so far. `reason` is one sentence with value, limit, how many, and how long.

    `value` and `limit` are shares of requests, or of minutes; `stable` the same of the stable deployments at the same
    time. `requests` and `minutes` are those that were known, of `expected` minutes. `low` to `high` is what the true
    value may be, at every look at once. `evidence` is how many times likelier harm makes what was seen.
    `detectable`: the smallest value that this much would have shown in 4 of 5 cases; None when nothing would.
    `excused`: it was as bad before the change, and the candidate is not worse; it then does not block.
    """

    gate: str
    outcome: Outcome
    reason: str
    value: float | None = None
    limit: float | None = None
    stable: float | None = None
    requests: float | None = None
    minutes: int = 0
    expected: int = 0
    low: float | None = None
    high: float | None = None
    evidence: float | None = None
    detectable: float | None = None
    design_effect: float = 1.0
    excused: bool = False
    dry_run: bool = False

    @property
    def detail(self) -> dict[str, Any]:
        """What is kept beside the row's own columns."""
        return {
            "expected": self.expected,
            "stable": self.stable,
            "low": self.low,
            "high": self.high,
            "evidence": self.evidence,
            "detectable": self.detectable,
            "design_effect": self.design_effect,
        }


def measure(spec: GateSpec, evidence: Evidence) -> Measurement:
    """What the gate says. Harm fails, its proven or well-tested absence passes; unknown is neither."""
    try:
        meter, minutes = Meter(spec, before(spec, evidence)), readings(spec, evidence)
    except Broken as broken:
        return _error(spec, str(broken), evidence.expected_minutes)
    for reading in minutes:
        meter.feed(reading)
    return _judged(spec, evidence, meter.tally(), max(evidence.expected_minutes, len(minutes)))


def measure_each(spec: GateSpec, evidence: Evidence) -> Iterator[Measurement]:
    """What the gate would have said after each of the expected minutes, as if it had been live."""
    try:
        meter, minutes = Meter(spec, before(spec, evidence)), readings(spec, evidence)
    except Broken:
        # Only from some minute on, perhaps.
        for passed in range(1, evidence.expected_minutes + 1):
            yield measure(spec, after_minutes(evidence, passed))
        return
    begin = begins_at(evidence)
    by_place: dict[int, Reading] = {}
    if begin is not None:
        by_place = {(reading.minute - begin) // MINUTE: reading for reading in minutes}
    for place in range(evidence.expected_minutes):
        if place in by_place:
            meter.feed(by_place[place])
        yield _judged(spec, evidence, meter.tally(), place + 1)


def _error(spec: GateSpec, reason: str, expected: int) -> Measurement:
    return Measurement(spec.name, Outcome.ERROR, reason, expected=expected, dry_run=spec.dry_run)


def _judged(spec: GateSpec, evidence: Evidence, tally: Tally, expected: int) -> Measurement:
    """Harm first, by however little it is proven; then what is missing; then what is known."""
    figures = _figures(spec, tally, expected)
    said = words.found(spec, tally, evidence.budget_ms)
    bar = math.log(1 / spec.alpha)
    missing = _missing(spec, tally, expected)
    as_before = tally.red_before and tally.worse < bar
    if tally.harm >= bar:
        if as_before:
            return _as_before(spec, figures, tally, said, missing, Outcome.FAIL)
        return replace(figures, outcome=Outcome.FAIL, reason=f"{said}; {_surely(spec, tally)}.")
    if missing:
        begun = f"{said}; {missing}" if tally.telling else missing[0].upper() + missing[1:]
        return replace(figures, reason=f"{begun}.")
    if tally.safe >= bar:
        return replace(figures, outcome=Outcome.PASS, reason=f"{said}; surely within it.")
    if _is_over(spec, tally):
        if as_before:
            return _as_before(spec, figures, tally, said, missing, Outcome.INCONCLUSIVE)
        return replace(figures, reason=f"{said}; beyond it, but that may still be chance.")
    return _unharmed(spec, tally, figures, said)


def _unharmed(spec: GateSpec, tally: Tally, figures: Measurement, said: str) -> Measurement:
    """Within the limit, but not proven to be: a pass if harm that matters would have shown."""
    least = _detectable(spec, tally)
    if least is None:
        return replace(figures, reason=f"{said}; that is too little to show any harm.")
    shown = least if spec.counts_minutes or _pairs(spec) else words.shown(spec, least)
    would = f"{_sized(spec, shown)} would have shown in 4 of 5 cases"
    seen = replace(figures, detectable=shown)
    if least - limit_of(spec) > blind_beyond(spec):
        return replace(seen, reason=f"{said}; too few to tell, as only {would}.")
    return replace(seen, outcome=Outcome.PASS, reason=f"{said}; {would}.")


def _sized(spec: GateSpec, value: float) -> str:
    if _pairs(spec):
        return f"{words.points(value)} {'less' if spec.direction == 'under' else 'more'}"
    return words.percent(value)


def _as_before(
    spec: GateSpec, figures: Measurement, tally: Tally, said: str, missing: str, outcome: Outcome
) -> Measurement:
    """Over the limit like the stable before the change: no ground to stop what may be the repair."""
    was = f"{words.percent(words.shown(spec, words.rate(tally.before)))} before the change"
    if missing:
        return replace(figures, reason=f"{said}; as it was ({was}), but {missing}.")
    reason = f"{said}; excused, as it was {was} and the candidate is not worse."
    return replace(figures, outcome=outcome, excused=True, reason=reason)


def _surely(spec: GateSpec, tally: Tally) -> str:
    one_in = f"at most 1 in {1 / spec.alpha:,.0f} harmless candidates ever shows this"
    return f"also worse than before the change; {one_in}" if tally.red_before else one_in


def _missing(spec: GateSpec, tally: Tally, expected: int) -> str:
    """What there is too little of to let anything pass; "" when there is enough."""
    if expected == 0:
        return "no minute is over yet"
    if tally.known < spec.known_share * expected:
        share = words.limit_words(spec.known_share)
        return f"only {tally.known:,} of {words.minutes(expected)} are known, and {share} must be"
    if tally.requests == 0:
        return f"no request reached the candidate in {words.minutes(tally.known)}"
    if tally.requests < spec.min_requests:
        return f"only {tally.requests:,.0f} of at least {spec.min_requests:,} requests have come"
    minutes = tally.telling if spec.counts_minutes else tally.known
    if minutes < spec.min_minutes:
        return f"only {words.minutes(minutes)} of at least {spec.min_minutes:,} say anything"
    if _pairs(spec) and tally.stable.of < spec.min_requests:
        return f"only {tally.stable.of:,.0f} of at least {spec.min_requests:,} requests came to the stable"
    return ""


def _pairs(spec: GateSpec) -> bool:
    """Whether requests, not minutes, are compared with the stable's."""
    return spec.against_stable and not spec.counts_minutes


def _figures(spec: GateSpec, tally: Tally, expected: int) -> Measurement:
    """All that is told in numbers; inconclusive as yet."""
    counted, beside = tally.candidate.of > 0, tally.stable.of > 0
    value = words.shown(spec, words.rate(tally.candidate)) if counted else None
    stable = words.shown(spec, words.rate(tally.stable)) if beside else None
    if _pairs(spec):
        value = value - stable if value is not None and stable is not None else None
    low, high = _interval(spec, tally) if counted and not _pairs(spec) else (None, None)
    return Measurement(
        gate=spec.name,
        outcome=Outcome.INCONCLUSIVE,
        reason="",
        value=value,
        limit=spec.share if spec.counts_minutes else spec.limit,
        stable=stable,
        requests=tally.requests,
        minutes=tally.telling if spec.counts_minutes else tally.known,
        expected=expected,
        low=low,
        high=high,
        evidence=math.exp(min(tally.harm, _MOST)),
        design_effect=tally.design_effect,
        dry_run=spec.dry_run,
    )


def _interval(spec: GateSpec, tally: Tally) -> tuple[float, float]:
    ends = interval(tally.candidate.divided(tally.design_effect), spec.alpha)
    low, high = sorted(words.shown(spec, end) for end in ends)
    return low, high


def _is_over(spec: GateSpec, tally: Tally) -> bool:
    excess = words.rate(tally.candidate) - (words.rate(tally.stable) if _pairs(spec) else 0.0)
    return excess > limit_of(spec)


def _detectable(spec: GateSpec, tally: Tally) -> float | None:
    """The smallest share of bad ones, or excess over the stable's, that as much as this shows in 4 of 5 cases."""
    of = round(tally.candidate.of / tally.design_effect)
    if not _pairs(spec):
        return detectable_rate(of, limit_of(spec), spec.alpha)
    stable = words.rate(tally.stable)
    found = detectable_beside(
        of, round(tally.stable.of / tally.stable_effect), stable, spec.limit, spec.alpha
    )
    return None if found is None else found - stable
