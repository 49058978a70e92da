"""How much a deployment and its endpoint were asked at most, and how much a replica can carry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from endpoints.metrics.windows import Grain

# Of fewer busy minutes nothing is said.
FEWEST_MINUTES = 30
# Below so much use, use is mostly what a replica does without requests.
LEAST_USE = 10.0
# So many of a minute's requests refused: its replicas carried no more.
REFUSED_SHARE = 0.01
_FEWEST_REFUSED = 5


class Load(NamedTuple):
    """A minute of one deployment, or an hour as its mean minute. None: unknown.

    A plain tuple, for a page's worth of peaks takes tens of thousands of them.
    """

    at: datetime
    requests: float | None = None
    instances: float | None = None
    cpu_max: float | None = None
    gpu_max: float | None = None
    throttled: float | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Requests a minute that one replica can carry, until `limited_by` is at `limit` percent. `words`: how so.

    By "429" it is what a replica carried while others were refused. `minutes` stand behind it. None: not known.
    """

    per_replica: float | None
    limited_by: Literal["cpu", "gpu", "429", ""]
    limit: float
    minutes: int
    words: str


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest load that is known. Everything is None where it is unknown.

    `requests` are a minute's; by `grain` HOUR the mean minute of the busiest hour, so that the true peak was at least
    that. `instances` and `cpu_max` are those of the same time. `p99` is exceeded in one of a hundred of the `minutes`
    whose requests are known.
    """

    requests: float | None
    at: datetime | None
    grain: Grain
    instances: float | None
    cpu_max: float | None
    p99: float | None
    minutes: int
    capacity: Capacity
    words: str


@dataclass(frozen=True, slots=True)
class Total:
    """The peak of an endpoint: the sum of its deployments at the same time.

    `at_least`: the sum may have been higher, for something of it is unknown.
    """

    requests: float | None
    at: datetime | None
    grain: Grain
    at_least: bool
    words: str


@dataclass(frozen=True, slots=True)
class Peaks:
    """Of a stretch, by lower-case name, and of the endpoint. Minutes are known from `minutes_since` on."""

    since: datetime
    until: datetime
    minutes_since: datetime
    by_deployment: Mapping[str, Peak]
    total: Total


Alive = Callable[[str, datetime], bool]


def peak_of(minutes: Sequence[Load], hours: Sequence[Load], *, limit: float) -> Peak:
    """One deployment's peak, out of its minutes and, from before these, its hours."""
    known = [one for one in minutes if one.requests is not None]
    top, mean = _busiest(known), _busiest(hours)
    by_hour = mean is not None and (top is None or _requests(mean) > _requests(top))
    best = mean if by_hour else top
    return Peak(
        requests=best.requests if best else None,
        at=best.at if best else None,
        grain=Grain.HOUR if by_hour else Grain.MINUTE,
        instances=best.instances if best else None,
        cpu_max=best.cpu_max if best else None,
        p99=_rank([_requests(one) for one in known], 0.99),
        minutes=len(known),
        capacity=capacity_of(minutes, limit=limit),
        words=_peak_words(best, by_hour, len(known), len(hours)),
    )


def capacity_of(minutes: Sequence[Load], *, limit: float) -> Capacity:
    """What a replica can carry, out of the minutes in which it carried at least half of the most that it ever did.

    Use is taken to grow in proportion with requests. A part of it is there without any, so that this errs on the safe
    side. One busy minute in ten may say less than the figure; a single odd one decides nothing.
    """
    loads = [(one.requests / one.instances, one) for one in minutes if one.requests and one.instances]
    most = max((load for load, _ in loads), default=0.0)
    busy = [(load, one) for load, one in loads if 2 * load >= most]
    if len(busy) < FEWEST_MINUTES:
        return _nothing(
            limit, f"Only {len(busy)} busy minutes are known, too few to tell what a replica can carry."
        )
    found = [
        each
        for each in (_by_use(busy, "cpu", limit), _by_use(busy, "gpu", limit), _by_refusals(loads, limit))
        if each
    ]
    if not found:
        return _nothing(
            limit,
            f"Neither CPU nor GPU was at {LEAST_USE:g}\u00a0% or more in the busiest minutes: so little use says"
            " nothing of what a replica can carry.",
        )
    return min(found, key=lambda each: each.per_replica or 0.0)


def total_of(
    minutes: Mapping[str, Sequence[Load]], hours: Mapping[str, Sequence[Load]], alive: Alive
) -> Total:
    """The endpoint's peak. A deployment that was never known to serve is in no sum, and spoils none."""
    by_minute, by_hour = _sums(minutes, alive), _sums(hours, alive)
    top, mean = _highest(by_minute), _highest(by_hour)
    if top is None and mean is None:
        return Total(None, None, Grain.MINUTE, True, "No request of it is known.")
    partial = any(not whole for _, whole in by_minute.values())
    if mean is not None and (top is None or mean[1] > top[1]):
        words = (
            "The busiest hour's mean minute: of that time only hours are left, so the peak was at least that."
        )
        return Total(mean[1], mean[0], Grain.HOUR, True, words)
    assert top is not None
    words = f"The highest of {len(by_minute):,} known minutes."
    if partial:
        words += " In some of them a deployment's requests are unknown: the peak was at least that."
    elif by_hour:
        words += f" Of {len(by_hour):,} hours before them only means are left: the peak was at least that."
    return Total(top[1], top[0], Grain.MINUTE, partial or bool(by_hour), words)


def _busiest(loads: Sequence[Load]) -> Load | None:
    known = [one for one in loads if one.requests is not None]
    return max(known, key=_requests) if known else None


def _requests(one: Load) -> float:
    return one.requests or 0.0


def _rank(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least such a share of them does not exceed: one of them, and no mean."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else None


def _by_use(busy: Sequence[tuple[float, Load]], what: Literal["cpu", "gpu"], limit: float) -> Capacity | None:
    used = [(load, use) for load, one in busy if (use := one.cpu_max if what == "cpu" else one.gpu_max)]
    typical = _rank([use for _, use in used], 0.5)
    if len(used) < FEWEST_MINUTES or typical is None or typical < LEAST_USE:
        return None
    carried = _rank([load * limit / use for load, use in used], 0.1)
    uses, loads = [use for _, use in used], [load for load, _ in used]
    words = (
        f"In the {len(used):,} busiest minutes a replica served {min(loads):,.0f} to {max(loads):,.0f} requests with"
        f" {what.upper()} at {min(uses):.0f} to {max(uses):.0f}\u00a0%. In proportion it is at {limit:g}\u00a0% with"
        f" {carried:,.0f}; nine of ten of these minutes say so many or more."
    )
    if carried is not None and carried > 3 * max(loads):
        words += " That is more than three times what was ever seen: nothing was measured near it."
    return Capacity(carried, what, limit, len(used), words)


def _by_refusals(loads: Sequence[tuple[float, Load]], limit: float) -> Capacity | None:
    """While requests were refused, replicas carried all that they could."""
    full = [
        (_requests(one) - one.throttled) / (one.instances or 1.0)
        for _, one in loads
        if one.throttled and one.throttled > REFUSED_SHARE * _requests(one)
    ]
    carried = _rank(full, 0.5)
    if len(full) < _FEWEST_REFUSED or carried is None:
        return None
    words = (
        f"In {len(full):,} minutes more than {REFUSED_SHARE:.0%} of the requests were refused with 429, while a replica"
        f" served {carried:,.0f}; half of these minutes say so many or more."
    ).replace("%", "\u00a0%")
    return Capacity(carried, "429", limit, len(full), words)


def _nothing(limit: float, words: str) -> Capacity:
    return Capacity(None, "", limit, 0, words)


def _sums(loads: Mapping[str, Sequence[Load]], alive: Alive) -> dict[datetime, tuple[float, bool]]:
    """Requests by time, and whether those of every deployment that was there are in it."""
    serving = {name for name, each in loads.items() if any(one.requests is not None for one in each)}
    known: dict[datetime, dict[str, float]] = {}
    for name in serving:
        for one in loads[name]:
            if one.requests is not None:
                known.setdefault(one.at, {})[name] = one.requests
    return {
        at: (sum(found.values()), all(name in found or not alive(name, at) for name in serving))
        for at, found in known.items()
    }


def _highest(sums: Mapping[datetime, tuple[float, bool]]) -> tuple[datetime, float] | None:
    return max(((at, count) for at, (count, _) in sums.items()), key=lambda each: each[1], default=None)


def _peak_words(best: Load | None, by_hour: bool, minutes: int, hours: int) -> str:
    if best is None:
        return "No request of it is known."
    if by_hour:
        return (
            "The busiest hour's mean minute: of that time only hours are left, so the peak was at least that."
        )
    before = f" No hour of the {hours:,} before them had so high a mean." if hours else ""
    return f"The highest of {minutes:,} known minutes.{before}"
