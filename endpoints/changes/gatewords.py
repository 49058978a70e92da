"""What a gate says, in one sentence for somebody who was just woken: the value, the limit, how many, how long. Pure."""

from __future__ import annotations

from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.meters import Tally
from endpoints.changes.sequential import Count

NBSP = "\u00a0"
_OF_USE = {
    Kind.CPU: "CPU of the busiest replica",
    Kind.MEMORY: "Memory of the fullest replica",
    Kind.GPU: "GPU of the busiest replica",
}


def percent(share: float) -> str:
    """Two digits that mean something: "0.38 %", "4.2 %", "12 %"; 0 and 100 only where it is exactly that."""
    value = share * 100
    if value in (0, 100):
        return f"{value:.0f}{NBSP}%"
    digits = 2 if value < 1 else 1 if value < 10 or value > 99 else 0
    text = f"{value:.{digits}f}"
    if float(text) in (0, 100):
        text = f"{value:.2g}" if value < 1 else f"{value:.4f}".rstrip("0")
    return f"{text}{NBSP}%"


def limit_words(share: float) -> str:
    """A limit as it was given."""
    return f"{share * 100:.10g}{NBSP}%"


def points(share: float) -> str:
    return f"{abs(share) * 100:.2g}{NBSP}points"


def minutes(number: int) -> str:
    return f"{number:,}{NBSP}{'minute' if number == 1 else 'minutes'}"


def found(spec: GateSpec, tally: Tally, budget_ms: float | None) -> str:
    """What was counted and what is allowed, without the full stop."""
    if spec.counts_minutes:
        return _of_minutes(spec, tally, budget_ms)
    if spec.kind is Kind.FIGURE:
        return _of_figure(spec, tally)
    verb = "were refused" if spec.kind is Kind.THROTTLED else "failed"
    said = f"{percent(rate(tally.candidate))} of {tally.candidate.of:,.0f} requests {verb} in {minutes(tally.known)}"
    if spec.kind is not Kind.ERRORS_VS_STABLE:
        beside = f" (stable {percent(rate(tally.stable))})" if tally.stable.of > 0 else ""
        return f"{said}{beside}; limit {limit_words(spec.limit)}"
    return f"{said}, {_against(tally)}; limit {points(spec.limit)} more"


def rate(count: Count) -> float:
    return count.bad / count.of if count.of > 0 else 0.0


def _against(tally: Tally) -> str:
    excess = rate(tally.candidate) - rate(tally.stable)
    stable = f"{percent(rate(tally.stable))} of stable's {tally.stable.of:,.0f}"
    if excess == 0:
        return f"the same as {stable}"
    return f"{points(excess)} {'more' if excess > 0 else 'less'} than {stable}"


def _of_minutes(spec: GateSpec, tally: Tally, budget_ms: float | None) -> str:
    said = (
        f"{_bad_minute(spec, budget_ms)} in {tally.candidate.bad:,.0f} of {minutes(int(tally.candidate.of))}"
    )
    if tally.stable.of > 0:
        said += f" (stable in {tally.stable.bad:,.0f} of {tally.stable.of:,.0f})"
    return f"{said}; limit {limit_words(spec.share)} of minutes"


def _bad_minute(spec: GateSpec, budget_ms: float | None) -> str:
    if spec.kind is Kind.P95_OVER_BUDGET:
        times = "" if spec.limit == 1 else f"{spec.limit:g} times "
        return f"p95 was over {times}the budget of {budget_ms or 0:g}{NBSP}ms"
    if spec.kind is Kind.P95_VS_STABLE:
        return f"p95 was more than {limit_words(spec.limit)} over stable's"
    if spec.kind is Kind.FIGURE:
        than = f"more than {spec.limit:g} {spec.direction} stable's" if spec.relative else _plain(spec)
        return f"{spec.figure} was {than}"
    return f"{_OF_USE[spec.kind]} was over {spec.limit:g}{NBSP}%"


def _plain(spec: GateSpec) -> str:
    return f"{spec.direction} {spec.limit:g}"


def _of_figure(spec: GateSpec, tally: Tally) -> str:
    """Of a figure that is to be high, what is counted as bad is what is missing from it."""
    own, stable = _shown(spec, tally.candidate), _shown(spec, tally.stable)
    said = f"{spec.figure} was {percent(own)} of {tally.candidate.of:,.0f} cases in {minutes(tally.known)}"
    if tally.stable.of > 0:
        said += f" (stable {percent(stable)})"
    if spec.relative:
        return f"{said}; limit {points(spec.limit)} {spec.direction} stable's"
    return f"{said}; limit {'at most' if spec.direction == 'over' else 'at least'} {limit_words(spec.limit)}"


def _shown(spec: GateSpec, count: Count) -> float:
    return shown(spec, rate(count))


def shown(spec: GateSpec, share: float) -> float:
    """A share of bad ones as people know it: of a rate that is to be high, the rate itself."""
    is_missing = spec.kind is Kind.FIGURE and spec.direction == "under" and not spec.counts_minutes
    return 1 - share if is_missing else share
