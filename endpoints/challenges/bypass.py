"""How many requests passed the split by, because they named their deployment in a header. An estimate. Pure.

Neither metrics nor the traffic log tell such requests from others. Where r of all requests came by header, a
deployment with weight w gets at least the share (1 - r) w; so r is at least 1 - s / w for every observed share s. What
is told is the largest of these: a lower bound, because requests by header that follow the weights show nowhere.

`at_least` holds with the certainty of Hoeffding's inequality (W. Hoeffding, "Probability inequalities for sums of
bounded random variables", Journal of the American Statistical Association 58, 1963, theorem 1), as `metrics.observed`
uses it: s is replaced by the largest share that the count does not contradict. `proven` are requests at deployments
with neither weight nor mirrored traffic: nothing else than a header brings them there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from endpoints.core.traffic import Split
from endpoints.metrics.observed import interval

FEWEST = 200
"""Requests below which nothing is said."""
FALSE_ALARMS = 1000
"""At most one estimate in so many says more than there was."""


@dataclass(frozen=True, slots=True)
class Bypass:
    """Shares from 0 to 1 of `requests`. `share` is likely, `at_least` is safe; None: too few, `reason` says so."""

    requests: int
    proven: int
    share: float | None
    at_least: float | None
    reason: str


def estimate(requests: Mapping[str, float], live: Split, mirror: Split) -> Bypass:
    """Out of what each deployment got while one split was in force. Copies are nobody's answer and don't count."""
    counted = {name: count for name, count in requests.items() if name in live or not mirror.get(name)}
    total = sum(counted.values())
    proven = sum(count for name, count in counted.items() if name not in live)
    if missing := sorted(set(live) - set(counted)):
        return Bypass(
            round(total), round(proven), None, None, f"The requests of {', '.join(missing)} are not known."
        )
    if total < FEWEST:
        words = f"{total:,.0f} requests are too few to estimate it; {FEWEST} are needed."
        return Bypass(round(total), round(proven), None, None, words)
    share = max((_excess(counted[name] / total, weight) for name, weight in live.items()), default=1.0)
    limit = math.log(max(1, len(live)) * FALSE_ALARMS)
    highest = {name: interval(counted[name] / total, total, limit)[1] for name in live}
    safe = max((_excess(highest[name], weight) for name, weight in live.items()), default=1.0)
    # Those that are proven need no statistics.
    return Bypass(round(total), round(proven), share, max(safe, proven / total), "")


def _excess(share: float, weight: int) -> float:
    return max(0.0, 1 - share / (weight / 100))
