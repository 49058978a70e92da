"""One scoring request as the logs tell of it, and those that were really sent. In memory: they go with a restart."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from emulator import names
from emulator.models import Model
from emulator.values import Json

PREFIX = "opsportal.prediction "
"""Begins the line that a model writes about a request, for whoever collects the console log."""
_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Request:
    """`deployment` is "" where none was chosen; `model_status` None where the model was not asked."""

    at: datetime
    request_id: str
    client_id: str
    deployment: str
    status: int
    model_status: int | None = None
    model_reason: str = ""
    sent_bytes: int = 0
    answered_bytes: int = 0
    took_ms: float = 0.0
    user_agent: str = ""
    line: Json | None = None
    """What the model writes about it; None: nothing."""


@dataclass(slots=True)
class Sent:
    """The last requests that were really sent, by endpoint, in order of time."""

    _of: dict[str, list[Request]] = field(default_factory=dict)

    def add(self, endpoint: str, request: Request) -> None:
        found = self._of.setdefault(names.key(endpoint), [])
        found.append(request)
        if len(found) > 2 * _KEPT:
            del found[:_KEPT]

    def within(self, endpoint: str, since: datetime, until: datetime) -> Iterator[Request]:
        """In [since, until]."""
        found = self._of.get(names.key(endpoint), [])
        for request in found[bisect_left(found, since, key=lambda one: one.at) :]:
            if request.at > until:
                return
            yield request


def line(model: Model, asset: str, request_id: str, client_id: str, *seed: object) -> Json | None:
    """What a model that reports writes about an answer: never what it was asked, nor for whom."""
    if not model.reports:
        return None
    label, confidence = model.guess(*seed)
    told: Json = {
        "request_id": request_id,
        "client_id": client_id,
        "model_version": version(asset),
        "confidence": confidence,
        "scores": _scores(model, label, confidence),
    }
    if model.high_risk:
        told["high_risk"] = label in model.high_risk
    return told


def message(told: Json) -> str:
    return PREFIX + json.dumps(told, separators=(",", ":"))


def version(asset: str) -> str:
    """`name:version` of a registered model's id; what is no such id stays as it is."""
    parts = asset.split("/")
    return f"{parts[-3]}:{parts[-1]}" if len(parts) > 3 and parts[-2] == "versions" else asset


def _scores(model: Model, label: str, confidence: float) -> dict[str, float]:
    others = [name for name in model.labels if name != label]
    rest = round((1.0 - confidence) / len(others), 4) if others else 0.0
    return {name: confidence if name == label else rest for name in model.labels}
