"""How many instances would have carried a day: by its own hours alone, so that only they and the rules change it. Pure.

The same rules as for the weeks that a proposal looks at, on the day's 24 hours. Where they say nothing of what one
instance carries, nothing counts as too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from endpoints.capacity.needs import Load, Settings, need
from endpoints.metrics.carried import Busy, carried


class Used(Protocol):
    """An hour's counts of minutes and sums, as the rollup has it."""

    @property
    def request_minutes(self) -> int: ...
    @property
    def capacity_minutes(self) -> int: ...
    @property
    def instance_minutes(self) -> float | None: ...
    @property
    def requests(self) -> float | None: ...
    @property
    def p95_ms(self) -> float | None: ...
    @property
    def cpu_max(self) -> float | None: ...
    @property
    def gpu_max(self) -> float | None: ...
    @property
    def throttled(self) -> float | None: ...


def needed(hours: Sequence[Used], *, concurrent: int | None, settings: Settings) -> int | None:
    """Instances; None: that cannot be said."""
    busy = [hour for hour in hours if hour.requests and hour.request_minutes]
    loads = [Load((hour.requests or 0.0) / hour.request_minutes, hour.p95_ms) for hour in busy]
    each = carried([_busy(hour) for hour in busy])
    return need(loads, per_instance=each, concurrent=concurrent, settings=settings).instances


def _busy(hour: Used) -> Busy:
    instances = hour.instance_minutes / hour.capacity_minutes if hour.instance_minutes else None
    refused = None if hour.throttled is None else hour.throttled / hour.request_minutes
    rate = (hour.requests or 0.0) / hour.request_minutes
    return Busy(rate, instances, hour.cpu_max, hour.gpu_max, refused)
