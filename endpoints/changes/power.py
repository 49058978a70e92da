"""What a gate can find in a bake at the traffic that is expected, before anybody approves it. Pure.

The look at the end of the bake alone is counted; harm that shows earlier is found earlier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from endpoints.changes import gatewords as words
from endpoints.changes.detecting import detectable_beside, detectable_rate, finds, finds_beside
from endpoints.changes.gatespec import LATENCIES, GateSpec, Kind, blind_beyond
from endpoints.changes.meters import limit_of
from endpoints.changes.sequential import Count, design_effect

# Beyond these nothing is proposed: half of the traffic is no canary, and a week no bake.
MOST_WEIGHT, MOST_MINUTES = 50, 7 * 24 * 60
# Where nothing is known of the stable's rate: of failures what is usual, of a figure what is hardest to tell.
_USUAL_RATE, _HARDEST_RATE = 0.01, 0.5
_FAILURES = frozenset({Kind.ERRORS, Kind.ERRORS_VS_STABLE})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step gives its gates to work with.

    `requests`: those per minute that the endpoint is expected to get; `weight` and `stable_weight` percent of them
    for the candidate and for the stable deployments; `base_rate`: the stable's share of failed requests, None when
    not known; `correlation`: of failures within a minute, see `sequential.correlation`. Both say nothing of figures.
    """

    requests: float
    weight: int
    stable_weight: int
    minutes: int
    base_rate: float | None = None
    correlation: float = 0.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`detectable`: the smallest rate, or share of bad minutes, that the gate finds in 4 of 5 cases; None: none at all.

    `excess`: how far that is beyond what the stable has, or beyond the limit where that is not known. `blind`: it can't
    be relied on. `weight` or `bake_minutes`, either alone, would be enough; None when no such value is. `reason` says
    all this.
    """

    gate: str
    requests: float
    minutes: int
    detectable: float | None
    excess: float | None
    blind: bool
    reason: str
    weight: int | None = None
    bake_minutes: int | None = None


def forecast(spec: GateSpec, plan: Plan) -> Forecast:
    """What the gate can find, and what would be enough if that is too little."""
    requests = plan.requests * plan.weight / 100 * plan.minutes
    if spec.against_stable and plan.stable_weight <= 0:
        reason = "Nothing serves beside the candidate in this step, so there is nothing to compare it with."
        return Forecast(spec.name, requests, plan.minutes, None, None, True, reason)
    least = _detectable(spec, plan)
    blind = not _is_enough(spec, plan)
    weight = _least_weight(spec, plan) if blind else None
    bake = _least_minutes(spec, plan) if blind else None
    shown = None if least is None else words.shown(spec, least)
    said = f"{_sees(spec, plan, requests)} {_finds(spec, plan, least)}{_proposed(blind, weight, bake)}"
    return Forecast(
        spec.name, requests, plan.minutes, shown, _excess(spec, plan, least), blind, said, weight, bake
    )


def _pairs(spec: GateSpec) -> bool:
    return spec.against_stable and not spec.counts_minutes


def _known_base(spec: GateSpec, plan: Plan) -> float | None:
    return plan.base_rate if spec.kind in _FAILURES else None


def _base(spec: GateSpec, plan: Plan) -> float:
    known = _known_base(spec, plan)
    if known is None:
        return _HARDEST_RATE if spec.kind is Kind.FIGURE else _USUAL_RATE
    return known


def _units(spec: GateSpec, plan: Plan, weight: float) -> float:
    """How many independent ones the gate gets to judge, of a deployment with such a weight."""
    a_minute = plan.requests * weight / 100
    if spec.counts_minutes:
        tells = spec.kind not in LATENCIES or a_minute >= spec.minute_requests
        return plan.minutes / (spec.design_effect or 1.0) if tells else 0.0
    alike = 0.0 if spec.kind is Kind.FIGURE else plan.correlation
    effect = spec.design_effect or design_effect(a_minute, alike)
    return round(a_minute * plan.minutes / effect)


def _detectable(spec: GateSpec, plan: Plan) -> float | None:
    units = _units(spec, plan, plan.weight)
    if units <= 0:
        return None
    if _pairs(spec):
        stable = _units(spec, plan, plan.stable_weight)
        return detectable_beside(units, stable, _base(spec, plan), spec.limit, spec.alpha)
    return detectable_rate(units, limit_of(spec), spec.alpha)


def _excess(spec: GateSpec, plan: Plan, least: float | None) -> float | None:
    if least is None:
        return None
    if _pairs(spec):
        return least - _base(spec, plan)
    known = _known_base(spec, plan)
    return least - (limit_of(spec) if known is None else known)


def _is_enough(spec: GateSpec, plan: Plan) -> bool:
    """Whether the gate would see harm that matters, and have what it needs to pass."""
    a_minute = plan.requests * plan.weight / 100
    if plan.minutes < spec.min_minutes or a_minute * plan.minutes < spec.min_requests:
        return False
    units, beyond = _units(spec, plan, plan.weight), blind_beyond(spec)
    if units <= 0:
        return False
    if not _pairs(spec):
        return finds(units, limit_of(spec), spec.alpha, limit_of(spec) + beyond)
    stable, base = _units(spec, plan, plan.stable_weight), _base(spec, plan)
    enough = plan.requests * plan.stable_weight / 100 * plan.minutes >= spec.min_requests
    return enough and finds_beside(
        units, Count(stable, stable * base), spec.limit, spec.alpha, base + spec.limit + beyond
    )


def _least_weight(spec: GateSpec, plan: Plan) -> int | None:
    """The smallest weight that is enough in the same time; what is added is taken from the stable."""

    def is_enough(weight: int) -> bool:
        stable = max(0, plan.stable_weight - (weight - plan.weight))
        return _is_enough(spec, replace(plan, weight=weight, stable_weight=stable))

    return _least(plan.weight, MOST_WEIGHT, is_enough)


def _least_minutes(spec: GateSpec, plan: Plan) -> int | None:
    return _least(
        plan.minutes, MOST_MINUTES, lambda minutes: _is_enough(spec, replace(plan, minutes=minutes))
    )


def _least(not_enough: int, most: int, is_enough: Callable[[int], bool]) -> int | None:
    low, high = not_enough, max(1, not_enough) * 2
    while high < most and not is_enough(high):
        low, high = high, high * 2
    high = min(high, most)
    if low >= high or not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _sees(spec: GateSpec, plan: Plan, requests: float) -> str:
    at = f"At {plan.weight}{words.NBSP}% for {words.minutes(plan.minutes)}"
    if spec.kind in LATENCIES and plan.requests * plan.weight / 100 < spec.minute_requests:
        return (
            f"{at} the candidate gets about {plan.requests * plan.weight / 100:,.1f} requests a minute, "
            f"and of fewer than {spec.minute_requests:,} a minute's p95 says nothing."
        )
    return f"{at} this gate sees about {requests:,.0f} requests."


def _finds(spec: GateSpec, plan: Plan, least: float | None) -> str:
    if least is None:
        return "It can't find anything."
    if spec.counts_minutes:
        return f"It finds harm in 4 of 5 cases if {words.percent(least)} of the minutes are bad."
    excess = _excess(spec, plan, least) or 0.0
    if _pairs(spec):
        return f"It finds {words.points(excess)} beyond stable's in 4 of 5 cases."
    than = "the limit" if _known_base(spec, plan) is None else "now"
    return f"It finds {words.percent(words.shown(spec, least))} in 4 of 5 cases, {words.points(excess)} off {than}."


def _proposed(blind: bool, weight: int | None, bake: int | None) -> str:
    if not blind:
        return ""
    ways = [
        *([f"{weight}{words.NBSP}% of the traffic"] if weight else []),
        *([words.minutes(bake)] if bake else []),
    ]
    if not ways:
        return " That is too little, and neither more weight nor more time alone would be enough."
    return f" That is too little; {' or '.join(ways)} would be enough."
