"""How each deployment behaves when it is asked: latency, errors, answers. Told by the scenario."""

from __future__ import annotations

import math
from collections.abc import Iterable
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
class Wear:
    """Under live traffic latencies grow evenly to `p95_factor` times within so many minutes, and fall back after it."""

    minutes: float
    p95_factor: float


@dataclass(frozen=True, slots=True)
class Model:
    """The behaviour of one deployment. Latencies are milliseconds."""

    p50_ms: float = 20.0
    p95_ms: float = 60.0
    failures: tuple[Failure, ...] = ()
    labels: tuple[str, ...] = ("accept", "refer", "decline")
    confidence: tuple[float, float] = (0.6, 0.99)
    logs: tuple[str, ...] = ()
    reports: bool = False
    """Whether it writes a line about each answer into its console: how sure it was, and which model it is."""
    high_risk: tuple[str, ...] = ()
    """Labels of which it says in that line that the stakes are high; without any it says nothing of it."""
    incidents: tuple[Incident, ...] = ()
    wears: Wear | None = None
    answers: Json | None = None
    """The form of an answer, where `$label`, `$confidence` and `$text` stand for what is made up."""

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
        return picked(self.failures, roll)

    def guess(self, *seed: object) -> tuple[str, float]:
        """Label and confidence."""
        low, high = self.confidence
        label = self.labels[int(chance("label", *seed) * len(self.labels))]
        return label, round(low + (high - low) * chance("confidence", *seed), 4)

    def answer(self, *seed: object) -> Json:
        label, confidence = self.guess(*seed)
        made_up = {"$label": label, "$confidence": confidence, "$text": str(confidence)}
        return dict(_filled(self.answers or _USUAL_ANSWER, made_up))


_USUAL_ANSWER: Json = {"label": "$label", "confidence": "$confidence"}


def _filled(form: Any, made_up: Json) -> Any:
    if isinstance(form, dict):
        return {name: _filled(item, made_up) for name, item in form.items()}
    if isinstance(form, list):
        return [_filled(item, made_up) for item in form]
    return made_up.get(form, form) if isinstance(form, str) else form


def picked(failures: Iterable[Failure], roll: float) -> Failure | None:
    """The failure that a request with `roll` in [0, 1) meets; each takes its share."""
    for failure in failures:
        roll -= failure.rate
        if roll < 0:
            return failure
    return None


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
    if "wears" in values:
        values["wears"] = Wear(**values["wears"])
    for name in ("labels", "confidence", "logs", "high_risk"):
        if name in values:
            values[name] = tuple(values[name])
    return Model(failures=failures, incidents=incidents, **values)
