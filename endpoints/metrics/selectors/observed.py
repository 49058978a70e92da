"""An endpoint's observed split over a stretch, beside the split that was in force at each time of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.inventory.selectors import DeploymentLife, SplitSpan, deployments_between, split_spans
from endpoints.metrics.observed import FALSE_ALARMS, Comparison, Stretch, compare
from endpoints.metrics.selectors.series import Series, series
from endpoints.metrics.windows import Grain


@dataclass(frozen=True, slots=True)
class ObservedSplit:
    """`comparison` is made of `used_minutes`; the others are left out.

    In `changing_minutes` the split was being changed or is not known, in `unknown_minutes` the requests of a
    deployment with traffic are not. `ordered` is the newest split that is certain. Where traffic follows the order,
    at most one of `false_alarms` windows "differs".
    """

    since: datetime
    until: datetime
    comparison: Comparison
    ordered: SplitSpan | None
    used_minutes: int
    changing_minutes: int
    unknown_minutes: int
    false_alarms: int = FALSE_ALARMS


def observed_split(endpoint_id: int, *, since: datetime, until: datetime) -> ObservedSplit:
    """Counted by minutes, or by hours of which all minutes are known where the stretch is older or longer."""
    spans = split_spans(endpoint_id, since=since, until=until)
    lives = deployments_between(endpoint_id, since=since, until=until)
    ids = [life.id for life in lives]
    found = series(ids, since=since, until=until, columns=("requests",))
    if found.grain is not Grain.MINUTE:
        columns = ("requests", "request_minutes")
        found = series(ids, since=since, until=until, grain=Grain.HOUR, columns=columns)
    stretches, unknown = _stretches(spans, lives, found)
    length = int(found.grain.step.total_seconds()) // 60
    used = sum(count for _, count in stretches)
    return ObservedSplit(
        since=since,
        until=until,
        comparison=compare([stretch for stretch, _ in stretches]),
        ordered=spans[-1] if spans else None,
        used_minutes=used * length,
        changing_minutes=(len(found.times) - used - unknown) * length,
        unknown_minutes=unknown * length,
    )


def _stretches(
    spans: Sequence[SplitSpan], lives: Sequence[DeploymentLife], found: Series
) -> tuple[list[tuple[Stretch, int]], int]:
    """A stretch for each span, with how many steps are in it; and how many are in none for lack of figures."""
    known = {life.id: _known(found, life.id) for life in lives}
    stretches, unknown = [], 0
    for span in spans:
        sums: dict[str, float] = dict.fromkeys(_needed(span), 0.0)
        used = 0
        for place in _places(found, span):
            step = _requests(lives, known, place)
            if any(name not in step for name in _needed(span)):
                unknown += 1
                continue
            used += 1
            for name, count in step.items():
                sums[name] = sums.get(name, 0.0) + count
        if used:
            stretches.append((Stretch(span.traffic, span.mirror_traffic, sums), used))
    return stretches, unknown


def _needed(span: SplitSpan) -> list[str]:
    return [name for name, weight in span.traffic.items() if weight > 0]


def _places(found: Series, span: SplitSpan) -> list[int]:
    """The steps that lie wholly in the span."""
    step = found.grain.step
    return [
        place for place, time in enumerate(found.times) if time >= span.since and time + step <= span.until
    ]


def _known(found: Series, deployment_id: int) -> Sequence[float | None]:
    """Requests by step; an hour counts only when all its minutes are known, or shares would be of different times."""
    columns = found.by_deployment[deployment_id]
    if found.grain is Grain.MINUTE:
        return columns["requests"]
    pairs = zip(columns["requests"], columns["request_minutes"], strict=True)
    return [requests if minutes == 60 else None for requests, minutes in pairs]


def _requests(
    lives: Sequence[DeploymentLife], known: Mapping[int, Sequence[float | None]], place: int
) -> dict[str, float]:
    """Requests by name: one that was deleted and made again is two, of which one served."""
    found: dict[str, float] = {}
    for life in lives:
        count = known[life.id][place]
        if count is not None:
            found[life.name_key] = found.get(life.name_key, 0.0) + count
    return found
