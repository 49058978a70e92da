"""How each deployment behaves when it is asked: latency, errors, answers. Told by the scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from emulator import names
from emulator.values import Json, chance


@dataclass(frozen=True, slots=True)
class Failure:
    """A share of requests that the model itself answers with a status other than 200."""

    rate: float
    status: int = 500
    reason: str = "Exception in run()"


@dataclass(frozen=True, slots=True)
class Incident:
    """A bad time as the scenario tells it: `since` and `until` are times or distances; without an end it lasts."""

    since: str
    until: str | None = None
    p95_factor: float = 1.0
    failure_rate: float = 0.0
    status: int = 500
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """The behaviour of one deployment. Latencies are milliseconds."""

    p50_ms: float = 20.0
    p95_ms: float = 60.0
    failures: tuple[Failure, ...] = ()
    labels: tuple[str, ...] = ("accept", "refer", "decline")
    confidence: tuple[float, float] = (0.6, 0.99)
    logs: tuple[str, ...] = ()
    incidents: tuple[Incident, ...] = ()
    """Metrics show them; a request that is really sent knows nothing of them."""

    @property
    def sigma(self) -> float:
        """Latencies are log-normal, through the two given percentiles."""
        return math.log(self.p95_ms / self.p50_ms) / 1.6449 if self.p95_ms > self.p50_ms else 0.0

    @property
    def mean_ms(self) -> float:
        return self.p50_ms * math.exp(self.sigma**2 / 2)

    def latency_ms(self, roll: float) -> float:
        return self.p50_ms * math.exp(self.sigma * _normal(roll))

    def failure(self, roll: float) -> Failure | None:
        for failure in self.failures:
            roll -= failure.rate
            if roll < 0:
                return failure
        return None

    def answer(self, *seed: object) -> Json:
        low, high = self.confidence
        label = self.labels[int(chance("label", *seed) * len(self.labels))]
        return {"label": label, "confidence": round(low + (high - low) * chance("confidence", *seed), 4)}


@dataclass(slots=True)
class Models:
    """Models by the key of their deployment; what the scenario does not describe behaves like `default`."""

    default: Model = field(default_factory=Model)
    by_deployment: dict[str, Model] = field(default_factory=dict)

    def of(self, deployment_id: str) -> Model:
        return self.by_deployment.get(names.key(deployment_id), self.default)


def _normal(roll: float) -> float:
    """Near the normal quantile: the logistic one, scaled. Good enough for made-up latencies."""
    roll = min(max(roll, 1e-6), 1 - 1e-6)
    return math.log(roll / (1 - roll)) / 1.702


def model(values: dict[str, Any]) -> Model:
    """A model from the scenario's mapping, whose names were checked."""
    values = dict(values)
    failures = tuple(Failure(**item) for item in values.pop("failures", ()))
    incidents = tuple(Incident(**item) for item in values.pop("incidents", ()))
    for name in ("labels", "confidence", "logs"):
        if name in values:
            values[name] = tuple(values[name])
    return Model(failures=failures, incidents=incidents, **values)
