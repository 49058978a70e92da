"""How much a deployment and its endpoint were asked at most, and how much a replica can carry. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from endpoints.metrics.windows import Grain


@dataclass(frozen=True, slots=True)
class Capacity:
    """Requests a minute that one replica can carry, until `limited_by` is at `limit` percent. `words`: how so."""

    per_replica: float | None
    limited_by: Literal["cpu", "gpu", "429", ""]
    limit: float
    minutes: int
    words: str


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest load that is known. Everything is None where it is unknown.

    `requests` are a minute's; by `grain` HOUR the mean minute of the busiest hour, so that the true peak was at least
    that. `instances` and `cpu_max` are those of the same time. `p99` is the busiest minute but one in a hundred of
    `minutes` known ones.
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
class Peaks:
    """By lower-case name, and for the endpoint: the sum of all deployments at the same time.

    `at_least`: some deployment's requests are unknown in a part of the time, so that the sum may have been higher.
    """

    since: datetime
    until: datetime
    by_deployment: dict[str, Peak]
    requests: float | None
    at: datetime | None
    grain: Grain
    at_least: bool
    words: str
