"""Whether requests went where the split sends them: observed shares, how sure they are, and a verdict. Pure.

Azure draws a deployment for each request, so that of n routed requests the number that reach one deployment is a
sum of n independent draws, with the weights of their time. Hoeffding's inequality (W. Hoeffding, "Probability
inequalities for sums of bounded random variables", Journal of the American Statistical Association 58, 1963,
theorem 1) bounds each tail of such a sum for every n, and also when the weights changed in between:

    P(share >= q) <= exp(-n * KL(q, p)),   KL(q, p) = q ln(q / p) + (1 - q) ln((1 - q) / (1 - p))

where p is the mean of the weights. Observed and ordered "differ" when this is below the false-alarm rate divided by
the number of tails looked at. So where traffic does follow the order, at most one window in FALSE_ALARMS is said to
differ, whatever its size. The interval of a share holds all weights that it does not contradict.

Requests may name their deployment in a header and skip the routing; metrics don't tell them apart. Those that reach
a deployment at weight 0 can be nothing else and are counted. Elsewhere they only show as an excess, which is an
estimate: it takes the deployment with the fewest requests for its weight to have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FALSE_ALARMS = 1000
# "Same" is said when the order holds to within this, else there were too few requests to say so.
CLOSE = 0.05


class Verdict(StrEnum):
    """What requests say of the order."""

    SAME = "same"
    DIFFERS = "differs"
    TOO_FEW = "too few"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of one split: percents by deployment, and the requests that each got, where these are known."""

    weights: Mapping[str, int]
    mirror: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """One deployment's part of the routed requests, all shares from 0 to 1.

    `ordered` is the mean weight, each time counted by its requests; None when it had no weight or there was no
    request. `low` to `high` are the shares that the count does not contradict. `direct` requests came while it had
    weight 0, so by header; `direct_estimate` is an excess while it had weight, only where the verdict is "differs".
    """

    name: str
    requests: float
    ordered: float | None
    share: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    direct: float = 0.0
    direct_estimate: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`requests` were routed. `mirrored` holds the shares of these that were copied; its verdicts are apart."""

    verdict: Verdict
    reason: str
    requests: float
    deployments: tuple[Observed, ...]
    mirrored: tuple[Observed, ...] = ()

    @property
    def direct(self) -> float:
        """Requests that certainly came by header."""
        return sum(each.direct for each in self.deployments)


@dataclass(slots=True)
class _Sum:
    got: float = 0.0
    expected: float = 0.0
    direct: float = 0.0
    had_weight: bool = False


def compare(stretches: Sequence[Stretch], *, false_alarms: int = FALSE_ALARMS) -> Comparison:
    """All stretches together. Nothing of a stretch is used unless the requests of all its weighted ones are known."""
    usable = [one for one in stretches if all(name in one.requests for name in _weighted(one.weights))]
    if not usable:
        return Comparison(Verdict.UNKNOWN, "No requests are known for a time whose split is.", 0.0, ())
    sums, total = _summed(usable)
    routed = sum(1 for each in sums.values() if each.had_weight and 0 < each.expected < total)
    limit = math.log((2 if routed == 2 else 2 * max(1, routed)) * false_alarms)
    found = [_observed(name, each, total, limit) for name, each in sorted(sums.items())]
    verdict = _overall(found, total)
    if verdict is Verdict.DIFFERS:
        found = _with_estimates(found, sums)
    mirrored = _mirrored(usable, math.log(2 * false_alarms))
    return Comparison(verdict, _reason(verdict, found, total), total, tuple(found), mirrored)


def interval(share: float, count: float, limit: float) -> tuple[float, float]:
    """The true shares that an observed one does not contradict: those p with count * KL(share, p) <= limit."""
    return _edge(share, 0.0, count, limit), _edge(share, 1.0, count, limit)


def divergence(observed: float, expected: float) -> float:
    """KL(observed, expected) of two shares; infinite where what was observed can't be."""
    return _part(observed, expected) + _part(1 - observed, 1 - expected)


def _part(observed: float, expected: float) -> float:
    if observed <= 0:
        return 0.0
    return math.inf if expected <= 0 else observed * math.log(observed / expected)


def _edge(share: float, towards: float, count: float, limit: float) -> float:
    """Bisection: the divergence only grows on the way from the share to `towards`."""
    inside, outside = share, towards
    if count * divergence(share, outside) <= limit:
        return outside
    for _ in range(50):
        middle = (inside + outside) / 2
        if count * divergence(share, middle) <= limit:
            inside = middle
        else:
            outside = middle
    return inside


def _weighted(weights: Mapping[str, int]) -> list[str]:
    return [name for name, weight in weights.items() if weight > 0]


def _summed(stretches: Sequence[Stretch]) -> tuple[dict[str, _Sum], float]:
    sums: dict[str, _Sum] = {}
    total = 0.0
    for one in stretches:
        weighted = _weighted(one.weights)
        routed = sum(one.requests[name] for name in weighted)
        total += routed
        for name in {*one.requests, *weighted}:
            each = sums.setdefault(name, _Sum())
            if name in weighted:
                each.had_weight = True
                each.got += one.requests[name]
                each.expected += routed * one.weights[name] / 100
            elif not one.mirror.get(name):
                each.direct += one.requests[name]
    return sums, total


def _observed(name: str, each: _Sum, total: float, limit: float) -> Observed:
    if not each.had_weight or total <= 0:
        verdict = Verdict.TOO_FEW if each.had_weight else Verdict.SAME
        return Observed(name, each.got, None, None, None, None, verdict, each.direct)
    ordered, share = min(1.0, each.expected / total), min(1.0, each.got / total)
    low, high = interval(share, total, limit)
    return Observed(
        name,
        each.got,
        ordered,
        share,
        low,
        high,
        _verdict(ordered, share, total, limit, low, high),
        each.direct,
    )


def _verdict(ordered: float, share: float, count: float, limit: float, low: float, high: float) -> Verdict:
    if ordered in (0.0, 1.0):
        # All draws of a time had but one end: there is nothing to be tested.
        return Verdict.SAME if share == ordered else Verdict.DIFFERS
    if count * divergence(share, ordered) > limit:
        return Verdict.DIFFERS
    return Verdict.SAME if ordered - CLOSE <= low and high <= ordered + CLOSE else Verdict.TOO_FEW


def _overall(found: Sequence[Observed], total: float) -> Verdict:
    verdicts = {each.verdict for each in found if each.ordered is not None}
    if total <= 0 or not verdicts:
        return Verdict.TOO_FEW
    return next(each for each in (Verdict.DIFFERS, Verdict.TOO_FEW, Verdict.SAME) if each in verdicts)


def _with_estimates(found: Sequence[Observed], sums: Mapping[str, _Sum]) -> list[Observed]:
    ratios = [each.got / each.expected for each in sums.values() if each.expected > 0]
    least = min(ratios, default=0.0)
    return [
        Observed(
            each.name, each.requests, each.ordered, each.share, each.low, each.high, each.verdict, each.direct,
            sums[each.name].got - least * sums[each.name].expected if each.ordered is not None else None,
        )
        for each in found
    ]  # fmt: skip


def _mirrored(stretches: Sequence[Stretch], limit: float) -> tuple[Observed, ...]:
    sums: dict[str, _Sum] = {}
    totals: dict[str, float] = {}
    for one in stretches:
        routed = sum(one.requests[name] for name in _weighted(one.weights))
        for name in _weighted(one.mirror):
            if name in one.requests:
                each = sums.setdefault(name, _Sum(had_weight=True))
                each.got += one.requests[name]
                each.expected += routed * one.mirror[name] / 100
                totals[name] = totals.get(name, 0.0) + routed
    return tuple(_observed(name, each, totals[name], limit) for name, each in sorted(sums.items()))


def _reason(verdict: Verdict, found: Sequence[Observed], total: float) -> str:
    if verdict is Verdict.SAME:
        return f"{total:,.0f} requests went where the split sends them, to within {CLOSE * 100:g} points."
    if verdict is Verdict.DIFFERS:
        worst = max(
            (each for each in found if each.verdict is Verdict.DIFFERS),
            key=lambda each: abs((each.share or 0) - (each.ordered or 0)),
        )
        return (
            f"{worst.name} got {_percent(worst.share)} of {total:,.0f} requests and should get "
            f"{_percent(worst.ordered)}; where traffic follows the order, chance does this in less than 1 of "
            f"{FALSE_ALARMS:,} windows."
        )
    if total <= 0:
        return "No request was routed."
    return f"{total:,.0f} requests are too few to tell the split to within {CLOSE * 100:g} points."


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share * 100:.1f}\u00a0%"
