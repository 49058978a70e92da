"""When requests began to follow a split that was ordered: how long a rollback really took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from endpoints.inventory.selectors import deployments_between
from endpoints.metrics.agreement import Agreement, Requests, first_agreeing
from endpoints.metrics.selectors.series import series
from endpoints.metrics.windows import Grain, ceiled, floored

LONGEST = timedelta(hours=1)
# Who got requests in that time before the order has to be seen to get none.
_BEFORE = timedelta(hours=1)


def observed_since(
    endpoint_id: int,
    split: Mapping[str, int],
    since: datetime,
    *,
    mirror: Mapping[str, int] | None = None,
    until: datetime | None = None,
) -> Agreement:
    """The first minute after `since` in which the observed split agrees; looked for up to `until`, or for an hour.

    Deployments without weight that were seen to serve in the hour before must be seen to get nothing, unless Azure
    mirrors to them.
    """
    begin, end = ceiled(since, Grain.MINUTE), floored(until or since + LONGEST, Grain.MINUTE)
    if begin >= end:
        return Agreement(None, "No whole minute has passed since then.")
    lives = deployments_between(endpoint_id, since=begin - _BEFORE, until=end)
    ids = [life.id for life in lives]
    found = series(ids, since=begin - _BEFORE, until=end, grain=Grain.MINUTE, columns=("requests",))
    minutes: list[Requests] = []
    served: set[str] = set()
    for place, time in enumerate(found.times):
        by_name: dict[str, float] = {}
        for life in lives:
            count = found.by_deployment[life.id]["requests"][place]
            if count is not None:
                by_name[life.name_key] = by_name.get(life.name_key, 0.0) + count
        served.update(name for name, count in by_name.items() if count > 0)
        if time >= begin:
            minutes.append(Requests(time, by_name))
    mirrored = {name.lower() for name, percent in (mirror or {}).items() if percent > 0}
    return first_agreeing(minutes, split, sorted(served - mirrored))
