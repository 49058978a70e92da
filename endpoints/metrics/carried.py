"""What one instance carries, out of hours with requests: the same as `peaks.capacity_of` says out of minutes. Pure.

Use is taken to grow in proportion with requests. A part of it is there without any, and the highest use of an hour
stands beside its mean minute, so that this errs on the safe side. `selectors/usage.py` says the same in SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CPU_LIMIT = 80.0
"""Percent; an instance that is busier than this has little left for a burst."""
LEAST_USE = 10.0
"""Percent; lower use counts as this: it is mostly what an instance does without requests."""
REFUSED_SHARE = 0.01
"""So many of an hour's requests refused: its instances carried no more."""
FEWEST_HOURS = 3
"""Of fewer busy hours nothing is said."""


@dataclass(frozen=True, slots=True)
class Busy:
    """An hour with requests: its mean minute's requests and refusals, its mean instances, its highest use in percent.

    None: not known.
    """

    rate: float
    instances: float | None
    cpu: float | None
    gpu: float | None
    refused: float | None


def carried(hours: Sequence[Busy]) -> float | None:
    """Requests a minute; None: it was never busy enough to tell, or nothing is known of its use.

    Of the hours that carried at least half of the most that one ever did, one in ten may say less. Where requests were
    refused, what was served then is the limit, in half of these hours.
    """
    told = [hour for hour in hours if hour.instances]
    most = max((hour.rate / (hour.instances or 1) for hour in told), default=0.0)
    by_use = [
        hour.rate / hour.instances * CPU_LIMIT / max(hour.cpu or 0.0, hour.gpu or 0.0, LEAST_USE)
        for hour in told
        if hour.instances
        and hour.rate >= most / 2 * hour.instances
        and (hour.cpu is not None or hour.gpu is not None)
    ]
    by_refusals = [
        (hour.rate - hour.refused) / hour.instances
        for hour in told
        if hour.instances and hour.refused is not None and hour.refused > REFUSED_SHARE * hour.rate
    ]
    found = [
        _rank(values, share)
        for values, share in ((by_use, 0.1), (by_refusals, 0.5))
        if len(values) >= FEWEST_HOURS
    ]
    return min(found, default=None)


def _rank(values: Sequence[float], share: float) -> float:
    """The smallest value that at least such a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
