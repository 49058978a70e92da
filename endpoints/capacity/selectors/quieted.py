"""Since when deployments that served have had no traffic, and no request: what came before came by their weight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from endpoints.capacity.selectors.living import Living
from endpoints.inventory.selectors.paid import Weights, weights_of
from endpoints.metrics.selectors.paid_hours import used_hours

HOUR = timedelta(hours=1)


def quiet_since_moved(found: Sequence[Living], since: datetime, until: datetime) -> dict[int, datetime]:
    """By deployment without a weight, when its live or mirrored traffic was taken away in these days.

    Left out is one of which requests came later, or which had none taken away: those came by its name. An hour in
    which traffic moved may have had requests of both kinds, and counts as neither.
    """
    if not found:
        return {}
    told = weights_of(sorted({one.endpoint_id for one in found}), since, until)
    moved = {one.id: at for one in found if (at := _taken_away(told.get(one.endpoint_id, ()), one.name_key))}
    used = used_hours(sorted(moved), since, until)
    return {
        number: at
        for number, at in moved.items()
        if not any(hour.requests for hour in used.get(number, ()) if hour.hour >= at)
    }


def _taken_away(weights: Sequence[Weights], name: str) -> datetime | None:
    """When the last split that gave it traffic ended."""
    served = [place for place, told in enumerate(weights) if told.live.get(name) or told.mirror.get(name)]
    return weights[served[-1] + 1].since if served and served[-1] + 1 < len(weights) else None
