"""How well a deployment did around a request: by its minute, or by its hour where minutes are gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from endpoints.metrics.columns import failures


class Grain(StrEnum):
    """What a figure is of."""

    MINUTE = "minute"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Figures:
    """What Azure says of one deployment in one step. None: not known, which is not zero.

    Of an hour `p95` is its median minute's and `p95_worst` its worst minute's: percentiles are never averaged.
    """

    grain: Grain
    requests: float | None = None
    errors: float | None = None
    throttled: float | None = None
    p95: float | None = None
    p95_worst: float | None = None

    @property
    def is_empty(self) -> bool:
        return all(value is None for value in (self.requests, self.errors, self.throttled, self.p95))

    @property
    def error_share(self) -> float | None:
        """Of its requests, from 0 to 1; None where either is not known, or there was no request."""
        if self.errors is None or not self.requests:
            return None
        return min(1.0, self.errors / self.requests)


@dataclass(frozen=True, slots=True)
class Health:
    """`figures` by name of deployment. `budget_p95` and `budget_failures` are the limits in force then, if any."""

    figures: Mapping[str, Figures] = field(default_factory=dict)
    budget_p95: float | None = None
    budget_failures: float | None = None
    minute: datetime | None = None

    @property
    def has_minutes(self) -> bool:
        """Whether anything is known of the minute itself."""
        return any(one.grain is Grain.MINUTE and not one.is_empty for one in self.figures.values())


def of_minute(values: Mapping[str, float | None]) -> Figures:
    """Out of the columns of a minute."""
    requests = values.get("requests")
    errors = failures(values.get("status_5xx"), values.get("model_errors"))
    throttled = values.get("status_429")
    if requests == 0:
        # Nobody asked: nobody was failed and nobody refused, whether Azure says so or not.
        errors, throttled = errors or 0.0, throttled or 0.0
    return Figures(Grain.MINUTE, requests, errors, throttled, values.get("p95"))


def of_hour(values: Mapping[str, float | None]) -> Figures:
    """Out of the columns of an hour."""
    return Figures(
        Grain.HOUR,
        values.get("requests"),
        failures(values.get("status_5xx"), values.get("model_errors")),
        values.get("status_429"),
        values.get("p95"),
        values.get("p95_max"),
    )


def finest(minute: Figures | None, hour: Figures | None) -> Figures:
    """The minute where anything is known of it, else the hour."""
    if minute is not None and not minute.is_empty:
        return minute
    if hour is not None and not hour.is_empty:
        return hour
    return Figures(Grain.MINUTE)
